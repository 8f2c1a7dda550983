"""The cases that broke simpler designs (docs/engine.md), and the decision table of `create()`."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from cloud_runs.promise.looking import TICK
from tests.demo.pages import blocks
from tests.engine.asks import fan, fired
from tests.engine.interrupted import hosts, kill_after_start, kill_engine_alone, mint_only, refuse, wait_until
from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator
from tests.support.stack import ROOT, Stack, job, run

pytestmark = pytest.mark.engine


def transform(options: Mapping[str, str]) -> str:
    """Sets options on runs alone, as a team's own rules would; their intents do not get them."""
    of = ", ".join(f"{name!r}: ResourceOptions({given})" for name, given in options.items())
    return f"""
def rule(args):
    options = {{{of}}}.get(args.name) if args.type_.endswith('tencent:WorkflowRun') else None
    return options and pulumi.ResourceTransformationResult(args.props, ResourceOptions.merge(args.opts, options))
pulumi.runtime.register_stack_transformation(rule)
"""


# -- a change that did not get to fire


@pytest.mark.long
def test_a_change_stopped_by_a_sibling_and_taken_back_fires_nothing(stack: Stack, cloud: Emulator) -> None:
    sibling = run("sibling", object="sibling.mp4")
    after = "=ResourceOptions(depends_on=[sibling])"
    stack.up(sibling, run(opts=after))
    fired = cloud.ids()
    refuse(cloud)
    changed = run("sibling", object="sibling2.mp4")
    assert stack.up(changed, run(object="b.mp4", opts=after), check=False).code != 0
    stack.up(sibling, run(opts=after))
    assert cloud.ids() == fired
    assert [stack.id("sibling"), stack.id()] == fired
    # The recorded run now stands beside another intent than its own: that must not pass for a change taken back.
    lost = kill_after_start(stack, cloud, flags=("--replace", stack.urn("run")))
    stack.up()
    assert cloud.ids() == [*fired, lost]
    assert [stack.id("sibling"), stack.id()] == [fired[0], lost]


# -- the intent is made again, the run is not


def test_an_option_set_by_a_transform_fires_nothing(stack: Stack, cloud: Emulator) -> None:
    before = {"new": "old", "ignoring": "ignoring", "protected": "protected"}
    source = [run(name, object=f"{of}.mp4") for of, name in before.items()]
    stack.up(*source)
    changed = [run("new", object="new.mp4"), run("ignoring", object="x.mp4"), run("protected", object="protected.mp4")]
    options = {
        "new": "aliases=[Alias(name='old')]",
        "ignoring": "ignore_changes=['object']",
        "protected": "protect=True",
    }
    for _ in range(2):
        stack.up(transform(options), *changed)
        assert sorted(cloud.ids()) == sorted(stack.id(name) for name in before)


def test_a_protected_run_with_a_change_fires_nothing(stack: Stack, cloud: Emulator) -> None:
    protect = "=ResourceOptions(protect=True)"
    stack.up(run(opts=protect))
    assert stack.up(run(object="b.mp4", opts=protect), check=False).code != 0
    assert cloud.ids() == [stack.id()]
    stack.up(run(opts=protect))
    assert cloud.ids() == [stack.id()]


COMPONENT = """
class Group(pulumi.ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__("tests:index:Group", name, None, opts)
"""


@pytest.mark.long
def test_a_moved_parent_fires_nothing_and_the_intent_takes_the_provider_of_its_component(
    stack: Stack, cloud: Emulator
) -> None:
    explicit = f"""
other = pulumi.ProviderResource("pulumi-python", "other", {{
    "tencentcloud:region": "ap-shanghai", "tencentcloud:secretId": "{SECRET_ID}",
    "tencentcloud:secretKey": "{SECRET_KEY}", "runs:tencentEndpoint": "{cloud.url}"}})
abroad = Group("abroad", ResourceOptions(providers=[other]))
"""
    there = run("there", object="there.mp4", opts="=ResourceOptions(parent=abroad)")
    stack.up(COMPONENT, explicit, there, run())
    resources = stack.resources()
    assert resources["there-intent"]["provider"] == resources["there"]["provider"]
    assert "::other::" in resources["there"]["provider"]
    assert stack.outputs("there")["region"] == "ap-shanghai"
    fired = set(cloud.ids())

    moved = "=ResourceOptions(parent=group, aliases=[Alias(parent=pulumi.ROOT_STACK_RESOURCE)])"
    stack.up(COMPONENT, explicit, there, "group = Group('group')\n", run(opts=moved))
    assert stack.resources()["run-intent"]["parent"].endswith("::group"), "the intent moves with its run"
    renamed = "group = Group('team', ResourceOptions(aliases=[Alias(name='group')]))\n"
    stack.up(COMPONENT, explicit, there, renamed, run(opts="=ResourceOptions(parent=group)"))
    assert set(cloud.ids()) == fired == {stack.id("there"), stack.id()}


