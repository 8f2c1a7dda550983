import pulumi

from cloud_runs import Provider, tencent

config = pulumi.Config()
archive = Provider(
    "archive",
    tencent_secret_id=config.require_secret("archiveSecretId"),
    tencent_secret_key=config.require_secret("archiveSecretKey"),
    tencent_region="eu-frankfurt",
)
there = tencent.WorkflowRun(
    "there",
    bucket="archive-1260000000",
    workflow_id="w7476ff3564ee45b7b490d64bccaba6cc",
    object="test.mp4",
    opts=pulumi.ResourceOptions(provider=archive),
)

pulumi.export("instance_id", there.instance_id)
