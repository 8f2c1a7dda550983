"""Every parser that is handed bytes of a service, one after the other."""

from __future__ import annotations

from requests.structures import CaseInsensitiveDict

from cloud_runs.errors import Refused
from cloud_runs.wire.payloads import moment, usable_id
from cloud_runs.wire.transport import Answer
from tests.hostile import oracle
from tests.kits import KITS


def read_all(body: bytes) -> None:
    """Asserts what the oracle says of each result; what one raises is a defect."""
    for kit in KITS.values():
        failed = kit.refused(Answer(400, CaseInsensitiveDict(), body))
        error = Refused("x", status=400, code=failed.code, message=failed.message, request_id=failed.request_id)
        oracle.an_error(error, ())
        id = kit.started_id(body)
        assert not usable_id(id) or oracle.an_id(id)
        oracle.a_result(kit.status(kit.tree(body)), ())
    date = Answer(200, CaseInsensitiveDict(Date=body.decode("latin-1")), b"").date
    assert date is None or date.tzinfo is not None
    told_moment = moment(body.decode("latin-1"))
    assert told_moment is None or told_moment.tzinfo is not None
