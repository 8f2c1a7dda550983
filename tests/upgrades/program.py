"""The program whose states are kept in `states/`. It stays as it is: a change here would ask for new runs there."""

import pulumi

from cloud_runs import Completion, Provider, enos, huawei, tencent

release = pulumi.Config().get("release") or "1"

transcode = tencent.WorkflowRun(
    "transcode",
    bucket="media-1250000000",
    workflow_id="we59a9648e62e48ffb25e4b41f3721799",
    object="incoming/a b+ü.mp4",
    name="label",
    triggers={"release": release, "day": 2, "deep": {"list": [1, 2.5, None, True], "text": "ü"}},
    rerun_on_failure=True,
)
backfill = tencent.InventoryJob(
    "backfill",
    bucket="media-1250000000",
    input={"prefix": "input"},
    workflow_ids="w7476ff3564ee45b7b490d64bccaba6cc",
    time_interval={"start": "2022-02-01T12:00:00+0800", "end": "2022-05-01T12:00:00+0800"},
    on_delete="cancel",
)
scan = huawei.WorkflowRun(
    "scan",
    graph_name="scan",
    bucket="demo-bucket",
    object="/mpc/demo.mp4",
    inputs={"template-id": 7, "ratio": 0.5, "labels": ["a", 1]},
)
meters = enos.FlowRun("meters", flow_id=3377, parameters={"REPLACE": "x", "COUNT": 3})
other = Provider(
    "other",
    tencent_secret_id=pulumi.Config().require("otherId"),
    tencent_secret_key=pulumi.Config().require_secret("otherKey"),
    tencent_region="eu-frankfurt",
)
archive = tencent.WorkflowRun(
    "archive",
    bucket="archive-1260000000",
    workflow_id="w7476ff3564ee45b7b490d64bccaba6cc",
    object=pulumi.Output.secret("film.mp4"),
    opts=pulumi.ResourceOptions(provider=other),
)
many = tencent.WorkflowFanOut(
    "many",
    bucket="media-1250000000",
    workflow_id="we59a9648e62e48ffb25e4b41f3721799",
    objects=["many/b.mp4", "many/a ü.mp4"],
    triggers={"day": 2},
)
scans = huawei.WorkflowFanOut(
    "scans", graph_name="scans", bucket="demo-bucket", objects=["/mpc/1.mp4", "/mpc/2.mp4"], inputs={"ratio": 0.5}
)
done = Completion("nightly", runs=[transcode, backfill, scan, meters], timeout="2m", poll_interval=1)

pulumi.export("instance_id", transcode.instance_id)
pulumi.export("outcomes", done.outcomes)