# -- --target and --exclude


@pytest.mark.long
def test_target_of_the_run_alone_killed_and_then_up_fires_once(stack: Stack, cloud: Emulator) -> None:
    """Even with a token that differs from the recorded one (a rename has renewed it), the old token must not fire."""
    stack.up(run("old"))
    stack.up(transform({"run": "aliases=[Alias(name='old')]"}), run())
    first = stack.id()
    stack.up(run(object="b.mp4"), flags=("--target", stack.urn("run")))
    assert cloud.ids() == [first]
    lost = kill_after_start(stack, cloud)
    stack.up()
    assert cloud.ids() == [first, lost]
    assert stack.id() == lost


@pytest.mark.long
def test_exclude_of_a_new_intent_is_an_error(stack: Stack, cloud: Emulator) -> None:
    urn = f"urn:pulumi:{stack.name}::tests::pulumi-python:dynamic/runs:Intent::run-intent"
    excluded = stack.up(run(), flags=("--exclude", urn), check=False)
    assert cloud.requests() == {}
    assert "run" not in stack.resources()
    stack.up()
    assert cloud.ids() == [stack.id()]
    assert excluded.code != 0 or "run" not in stack.resources()


# -- forced replacements that did not get to fire


@pytest.mark.long
def test_a_forced_replacement_refused_then_up_fires_the_new_run(stack: Stack, cloud: Emulator) -> None:
    stack.up(run())
    first = stack.id()
    refuse(cloud)
    assert stack.up(flags=("--replace", stack.urn("run")), check=False).code != 0
    stack.up()
    assert len(cloud.runs()) == 2, "the run that was to be replaced is not taken for the new one"
    assert stack.id() != first
    assert cloud.ids()[-1] == stack.id()


@pytest.mark.long
def test_a_forced_replacement_refused_and_forced_again_says_what_it_found(stack: Stack, cloud: Emulator) -> None:
    """The engine asks for no diff then, so the old run is adopted; the row says so, and a further one fires."""
    stack.up(run())
    first = stack.id()
    refuse(cloud)
    urn = stack.urn("run")
    assert stack.up(flags=("--replace", urn), check=False).code != 0
    again = stack.up(flags=("--replace", urn))
    assert len(cloud.runs()) in (1, 2)
    if cloud.ids() == [first]:
        assert f"found run {first} of an interrupted up" in again.text
        stack.up(flags=("--replace", urn))
    assert len(cloud.runs()) == 2
    assert cloud.ids()[-1] == stack.id()


@pytest.mark.long
def test_a_changed_replacement_trigger_that_was_refused_is_not_taken_for_done(stack: Stack, cloud: Emulator) -> None:
    """It stays forced until a run is on record, and the engine asks for no diff then: the intent's token tells that
    another run is wanted. That the old run is none of it cannot be told while it is young, so it is named."""
    first, second = (run(opts=f"=ResourceOptions(replacement_trigger='{value}')") for value in "12")
    stack.up(first)
    id = stack.id()
    time.sleep(2 * TICK.total_seconds())  # two times may be of one moment: a service tells whole seconds
    refuse(cloud)
    assert stack.up(second, check=False).code != 0
    again = stack.up(second, check=False)
    assert again.code != 0
    assert "nothing more was fired" in again.text
    assert id in again.text
    cloud.fault("tencent.workflow", "find", "forget")  # it is of long ago
    stack.up(second)
    assert stack.outputs()["provenance"] == "fired"
    assert stack.id() != id


