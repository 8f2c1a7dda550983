"""The answers of DWR workflows -> plain values. Pure functions; tests/recordings/dwr/ has an answer of each shape.

Sources: the vendor's SDK (https://github.com/huaweicloud/huaweicloud-sdk-python-v3,
`huaweicloud-sdk-dwr/huaweicloudsdkdwr/v3/model`) and https://support.huaweicloud.com/api-dwr/dwr_04_0129.html (get).
The two contradict each other: the page's sample has the `execution_info` of OBS workflows, so both shapes are read.
Everything in an answer is hostile: a part that is missing or has the wrong shape reads as empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cloud_runs.errors import clean
from cloud_runs.huawei import answers as obs
from cloud_runs.huawei.answers import mapping, parsed, phase, text
from cloud_runs.runs import RunStatus, Task
from cloud_runs.wire.payloads import time_text

_NODES = 1000  # that are shown; a workflow has a few dozen
_LEVELS = 8  # within which an input is looked for


def told_id(content: Mapping[str, Any]) -> str:
    """Of which run an answer to a look is. The SDK's shape has no name but an `execution_id`; that it is the name is
    nowhere written, but there is nothing else by which show and retry could take the run."""
    info = mapping(content.get("execution_info")) or content
    return text(info, "execution_name") or text(info, "execution_id")


def execution_status(id: str, content: Mapping[str, Any], request_id: str = "") -> RunStatus:
    """An answer to a look. The message is that of the first node that tells one."""
    if info := mapping(content.get("execution_info")):
        return obs.execution_status(id, info, request_id)
    began = time_text(text(content, "begin_time"))
    state = clean(text(content, "status"), 100)
    at = phase(state)
    tasks = tuple(_task(number, node) for number, node in enumerate(_nodes(content), 1))
    graph = clean(_graph(text(content, "workflow_urn")), 100)
    return RunStatus(
        id=id,
        phase=at,
        state=state,
        message=next((task.message for task in tasks if task.message), ""),
        created_at=began,
        started_at=began,
        finished_at=time_text(text(content, "end_time")) if at.terminal else "",
        tasks=tasks,
        request={**({"graph_name": graph} if graph else {}), **told_request(content)},
        request_id=clean(request_id, 100),
    )


def began(content: Mapping[str, Any]) -> str:
    """When a run began, in the service's words."""
    info = mapping(content.get("execution_info"))
    return text(info, "started_at") if info else text(content, "begin_time")


def told_request(content: Mapping[str, Any]) -> dict[str, Any]:
    """`bucket`, `object` and `inputs` that a run was started with, each only where the service tells it.

    What `input` holds is not documented, so the members of the start are looked for, the nearest first. If two parts
    of one level have them, nobody can say which is the run's, and nothing is told.
    """
    info = mapping(content.get("execution_info")) or content
    level: list[Any] = [info.get("input")]
    for _ in range(_LEVELS):
        level = [parsed(part) if isinstance(part, str) else part for part in level]
        level = [part for part in level if isinstance(part, (dict, list))]
        found = [part for part in level if isinstance(part, dict) and _is_start(part)]
        if found:
            return obs.told_request({"input": found[0]}) if len(found) == 1 else {}
        level = [inner for part in level for inner in (part.values() if isinstance(part, dict) else part)]
    return {}


def _is_start(part: Mapping[str, Any]) -> bool:
    return isinstance(part.get("bucket"), str) and isinstance(part.get("object"), str)


def _nodes(content: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    nodes = content.get("node_execution_details")
    yield from map(mapping, nodes[:_NODES] if isinstance(nodes, list) else ())


def _task(number: int, node: Mapping[str, Any]) -> Task:
    """Nodes are told without a name, in their order."""
    return Task(
        name=str(number),
        type="",
        state=clean(text(node, "status"), 100),
        message=clean(text(node, "error_message"), 500),
    )


def _graph(urn: str) -> str:
    """Of `urn:fss:<region>:<project>:workflow:default:<name>:latest`."""
    parts = urn.partition(":workflow:")[2].split(":")
    return parts[1] if len(parts) > 1 else ""
