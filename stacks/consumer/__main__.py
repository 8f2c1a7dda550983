"""Another stack: takes the ids of the runs by StackReference, for whatever comes after them."""

import pulumi

producer = pulumi.StackReference(pulumi.Config().require("producer"))

pulumi.export("instance_id", producer.require_output("instance_id"))
pulumi.export("job_id", producer.require_output("job_id"))
