"""What is asked for, as the engine hands it over; and errors about settings that are on record."""

from __future__ import annotations

import base64
import functools
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, ParamSpec, TypeVar

from pulumi import dynamic
from pulumi.output import Unknown

from cloud_runs import addresses, errors
from cloud_runs.checks import Problem
from cloud_runs.lifecycle.reporting import one_line
from cloud_runs.lifecycle.values import known, plain
from cloud_runs.promise import digests, ledger
from cloud_runs.promise.records import Content, Intent, Recorded

P = ParamSpec("P")
R = TypeVar("R")

_OLD_NAMES = re.compile(rb"\x8c.provider\.(?:tencent|huawei|enos|lifecycle)\.", re.DOTALL)  # as pickle writes a text
_PROVIDER = "__provider"  # the SDK's: a reference to the provider's class, by module and name


def _who(provider: Any, *args: Any) -> str:
    """`WorkflowRun 'transcode'`: every provider method has the properties as its last argument."""
    urn = ledger.urn_of(args[-1])
    name = ledger.name_of(urn) if urn else args[0] if isinstance(args[0], str) else ""
    return f"{provider.label} {name!r}"


reported = one_line(_who, errors.RunsError, addresses.with_address)


def checked(news: dict[str, Any], problems: Iterable[Problem]) -> dynamic.CheckResult:
    """The answer to `check`: every bad input at once, each with where it is told what to do."""
    return dynamic.CheckResult(news, [dynamic.CheckFailure(name, addresses.of_argument(why)) for name, why in problems])


def recorded_settings(method: Callable[P, R]) -> Callable[P, R]:
    """For `read` and `delete` of what is on record: without the program the engine gives them the settings that are in
    the state, those of the last `up`. An error about such a key alone would send people to what is right by now.
    """

    @functools.wraps(method)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except (errors.Refused, errors.MissingCredentials) as error:
            props: Any = args[-1]
            source = error.key_from if isinstance(error, errors.Refused) else "none"
            if not ledger.is_ours(props) or not source or source.startswith("environment"):  # read anew each time
                raise
            raise errors.RunsError(
                f"{str(error).rstrip('.')}. A refresh and a destroy use the settings of the last `pulumi up`: if they "
                "have changed since, run a plain `pulumi up`, or add --run-program"
            ) from error

    return wrapper


def must_checkpoint() -> None:
    """Raises RunsError if the engine does not write down what it is told before it goes on."""
    if os.environ.get("PULUMI_SKIP_CHECKPOINTS", "").lower() in ("1", "true"):
        raise errors.RunsError(
            "nothing was fired: with PULUMI_SKIP_CHECKPOINTS the intent is not recorded, so a run could be lost "
            "and fired again. Unset it"
        )


class Wanted(NamedTuple):
    """What the program asks for. `unknown`: arguments, `triggers` and `triggers.KEY` whose value is not known yet."""

    content: Content
    unknown: frozenset[str]


def wanted(arguments: Collection[str], values: Any, triggers: Any) -> Wanted:
    """`values` are the request arguments by name. Triggers that are none have no digests: the run's own check refuses
    them, with all else that is wrong."""
    given = {name: values.get(name) for name in arguments} if isinstance(values, Mapping) else {}
    keys = dict(triggers) if isinstance(triggers, Mapping) and plain(triggers) else {}
    unknown = {name for name in arguments if name not in given or not known(given[name])}
    unknown |= {f"triggers.{key}" for key, value in keys.items() if not known(value)}
    if isinstance(triggers, Unknown):
        unknown.add("triggers")
    return Wanted(Content(_digests(given), _digests(keys)), frozenset(unknown))


def _digests(values: Mapping[str, Any]) -> dict[str, str]:
    return {key: digests.short(value) for key, value in values.items() if value is not None and known(value)}


def unchanged_intent(changed: Iterable[str], *, forced: bool = False) -> str:
    if forced:
        return (
            f"{', '.join(changed)} differs from what the recorded run was forced with, while that was under "
            "ignore_changes: nothing fires. For a new run change a trigger"
        )
    return (
        f"{', '.join(changed)} changed, but the intent did not change with it: nothing fires. With --target or "
        "--exclude, the next full `pulumi up` fires it; if a transform of the stack or a parent changes arguments or "
        "ignore_changes of the run, change a trigger"
    )


def current_urn(olds: Mapping[str, Any], news: Mapping[str, Any]) -> str:
    """The program's name for the resource; a rename with an alias has changed it."""
    return ledger.urn_of(news) or ledger.urn_of(olds)


def of_0_1(outputs: Mapping[str, Any]) -> bool:
    """Whether version 0.1 has made this record. It is written anew by the first `pulumi up`, which fires nothing."""
    try:
        reference = base64.b64decode(str(outputs.get(_PROVIDER) or ""), validate=True)
    except ValueError:
        return False
    return _OLD_NAMES.search(reference) is not None


def written_by_0_1(outputs: Mapping[str, Any]) -> bool:
    """Whether version 0.1 has made this run's record, or its text, in the form that it had then."""
    return of_0_1(outputs) or ledger.is_old(outputs.get(ledger.FIRED))


def next_time(names: Iterable[str]) -> Iterator[str]:
    """What is said when something changes together with the version."""
    if listed := ", ".join(names):
        yield f"recorded in the form of this version; {listed} changed, which fires with the next `pulumi up`"


def moved(urn: str, olds: Mapping[str, Any], run: Recorded, intent: Intent | None) -> bool:
    """Whether the resource has another name or another intent. Both are recorded, since `delete` is told nothing but
    what is on record."""
    return urn != ledger.urn_of(olds) or (intent.token if intent else "") != run.fired.shown
