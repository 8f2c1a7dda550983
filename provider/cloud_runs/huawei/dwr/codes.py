"""What an error answer of DWR means, and what a person can do: the codes of the workflow front end, which DWR has in
common with OBS workflows, and those of the API gateway before it.

Few of the gateway's codes are known: pages of the vendor show `APIGW.0301`, newer ones the prefix `APIG`. For a
workflow or an execution that does not exist no code is known at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_runs.huawei import codes
from cloud_runs.huawei.codes import FRONT_END, KEY, LATER
from cloud_runs.wire import failures

if TYPE_CHECKING:
    from cloud_runs.wire.transport import Answer

_NOT_HERE = (
    "Check workflow {graph}, the project and region {region}: DWR's workflows are known to be in cn-south-1 alone, and "
    "the service does not say which of the three is missing."
)
_WHO = f"{KEY} A clock that is more than 15 minutes off is refused like this, too."
_GATEWAY = ("APIG.", "APIGW.")

HINTS: Mapping[str, str] = {
    **FRONT_END,
    "SYS.0003": _NOT_HERE,
    **{f"{prefix}0301": _WHO for prefix in _GATEWAY},
    **{f"{prefix}0308": LATER for prefix in _GATEWAY},
}

# By the status where the code tells nothing.
_STATUS_HINTS: Mapping[int, str] = {401: _WHO, 403: KEY, 404: _NOT_HERE, 405: _NOT_HERE, 429: LATER, 501: _NOT_HERE}


@dataclass(frozen=True)
class Failure(codes.Failure):
    """An error answer of DWR, of the gateway, or of IAM."""

    THROTTLING = codes.Failure.THROTTLING | {f"{prefix}0308" for prefix in _GATEWAY}

    @property
    def unknown_run(self) -> bool:
        """What the gateway does not know is an API, not a run."""
        return not self.code.startswith(_GATEWAY) and super().unknown_run


@dataclass(frozen=True)
class Context(codes.Context):
    """What hints are made of."""

    table = failures.Table(
        HINTS, _STATUS_HINTS, _NOT_HERE, re.compile(r"\bSDK-HMAC-SHA256\s[^<>\"]*?Signature=[0-9a-fA-F]+")
    )


def failure(answer: Answer) -> Failure:
    return codes.read(answer, Failure)
