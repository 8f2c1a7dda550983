"""The runs that a program asks for, as `pulumi preview` tells them: each has an intent, also before the first `up`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pulumi import automation
from pulumi.runtime.rpc import UNKNOWN

from cloud_runs.errors import RunsError, clean
from cloud_runs.kinds import Kind
from cloud_runs.lifecycle.clients import kind_named
from cloud_runs.promise import ledger
from cloud_runs.promise.ledger import ARGUMENTS, MESSAGE
from cloud_runs.status.reading import Stack, workspace_of
from cloud_runs.status.recorded import is_default

_SECRET = "[secret]"  # what a preview shows in the place of one
# What any run of the same workflow has, where the program's own is not known yet.
_ANY: Mapping[str, Any] = {"object": "x", "input": {"object": "x"}}


class Planned(NamedTuple):
    """A run, or a fan-out with any object. `hidden`: why nothing can be asked for it before the `up`; empty if it can.

    `unknown`: arguments that are left out, or have any value, since theirs is not known before the `up`.
    """

    name: str
    kind: Kind[Any]
    arguments: Mapping[str, Any]
    provider: str
    unknown: tuple[str, ...] = ()
    hidden: str = ""


class Plan(NamedTuple):
    runs: list[Planned]
    errors: list[str]


def preview(folder: str, stack: Stack) -> Plan:
    """Raises RunsError for a preview that tells nothing."""
    workspace = workspace_of(folder)
    command = ["preview", "--json", "--show-sames", "--non-interactive", "--stack", stack.name]
    failed = False
    try:
        out = workspace.pulumi_command.run(command, folder, {}).stdout
    except automation.CommandError as error:
        failed, out = True, str(error).partition("\n stdout: ")[2].rpartition("\n stderr: ")[0]
    try:
        told = json.loads(out[out.index("{") :])
    except ValueError:
        raise RunsError("`pulumi preview` says nothing: run it to see why") from None
    steps = [step["newState"] for step in told.get("steps") or () if step.get("newState")]
    runs = [_planned(entry, stack) for entry in steps if entry["type"] == ledger.INTENT_TYPE]
    errors = [_said(one) for one in told.get("diagnostics") or () if one.get("severity") == "error"]
    if failed and not errors:
        errors = ["`pulumi preview` fails: run it to see why"]
    known = sorted((run for run in runs if run), key=lambda run: run.name)  # a preview has them in any order
    return Plan(known, list(dict.fromkeys(errors)))


def _planned(entry: Mapping[str, Any], stack: Stack) -> Planned | None:
    inputs = entry.get("inputs") or {}
    kind = kind_named(str(inputs.get("kind")))
    if kind is None:
        return None
    name, provider = ledger.intended_by(entry["urn"]), entry.get("provider") or ""
    given = dict(inputs.get(ARGUMENTS) or {})
    unknown = tuple(argument for argument in given if not _known(given[argument]))
    arguments = {argument: value for argument, value in given.items() if argument not in unknown}
    if kind.fans_out:
        arguments.setdefault(kind.fans_out, _ANY["object"])
    needed = list(_needed(kind, unknown, arguments))
    hidden = f"not known before the `pulumi up`: {', '.join(needed)}" if needed else ""
    if not is_default(provider) and provider not in stack.records.providers:
        of = clean(provider.split("::")[3], 100)
        hidden = f"its keys are given to provider {of!r}, which no `pulumi up` has recorded yet"
    return Planned(name, kind, arguments, provider, unknown, hidden)


def _needed(kind: Kind[Any], unknown: tuple[str, ...], arguments: dict[str, Any]) -> Iterator[str]:
    """What is unknown and without which there is nothing to ask. For the others any value is put in."""
    for argument in kind.arguments:
        if argument.name in unknown and argument.subject in _ANY:
            arguments[argument.name] = _ANY[argument.subject]
        elif argument.name in unknown and argument.required:
            yield argument.name


def _known(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(map(_known, value.values()))
    if isinstance(value, list):
        return all(map(_known, value))
    return value not in (UNKNOWN, _SECRET)


def _said(diagnostic: Mapping[str, Any]) -> str:
    """In one line, without what Pulumi says before and behind it: of a traceback the error alone, which is its end."""
    text = str(diagnostic.get(MESSAGE) or "").strip()
    if "Traceback (most recent call last):" in text:
        text = re.split(r"\n(?: .*\n)+(?=\S)", text)[-1]  # frames are indented
    return clean(text.removeprefix("error:").strip().removeprefix("RunError:").strip(), 600)
