"""Another stack: takes the ids of the runs by StackReference, for whatever comes after them."""

import pulumi

producer = pulumi.StackReference(pulumi.Config().require("producer"))

# An id of a system that the other stack leaves out is not there.
for name in ("instance_id", "job_id", "execution_name", "dwr_execution_name", "flow_instance_id"):
    pulumi.export(name, producer.get_output(name))
