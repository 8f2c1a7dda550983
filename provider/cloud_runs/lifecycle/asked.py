"""What a run and a fan-out share: what was asked for, what is on record, and whether an intent stands for a change."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, ParamSpec, TypeVar

from pulumi.output import Unknown

from cloud_runs import errors
from cloud_runs.kinds import Occasion
from cloud_runs.lifecycle.intent import content_of, intent_of, wanted_content
from cloud_runs.lifecycle.reporting import one_line
from cloud_runs.promise.record import PROCESS, Content, Intent, Recorded

P = ParamSpec("P")
R = TypeVar("R")


def _who(provider: Any, *args: Any) -> str:
    """`WorkflowRun 'transcode'`: every provider method has the properties as its last argument."""
    urn = args[-1].get("resource_urn")
    name = urn.split("::", 3)[-1] if isinstance(urn, str) else args[0] if isinstance(args[0], str) else ""
    return f"{provider.label} {name!r}"


reported = one_line(_who, errors.RunsError)


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
            if "fired" not in props or not source or source.startswith("environment"):  # that is read anew each time
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
            "nothing was fired: with PULUMI_SKIP_CHECKPOINTS the intent is not on record, so a run could be lost "
            "and fired again. Unset it"
        )


def unchanged_intent(changed: Iterable[str]) -> str:
    return (
        f"{', '.join(changed)} changed, but the intent did not change with it: nothing fires. With "
        "--target or --exclude, the next full `pulumi up` fires it; if a transform changes arguments of the "
        "run, change a trigger"
    )


def content_asked(arguments: Iterable[str], props: Mapping[str, Any]) -> Content:
    return Content(*wanted_content({name: props.get(name) for name in arguments}, props.get("triggers")))


def recorded_run(id: str, outputs: Mapping[str, Any]) -> Recorded:
    fired = outputs.get("fired") or {}
    try:
        at = datetime.fromisoformat(str(fired.get("at") or "").replace("Z", "+00:00"))
    except ValueError:  # an adopted run whose service told no time
        at = None
    return Recorded(
        id=id,
        token=str(fired.get("token") or ""),
        content=content_of(fired),
        fired_at=at,
        outputs=outputs,
        beside=token_of(outputs.get("intent")),
    )


def occasion(urn: str, intent: Intent | None, before: Recorded | None) -> Occasion:
    """What a request derives from beside its arguments. `before`: the run that the resource had."""
    return Occasion(
        token=intent.token if intent else "",
        minted_at=intent.minted_at if intent else None,
        name=urn.split("::", 3)[-1],
        before=before.outputs if before else None,
        before_given=frozenset(before.content.digests) if before else frozenset(),
    )


def current_urn(olds: Mapping[str, Any], news: Mapping[str, Any]) -> str:
    """The program's name for the resource; a rename with an alias has changed it."""
    urn = news.get("resource_urn")
    return urn if isinstance(urn, str) else str(olds.get("resource_urn") or "")


def token_of(bag: Any) -> str:
    """The token of an intent that the engine brought; empty if there is none, or it is not known yet."""
    return str(bag["token"]) if isinstance(bag, Mapping) and isinstance(bag.get("token"), str) else ""


def for_outputs(props: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs as the outputs keep them. Of the intent only the token: its own resource has the rest on record, and the
    engine writes the whole state at every step."""
    token = token_of(props.get("intent"))
    return {**props, "intent": {"token": token}} if token else dict(props)


def minted_for(
    bag: Any, recorded: Recorded, wanted: tuple[Mapping[str, Any], Mapping[str, Any]], changed: list[str]
) -> bool:
    """Whether the intent was made for the change, so that its token stands for the new run and for nothing else.

    Under `--target` of the run alone the engine brings the old intent: firing under it could fire twice, since the
    next full `up` makes a new one. In a preview a token that is not yet known is a new one.
    """
    if isinstance(bag, Unknown):
        return True
    intent = intent_of(bag)
    if intent is None or intent.token == recorded.token:
        return False
    if intent.process == PROCESS:  # made in this update, so for what the program asks for now
        return True
    arguments, triggers = wanted
    for name in changed:
        key = name.removeprefix("triggers.")
        made_for, asked = (intent.content.triggers, triggers) if key != name else (intent.content.digests, arguments)
        if made_for.get(key) != asked.get(key):
            return False
    return True
