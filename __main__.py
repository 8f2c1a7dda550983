"""The program: a workflow run and a batch job, wired to the stack's configuration."""

import pulumi

from provider import tencent

config = pulumi.Config()
bucket = config.require("bucket")

transcode = tencent.WorkflowRun(
    "transcode",
    bucket=bucket,
    workflow_id=config.require("workflowId"),
    object=config.require("object"),
    triggers={"release": config.require("release")},
)
backfill = tencent.InventoryJob(
    "backfill",
    bucket=bucket,
    name=config.require("batchName"),
    input={"prefix": config.require("batchPrefix")},
    workflow_ids=config.require("batchWorkflowId"),
    time_interval={"start": config.require("batchStart"), "end": config.require("batchEnd")},
)

pulumi.export("instance_id", transcode.instance_id)
pulumi.export("instance_reference", transcode.reference)
pulumi.export("instance_phase", transcode.phase)
pulumi.export("job_id", backfill.job_id)
pulumi.export("job_reference", backfill.reference)
pulumi.export("job_phase", backfill.phase)
