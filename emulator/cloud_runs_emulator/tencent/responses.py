"""CI's answers: XML bodies and the headers that each answer has.

Sources: "Trigger Workflow" (1045/50340), "Triggering Job" (1045/47029), the execution pages (460/80044, 436/113269),
the job pages (460/76893, 1045/47031), common headers (460/42866), errors (436/53983).
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from cloud_runs_emulator.markup import xml_text
from cloud_runs_emulator.runs import Run
from cloud_runs_emulator.settings import Clock
from cloud_runs_emulator.systems import Answer, ErrorIn200, Refused
from cloud_runs_emulator.tencent.formats import execution_time, job_time, new_request_id, new_trace_id
from cloud_runs_emulator.tencent.models import QUEUE, TERMINAL, Bucket, Execution, Job, MediaJob

_NODE = "Transcode_1"
_TOPOLOGY = (
    f"<Dependencies><Start>{_NODE}</Start><{_NODE}>End</{_NODE}></Dependencies><Nodes>"
    f"<Start><Type>Start</Type><Input><QueueId>{QUEUE}</QueueId></Input></Start>"
    f"<{_NODE}><Type>Transcode</Type></{_NODE}></Nodes>"
)


class Responses:
    """Makes answers. Each gets a request id of its own, the same in header and body."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def started(self, run: Execution) -> Answer:
        """The answer to a trigger; well-formed, though on the vendor's pages its closing tag lacks the slash."""
        return self._answer(f"<InstanceId>{xml_text(run.id)}</InstanceId>", (run,))

    def execution(self, run: Execution) -> Answer:
        """The answer to a look at one execution."""
        return self._answer(f"<WorkflowExecution>{_execution(run, self._clock())}</WorkflowExecution>", (run,))

    def executions(self, runs: Sequence[Run], token: str) -> Answer:
        """One page of executions, and the token of the next one."""
        now = self._clock()
        rows = [
            f"<WorkflowExecutionList>{_summary(run, now)}</WorkflowExecutionList>"
            for run in runs
            if isinstance(run, Execution)
        ]
        return self._answer(_token(token) + "".join(rows), tuple(runs))

    def workflows(self, bucket: Bucket, known: Sequence[str], unknown: Sequence[str]) -> Answer:
        """The definitions of workflows, each of one node and active (shape: the vendor's Go and Python SDKs)."""
        made = job_time(0)
        rows = "".join(
            f"<MediaWorkflowList><Name>emulated</Name><WorkflowId>{id}</WorkflowId><State>Active</State>"
            f"<BucketId>{bucket.name}</BucketId><CreateTime>{made}</CreateTime><UpdateTime>{made}</UpdateTime>"
            f"<Topology>{_TOPOLOGY}</Topology></MediaWorkflowList>"
            for id in known
        )
        missing = "".join(f"<NonExistIDs>{xml_text(id)}</NonExistIDs>" for id in unknown)
        return self._answer(f"<TotalCount>{len(known)}</TotalCount>{missing}{rows}", ())

    def job(self, run: Job) -> Answer:
        """The answer to the start of an inventory job and to a look at one."""
        return self._answer(_job(run, self._clock()), (run,))

    def no_job(self, job_id: str) -> Answer:
        """The answer to a look at an unknown job: a 200, by the page 460/76893. The vendor's Go SDK has no plural."""
        id = xml_text(job_id)
        return self._answer(f"<NonExistJobIds>{id}</NonExistJobIds><NonExistJobId>{id}</NonExistJobId>", ())

    def jobs(self, runs: Sequence[Run], token: str) -> Answer:
        """One page of inventory jobs, and the token of the next one."""
        now = self._clock()
        rows = [_job(run, now) for run in runs if isinstance(run, Job)]
        return self._answer("".join(rows) + _token(token), tuple(runs))

    def media_jobs(self, runs: Sequence[Run], token: str) -> Answer:
        """One page of media or picture jobs, and the token of the next one."""
        now = self._clock()
        rows = [_media_job(run, now) for run in runs if isinstance(run, MediaJob)]
        return self._answer("".join(rows) + _token(token), tuple(runs))

    def cancelled(self, run: Job) -> Answer:
        """The answer to a cancel: a 200 without a body."""
        return Answer(200, b"", _headers(new_request_id(self._clock())), (run,))

    def error(self, refused: Refused) -> Answer:
        """CI's error body; unlike COS's it has no Resource. In a 200 it stands where the data would."""
        if isinstance(refused, ErrorIn200):
            inner = f"<Code>{xml_text(refused.code)}</Code><Message>{xml_text(refused.message)}</Message>"
            return Answer(200, f"<Response>{inner}</Response>".encode(), _headers(new_request_id(self._clock())))
        request_id, trace_id = new_request_id(self._clock()), new_trace_id()
        body = (
            f'<?xml version="1.0" encoding="utf-8"?>\n<Error><Code>{xml_text(refused.code)}</Code>'
            f"<Message>{xml_text(refused.message)}</Message>"
            f"<RequestId>{request_id}</RequestId><TraceId>{trace_id}</TraceId></Error>"
        )
        headers = [*_headers(request_id), (b"x-ci-trace-id", trace_id.encode())]
        return Answer(refused.status, body.encode(), headers)

    def _answer(self, inner: str, runs: tuple[Run, ...]) -> Answer:
        request_id = new_request_id(self._clock())
        body = f"<Response><RequestId>{request_id}</RequestId>{inner}</Response>"
        return Answer(200, body.encode(), _headers(request_id), runs)


