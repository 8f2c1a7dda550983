"""EnOS batch data processing: runs of flows behind a customer's API gateway."""

from cloud_runs.enos.flow_run import FlowRun

__all__ = ["FlowRun"]
