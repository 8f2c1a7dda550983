"""What is checked of a run and of a fan-out: the arguments of its kind, and what all kinds share. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cloud_runs import errors
from cloud_runs.checks import LATER, Problem, Values, kind_of
from cloud_runs.kinds import Kind, Props
from cloud_runs.lifecycle.values import unknowns_as_later
from cloud_runs.promise import ledger
from cloud_runs.promise.history import RESUME
from cloud_runs.promise.overlap import POLICIES
from cloud_runs.promise.records import TRIGGERS
from cloud_runs.wire.settings import Settings

MOST_OBJECTS = 10_000
MOST_ATTEMPTS = 1000
MOST_CONCURRENT = 32  # the connections of the host's pool

_TRIGGERS = Values('a mapping of names to values, for example {"release": "42"}')


def of_run(kind: Kind[Any], inputs: Mapping[str, Any], settings: Settings) -> Iterator[Problem]:
    """Each bad input of a run as (property, reason)."""
    props = unknowns_as_later(inputs)
    yield from kind.problems(props, settings)
    yield from _steering(kind, props)
    yield from _triggers(props)
    once = props.get(ledger.ADOPT)
    if once is not None and not _is_id(once):
        yield ledger.ADOPT, f"the setting runs:adopt must name the id of a run that exists, not {_shown(once)}"


def of_fan_out(kind: Kind[Any], inputs: Mapping[str, Any], settings: Settings) -> Iterator[Problem]:
    """Each bad input of a fan-out."""
    props = unknowns_as_later(inputs)
    yield from kind.problems({**props, kind.fans_out: LATER}, settings)
    yield from _triggers(props)
    yield from _number(props, ledger.CONCURRENCY, 1, MOST_CONCURRENT, whole=True)
    if props.get(ledger.RATE) is not None:
        yield from _number(props, ledger.RATE, 0.01, 1000.0)
    yield from _rerun(kind, props.get(ledger.RERUN_ON_FAILURE), fans=True)
    yield from _attempts(props)
    yield from _adopted(ledger.ADOPT_IDS, props.get(ledger.ADOPT_IDS))
    yield from _adopted(ledger.ADOPT, props.get(ledger.ADOPT))
    yield from _objects(kind, props.get(ledger.OBJECTS))


def _steering(kind: Kind[Any], props: Props) -> Iterator[Problem]:
    on_delete, adopt, rerun = (props.get(name) for name in (ledger.ON_DELETE, ledger.ADOPT_ID, ledger.RERUN_ON_FAILURE))
    if on_delete == "cancel" and kind.no_cancel:
        yield ledger.ON_DELETE, kind.no_cancel
    elif on_delete not in (None, LATER, "abandon", "cancel"):
        choices = "'abandon'" if kind.no_cancel else "'abandon' or 'cancel'"
        yield ledger.ON_DELETE, f"must be {choices}, not {on_delete!r}"
    if adopt is not None and not _is_id(adopt):
        yield ledger.ADOPT_ID, "must be the id of a run that exists"
    yield from _rerun(kind, rerun)
    policy = props.get(ledger.IF_RUNNING)
    if policy not in (None, LATER, *POLICIES):
        yield ledger.IF_RUNNING, f"must be {', '.join(map(repr, POLICIES[:-1]))} or {POLICIES[-1]!r}, not {policy!r}"
    yield from _attempts(props)


def _attempts(props: Props) -> Iterator[Problem]:
    if props.get(ledger.MAX_ATTEMPTS) is not None:
        yield from _number(props, ledger.MAX_ATTEMPTS, 1, MOST_ATTEMPTS, whole=True)


def _rerun(kind: Kind[Any], given: Any, *, fans: bool = False) -> Iterator[Problem]:
    resumes = kind.resumes and not fans
    if given in (None, LATER) or isinstance(given, bool) or (resumes and given == RESUME):
        return
    choices, why = f"true, false or {RESUME!r}" if resumes else "true or false", ""
    if given == RESUME and kind.resumes:
        why = ": that is for one run only; for a fan-out true fires each object again whose run failed"
    elif given == RESUME:
        why = f": {kind.vendor.title} has no call by which a run that failed goes on"
    yield ledger.RERUN_ON_FAILURE, f"must be {choices}, not {given!r}{why}"


def _triggers(props: Props) -> Iterator[Problem]:
    if props.get(TRIGGERS) not in (None, LATER):
        yield from _TRIGGERS.problems(TRIGGERS, props[TRIGGERS])


def _objects(kind: Kind[Any], objects: Any) -> Iterator[Problem]:
    if objects is LATER:
        return
    if not isinstance(objects, list):
        yield ledger.OBJECTS, f"must be a list of object keys, not {type(objects).__name__}"
        return
    if len(objects) > MOST_OBJECTS:
        yield ledger.OBJECTS, f"has {len(objects)} objects, at most {MOST_OBJECTS}; an inventory job takes any number"
    check = kind.argument(kind.fans_out).check
    seen: dict[str, int] = {}
    for index, key in enumerate(objects):
        if key is LATER:
            continue
        yield from check.problems(f"objects[{index}]", key)
        # A look-up cannot tell two keys apart that differ in a leading slash alone, or in space around them.
        first = seen.setdefault(str(key).strip().lstrip("/"), index)
        if first != index:
            same = errors.clean(str(key), 100)
            yield f"objects[{index}]", f"is the same object as objects[{first}], name it once: {same!r}"


def _adopted(name: str, ids: Any) -> Iterator[Problem]:
    if ids in (None, LATER):
        return
    given = f"the setting runs:{name}" if name == ledger.ADOPT else "it"
    if not isinstance(ids, Mapping):
        yield name, f"{given} must be a mapping of objects to the ids of runs that exist, not {_shown(ids)}"
        return
    for key, id in ids.items():
        if not _is_id(id):
            yield f"{name}[{key!r}]", f"{given} must name the id of a run that exists, not {_shown(id)}"


def _is_id(value: Any) -> bool:
    return value is LATER or (isinstance(value, str) and value != "" and value == errors.clean(value, 1024))


def _shown(value: Any) -> str:
    return repr(errors.clean(value, 100)) if isinstance(value, str) else f"a {kind_of(value)}"


def _number(props: Props, name: str, least: float, most: float, *, whole: bool = False) -> Iterator[Problem]:
    value = props.get(name)
    if value is LATER:
        return
    number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else -1.0
    if not least <= number <= most or (whole and number != int(number)):
        kind = "a whole number" if whole else "a number"
        yield name, f"must be {kind} from {least:g} to {most:g}, not {value!r}"
