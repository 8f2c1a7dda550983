"""Signing and parsing: our code against the vendors' SDKs, on the same requests and answers, in CPU time of a call.

Before anything is timed, both must have come to the same result. EnOS is not here: the vendor's SDK makes a token of
another kind and signs nothing.
"""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest import mock

import requests

from bench.measure import Series, calls
from cloud_runs.huawei.signing import ObsAuth
from cloud_runs.runs import RunStatus
from cloud_runs.tencent import answers as status
from cloud_runs.tencent.signing import BEFORE_SECONDS, LIFETIME_SECONDS, QSignAuth
from cloud_runs.wire.settings import Credentials

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the SDKs' escape sequences
    from obs import auth, const, convertor
    from qcloud_cos import CosConfig
    from qcloud_cos.cos_auth import CosS3Auth
    from qcloud_cos.cos_comm import format_dict, xml_to_dict

KEYS = Credentials("AKIDEXAMPLE0000000000000000000000001", "SecretKeyExample000000000000000001")
PAGE = 100  # executions; the most that a page of a list has
EXECUTION = Path(__file__).parents[1] / "tests" / "recordings" / "tencent" / "execution-one-task.xml"
NOW = 1_700_000_060

Pair = tuple[Callable[[], Any], Callable[[], Any]]
"""Ours and theirs."""


def signing(rounds: int, seconds: float) -> Series:
    series = Series("signing", unit="CPU seconds of one request")
    for system, pair in {"Tencent": tencent(), "Huawei": huawei()}.items():
        ours, theirs = pair
        with mock.patch("time.time", return_value=NOW):
            assert ours() == theirs(), f"{system}: the signatures differ"
        _taken(series, 1, rounds, seconds, {f"{system}, ours": ours, f"{system}, vendor": theirs})
    return series


def parsing(rounds: int, seconds: float) -> Series:
    series = Series("parsing", unit="CPU seconds of one page")
    ours, theirs = page()
    assert [found.id for found in ours()] == [row["RunId"] for row in theirs()["WorkflowExecutionList"]]
    _taken(series, PAGE, rounds, seconds, {"Tencent, ours": ours, "Tencent, vendor": theirs})
    return series


def _taken(series: Series, n: int, rounds: int, seconds: float, works: dict[str, Callable[[], Any]]) -> None:
    series.take(n, rounds, {name: lambda work=work: calls(work, seconds) for name, work in works.items()})


def tencent() -> Pair:
    """A start. The SDK is handed the parameters; ours reads them from the request, so that nothing else can be sent."""
    host, params = "media-1250000000.ci.ap-beijing.myqcloud.com", {"workflowId": "w" * 33, "object": "a/b (1)~中.mp4"}
    request = requests.Request("POST", f"https://{host}/triggerworkflow", params=params, headers={"Host": host})
    request.url = str(request.prepare().url).replace("+", "%20")
    request.params = {}
    prepared = request.prepare()
    config = CosConfig(Region="ap-beijing", SecretId=KEYS.id, SecretKey=KEYS.secret)
    del prepared.headers["Content-Length"]  # the SDK would sign it, if it sent a body
    own = QSignAuth(KEYS, lambda: time.time())

    def ours() -> str:
        return own(prepared).headers["Authorization"]

    def theirs() -> str:
        made = CosS3Auth(config, "/triggerworkflow", params=params, expire=LIFETIME_SECONDS - BEFORE_SECONDS)
        return str(made(prepared).headers["Authorization"])

    return ours, theirs


def huawei() -> Pair:
    """A look at a run."""
    path, args = "v2/workflowexecutions/exec-0001", {"x-workflow-graph-name": "demo-graph_1"}
    url = f"https://obs.cn-north-4.myhuaweicloud.com/{path}?x-workflow-graph-name=demo-graph_1"
    prepared = requests.Request("GET", url, headers={"Content-Type": "application/json"}).prepare()
    own, adapter = ObsAuth(KEYS, lambda: time.time()), convertor.Adapter("obs")

    def ours() -> str:
        return own(prepared).headers["Authorization"]

    def theirs() -> str:
        # As in the SDK's `_add_auth_headers`, with the clock that both have.
        headers = {"Content-Type": "application/json"}
        moment = datetime.utcfromtimestamp(time.time())  # noqa: DTZ004 - what the SDK's own `utcnow` is
        headers[const.DATE_HEADER] = moment.strftime(const.GMT_DATE_FORMAT)
        signer = auth.Authentication(KEYS.id, KEYS.secret, False, adapter, "obs.cn-north-4.myhuaweicloud.com", False)
        return str(signer.doAuth("GET", "", path, args, headers)[const.AUTHORIZATION_HEADER])

    return ours, theirs


def page() -> Pair:
    """A full page of a list. The SDK makes dictionaries, ours makes statuses of them, with times and tasks."""
    found = re.search("<WorkflowExecution>(.*)</WorkflowExecution>", EXECUTION.read_text())
    assert found
    rows = (found[1].replace("i166ee19017b011eda8a5525400c540df", f"i{number:032}") for number in range(PAGE))
    listed = "".join(f"<WorkflowExecutionList>{row}</WorkflowExecutionList>" for row in rows)
    body = f"<Response><RequestId>r</RequestId>{listed}<NextToken>100</NextToken></Response>".encode()

    def ours() -> list[RunStatus]:
        _, content = status.document(body)
        return [
            status.execution_status(status.text(row, "RunId"), row)
            for row in status.rows(content["WorkflowExecutionList"])
        ]

    def theirs() -> dict[str, Any]:
        data: dict[str, Any] = xml_to_dict(body)
        format_dict(data, ["WorkflowExecution"])
        return data

    return ours, theirs
