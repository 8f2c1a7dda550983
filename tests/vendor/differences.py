"""In what our requests differ from those of the vendors' SDKs, and why. The only table of it: docs/wire.md shows it.

`python -m tests.vendor.differences` writes it there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.vendor.wire import ESCAPED, LONG_SIGNATURE, MACHINE, NOT_SENT, SIGNATURE

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "wire.md"

TRIGGER, TRIGGER_TOKEN = "CI trigger", "CI trigger, temporary key"
LIST, LIST_OF_JOB = "CI list executions", "CI list executions of a job, page 2"
CREATE, CREATE_JOB = "CI create job", "CI create job of type Job"
LIST_JOBS, CANCEL = "CI list jobs", "CI cancel job"
GOING, GOING_JOBS = "CI list executions that go on", "CI list jobs that go on"
CI = (
    TRIGGER, TRIGGER_TOKEN, "CI get execution", LIST, LIST_OF_JOB, GOING,
    CREATE, CREATE_JOB, "CI get job", LIST_JOBS, GOING_JOBS, CANCEL,
)  # fmt: skip
START_PLAIN, OBS_LIST, OBS_MARKER = "OBS start without inputs", "OBS list", "OBS list after a marker"
OBS = (
    "OBS start", START_PLAIN, "OBS start, temporary key", "OBS get", OBS_LIST, OBS_MARKER, "OBS resume", "OBS workflow",
)  # fmt: skip
DWR_START, DWR_PLAIN, DWR_TOKEN = "DWR start", "DWR start without inputs", "DWR start, temporary key"
DWR_GET, DWR_LIST, DWR_RETRY, DWR_WORKFLOW = "DWR get", "DWR list", "DWR retry", "DWR workflow"
DWR_PROJECT, DWR_PROJECT_TOKEN = "DWR project", "DWR project, temporary key"
DWR_CALLS = (DWR_START, DWR_PLAIN, DWR_TOKEN, DWR_GET, DWR_LIST, DWR_RETRY, DWR_WORKFLOW)
DWR = (*DWR_CALLS, DWR_PROJECT, DWR_PROJECT_TOKEN)
CALLS = CI + OBS + DWR


@dataclass(frozen=True)
class Row:
    """One difference: in which calls, in what field, both texts as on the wire, and the reason for ours."""

    calls: tuple[str, ...]
    field: str
    ours: str
    theirs: str
    reason: str


_DEFAULT = "The SDK writes out the default of the documentation."
_EMPTY = "The SDK sends what it was not given as empty; ours leaves it out."
_ORDER = "The order of a query means nothing; the signature sorts it."
_PARAMS = "Each signs all of its own query."
_LENGTH = (
    "Ours does not sign headers that a proxy or library may change after signing: a known case of 401 from CI came of "
    "that. The examples of CI's pages sign no header at all."
)
_LIFETIME = "As the vendor's Node.js SDK: a copied signature is soon good for nothing, and a slow clock is noticed."
_DIGEST = "As the vendor's Go SDK: nothing else in the signature covers the body."
_AGENT = "The SDK signs every header that it sets; ours none that a proxy may change."
_DECLARED = "XML 1.0 in UTF-8 needs no declaration, and the sample of the API's page has none."
_DECLARED_LENGTH = "The 39 bytes of the declaration and its line feed."

ROWS = (
    Row(CI, "User-Agent", "cloud-runs", "cos-python-sdk-v<version>", "Each names itself."),
    Row(CI, "Accept-Encoding", "gzip", "gzip, deflate", "Each names what it decodes."),
    Row(
        (TRIGGER, TRIGGER_TOKEN), "Content-Type", "application/xml", NOT_SENT,
        "The API's page sends it, though the body is empty.",
    ),
    Row(
        (TRIGGER, TRIGGER_TOKEN), "query object",
        "=videos%2Fmy%20clip%20%281%29%2B~%E4%B8%AD.mp4", "=videos%2Fmy+clip+%281%29%2B~%E4%B8%AD.mp4",
        "The SDK writes a space as +, but signs %20; ours sends what it signs.",
    ),
    Row(
        (TRIGGER_TOKEN,), "X-Cos-Security-Token", "TOKEN/abc+def==", NOT_SENT,
        "The vendor's SDKs disagree on the name (Java's and Go's use this one), so ours sends both.",
    ),
    Row(
        (LIST,), "order of query",
        "workflowId, startCreationTime, size", "workflowId, size, startCreationTime", _ORDER,
    ),
    Row(
        (LIST_OF_JOB,), "order of query",
        "workflowId, jobId, size, nextToken", "workflowId, size, nextToken, jobId", _ORDER,
    ),
    Row((LIST_JOBS,), "order of query", "type, startCreationTime, size", "type, size, startCreationTime", _ORDER),
    Row((LIST, LIST_OF_JOB, GOING, LIST_JOBS, GOING_JOBS), "query orderByTime", NOT_SENT, "=Desc", _DEFAULT),
    Row((LIST, LIST_OF_JOB, LIST_JOBS), "query states", NOT_SENT, "=All", _DEFAULT),
    Row((LIST, LIST_OF_JOB, GOING), "query name", NOT_SENT, "=", _EMPTY),
    Row((LIST, GOING, LIST_JOBS, GOING_JOBS), "query nextToken", NOT_SENT, "=", _EMPTY),
    Row((LIST_JOBS, GOING_JOBS), "query workflowId", NOT_SENT, "=", _EMPTY),
    Row((LIST_JOBS, GOING_JOBS), "query jobId", NOT_SENT, "=", _EMPTY),
    Row((GOING_JOBS,), "query type", NOT_SENT, "=Workflow", "Ours wants jobs of both types."),
    Row((CREATE, CREATE_JOB), "body declaration", NOT_SENT, '<?xml version="1.0" encoding="utf-8"?>', _DECLARED),
    Row((CREATE,), "Content-Length", "280", "319", _DECLARED_LENGTH),
    Row((CREATE_JOB,), "Content-Length", "435", "474", _DECLARED_LENGTH),
    Row((CREATE,), "Content-Md5", "jx+kVU/0F2bCz98FpYFGnQ==", NOT_SENT, _DIGEST),
    Row((CREATE_JOB,), "Content-Md5", "TA0M4Ch1vbHb3o7ekWipwg==", NOT_SENT, _DIGEST),
    Row(CI, "Authorization q-sign-time", "900 s", "10060 s", _LIFETIME),
    Row(CI, "Authorization q-key-time", "900 s", "10060 s", _LIFETIME),
    Row((TRIGGER, CANCEL), "Authorization q-header-list", "host", "content-length;host", _LENGTH),
    Row(
        (CREATE, CREATE_JOB), "Authorization q-header-list",
        "content-md5;host", "content-length;content-type;host", _LENGTH,
    ),
    Row(
        (TRIGGER_TOKEN,), "Authorization q-header-list",
        "host;x-ci-security-token;x-cos-security-token", "content-length;host;x-ci-security-token",
        "Ours signs the token under both names, and no Content-Length.",
    ),
    Row(
        (LIST,), "Authorization q-url-param-list",
        "size;startcreationtime;workflowid",
        "name;nexttoken;orderbytime;size;startcreationtime;states;workflowid", _PARAMS,
    ),
    Row(
        (LIST_OF_JOB,), "Authorization q-url-param-list",
        "jobid;nexttoken;size;workflowid", "jobid;name;nexttoken;orderbytime;size;states;workflowid", _PARAMS,
    ),
    Row(
        (LIST_JOBS,), "Authorization q-url-param-list",
        "size;startcreationtime;type",
        "jobid;nexttoken;orderbytime;size;startcreationtime;states;type;workflowid", _PARAMS,
    ),
    Row(
        (GOING,), "Authorization q-url-param-list",
        "size;states;workflowid", "name;nexttoken;orderbytime;size;states;workflowid", _PARAMS,
    ),
    Row(
        (GOING_JOBS,), "Authorization q-url-param-list",
        "size;states", "jobid;nexttoken;orderbytime;size;states;type;workflowid", _PARAMS,
    ),
    Row(
        (CANCEL,), "Authorization q-url-param-list", "cancel", "",
        "Ours signs the whole query, as the vendor's Java and Node.js SDKs do; this one adds `?cancel` after signing.",
    ),
    Row(
        CI, "Authorization q-signature", SIGNATURE, SIGNATURE,
        "Another one: it covers the times, headers and query above. Over what the SDK signs, our signer comes to the "
        "SDK's own digits.",
    ),
    Row(OBS, "User-Agent", "cloud-runs", "obs-sdk-python/<version>", "Each names itself."),
    Row(OBS, "Accept", "*/*", NOT_SENT, "From our HTTP library; it means the same as none."),
    Row(OBS, "Accept-Encoding", "gzip", "identity", "The SDK decodes nothing."),
    Row(OBS, "Connection", "keep-alive", "close", "Ours uses a connection again; the SDK does so only on demand."),
    Row(
        (START_PLAIN,), "body inputs", NOT_SENT, "null",
        "The documentation calls inputs optional, so ours leaves it out.",
    ),
    Row((START_PLAIN,), "Content-Length", "66", "82", 'The 16 bytes of `, "inputs": null`.'),
    Row(
        (OBS_LIST,), "order of query",
        "x-workflow-graph-name, x-workflow-execution-type, x-workflow-limit",
        "x-workflow-graph-name, x-workflow-limit, x-workflow-execution-type", _ORDER,
    ),
    Row(
        (OBS_MARKER,), "query x-workflow-next-marker", "=APICALLa%2Fb%20c%2B", "=APICALLa/b%20c%2B",
        "A slash may stand in a query or be encoded; the signature covers the decoded value and is the same.",
    ),
    Row(DWR_CALLS, "User-Agent", "cloud-runs", "huaweicloud-usdk-python/<version>", "Each names itself."),
    Row(
        (DWR_PROJECT, DWR_PROJECT_TOKEN), "User-Agent", "cloud-runs", MACHINE,
        "To IAM the SDK tells the system, the Python and its kind, and not its name.",
    ),
    Row(DWR, "Accept-Encoding", "gzip", "gzip, deflate", "Each names what it decodes."),
    Row(
        (DWR_START, DWR_PLAIN, DWR_TOKEN), "body form", NOT_SENT, ESCAPED,
        "The SDK writes other letters as `\\u4e2d`, ours as UTF-8; JSON gives both the same meaning.",
    ),
    Row((DWR_START, DWR_TOKEN), "Content-Length", "171", "177", "The two escapes."),
    Row((DWR_PLAIN,), "Content-Length", "66", "69", "The escape."),
    Row(
        (DWR_START, DWR_PLAIN, DWR_GET, DWR_LIST, DWR_RETRY, DWR_WORKFLOW), "Authorization SignedHeaders",
        "content-type;host;x-project-id;x-sdk-date", "content-type;host;user-agent;x-project-id;x-sdk-date", _AGENT,
    ),
    Row(
        (DWR_TOKEN,), "Authorization SignedHeaders",
        "content-type;host;x-project-id;x-sdk-date;x-security-token",
        "content-type;host;user-agent;x-project-id;x-sdk-date;x-security-token", _AGENT,
    ),
    Row(
        (DWR_PROJECT,), "Authorization SignedHeaders", "host;x-sdk-date", "host;user-agent;x-sdk-date", _AGENT,
    ),
    Row(
        (DWR_PROJECT_TOKEN,), "Authorization SignedHeaders",
        "host;x-sdk-date;x-security-token", "host;user-agent;x-sdk-date;x-security-token", _AGENT,
    ),
    Row(
        DWR, "Authorization Signature", LONG_SIGNATURE, LONG_SIGNATURE,
        "Another one: it covers the headers, query and body above. The SDK's own signatures are among the vectors of "
        "our signer (tests/vectors/dwr).",
    ),
    Row((DWR_LIST,), "query offset", "=1", NOT_SENT, "The first page, as the documentation counts them."),
    Row(
        (DWR_LIST,), "order of query",
        "graph_name, start_time, end_time, limit", "end_time, graph_name, limit, start_time", _ORDER,
    ),
)  # fmt: skip


_GROUPS = {
    CI: "every CI call",
    OBS: "every OBS call",
    DWR: "every DWR call",
    DWR_CALLS: "every DWR call but for its project",
}
_BARE = (NOT_SENT, SIGNATURE, LONG_SIGNATURE, ESCAPED, MACHINE)


def markdown() -> str:
    """The table for readers."""
    lines = ["| call | field | ours | SDK | why |", "|---|---|---|---|---|"]
    for row in ROWS:
        calls = _GROUPS.get(row.calls, "; ".join(row.calls))
        cells = (calls, row.field, _shown(row.ours), _shown(row.theirs), row.reason)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def document(text: str) -> str:
    """The document with the table of now in the place of its own."""
    lines = text.splitlines(keepends=True)
    rows = [number for number, line in enumerate(lines) if line.startswith("|")]
    return "".join(lines[: rows[0]]) + markdown() + "".join(lines[rows[-1] + 1 :])


def _shown(value: str) -> str:
    return value if value in _BARE else f"`{value}`" if value else "(empty)"


if __name__ == "__main__":
    DOCUMENT.write_text(document(DOCUMENT.read_text()))
