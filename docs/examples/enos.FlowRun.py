import pulumi

from cloud_runs import enos

meters = enos.FlowRun(
    "meters",
    flow_id=3377,
    org_id="o15",
    user_id="alice",
    trigger_time="2019-11-22T01:23:44Z",
    parameters={"REPLACE": "ddee", "count": 7},
    on_delete="cancel",
)

pulumi.export("flow_instance_id", meters.flow_instance_id)
