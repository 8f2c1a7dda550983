"""One workflow run for each release. The keys come from the environment: TENCENTCLOUD_SECRET_ID and _SECRET_KEY."""

import pulumi

from cloud_runs import tencent

config = pulumi.Config()

transcode = tencent.WorkflowRun(
    "transcode",
    bucket=config.require("bucket"),
    workflow_id=config.require("workflowId"),
    object=config.require("object"),
    triggers={"release": config.require("release")},
)

pulumi.export("instance_id", transcode.instance_id)
pulumi.export("instance_phase", transcode.phase)
