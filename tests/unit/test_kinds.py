"""Kinds as they are listed, and what an argument's place in them means."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from typing import Any

import pytest

from cloud_runs import KINDS, Provider, accounts
from cloud_runs.checks import LATER, Choice, Text
from cloud_runs.kinds import Argument, Kind
from cloud_runs.lifecycle.fan_out import FanOut
from cloud_runs.lifecycle.run import Run
from cloud_runs.runs import Reference
from cloud_runs.wire.settings import Setting, Settings
from tests.kits import FANS, KITS

RESOURCES = [*(kit.type() for kit in KITS.values()), *(kit.type(fan_out=True) for kit in FANS.values())]
each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
each_resource = pytest.mark.parametrize("resource", RESOURCES, ids=lambda one: f"{one.__module__}.{one.__name__}")


def kind_of(resource: type[Any]) -> Kind[Any]:
    return resource._run_provider.kind if issubclass(resource, Run) else resource._fan_out_provider.kind  # type: ignore[no-any-return]


def test_a_kind_is_listed_by_its_name() -> None:
    assert {name: kind.name for name, kind in KINDS.items()} == {name: name for name in KINDS}
    assert {id(kind_of(resource)) for resource in RESOURCES} == {id(kind) for kind in KINDS.values()}


@each_kind
def test_a_kind_holds_no_state(kind: Kind[Any]) -> None:
    assert vars(kind) == {}


@each_kind
def test_what_can_be_fanned_out_has_a_resource_for_it(kind: Kind[Any]) -> None:
    fans = [resource for resource in RESOURCES if issubclass(resource, FanOut) and kind_of(resource) is kind]
    assert bool(fans) is bool(kind.fans_out)
    assert kind.fans_out in ("", *kind.names)
    assert kind.fans_out not in kind.shared


@each_kind
def test_places_with_other_ids_are_one_id_space(kind: Kind[Any]) -> None:
    place = Reference(kind.name, "r", "1/o", "a")
    assert kind.id_space(place) == kind.id_space(Reference(kind.name, "r", "1/o", ""))
    assert kind.id_space(place) != kind.id_space(Reference(kind.name, "r", "2/p", "a"))


@each_resource
def test_each_argument_is_described_and_has_an_output(resource: type[Any]) -> None:
    kind = kind_of(resource)
    names = kind.names if issubclass(resource, Run) else (*kind.shared, "objects")
    signature = inspect.signature(resource.__init__).parameters
    described = re.findall(r":param (\w+):", inspect.getdoc(resource.__init__) or "")
    annotated = [
        node.target.id
        for node in ast.parse(textwrap.dedent(inspect.getsource(resource))).body[0].body  # type: ignore[attr-defined]
        if isinstance(node, ast.AnnAssign)
    ]
    own = kind.own_outputs if issubclass(resource, Run) else ()
    assert set(names) <= set(signature)
    assert set(names) <= set(described)
    assert {name for name in (*names, *own) if name != "objects"} <= set(annotated)
    for argument in kind.arguments:
        if argument.name in names:
            optional = signature[argument.name].default is not inspect.Parameter.empty
            may_be_left_out = bool(argument.setting or argument.when) or not argument.required
            assert optional is may_be_left_out, argument.name


@each_resource
def test_the_class_is_called_as_messages_call_it(resource: type[Any]) -> None:
    kind = kind_of(resource)
    provider = resource._run_provider if issubclass(resource, Run) else resource._fan_out_provider
    assert provider().label == resource.__name__
    assert kind.label == resource.__name__ or issubclass(resource, FanOut)


def problems(argument: Argument, props: dict[str, Any], **config: str) -> list[str]:
    found = list(argument.problems(props, Settings(config.get, {})))
    assert {name for name, _ in found} <= {argument.name}
    return [reason for _, reason in found]


def test_an_argument_that_is_required() -> None:
    argument = Argument("a", Text("a word"))
    assert problems(argument, {}) == problems(argument, {"a": None}) == ["a is missing: expected a word"]
    assert problems(argument, {"a": "x"}) == problems(argument, {"a": LATER}) == []
    assert problems(Argument("a", Text(), required=False), {}) == []
    assert problems(Argument("a", Text(), required=False), {"a": ""}) != []


def test_an_argument_that_may_be_configured() -> None:
    argument = Argument(
        "a", Text("a word", pattern="[a-z]+"), setting=Setting("x_a", pattern="[a-z0-9]+", expected="good")
    )
    (reason,) = problems(argument, {})
    assert reason == (
        "is missing: set the argument, cloud_runs.Provider(x_a=...), stack configuration runs:xA or environment "
        "RUNS_X_A"
    )
    assert problems(argument, {}, **{"runs:xA": "b"}) == []
    assert problems(argument, {}, **{"runs:xA": "b1"}) == ["is not a word"], "what the argument may not be"
    assert problems(argument, {}, **{"runs:xA": "B"}) == ["stack configuration runs:xA is not good"]
    assert problems(argument, {"a": "b"}, **{"runs:xA": "B"}) == [], "the argument wins"


def test_an_argument_that_goes_with_a_choice() -> None:
    choice = Argument("type", Choice(("A", "B")), required=False, default="A")
    argument = Argument("a", Text("a word"), when=(choice, "A"))
    assert problems(argument, {}) == problems(argument, {"type": "A"}) == ["a is missing: expected a word"]
    assert problems(argument, {"a": "x"}) == []
    assert problems(argument, {"type": "B", "a": ""}) == ["is only for type='A'"]
    assert problems(argument, {"type": "B"}) == problems(argument, {"type": "B", "a": LATER}) == []
    for unclear in (LATER, "C", 5, ["A"]):
        assert problems(argument, {"type": unclear, "a": ""}) == []


@each_kind
def test_a_setting_of_times_that_is_too_short_is_told_with_the_other_problems(kind: Kind[Any]) -> None:
    settings = Settings({"runs:startSeconds": "5"}.get, {})
    assert ("provider", "stack configuration runs:startSeconds is not") in {
        (name, reason[: len("stack configuration runs:startSeconds is not")])
        for name, reason in kind.problems({}, settings)
    }


def test_a_provider_takes_every_setting_of_every_vendor() -> None:
    names = [setting.argument for setting in accounts.settings()]
    given = [*inspect.signature(Provider.__init__).parameters]
    assert given[:2] + given[-1:] == ["self", "resource_name", "opts"]
    assert sorted(given[2:-1]) == sorted(names)
    assert {setting.argument for setting, secret in accounts.settings().items() if secret} == {
        "tencent_secret_id", "tencent_secret_key", "tencent_security_token", "huawei_access_key", "huawei_secret_key",
        "huawei_security_token", "enos_access_key", "enos_secret_key",
    }  # fmt: skip


def test_no_two_settings_have_a_name_in_common() -> None:
    names = [name for setting in accounts.settings() for name in (*setting.keys, setting.environ)]
    assert len(set(names)) == len(names)
