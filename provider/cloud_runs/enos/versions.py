"""In what the two versions of the Batch Data Processing API differ: one table.

V2.0 ("Dataflow Service") is the one before EnOS 2.1.2; a new installation may have V2.1 alone. Source:
https://support.enos-iot.com/docs/batch-processing-api/en/2.3.0/v2.1/overview.html, and the pages of both versions.

Alike in both, though the pages tell it otherwise here and there: the code of success, which is `status` in V2.0 and
`code` in V2.1, is read under either name; parameters go as a list of `key` and `value`, as the samples of both have
them (the tables say Map, the newer ones of V2.1 List<Map>).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Version:
    """`from_task`: it can trigger a flow from one of its tasks on (since EnOS 2.2). `tasks`: it tells of one task of a
    run (since EnOS 2.3)."""

    name: str
    path: str
    from_task: bool = False
    tasks: bool = False


DEFAULT = "2.0"
VERSIONS: Mapping[str, Version] = {
    "2.0": Version("2.0", "/dataflow-batch-service/v2.0"),
    "2.1": Version("2.1", "/batch-processing-service/v2.1", from_task=True, tasks=True),
}
