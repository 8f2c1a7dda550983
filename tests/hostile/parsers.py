"""Every parser that is handed bytes of a service, one after the other."""

from __future__ import annotations

from requests.structures import CaseInsensitiveDict

from cloud_runs.enos import answers as enos
from cloud_runs.enos import codes as enos_codes
from cloud_runs.errors import Refused
from cloud_runs.huawei import answers as huawei
from cloud_runs.huawei import codes as huawei_codes
from cloud_runs.tencent import answers as tencent
from cloud_runs.tencent import codes as tencent_codes
from cloud_runs.wire.payloads import moment, usable_id
from cloud_runs.wire.transport import Answer
from tests.hostile import oracle


def read_all(body: bytes) -> None:
    """Asserts what the oracle says of each result; what one raises is a defect."""
    for failure in (tencent_codes.failure, huawei_codes.failure, enos_codes.failure):
        failed = failure(Answer(400, CaseInsensitiveDict(), body))
        error = Refused("x", status=400, code=failed.code, message=failed.message, request_id=failed.request_id)
        oracle.an_error(error, ())
    for id in (tencent.started_id(body, "InstanceId")[0], huawei.started_id(body)[0], enos.started_id(body)):
        assert not usable_id(id) or oracle.an_id(id)
    _, told = tencent.document(body)
    for status in (
        tencent.execution_status("i", tencent.mapping(told)),
        tencent.job_status("i", tencent.mapping(told)),
    ):
        oracle.a_result(status, ())
    oracle.a_result(huawei.execution_status("i", huawei.mapping(huawei.parsed(body))), ())
    oracle.a_result(enos.instance_status("i", enos.document(body) or {}), ())
    date = Answer(200, CaseInsensitiveDict(Date=body.decode("latin-1")), b"").date
    assert date is None or date.tzinfo is not None
    told_moment = moment(body.decode("latin-1"))
    assert told_moment is None or told_moment.tzinfo is not None
