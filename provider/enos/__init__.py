"""EnOS batch data processing: runs of flows behind a customer's API gateway."""

from provider.enos.flow_run import FlowRun

__all__ = ["FlowRun"]
