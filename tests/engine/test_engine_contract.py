"""What Pulumi does that this package leans on, tried with resources that are not ours (docs/engine.md).

If a new engine or SDK breaks one of these, the text says what breaks with it. All that broke is told at once.
"""

from __future__ import annotations

import base64
import json
import re
import socket
from pathlib import Path
from typing import Any

import pulumi
import pytest

from tests.engine.interrupted import kill_engine_alone, wait_until
from tests.engine.recorder import TYPE, UNKNOWN
from tests.support.emulator import Emulator
from tests.support.stack import ROOT, Stack

pytestmark = pytest.mark.engine

PROGRAM = """
from tests.engine.recorder import Thing, TYPE
intent = Thing("intent", wanted=WANTED)
run = Thing("run", opts=ResourceOptions(delete_before_replace=True), wanted=WANTED, token=intent.by, number=7,
    none=None, nested={"n": 1, "none": None, "list": [1, None, 2.5]}, says="a word",
    says_in_passing="a whisper", urn_of=pulumi.create_urn("run", TYPE))
minted = Thing("minted", wanted=WANTED, overlaps=True)
after = Thing("after", used=run.made, note=WANTED, token=minted.by)
last = Thing("last", token=after.by)
pinned = Thing("pinned", opts=ResourceOptions(delete_before_replace=True, ignore_changes=["value"]), wanted=WANTED,
    value=f"value {WANTED}")
other = pulumi.ProviderResource("pulumi-python", "other", {"contract:word": "other's"})
abroad = Thing("abroad", opts=ResourceOptions(provider=other))
known = Thing("known", opts=ResourceOptions(id="known-id"), asked="x")
crowd = [Thing(f"crowd{number}", crowd=True) for number in range(8)]
pulumi.export("urn", pulumi.create_urn("run", TYPE))
"""
HOOKED = """
again = pulumi.ErrorHook("again", lambda failed: failed.failed_operation == "create")
flaky = Thing("flaky", fails_once=True, opts=ResourceOptions(hooks=pulumi.ResourceHookBinding(on_error=[again])))
"""
LATE = "early = Thing('early')\nlate = Thing('late', used=early.made)\n"


class Contract(Stack):
    @property
    def env(self) -> dict[str, str]:
        return super().env | {"PYTHONPATH": str(ROOT), "CONTRACT_FOLDER": str(self.folder)}

    def wanting(self, wanted: str, *more: str) -> Contract:
        self.program(f"WANTED = {wanted!r}\n", PROGRAM, *more)
        return self

    def rows(self) -> list[dict[str, Any]]:
        file = self.folder / "calls"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def calls(self) -> Calls:
        """Those since the last time that this was asked."""
        rows = self.rows()
        (self.folder / "calls").unlink()
        return Calls(rows)


class Calls(list[dict[str, Any]]):
    def of(self, label: str | None, call: str = "") -> Calls:
        return Calls(row for row in self if row["label"] == label and call in ("", row["call"]))

    def order(self, label: str) -> str:
        """The calls of a resource. `check{}` is one without old inputs."""
        return " ".join(row["call"] + ("{}" if row.get("olds") == {} else "") for row in self.of(label))

    def by(self, pid: int) -> Calls:
        return Calls(row for row in self if row["pid"] == pid)


class Expectations:
    def __init__(self) -> None:
        self.broken: list[str] = []

    def __call__(self, found: Any, expected: Any, breaks: str) -> None:
        if found != expected:
            self.broken.append(f"{breaks}\n    expected {expected!r}\n    found    {found!r}")


def test_the_engine_does_what_this_package_leans_on(tmp_path: Path, cloud: Emulator) -> None:
    stack, expect = Contract(tmp_path, cloud), Expectations()
    stack.configure(contract__word="stack's", tests__plain="own")
    stack.pulumi("config", "set", "--secret", "contract:hidden", "hidden", "-s", stack.name)
    first(stack, expect)
    changed(stack, expect)
    forced(stack, expect)
    killed_and_again(stack, expect)
    refreshed(stack, expect)
    assert not expect.broken, "\n\n".join(expect.broken)


def hooked(stack: Contract) -> bool:
    """Whether engine and SDK know error hooks: they are younger than the oldest ones that are supported."""
    major, minor = re.findall(r"\d+", stack.pulumi("version").out)[:2]
    return hasattr(pulumi, "ErrorHook") and (int(major), int(minor)) >= (3, 244)