@pytest.mark.long
@pytest.mark.parametrize("how", ["alias", "stack renamed", "moved"])
def test_a_changed_replacement_trigger_under_another_urn_is_of_the_same_run(
    stack: Stack, cloud: Emulator, how: str
) -> None:
    """The engine shows no diff of it: what knows the run that goes on (`if_running`, the history) must find it."""

    def of(trigger: int) -> str:
        return run(name, if_running="forbid", opts=f"=ResourceOptions(replacement_trigger='{trigger}'{more})")

    name, more = "run", ""
    stack.up(of(1))
    first = stack.id()
    if how == "alias":
        name, more = "renamed", ", aliases=[pulumi.Alias(name='run')]"
    elif how == "moved":
        more = ", parent=pulumi.ComponentResource('my:m:Part', 'part'), aliases=[Alias(parent=ROOT)]"
    else:
        stack.pulumi("stack", "rename", "other", "-s", stack.name)
        stack.name = "other"
    imports = "from pulumi import ROOT_STACK_RESOURCE as ROOT, Alias\n"
    kept = stack.up(imports, of(2))
    assert f"nothing was fired: run {first} is running, and if_running is 'forbid'" in kept.text
    assert (cloud.ids(), stack.id(name)) == ([first], first)
    cloud.set_state(first, "Success")
    stack.up(imports, of(3))
    assert len(cloud.ids()) == 2
    assert [one["id"] for one in stack.outputs(name)["history"]] == [first]


@pytest.mark.long
def test_a_region_that_is_configured_otherwise_after_a_kill_fires_nothing_again(stack: Stack, cloud: Emulator) -> None:
    id = kill_after_start(stack, cloud, run())
    stack.configure(tencentcloud__region="ap-shanghai")
    stack.up()
    assert cloud.ids() == [id]
    assert (stack.id(), stack.outputs()["region"]) == (id, "ap-beijing")


# -- unknown values


@pytest.mark.long
def test_of_runs_that_use_outputs_of_a_replaced_one_those_fire_whose_value_is_another(
    stack: Stack, cloud: Emulator
) -> None:
    same = run("same", object="=a.object.apply(lambda key: 'out/' + key)")
    follows = run("follows", object="=a.instance_id")
    stack.up(run("a"), same, follows)
    kept, followed = stack.id("same"), stack.id("follows")
    preview = stack.preview(run("a", triggers={"again": "1"}), same, follows)
    assert "replace" not in _rows(preview.text, " same ")
    stack.up()
    assert stack.id("same") == kept
    assert stack.id("follows") != followed
    assert len(cloud.runs()) == 5
    stack.up()
    assert len(cloud.runs()) == 5


def test_preview_with_unknown_values_passes_the_checks_and_sends_nothing(stack: Stack, cloud: Emulator) -> None:
    chained = job("chained", input={"prefix": "x"}, time_interval="=a.created_at.apply(lambda at: {'start': at})")
    preview = stack.preview(run("a"), run("b", object="=a.instance_id", triggers="={'of': a.instance_id}"), chained)
    assert "+ 7 to create" in preview.text, "three runs with their intents, and the stack"
    assert cloud.requests() == {}


# -- options

REFUSED = {
    "retain_on_delete=True": "on_delete='abandon'",
    "delete_before_replace=False": "overlap",
    "import_='x'": "adopt_id",
    "custom_timeouts=pulumi.CustomTimeouts(create='5m')": "never waits",
}
TRY = """
try:
    {}
except ValueError as error:
    pulumi.log.error(str(error))
"""


def test_options_that_would_break_the_promise_are_refused(stack: Stack, cloud: Emulator) -> None:
    first, *_ = REFUSED
    alone = stack.preview(run("transcode", opts=f"=ResourceOptions({first})"), check=False)
    assert alone.code != 0, "the program does not go on"
    refused = stack.up(
        *(TRY.format(run("transcode", opts=f"=ResourceOptions({option})")) for option in REFUSED), check=False
    )
    for option, reason in REFUSED.items():
        name = f"{'the option ' if 'False' not in option else ''}{option.split('=')[0]}"
        told = _rows(refused.text, f"WorkflowRun 'transcode': {name}")
        assert reason in told, refused
    assert stack.resources() == {}
    assert cloud.ids() == []


def test_additional_secret_outputs_and_depends_on_keep_their_meaning(stack: Stack, cloud: Emulator) -> None:
    stack.up(
        run("a"), run("b", object="b.mp4", opts="=ResourceOptions(additional_secret_outputs=['url'], depends_on=[a])")
    )
    assert "ciphertext" in stack.outputs("b")["url"]
    assert [entry["request"]["query"]["object"] for entry in cloud.runs()] == ["a.mp4", "b.mp4"]


