"""OBS's formats on the wire: times, names, URNs, request ids.

Sources: API reference of OBS, pages 0127 (start), 0128 (list), 0129 (get), 0130 (resume):
https://support.huaweicloud.com/en-us/api-obs/obs_04_0127.html and so on.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timezone

PROJECT = "0emulatedproject0000000000000000"
DOMAIN = "0emulateddomain00000000000000000"
REGION = "cn-emulator-1"
"""Of requests that name no host of the vendor, such as those of an SDK with the emulator as its endpoint."""


def iso_time(moment: float) -> str:
    """Unix seconds as OBS workflows show them: `2020-04-23T13:37:43.847Z`."""
    # In whole milliseconds first: isoformat cuts off, and 0.847 as a float may be a little less.
    milliseconds = round(moment * 1000)
    text = datetime.fromtimestamp(milliseconds // 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{milliseconds % 1000:03d}Z"


def new_execution_name() -> str:
    """A name for an execution: 56 hex digits, as in the marker of the list page's sample."""
    return secrets.token_hex(28)


def new_request_id(now: float) -> str:
    """A request id in OBS's look: 32 hex digits, of which the first 16 are the time in milliseconds."""
    return f"{int(now * 1000):016X}{secrets.token_hex(8).upper()}"


def graph_urn(region: str, graph: str) -> str:
    """The URN of a workflow."""
    return f"urn:fgs:{region}:{PROJECT}:graph:{graph}"


def execution_urn(region: str, graph: str, execution: str) -> str:
    """The URN of an execution."""
    return f"urn:fgs:{region}:{PROJECT}:execution:{graph}:{execution}:{DOMAIN}"