def first(stack: Contract, expect: Expectations) -> None:
    hooks = hooked(stack)
    shown = stack.wanting("1", HOOKED if hooks else "").up().text
    calls = stack.calls()
    (run,), (intent,), (abroad,) = (calls.of(label, "create") for label in ("run", "intent", "abroad"))
    mine, others = ([row["config"] for row in calls.by(row["pid"]).of(None)] for row in (run, abroad))
    expect(calls.order("run"), "check{} create", "a first up: check is told of no olds")
    expect(run["props"]["token"], run["pid"], "an intent is minted and its run fired by one host process")
    expect(run["pid"] == intent["pid"], True, "the same")
    config = {"contract:word": "stack's", "contract:hidden": "hidden", "plain": "own"}
    expect(mine, [config], "configure: once a process; secrets are decrypted; the project's own keys")
    config = {"contract:word": "other's", "contract:hidden": None, "plain": None}
    expect(others, [config], "Provider: an explicit one has only its own settings, so it hands the stack's on")
    expect(abroad["pid"] != run["pid"], True, "an explicit provider has a host of its own")
    nested = {"n": 1.0, "list": [1.0, None, 2.5]}
    given = {name: run["props"].get(name, "not there") for name in ("number", "none", "nested")}
    expect(given, {"number": 7.0, "none": "not there", "nested": nested}, "digests: numbers are floats, None vanishes")
    expect(type(given["number"]), float, "Huawei inputs and EnOS flow ids are made whole numbers again")
    expect(bool(re.search(r"Thing run creating .*a word", shown)), True, "progress: Log reaches the resource's row")
    final = shown.partition("Diagnostics:")[2]
    expect(("a word" in final, "a whisper" in final), (True, False), "progress: what is ephemeral is not repeated")
    if hooks:
        creates = calls.of("flaky", "create")
        expect(len(creates), 2, "an error hook has a create called again that has failed")
        expect({row["pid"] for row in creates}, {run["pid"]}, "the same: in the process that has attempted it")
    expect(bool(re.fullmatch(r"127\.0\.0\.1:\d+", run["engine"])), True, "progress: sys.argv[-1] is the engine")
    expect([row["most"] for row in calls if "most" in row and row["most"] > 1], [4] * 8, "the host has four threads")
    entry = stack.resources()["run"]
    expect(entry["type"], TYPE, "type names, and with them URNs: module and name of the class statement")
    expect(entry["urn"], run["props"]["urn_of"], "run.urn_of: an URN can be computed in the program")
    reference = base64.b64decode(entry["inputs"]["__provider"])
    expect(b"tests.engine.recorder" in reference and b"Recorder" in reference, True, "a provider is kept by reference")
    expect(len(reference) < 60, True, "a provider is kept by reference, without what it holds")
    expect(calls.order("known"), "read", "WorkflowRun.get: the id option calls read alone")
    (known,) = calls.of("known")
    expect((known["id"], known["props"]["asked"]), ("known-id", "x"), "WorkflowRun.get: read gets the program's inputs")
    expect(stack.outputs("known")["made"], "read", "WorkflowRun.get: what read returns are the outputs")


def changed(stack: Contract, expect: Expectations) -> None:
    stack.wanting("2").pulumi("up", "--yes", "-s", stack.name)
    calls = stack.calls()
    hosts = [row["pid"] for row in calls.of(None) if row["config"]["contract:word"] == "stack's"]
    expect(len(set(hosts)), 2, "an up with preview: one host for the preview, one for the update")
    preview, update = calls.by(hosts[0]), calls.by(hosts[-1])
    acting = {row["call"] for row in preview} & {"create", "update", "delete"}
    expect(acting, set(), "a preview sends nothing: it calls no create, update or delete")
    token = preview.of("run", "diff")[-1]["news"]["token"]
    expect(token, UNKNOWN, "diff: in a preview the token of an intent that is replaced is not known")
    # what comes before is the question whether a dependant must go, too; it is below
    tail = " ".join(update.order("run").split()[-5:])
    expect(tail, "check diff check{} delete create", "a replacement that diff asks for: delete before create")
    (pid,) = {row["pid"] for row in update.of("intent", "create")}
    expect(update.of("run", "diff")[-1]["news"]["token"], pid, "diff: in an update it is asked with the new token")
    asked = update.of("run", "diff")[0]["news"]
    expect((asked["wanted"], asked["token"]), ("1", UNKNOWN), "diff: a dependant is asked with unknowns in an update")
    expect(update.of("after", "diff")[0]["news"]["used"], UNKNOWN, "the same: unknown must never mean replace")
    expect(update.order("after").split()[-3:], ["check", "diff", "update"], "changes without replaces: one update")
    expect(update.order("after").count("update"), 1, "Completion: one update, with the final values")
    expect(update.of("after", "update")[0]["news"]["used"], "always the same", "Completion: the final values")
    expect(
        update.order("minted").split()[-4:], ["diff", "check{}", "create", "delete"], "an intent: create, then delete"
    )
    last = [row["label"] for row in update if row["label"] in ("run", "after", "minted")][-1]
    expect(last, "minted", "an intent that was replaced is deleted last, when the run is on record")
    old, new = update.of("minted", "delete")[0]["props"]["by"], update.of("minted", "create")[0]["pid"]
    told = [row["news"] for row in update.of("after", "diff")]
    expect(
        [(news["note"], news["token"]) for news in (told[0], told[-1])],
        [("1", old), ("2", new)],
        "a dependant of what is deleted first is asked with its old inputs, in them the old intent, then with the new",
    )
    for label, what in (("after", "a new intent"), ("last", "an intent that is updated")):
        expect(preview.of(label, "diff")[-1]["news"]["token"], UNKNOWN, f"in a preview {what} is not known")
    pinned = [row["news"]["value"] for row in update.of("pinned") if row["call"] in ("check", "diff")]
    expect(pinned, ["value 1", "value 1", "value 2"], "ignore_changes: check and diff get the old value")
    (created,) = update.of("pinned", "create")
    expect(created["props"]["value"], "value 2", "ignore_changes: create gets the raw value")


