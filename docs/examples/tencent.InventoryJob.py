import pulumi

from cloud_runs import tencent

backfill = tencent.InventoryJob(
    "backfill",
    bucket="media-1250000000",
    region="ap-beijing",
    name="demo",
    input={"prefix": "input"},
    workflow_ids="w7476ff3564ee45b7b490d64bccaba6cc",
    time_interval={"start": "2022-02-01T12:00:00+0800", "end": "2022-05-01T12:00:00+0800"},
    on_delete="cancel",
)

pulumi.export("job_id", backfill.job_id)
