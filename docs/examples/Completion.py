import pulumi

from cloud_runs import Completion, enos, tencent

encode = tencent.WorkflowRun(
    "encode",
    bucket="media-1250000000",
    region="ap-beijing",
    workflow_id="we59a9648e62e48ffb25e4b41f3721799",
    object="test.mp4",
)
nightly = enos.FlowRun("nightly", flow_id=3377, org_id="o15", user_id="alice")
done = Completion("done", runs=[encode, nightly], timeout="1h", poll_interval="20s")
publish = tencent.WorkflowRun(
    "publish",
    bucket="media-1250000000",
    region="ap-beijing",
    workflow_id="w7476ff3564ee45b7b490d64bccaba6cc",
    object="test.mp4",
    opts=pulumi.ResourceOptions(depends_on=[done]),
)

pulumi.export("instance_id", publish.instance_id)