def forced(stack: Contract, expect: Expectations) -> None:
    recorded = stack.outputs("run")
    stack.up(flags=("--replace", stack.urn("run")))
    calls = stack.calls()
    expect(calls.order("run"), "check{} delete create", "--replace: no diff, and delete before create")
    expect(len({row["pid"] for row in calls.of("run")}), 1, "--replace: delete and create in one process")
    (deleted,) = calls.of("run", "delete")
    expect(deleted["props"]["by"], recorded["by"], "delete is told the outputs on record")


def killed_and_again(stack: Contract, expect: Expectations) -> None:
    """A first create and a forced replacement, both killed in create."""
    holds = [stack.folder / f"hold-{label}" for label in ("run", "late")]
    for hold in holds:
        hold.touch()
    process = stack.wanting("2", LATE).start(flags=("--replace", stack.urn("run")))
    wait_until(lambda: [row["call"] for row in stack.rows()].count("create") == 3)
    kill_engine_alone(stack)
    process.wait(timeout=30)
    calls = stack.calls()
    host, _, port = calls.of("run", "create")[0]["engine"].rpartition(":")
    with socket.socket() as engine:
        expect(engine.connect_ex((host, int(port))) != 0, True, "engine_alive: a killed engine's address is closed")
    expect(calls.of("run")[0]["pid"] in stack.processes(), True, "orphans: the host outlives the engine")
    stack.kill_processes()
    expect("early" in stack.resources(), True, "an intent is on disk before the create of its run is called")
    pending = [(entry["resource"]["urn"], entry["type"]) for entry in stack.deployment()["pending_operations"]]
    names = [(urn.split("::")[-1], type_) for urn, type_ in pending]
    expect(sorted(names), [("late", "creating"), ("run", "creating")], "docs: pending operations after a kill")
    expect(len(list(stack.folder.glob("state/.pulumi/locks/**/*.json"))), 1, "docs: the lock stays after a kill")
    for hold in holds:
        hold.unlink()
    stack.unlock()
    shown = stack.up().text
    again = stack.calls()
    expect("2 pending operations" in shown, True, "docs: the next up warns of them")
    expect(again.order("late"), "check{} create", "the create of an interrupted up is called again: look before firing")
    expect(again.order("run"), "check diff check{} create", "the old one is not deleted again, and diff shows it")
    expect(again.order("early"), "check diff", "the same: it is not made again")
    recorded, deleted = again.of("run", "diff")[0]["olds"], calls.of("run", "delete")[0]["props"]
    expect(recorded["by"], deleted["by"], "diff shows the run that was replaced: it is left out of a look")


def refreshed(stack: Contract, expect: Expectations) -> None:
    recorded = stack.outputs("run")
    stack.refresh()
    calls = stack.calls()
    expect(calls.order("run"), "read diff", "a refresh: read, then diff")
    read, diff = calls.of("run")
    expect((read["id"], read["props"]["by"]), ("id-run", recorded["by"]), "read gets id and outputs")
    expect(diff["olds"]["made"], "read", "after a refresh diff gets what read returned as olds")
    expect("made" in diff["news"], False, "after a refresh diff gets the recorded inputs as news")
    expect(diff["news"]["token"], recorded["token"], "the same: the recorded token, so nothing fires")
    expect(stack.outputs("run")["made"], "read", "what read returns is on record")