def _rows(text: str, word: str) -> str:
    return "\n".join(line for line in text.splitlines() if word in line)


# -- orphans, stale intents, and what only looks like a change


def test_an_orphan_does_not_fire(stack: Stack, cloud: Emulator) -> None:
    """Its engine is killed while it looks for an earlier run; it goes on, and must end before the start."""
    stack.program(run())
    mint_only(stack)
    cloud.fault("tencent.workflow", "find", "delay", seconds=3, after_effect=True)  # less than a host lives on
    process = stack.start()
    wait_until(lambda: cloud.count("tencent.workflow", "find") > 0)
    kill_engine_alone(stack)
    process.wait(timeout=30)
    wait_until(lambda: not hosts(stack))
    assert cloud.ids() == []
    stack.kill_processes()
    ((_, recovery),) = blocks("docs/troubleshooting.md")
    stack.shell(recovery)
    assert cloud.ids() == [stack.id()]
    assert stack.deployment()["pending_operations"], "Pulumi warns of it"
    text = (ROOT / "docs/troubleshooting.md").read_text()
    (clear,) = set(re.findall(r"`(pulumi refresh [^`]*--clear-pending-creates)`", text))
    stack.shell(clear)
    assert not stack.deployment().get("pending_operations")
    assert cloud.ids() == [stack.id()]


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="elsewhere than on Linux nobody tells the two apart")
def test_an_orphan_is_not_deceived_by_who_takes_its_engine_s_port(stack: Stack, cloud: Emulator) -> None:
    """Neither by a program that listens there, nor by another engine."""
    objects = [f"o/{number:02}.mp4" for number in range(24)]
    process = stack.start(fan(objects, rate=2, concurrency=1))
    wait_until(lambda: len(cloud.ids()) >= 2)
    (pid, *_) = hosts(stack)
    port = int(Path(f"/proc/{pid}/cmdline").read_text().split("\0")[-2].rpartition(":")[2])
    kill_engine_alone(stack)
    process.wait(timeout=30)
    with socket.create_server(("127.0.0.1", port)):
        wait_until(lambda: not hosts(stack))
    stack.unlock()
    stack.up(fan(objects))
    assert {key: len(ids) for key, ids in fired(cloud).items()} == dict.fromkeys(objects, 1)
    assert sorted(stack.outputs("fan")["instance_ids"].values()) == sorted(cloud.ids())


@pytest.mark.long
def test_target_of_a_run_that_was_refused_and_has_changed_waits_for_its_intent(stack: Stack, cloud: Emulator) -> None:
    refuse(cloud)
    assert stack.up(run(), check=False).code != 0
    urn = f"urn:pulumi:{stack.name}::tests::pulumi-python:dynamic/tencent:WorkflowRun::run"
    targeted = stack.up(run(object="b.mp4"), flags=("--target", urn), check=False)
    assert targeted.code != 0
    assert "made for other arguments" in targeted.text
    assert cloud.ids() == []
    stack.up()
    assert cloud.ids() == [stack.id()]


@pytest.mark.long
def test_a_wrong_adopt_id_leaves_the_record_alone(stack: Stack, cloud: Emulator) -> None:
    stack.up(job(name="demo", on_delete="cancel"))
    fired = stack.id("job")
    wrong = stack.up(job(name="demo", on_delete="cancel", adopt_id="b" + "0" * 32), check=False)
    assert wrong.code != 0
    assert "there is no run" in wrong.text
    assert cloud.count("tencent.inventory", "cancel") == 0
    stack.up(job(name="demo", on_delete="cancel"))
    assert cloud.ids() == [fired]
    assert stack.id("job") == fired


@pytest.mark.long
def test_an_ignored_trigger_that_changes_after_a_kill_fires_nothing_again(stack: Stack, cloud: Emulator) -> None:
    ignoring = "=ResourceOptions(ignore_changes=['triggers'])"
    lost = kill_after_start(stack, cloud, run(triggers={"at": "1"}, opts=ignoring))
    stack.up(run(triggers={"at": "2"}, opts=ignoring))
    stack.up(run(triggers={"at": "3"}, opts=ignoring))
    assert cloud.ids() == [lost]
    assert stack.id() == lost


