import pulumi

from cloud_runs import huawei

reviews = huawei.dwr.WorkflowFanOut(
    "reviews",
    region="cn-south-1",
    project_id="0123456789abcdef0123456789abcdef",
    graph_name="review",
    bucket="demo-bucket",
    objects=["/mpc/a.mp4", "/mpc/b.mp4", "/mpc/c.mp4"],
)

pulumi.export("dwr_execution_names", reviews.instance_ids)
pulumi.export("dwr_refused", reviews.refused)
