"""Reading requests: the body of a start, the parameters of a list.

Each check refuses with a code of the workflow front end (OBS error page, table "OEF") and a message that names the
field. Sources: pages 0127 to 0130 of the API reference; limits of bucket and object from the Python SDK guide,
https://support.huaweicloud.com/sdk-python-devg-obs/obs_22_1112.html.
"""

from __future__ import annotations

import json
import re

from cloud_runs_emulator.huawei.models import TYPES, Query
from cloud_runs_emulator.systems import Refused, Request

INVALID = "SYS.0010"

_GRAPH = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
_BUCKET = re.compile(r"(?!.*(\.\.|\.-|-\.))(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)
_PARAMETER = re.compile(r"[a-z0-9-]{1,20}", re.ASCII)
_OBJECT_MAX = 1024
_INPUTS_MAX = 60
_PAGE_DEFAULT = "10"
_PAGE_MAX = 1000


def invalid(message: str) -> Refused:
    """The refusal of one parameter or field."""
    return Refused(400, INVALID, message)


def graph_name(text: str) -> str:
    """A workflow's name; any well-formed one exists."""
    if not _GRAPH.fullmatch(text):
        raise invalid(
            "the workflow name must be 1 to 64 letters, digits, underscores and hyphens, the first a letter or digit"
        )
    return text


def json_body(request: Request) -> dict[str, object]:
    """The body, which must be a JSON object."""
    try:
        value = json.loads(request.body)
    except ValueError as error:
        raise Refused(400, "SYS.0006", f"The request body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise Refused(400, "SYS.0006", "The request body must be a JSON object")
    return value


def start_input(request: Request) -> str:
    """The checked body of a start, as the JSON text that the execution shows as its `input`.

    What the service puts there is not documented beyond its being JSON; here it is the body without what it left out.
    The SDK sends `"inputs": null` for none, so that is the same as none.
    """
    body = json_body(request)
    bucket, key, inputs = body.get("bucket"), body.get("object"), body.get("inputs")
    if not isinstance(bucket, str) or not _BUCKET.fullmatch(bucket):
        raise invalid("bucket must be the name of a bucket")
    if not isinstance(key, str) or not 1 <= len(key) <= _OBJECT_MAX:
        raise invalid(f"object must be a text of 1 to {_OBJECT_MAX} characters")
    kept: dict[str, object] = {"bucket": bucket, "object": key}
    if inputs is not None:
        if not isinstance(inputs, dict) or len(inputs) > _INPUTS_MAX:
            raise invalid(f"inputs must be a JSON object with up to {_INPUTS_MAX} parameters")
        for name in inputs:
            if not _PARAMETER.fullmatch(name):
                raise invalid(f"inputs: {name!r} must be 1 to 20 lower-case letters, digits and hyphens")
        kept["inputs"] = inputs
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def list_query(request: Request) -> Query:
    """The parameters of a list; an empty one is the same as none."""
    limit = request.param("x-workflow-limit") or _PAGE_DEFAULT
    if not re.fullmatch(r"\d{1,4}", limit, re.ASCII) or not 1 <= int(limit) <= _PAGE_MAX:
        raise invalid(f"x-workflow-limit must be a number from 1 to {_PAGE_MAX}")
    kind = request.param("x-workflow-execution-type")
    if kind not in ("", *TYPES):
        raise invalid(f"x-workflow-execution-type must be one of {', '.join(TYPES)}")
    marker = request.param("x-workflow-next-marker")
    if marker and not marker.startswith(TYPES):
        raise invalid("x-workflow-next-marker must be an execution type followed by the name of an execution")
    return Query(graph_parameter(request), kind, marker, int(limit))


def graph_parameter(request: Request) -> str:
    """The workflow that a look or a resume must name."""
    text = request.param("x-workflow-graph-name")
    if not text:
        raise invalid("x-workflow-graph-name is required")
    return graph_name(text)
