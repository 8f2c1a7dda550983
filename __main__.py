"""The program: one run of each system that the stack's configuration names, wired to the rest of it."""

from pathlib import Path

import pulumi

from cloud_runs import Completion, enos, huawei, tencent

config = pulumi.Config()
systems = config.require_object("systems")
triggers = {"release": config.require("release")}
runs = []


def told(run):
    """What a person wants to read, in one output. The id is one by itself too, for stacks that take it."""
    return {"id": run.id, "phase": run.phase, "reference": run.reference}


if "tencent.workflow" in systems:
    transcode = tencent.WorkflowRun(
        "transcode",
        bucket=config.require("bucket"),
        workflow_id=config.require("workflowId"),
        object=config.require("object"),
        triggers=triggers,
    )
    runs.append(transcode)
    pulumi.export("instance_id", transcode.instance_id)
    pulumi.export("transcode", told(transcode))

if "tencent.inventory" in systems:
    backfill = tencent.InventoryJob(
        "backfill",
        bucket=config.require("bucket"),
        name=config.require("batchName"),
        input={"prefix": config.require("batchPrefix")},
        workflow_ids=config.require("batchWorkflowId"),
        time_interval={"start": config.require("batchStart"), "end": config.require("batchEnd")},
    )
    runs.append(backfill)
    pulumi.export("job_id", backfill.job_id)
    pulumi.export("backfill", told(backfill))

if "huawei.workflow" in systems:
    scan = huawei.WorkflowRun(
        "scan",
        graph_name=config.require("graphName"),
        bucket=config.require("scanBucket"),
        object=config.require("scanObject"),
        inputs=config.get_object("scanInputs"),
    )
    runs.append(scan)
    pulumi.export("execution_name", scan.execution_name)
    pulumi.export("scan", told(scan))

if "huawei.dwr" in systems:
    review = huawei.dwr.WorkflowRun(
        "review",
        graph_name=config.require("dwrGraphName"),
        bucket=config.require("scanBucket"),
        object=config.require("scanObject"),
        inputs=config.get_object("dwrInputs"),
    )
    runs.append(review)
    pulumi.export("dwr_execution_name", review.execution_name)
    pulumi.export("review", told(review))

if "enos.flow" in systems:
    meters = enos.FlowRun("meters", flow_id=config.require_int("flowId"))
    runs.append(meters)
    pulumi.export("flow_instance_id", meters.flow_instance_id)
    pulumi.export("meters", told(meters))

# Pulumi Cloud shows it on the stack's page, with the outputs filled in. With other backends it would fill the screen.
if config.get_bool("readme"):
    pulumi.export("readme", Path("stacks/README.md").read_text(encoding="utf-8"))

# Without this setting nothing is waited for. Nothing of a Completion is exported: an export holds back all outputs of
# the stack until the wait is over, so the ids of new runs would not get there when it fails.
if wait := config.get("wait"):
    Completion("done", runs, timeout=wait)