def _headers(request_id: str) -> list[tuple[bytes, bytes]]:
    # The server adds Date and Content-Length.
    return [
        (b"content-type", b"application/xml"),
        (b"server", b"tencent-ci"),
        (b"x-ci-request-id", request_id.encode()),
    ]


def _token(token: str) -> str:
    return f"<NextToken>{token}</NextToken>"


def _summary(run: Execution, now: float) -> str:
    """A row of a list. The pages call the time CreateTime, the vendor's Go SDK reads CreationTime: here it has both."""
    made = execution_time(run.started_at)
    return (
        f"<RunId>{xml_text(run.id)}</RunId><WorkflowId>{run.workflow_id}</WorkflowId><Object>{xml_text(run.object)}</Object>"
        f"<CreateTime>{made}</CreateTime><CreationTime>{made}</CreationTime><State>{xml_text(run.state(now))}</State>"
    )


def _execution(run: Execution, now: float) -> str:
    """The page's table has WorkflowName, its sample Name: here both."""
    names = "<Name>emulated</Name><WorkflowName>emulated</WorkflowName>"
    return f"{_summary(run, now)}{names}<Topology>{_TOPOLOGY}</Topology><Tasks>{_task(run, now)}</Tasks>"


def _task(run: Execution, now: float) -> str:
    """The one task of an emulated workflow. It shares the execution's state, and its code and message when forced."""
    state = run.state(now)
    ended = run.ended_at(now)
    code, message = (run.forced.code, run.forced.message) if run.forced else ("", "")
    if not code:
        code = "Failed" if state == "Failed" else "Success"
    started = execution_time(run.started_at)
    result = _result(run) if state == "Success" else ""
    return (
        f"<Type>Transcode</Type><JobId>{run.task_id}</JobId><CreateTime>{started}</CreateTime>"
        f"<StartTime>{started}</StartTime><EndTime>{'-' if ended is None else execution_time(ended)}</EndTime>"
        f"<Name>{_NODE}</Name><State>{xml_text(state)}</State><Code>{xml_text(code)}</Code>"
        f"<Message>{xml_text(message)}</Message>{result}"
    )


def _result(run: Execution) -> str:
    """The object that a successful run is said to have produced; nothing is stored anywhere."""
    name = f"output/{run.id}/{run.object.rpartition('/')[2]}"
    url = f"https://{run.bucket.name}.cos.{run.bucket.region}.myqcloud.com/{quote(name)}"
    return (
        "<ResultInfo><ObjectCount>1</ObjectCount><SpriteObjectCount>0</SpriteObjectCount><ObjectInfo>"
        f"<ObjectName>{xml_text(name)}</ObjectName><ObjectUrl>{xml_text(url)}</ObjectUrl>"
        f"<InputObjectName>{xml_text(run.object)}</InputObjectName><Code>0</Code><Message/></ObjectInfo></ResultInfo>"
    )


def _media_job(run: MediaJob, now: float) -> str:
    """`JobsDetail` of a media job; the tag stands beside the operation too (shape: the vendor's Go SDK)."""
    return (
        f"<JobsDetail>{_outcome(run, now)}<JobId>{run.id}</JobId><State>{xml_text(run.state(now))}</State>"
        f"<CreationTime>{job_time(run.started_at)}</CreationTime>{_times(run, now)}"
        f"<QueueId>{xml_text(run.queue)}</QueueId><Tag>{xml_text(run.tag)}</Tag>"
        f"<Input><Object>{xml_text(run.object)}</Object></Input>{run.operation_xml}</JobsDetail>"
    )


def _outcome(run: Job | MediaJob, now: float) -> str:
    """The code is `Success` while nothing is wrong: so the samples, against the table beside them."""
    code, message = (run.forced.code, run.forced.message) if run.forced else ("", "")
    if not code:
        code = "Failed" if run.state(now) == "Failed" else "Success"
    return f"<Code>{xml_text(code)}</Code><Message>{xml_text(message)}</Message>"


def _times(run: Job | MediaJob, now: float) -> str:
    ended = run.ended_at(now) if run.state(now) in TERMINAL else None
    return f"<StartTime>{job_time(run.entered('Running', now))}</StartTime><EndTime>{job_time(ended)}</EndTime>"


def _job(run: Job, now: float) -> str:
    """`JobsDetail` of an inventory job."""
    return (
        f"<JobsDetail>{_outcome(run, now)}<Type>{run.type}</Type><Name>{xml_text(run.name)}</Name>"
        f"<JobId>{xml_text(run.id)}</JobId><State>{xml_text(run.state(now))}</State>"
        f"<CreationTime>{job_time(run.started_at)}</CreationTime>{_times(run, now)}"
        f"{run.input_xml}{run.operation_xml}</JobsDetail>"
    )
