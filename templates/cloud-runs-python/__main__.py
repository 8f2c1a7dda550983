"""One workflow run for each release, waited for. Keys come from the environment: TENCENTCLOUD_SECRET_ID and
TENCENTCLOUD_SECRET_KEY; the stack dev has those of the emulator."""

import pulumi

from cloud_runs import Completion, tencent

config = pulumi.Config()

transcode = tencent.WorkflowRun(
    "transcode",
    bucket=config.require("bucket"),
    workflow_id=config.require("workflowId"),
    object=config.require("object"),
    triggers={"release": config.require("release")},
    rerun_on_failure=True,  # by `pulumi up --refresh`, which the pipelines do
)
Completion("done", runs=[transcode], timeout=config.require("timeout"))

# Nothing of the Completion: an export of it would hold back all outputs until the run has ended.
pulumi.export("instance_id", transcode.instance_id)
