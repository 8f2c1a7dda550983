import pulumi

from cloud_runs import tencent

episodes = tencent.WorkflowFanOut(
    "episodes",
    bucket="media-1250000000",
    region="ap-beijing",
    workflow_id="we59a9648e62e48ffb25e4b41f3721799",
    objects=[f"season-1/{number:02}.mp4" for number in range(1, 11)],
    rate=20,
)

pulumi.export("instance_ids", episodes.instance_ids)
pulumi.export("refused", episodes.refused)
