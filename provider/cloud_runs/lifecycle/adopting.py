"""Runs that exist already and are recorded instead of fired: verified first, so that a typing error records nothing.

Two ways to say which: an argument (`adopt_id`, `adopt_ids`), which holds as long as it is there, and the setting
`runs:adopt`, which counts once, while the resource has no run on record.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Hashable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

import pulumi

from cloud_runs import errors
from cloud_runs.kinds import Kind
from cloud_runs.lifecycle import host
from cloud_runs.lifecycle.values import known
from cloud_runs.promise import ledger
from cloud_runs.promise.ledger import ADOPT, ADOPT_ID, ADOPT_IDS, OBJECTS
from cloud_runs.promise.looking import CLOCKS, SKEW, TICK
from cloud_runs.promise.process import Process
from cloud_runs.promise.records import Before, Intent, Recorded
from cloud_runs.promise.rules import Ask
from cloud_runs.runs import RunApi, RunStatus, rfc3339, time_of

SETTING = "runs:adopt"


def configured(name: str) -> Any:
    """What the stack's configuration says of the resource with this name: an id, of a fan-out ids by object.

    Read in the program. Raises ValueError for what is no mapping.
    """
    try:
        found = pulumi.Config("runs").get_object("adopt")
    except pulumi.ConfigTypeError:
        found = ""
    if found is None:
        return None
    if not isinstance(found, Mapping):
        raise ValueError(
            f'{SETTING} must be a mapping of resource names to ids, for example {{"transcode": "i6fc78ca"}}'
        )
    return _as_text(found.get(name))


def _as_text(found: Any) -> Any:
    """`pulumi config set --path` takes an id of digits alone for a number."""
    if isinstance(found, Mapping):
        return {key: _as_text(value) for key, value in found.items()}
    return str(found) if isinstance(found, int) and not isinstance(found, bool) else found


def how(name: str, *, of_object: bool = False) -> str:
    """The command that lets the next `up` record a run, of a fan-out that of one object."""
    return f"pulumi config set --path {_path(name, *(['OBJECT'] if of_object else []))} ID"


def _path(*names: str) -> str:
    """For a shell, whatever the names are."""
    return shlex.quote(SETTING + "".join('["' + name.replace('"', '\\"') + '"]' for name in names))


def once(given: Mapping[str, Any], before: Before, ask: Ask, process: Process) -> dict[str, str]:
    """What the setting says, as far as it counts for a resource that is created: no run that is or was on its record,
    and nothing for a replacement that is made now, which asks for new ones. A run is that of the object ''."""
    if before.deleted or process.replacing(ask.urn):
        return {}
    old = before.recorded
    known = {*old.ids.values(), *ledger.former_ids(old)} if old else set()
    return {key: str(id) for key, id in given.items() if id and id not in known}


def of_objects(props: Mapping[str, Any], before: Before, ask: Ask, process: Process) -> dict[str, str]:
    """The runs that a fan-out that is created records instead of firing, by object."""
    return _listed(props, once(setting(props), before, ask, process), {})


def lacking(props: Mapping[str, Any], own: Recorded) -> dict[str, str]:
    """The runs that a fan-out records beside those that stay: of the setting only for objects without a run."""
    former = own.fired.predecessors  # of objects that were refused since
    known = set(ledger.former_ids(own))
    ids = {key: str(id) for key, id in setting(props).items() if key not in own.ids}
    given = {key: id for key, id in ids.items() if id not in known and id != former.get(key)}
    return _listed(props, given, own.ids)


def setting(props: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the setting says of a fan-out, by object."""
    given = props.get(ADOPT)
    return given if isinstance(given, Mapping) else {}


def brought(props: Mapping[str, Any], adopted: Mapping[str, str]) -> dict[str, str]:
    """Those of the runs that a fan-out records which the setting has brought, and not an argument."""
    always = props.get(ADOPT_IDS) or {}
    return {key: id for key, id in adopted.items() if key not in always}


def _listed(props: Mapping[str, Any], given: Mapping[str, str], ids: Mapping[str, str]) -> dict[str, str]:
    listed, always = set(props.get(OBJECTS) or ()), props.get(ADOPT_IDS)
    wanted = {**given, **always} if isinstance(always, Mapping) else given
    return {key: str(id) for key, id in wanted.items() if key in listed and ids.get(key) != id}


