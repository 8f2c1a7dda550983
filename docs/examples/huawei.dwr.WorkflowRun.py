import pulumi

from cloud_runs import huawei

review = huawei.dwr.WorkflowRun(
    "review",
    region="cn-south-1",
    project_id="0123456789abcdef0123456789abcdef",
    graph_name="review",
    bucket="demo-bucket",
    object="/mpc/demo.mp4",
    inputs={"quality": "high", "size": 7},
    triggers={"release": "42"},
)

pulumi.export("dwr_execution_name", review.execution_name)
