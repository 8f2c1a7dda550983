"""How a request reaches a service and what its answer is made of. No Pulumi."""
