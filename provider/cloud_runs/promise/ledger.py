"""What is on record: the format of the state, typed. The only file with its keys.

Each record is one text, `1 token=… at=… args=object:1f0c…`, so that a diff shows one line and the state stays small.
The texts are versioned; the bags of 0.1, which were mappings, are read by ledger_0_1.py. No Pulumi, no HTTP.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote

from cloud_runs.promise import ledger_0_1, texts
from cloud_runs.promise.records import TRIGGERS, Content, Fired, Intent, Recorded
from cloud_runs.runs import Phase, Reference, rfc3339, time_of

ATTEMPTS = 20  # of one fan-out that are kept; each `up` that succeeds settles all of them

INTENT_TYPE = "pulumi-python:dynamic/runs:Intent"
_INTENT = "-intent"

# Keys of the state, which are names of public arguments and outputs as well. Of an intent:
RECORD, ARGUMENTS, OBJECTS, FORMERLY = "record", "arguments", "objects", "formerly"
# What steers a run or a fan-out; ADOPT is what the setting `runs:adopt` says.
INTENT, IGNORED, URN, ADOPT, REGION = "intent", "ignored", "resource_urn", "adopt", "region"
ADOPT_ID, ADOPT_IDS, ON_DELETE, RERUN_ON_FAILURE = "adopt_id", "adopt_ids", "on_delete", "rerun_on_failure"
IF_RUNNING, MAX_ATTEMPTS, CONCURRENCY, RATE = "if_running", "max_attempts", "concurrency", "rate"
# What is told of a run, of its attempts, and of a fan-out.
FIRED, REFERENCE, PROVENANCE, RECORD_EXPIRED, URL = "fired", "reference", "provenance", "record_expired", "url"
STATE, PHASE, CODE, MESSAGE, TASKS, REQUEST_ID = "state", "phase", "code", "message", "tasks", "request_id"
CREATED_AT, STARTED_AT, FINISHED_AT = "created_at", "started_at", "finished_at"
HISTORY, FIRED_AT, WHY = "history", "fired_at", "why"
IDS, REFUSED, PLACE, COUNTS, REFERENCES = "instance_ids", "refused", "place", "counts", "references"
# Of a Completion, and of what it records of a run.
RUNS, LABELS, RESUMED, TIMEOUT, POLL_INTERVAL = "runs", "labels", "resumed", "timeout", "poll_interval"
ON_FAILURE, ON_TIMEOUT, OUTCOMES, SUCCEEDED, FAILED = "on_failure", "on_timeout", "outcomes", "succeeded", "failed"
FAILED_TASKS, EXECUTIONS, DURATION = "failed_tasks", "executions", "duration"


# -- writing


def intent_text(intent: Intent) -> str:
    fields = {"kind": texts.quoted(intent.kind), "of": texts.quoted(intent.name), **texts.moment_fields(intent.moment)}
    fields |= _content_fields(intent.content) | {"objects": intent.objects, "tries": texts.moments(intent.attempts)}
    fields |= {"why": texts.quoted(intent.why), "place": ",".join(map(texts.quoted, intent.places))}
    return texts.text_of(fields)


def fired_text(fired: Fired) -> str:
    fields = {
        "token": fired.token,
        "beside": fired.beside if fired.beside != fired.token else "",
        "at": rfc3339(fired.at) if fired.at else "",
        **_content_fields(fired.content),
        "try": texts.moments([fired.attempt] if fired.attempt else []),
        "told": fired.told,
        "doubt": texts.moments(fired.doubt),
        "former": ",".join(f"{texts.quoted(key)}:{texts.quoted(id)}" for key, id in fired.predecessors.items()),
        "why": texts.quoted(fired.why),
        "reruns": str(fired.reruns or ""),
        RESUMED: rfc3339(fired.resumed) if fired.resumed else "",
        "over": rfc3339(fired.over) if fired.over else "",
        "past": ",".join(fired.past),
        "done": ",".join(map(texts.quoted, fired.done)),
        "left": ",".join(map(texts.quoted, fired.left)),
        "failing": texts.grouped({key: texts.moments(since) for key, since in fired.failing.items()}),
        "again": texts.pairs({key: str(count) for key, count in fired.again.items()}),
        "first": rfc3339(fired.first) if fired.first else "",
        "later": texts.grouped({key: rfc3339(at) for key, at in fired.later.items()}),
    }
    return texts.text_of(fields)


def fan_out_outputs(run: Recorded, place: Reference) -> dict[str, Any]:
    """What a fan-out tells of its runs, which are there."""
    counts = {"objects": len({*run.ids, *run.refused}), "started": len(run.ids), "refused": len(run.refused)}
    return {
        IDS: run.ids,
        REFUSED: run.refused,
        COUNTS: counts,
        PLACE: place_text(place),
        FIRED: fired_text(run.fired),
        FAILED: run.failed,
        HISTORY: run.past,
    }


# -- reading


def is_old(bag: Any) -> bool:
    """Whether it is a record of 0.1, to be written anew."""
    return isinstance(bag, Mapping)


def intent_of(bag: Any) -> Intent | None:
    """The intent that the engine brought, or None if it brought none. Raises RunsError for a text that is not ours."""
    if isinstance(bag, Mapping):
        return ledger_0_1.intent_of(bag)
    if not isinstance(bag, str):
        return None
    told = texts.fields_of(bag)
    return Intent(
        moment=texts.moment([told.get(name, "") for name in ("token", "at", "host", "clock")]),
        content=_content(told),
        kind=unquote(told.get("kind", "")),
        name=unquote(told.get("of", "")),
        objects=told.get("objects", ""),
        attempts=texts.listed(told.get("tries", "")),
        why=unquote(told.get("why", "")),
        places=tuple(unquote(place) for place in told.get("place", "").split(",") if place),
    )


def token_of(bag: Any) -> str:
    """The token of an intent that the engine brought; empty if it brought none, or if it is not known yet."""
    intent = intent_of(bag)
    return intent.token if intent else ""


def recorded(id: str, outputs: Mapping[str, Any]) -> Recorded:
    """The run or the fan-out that these outputs record."""
    ids = outputs.get(IDS)
    return Recorded(
        id=id,
        fired=fired_of(outputs),
        ids=dict(ids) if isinstance(ids, Mapping) else {"": id},
        refused=dict(outputs.get(REFUSED) or {}),
        outputs=outputs,
        failed=_by_object(outputs, FAILED),
        past=_by_object(outputs, HISTORY),
        reruns=outputs.get(RERUN_ON_FAILURE) is True,
    )


def _by_object(outputs: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What a fan-out tells of some of its objects; of a run nothing."""
    told = outputs.get(name)
    return dict(told) if IDS in outputs and isinstance(told, Mapping) else {}