def stale(name: str, given: Mapping[str, Any], recorded: Mapping[str, str]) -> str:
    """What is said when the setting names runs that are on record, or others than those; empty if it does not."""
    known = [key for key in given if key in recorded]
    others = [errors.clean(key, 100) for key in known if recorded[key] != given[key]]
    forget = _forget(name)
    if others:
        argument, of = (ADOPT_ID, "") if others == [""] else (ADOPT_IDS, f" ({', '.join(others)})")
        return (
            f"{SETTING} names a run for {name!r}{of}, which has another one recorded: while that stays, this does "
            f"nothing. To record the other one all the same, set {argument}; else {forget}"
        )
    return f"{SETTING} has done its work for {name!r}; {forget}" if known and len(known) == len(given) else ""


def passed_over(name: str) -> str:
    """What is said when the setting does not count for what is fired."""
    return (
        f"{SETTING} names a run for {name!r}, and a new one was requested since: it was left out. To record it all the "
        f"same, set {ADOPT_ID} or {ADOPT_IDS}; else {_forget(name)}"
    )


def _forget(name: str) -> str:
    return f"take it away: pulumi config rm --path {_path(name)}"


def not_older(name: str, status: RunStatus, replaced: Recorded | None, intent: Intent | None) -> None:
    """Raises RunsError for a run of the setting that is older than the one whose replacement is not on record, or than
    the `intent` of an earlier `up`: it is none that was fired for that."""
    began = time_of(status.created_at or status.started_at)
    at = replaced.fired.at if replaced else None
    if began and ((at and began < at - TICK) or (intent and began < intent.moment.at - SKEW)):
        raise _not_this(name, f"names run {errors.clean(status.id)}, which is older than what was requested")


def exactly(name: str, kind: Kind[Any], sent: Mapping[str, Any], status: RunStatus) -> None:
    """Raises RunsError if an earlier `up` cannot have started this run of the setting with what it `sent`: another name
    was generated for it, or another minute."""
    if differs := _differences(kind, sent, status):
        raise _not_this(name, f"names run {errors.clean(status.id)}, which was not started for this: {differs}")


def _not_this(name: str, what: str) -> errors.RunsError:
    return errors.RunsError(
        f"{SETTING} {what}: nothing was fired. To fire, {_forget(name)}; to record that run all the same, set "
        f"{ADOPT_ID} or {ADOPT_IDS}"
    )


def another(kind: Kind[Any], props: Mapping[str, Any], status: RunStatus, fired: datetime | None) -> str:
    """What is said of a run on record that does other work, or began long before it was `fired`; empty if neither."""
    began = time_of(status.created_at)
    if differs := _differences(kind, props, status):
        what = f"does other work than was requested: {differs}"
    elif began and fired and began < fired - CLOCKS:
        what = f"began at {status.created_at}, and it was fired at {rfc3339(fired)}"
    else:
        return ""
    return (
        f"run {errors.clean(status.id)} {what}. Its start may have been answered with the id of another run: look for "
        "its own in the console"
    )


def claim(
    kind: Kind[Any],
    api: RunApi[Any],
    space: Hashable,
    props: Mapping[str, Any],
    ids: Mapping[str, str],
    ask: Ask,
    replaced: Recorded | None,
    requested: Collection[str],
    process: Process,
) -> None:
    """Takes the runs that a fan-out records by object. `replaced` and `requested`: what has no run on record, though
    an earlier `up` has requested one, needs one that is no older. Raises RunsError; then nothing was fired."""
    once = brought(props, ids)
    for key, id in ids.items():
        status = verified(kind, {**props, kind.fans_out: key}, id, api)
        if key in once:
            earlier = process.earlier(ask.intent) if key in requested else None
            not_older(ledger.name_of(ask.urn), status, replaced, earlier)
        process.claim(space, id, ask.urn, given=True)


def verified(kind: Kind[Any], props: Mapping[str, Any], id: str, api: RunApi[Any]) -> RunStatus:
    """The run that is to be adopted. Raises RunsError if there is none, or if it does other work than the inputs ask
    for."""
    try:
        status = host.asked(partial(api.get, id))
    except errors.NotFound as gone:
        shown = errors.clean(id)
        raise errors.RunsError(f"there is no run {shown} to adopt; nothing was fired. {gone}") from gone
    complete = all(known(props.get(name)) for name in kind.names)
    if complete and (differs := _differences(kind, props, status)):
        raise errors.RunsError(
            f"run {errors.clean(id)} does other work: {differs}. Nothing was recorded or fired; set adopt_id to the "
            "run that you mean, or the arguments to those of this run"
        )
    return status


def _differences(kind: Kind[Any], props: Mapping[str, Any], status: RunStatus) -> str:
    """In what a run does other work than these properties, as far as they are known; empty if in nothing."""
    given = {name: value for name, value in props.items() if known(value)}
    return "; ".join(map(errors.clean, kind.mismatches(given, status)))
