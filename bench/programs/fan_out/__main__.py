"""N runs in one resource."""

import os

from cloud_runs import tencent

tencent.WorkflowFanOut(
    "runs",
    bucket="media-1250000000",
    region="ap-beijing",
    workflow_id="we59a9648e62e48ffb25e4b41f3721799",
    objects=[f"videos/{number:05}.mp4" for number in range(int(os.environ["BENCH_N"]))],
    concurrency=16,
)
