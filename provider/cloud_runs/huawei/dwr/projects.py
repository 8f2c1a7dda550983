"""The project of a key in a region, asked of IAM where nobody has told it: `GET /v3/projects`, which starts nothing.

Source: the vendor's SDK (https://github.com/huaweicloud/huaweicloud-sdk-python-v3,
`huaweicloud-sdk-core/huaweicloudsdkcore/auth/internal.py`). It is never guessed: of several none is taken.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from cloud_runs.errors import InvalidConfiguration, Unavailable, clean
from cloud_runs.huawei.answers import mapping, parsed, text
from cloud_runs.huawei.dwr.codes import Context, Failure
from cloud_runs.huawei.dwr.settings import PROJECT, PROJECT_ID
from cloud_runs.limits import Limit
from cloud_runs.wire.calls import Calls

PATH = "/v3/projects"
_SHOWN = 10  # projects that an error lists


def project_of(region: str, host: str, calls: Calls[Failure], context: Context, limit: Limit) -> str:
    """The id of the only project of the region. Raises InvalidConfiguration for none or several, and as `Calls.ask`."""
    explain = partial(context.refusal, action="iam:projects:listProjects")
    answer = calls.ask("GET", PATH, explain, limit=limit, headers={"Host": host}, params=[("name", region)])
    rows = mapping(parsed(answer.body)).get("projects")
    if not isinstance(rows, list):
        raise Unavailable(f"Huawei IAM gave an answer to GET {PATH} that cannot be read")
    found = [_row(row) for row in rows]
    if len(found) == 1 and re.fullmatch(PROJECT_ID, found[0][0]):
        return found[0][0]
    give = f"give the project: set {PROJECT.places}, or the argument project_id, whose change requests a new run"
    if not found:
        raise InvalidConfiguration(f"Huawei IAM knows no project {region} of this key: {give}")
    listed = ", ".join(clean(context.mask.text(f"{id} ({name})"), 200) for id, name in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    raise InvalidConfiguration(f"Huawei IAM does not say which project is meant, so {give}. There is: {listed}{more}")


def _row(row: Any) -> tuple[str, str]:
    return text(mapping(row), "id"), text(mapping(row), "name")
