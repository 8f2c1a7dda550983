import pulumi

from cloud_runs import huawei

scan = huawei.WorkflowRun(
    "scan",
    region="cn-north-4",
    graph_name="scan",
    bucket="demo-bucket",
    object="/mpc/demo.mp4",
    inputs={"quality": "high", "size": 7},
    triggers={"release": "42"},
)

pulumi.export("execution_name", scan.execution_name)
