import pulumi

from cloud_runs import huawei

scans = huawei.WorkflowFanOut(
    "scans",
    region="cn-north-4",
    graph_name="scan",
    bucket="demo-bucket",
    objects=["/mpc/a.mp4", "/mpc/b.mp4", "/mpc/c.mp4"],
)

pulumi.export("execution_names", scans.instance_ids)
pulumi.export("refused", scans.refused)