OWN_TRANSFORM = """
def rule(args):
    opts = ResourceOptions.merge(args.opts, ResourceOptions(ignore_changes=['triggers']))
    return pulumi.{result}({{**args.props, 'object': 'c.mp4'}}, opts)
"""


@pytest.mark.parametrize(
    ("option", "result"),
    [
        ("transforms", "ResourceTransformResult"),
        pytest.param("transformations", "ResourceTransformationResult", marks=pytest.mark.long),
    ],
)
def test_what_a_transform_of_the_run_itself_sets_holds_for_its_intent(
    stack: Stack, cloud: Emulator, option: str, result: str
) -> None:
    """It is applied once, to both."""
    rule, opts = OWN_TRANSFORM.format(result=result), f"=ResourceOptions({option}=[rule])"
    lost = kill_after_start(stack, cloud, rule, run(triggers={"at": "1"}, opts=opts))
    stack.up(rule, run(triggers={"at": "2"}, opts=opts))
    stack.up(rule, run(triggers={"at": "3"}, opts=opts))
    assert cloud.ids() == [lost] == [stack.id()]
    assert cloud.runs()[0]["request"]["query"]["object"] == "c.mp4"


@pytest.mark.long
def test_a_change_taken_back_beside_an_ignored_one_fires_nothing(stack: Stack, cloud: Emulator) -> None:
    ignoring = "=ResourceOptions(ignore_changes=['object'])"
    stack.up(run(triggers={"a": "1"}, opts=ignoring))
    refuse(cloud)
    assert stack.up(run(object="b.mp4", triggers={"a": "2"}, opts=ignoring), check=False).code != 0
    stack.up(run(object="b.mp4", triggers={"a": "1"}, opts=ignoring))
    assert cloud.ids() == [stack.id()]
    assert "+-" not in stack.up(run(object="b.mp4", triggers={"a": "1"}, opts=ignoring)).text
    assert cloud.ids() == [stack.id()], "the engine has taken the ignored value over by then"
    assert stack.outputs()["object"] == "a.mp4", "what it does"


def test_a_transform_that_changes_an_argument_fires_with_a_trigger_as_the_warning_says(
    stack: Stack, cloud: Emulator
) -> None:
    """The intent is of the program's argument, so it does not change with the transform's."""

    def sets(key: str) -> str:
        return f"""
def rule(args):
    if args.type_.endswith('tencent:WorkflowRun'):
        return pulumi.ResourceTransformationResult({{**args.props, 'object': {key!r}}}, args.opts)
pulumi.runtime.register_stack_transformation(rule)
"""

    stack.up(sets("b.mp4"), run())
    fired = stack.id()
    warned = stack.up(sets("c.mp4"), run())
    assert cloud.ids() == [fired]
    assert "if a transform of the stack or a parent changes arguments or ignore_changes of the run" in warned.text
    stack.up(sets("c.mp4"), run(triggers={"again": "1"}))
    assert [entry["request"]["query"]["object"] for entry in cloud.runs()] == ["b.mp4", "c.mp4"]
    assert cloud.ids()[-1] == stack.id()


def test_without_checkpoints_nothing_fires(stack: Stack, cloud: Emulator) -> None:
    refused = stack.up(run(), check=False, env={"PULUMI_EXPERIMENTAL": "1", "PULUMI_SKIP_CHECKPOINTS": "true"})
    assert refused.code != 0
    assert "PULUMI_SKIP_CHECKPOINTS" in refused.text
    assert cloud.requests() == {}


@pytest.mark.long
def test_a_replacement_trigger_is_heeded_as_any_other_reason_to_fire(stack: Stack, cloud: Emulator) -> None:
    """The engine shows no diff of the run then; what it has deleted is known all the same."""

    def program(at: str, **arguments: object) -> str:
        return run(opts=f"=ResourceOptions(replacement_trigger={at!r})", **arguments)

    stack.up(program("1"))
    first = stack.id()
    kept = stack.up(program("2", if_running="skip"))
    assert "The recorded run stays" in kept.text
    assert cloud.ids() == [stack.id()] == [first]
    stack.up(program("3"))
    assert cloud.ids() == [first, stack.id()]
    (before,) = stack.outputs("run")["history"]
    assert before["id"] == first
    assert "why=forced" in stack.outputs("run")["fired"].replace('"', "")
