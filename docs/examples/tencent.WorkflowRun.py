import pulumi

from cloud_runs import tencent

transcode = tencent.WorkflowRun(
    "transcode",
    bucket="media-1250000000",
    region="ap-beijing",
    workflow_id="we59a9648e62e48ffb25e4b41f3721799",
    object="test.mp4",
    name="release-42",
    triggers={"release": "42"},
)

pulumi.export("instance_id", transcode.instance_id)
