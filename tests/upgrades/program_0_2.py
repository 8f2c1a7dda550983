"""What the program of states that 0.2 and later made has beside `program.py`. It stays as it is, likewise."""

from cloud_runs import huawei

review = huawei.dwr.WorkflowRun(
    "review",
    graph_name="review",
    bucket="demo-bucket",
    object="/mpc/demo.mp4",
    inputs={"template-id": 7, "ratio": 0.5, "labels": ["a", 1]},
)
reviews = huawei.dwr.WorkflowFanOut(
    "reviews", graph_name="reviews", bucket="demo-bucket", objects=["/mpc/1.mp4", "/mpc/2.mp4"], inputs={"ratio": 0.5}
)