def fired_of(outputs: Mapping[str, Any]) -> Fired:
    bag = outputs.get(FIRED)
    if not isinstance(bag, str):
        return ledger_0_1.fired_of(bag if isinstance(bag, Mapping) else {}, outputs.get(INTENT))
    told = texts.fields_of(bag)
    attempts = texts.listed(told.get("try", ""))
    return Fired(
        token=told.get("token", ""),
        content=_content(told),
        at=time_of(told.get("at", "")),
        beside=told.get("beside", "") or told.get("token", ""),
        attempt=attempts[0] if attempts else None,
        told=told.get("told", ""),
        doubt=texts.listed(told.get("doubt", "")),
        predecessors={key: unquote(id) for key, id in texts.named(told.get("former", "")).items()},
        why=unquote(told.get("why", "")),
        reruns=texts.counted(told.get("reruns", "")),
        resumed=time_of(told.get(RESUMED, "")),
        over=time_of(told.get("over", "")),
        past=tuple(filter(None, told.get("past", "").split(","))),
        done=tuple(unquote(id) for id in told.get("done", "").split(",") if id),
        left=tuple(unquote(id) for id in told.get("left", "").split(",") if id),
        failing={key: texts.listed(since) for key, since in texts.groups(told.get("failing", ""))},
        again={key: texts.counted(count) for key, count in texts.named(told.get("again", "")).items()},
        first=time_of(told.get("first", "")),
        later={key: at for key, text in texts.groups(told.get("later", "")) if (at := time_of(text))},
    )


