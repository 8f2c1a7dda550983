"""What both of the vendor's APIs are held to: an answer is about the run that was asked for, a list is surely a list,
and each of its rows names a run. All raise Unavailable; `api` names the service, and `path` what was asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cloud_runs.errors import NotFound, Unavailable, clean
from cloud_runs.huawei import answers as reading
from cloud_runs.runs import Workflow
from cloud_runs.wire.calls import of_another
from cloud_runs.wire.masking import Masker
from cloud_runs.wire.payloads import usable_id

Row = Mapping[str, Any]


def about(api: str, path: str, id: str, told: str, mask: Masker) -> None:
    """`told`: of which run the answer says that it is."""
    if told != id.strip():
        raise of_another(api, path, id, told, mask)


def rows(api: str, path: str, content: Mapping[str, Any]) -> list[Row]:
    found, count = content.get("executions"), content.get("count")
    if found is None and count == 0:
        return []
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise Unavailable(f"{api} gave an answer to GET {path} that cannot be read")
    if not found and count not in (0, None):
        raise Unavailable(f"{api} gave an answer to GET {path} that is not surely a list")
    return found


def run_id(api: str, path: str, row: Row, mask: Masker) -> str:
    told = row.get("execution_name")
    if id := usable_id(told):
        return id
    if told:
        shown = clean(mask.text(str(told)), 100)
        raise Unavailable(f"{api} listed a run whose execution_name cannot be used: GET {path}: {shown!r}")
    raise Unavailable(f"{api} listed a run without execution_name: GET {path}")


def workflow(api: str, graph: str, inputs: Row, mask: Masker, ask: Callable[[], Row]) -> tuple[Workflow]:
    """What `ask` tells of the workflow itself, for a run with these inputs. No page has a code for one that is not
    there, so it is read as that of a run: a 404 of the service that tells of nothing else."""
    try:
        content = ask()
    except NotFound:
        return (Workflow(graph, exists=False, runs=False),)
    if reading.text(content, "name") != graph:
        raise Unavailable(f"{api} gave an answer to a query of workflow {graph} that is not about that workflow")
    return (mask.workflow(reading.workflow(graph, content, inputs)),)
