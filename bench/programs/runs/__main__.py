"""N ordinary runs, each with its intent: one resource a run."""

import os

from cloud_runs import tencent

for number in range(int(os.environ["BENCH_N"])):
    tencent.WorkflowRun(
        f"run-{number:05}",
        bucket="media-1250000000",
        region="ap-beijing",
        workflow_id="we59a9648e62e48ffb25e4b41f3721799",
        object=f"videos/{number:05}.mp4",
    )