def phase_of(outputs: Mapping[str, Any]) -> Phase:
    """The phase on record, as the start or the last refresh told it; unknown for what is none."""
    try:
        return Phase(outputs.get(PHASE))
    except ValueError:
        return Phase.UNKNOWN


def code_of(outputs: Mapping[str, Any]) -> str:
    return code if isinstance(code := outputs.get(CODE), str) else ""


def history_of(outputs: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The attempts before the run on record, oldest first."""
    found = outputs.get(HISTORY)
    return [dict(one) for one in found if isinstance(one, Mapping)] if isinstance(found, Sequence) else []


def former_ids(run: Recorded) -> list[str]:
    """Of the runs before those on record, as far as they are kept: none of them is a new one, of any resource."""
    runs = [*history_of(run.outputs), *(one for runs in run.past.values() for one in runs)]
    return [*(str(one.get("id")) for one in runs), *(id for id in run.fired.done if id not in run.ids.values())]


def is_given(outputs: Mapping[str, Any], id: str) -> bool:
    """Whether the user gave this run to what has it on record."""
    given = outputs.get(ADOPT_IDS)
    return outputs.get(PROVENANCE) == "given" or (isinstance(given, Mapping) and id in given.values())


def is_ours(outputs: Mapping[str, Any]) -> bool:
    """Whether a run of ours is on record; of one that `get` reads none is."""
    return FIRED in outputs


def place_of(outputs: Mapping[str, Any]) -> Reference | None:
    """Where the runs on record are, with an empty id; None if nothing tells. Raises ValueError for what is no place."""
    text = outputs.get(REFERENCE)
    if not isinstance(text, str):
        text = f"{outputs[PLACE]}-" if isinstance(outputs.get(PLACE), str) else None
    if text is None:
        return None
    found = Reference.parse(text)
    return Reference(found.system, found.region, found.scope, "")


def meant_for(intent: Intent | None) -> list[Reference]:
    """Where an intent was to be fired, with empty ids; none if its record does not tell."""
    found = []
    for place in intent.places if intent else ():
        with contextlib.suppress(ValueError):  # somebody has edited it
            found.append(place_of({PLACE: place}))
    return [place for place in found if place]


def place_text(place: Reference) -> str:
    """What a reference of each run there begins with."""
    return str(Reference(place.system, place.region, place.scope, "-"))[:-1]


def references(outputs: Mapping[str, Any]) -> dict[str, str]:
    """The reference of each run of a fan-out, by object."""
    ids, place = outputs.get(IDS), outputs.get(PLACE)
    if not isinstance(ids, Mapping) or not isinstance(place, str):
        return {}
    return {key: place + quote(id, safe="") for key, id in ids.items()}


def refused_of(outputs: Mapping[str, Any]) -> Mapping[str, str]:
    """Why objects of a fan-out have no run, by object; empty for a run."""
    return outputs.get(REFUSED) or {} if IDS in outputs else {}


def urn_of(props: Mapping[str, Any]) -> str:
    return urn if isinstance(urn := props.get(URN), str) else ""


def ignored_of(props: Mapping[str, Any]) -> frozenset[str]:
    """The paths under `ignore_changes`."""
    return frozenset(map(str, props.get(IGNORED) or ()))


def name_of(urn: str) -> str:
    """The name of the resource with this URN."""
    return urn.split("::", 3)[-1]


def intent_urn(urn: str) -> str:
    """The URN of the intent of the run with this URN: same parent, own type, own name."""
    stack, project, types, name = urn.removeprefix("urn:pulumi:").split("::", 3)
    *parents, _type = types.split("$")
    return f"urn:pulumi:{stack}::{project}::{'$'.join([*parents, INTENT_TYPE])}::{intent_name(name)}"


def intent_name(name: str) -> str:
    """Of the intent of the run with this name."""
    return f"{name}{_INTENT}"


def intended_by(urn: str) -> str:
    """The name of the run of the intent with this URN."""
    return name_of(urn).removesuffix(_INTENT)


def _content(told: Mapping[str, str]) -> Content:
    return Content(texts.named(told.get("args", "")), texts.named(told.get(TRIGGERS, "")))


def _content_fields(content: Content) -> dict[str, str]:
    return {"args": texts.pairs(content.arguments), TRIGGERS: texts.pairs(content.triggers)}
