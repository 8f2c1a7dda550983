"""Resource options: which of them a run refuses, and what its intent takes over."""

from __future__ import annotations

import asyncio
from typing import Any

import pulumi
import pytest
from pulumi import Alias, CustomTimeouts, ResourceOptions
from pulumi.resource import ROOT_STACK_RESOURCE

from cloud_runs.lifecycle import options

KIND = "pulumi-python:dynamic/tencent:WorkflowRun"
INTENT = "pulumi-python:dynamic/runs:Intent"
NAMES = ("object", "input", "name")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"retain_on_delete": True}, "retain_on_delete"),
        ({"import_": "i0"}, "import_"),
        ({"custom_timeouts": CustomTimeouts(create="1m")}, "custom_timeouts"),
        *([({"replace_with": [object()]}, "replace_with")] if hasattr(ResourceOptions, "replace_with") else []),
        ({"delete_before_replace": False}, "delete_before_replace=False"),
    ],
)
def test_what_is_refused(given: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match="is refused: ") as error:
        options.for_run(ResourceOptions(**given), "WorkflowRun", "transcode")
    text = str(error.value)
    assert text.startswith(f"WorkflowRun 'transcode': {'the option ' if '=' not in named else ''}{named} is refused: ")


@pytest.mark.parametrize("opts", [None, ResourceOptions(), ResourceOptions(delete_before_replace=True)])
def test_a_run_is_always_deleted_before_it_is_replaced(opts: ResourceOptions | None) -> None:
    assert options.for_run(opts, "WorkflowRun", "x").delete_before_replace is True
    assert options.for_run(opts, "WorkflowRun", "x", object()).delete_before_replace is True
    assert options.for_run(opts, "WorkflowRun", "x", "i1").delete_before_replace is None, "nothing fires"


def test_options_that_say_nothing_pass() -> None:
    given = ResourceOptions(retain_on_delete=False, import_=None, custom_timeouts=None)
    assert options.for_run(given, "WorkflowRun", "x").delete_before_replace is True


def test_a_run_keeps_its_options_and_the_given_ones_are_not_changed() -> None:
    given = ResourceOptions(
        protect=True, ignore_changes=["object"], additional_secret_outputs=["url"], version="1.2.3", aliases=["a"]
    )
    opts = options.for_run(given, "WorkflowRun", "x")
    assert (opts.protect, opts.ignore_changes, opts.version) == (True, ["object"], "1.2.3")
    assert (opts.additional_secret_outputs, opts.aliases) == (["url"], ["a"])
    assert given.delete_before_replace is None


def test_nothing_can_make_the_intent_cause_a_run_or_stay_behind() -> None:
    given = options.for_run(
        ResourceOptions(
            protect=True,
            ignore_changes=["object"],
            replace_on_changes=["*"],
            replacement_trigger="1",
            additional_secret_outputs=["url"],
            deleted_with=None,
            version="1.2.3",
        ),
        "WorkflowRun",
        "x",
    )
    intent = options.for_intent(given, NAMES)
    for option in (
        "protect", "replace_on_changes", "additional_secret_outputs",
        "deleted_with", "retain_on_delete", "import_", "id", "urn", "custom_timeouts", "delete_before_replace",
    ):  # fmt: skip
        assert not getattr(intent, option), option
    assert intent.replacement_trigger == "1", "it stays forced until it has fired, so it needs a token of its own"
    assert intent.version == "1.2.3"
    assert intent.ignore_changes == ["arguments.object"]


def test_what_is_ignored_for_the_run_is_ignored_for_its_intent() -> None:
    paths = ["object", "input.prefix", '["name"]', "triggers", "triggers.at", 'triggers["a.b"]', "on_delete", "*"]
    intent = options.for_intent(ResourceOptions(ignore_changes=paths), NAMES)
    assert intent.ignore_changes == [
        "arguments.object",
        "arguments.input.prefix",
        'arguments["name"]',
        "triggers",
        "triggers.at",
        'triggers["a.b"]',
        "*",
    ]


def own(result: Any) -> Any:
    """A transform that names what it was given, and adds to it."""

    def rule(args: Any) -> Any:
        opts = ResourceOptions.merge(args.opts, ResourceOptions(ignore_changes=["object"]))
        return result({**args.props, "name": f"{args.props.get('name', '')}+"}, opts)

    return rule


@pytest.mark.parametrize(
    ("option", "result"),
    [
        ("transforms", pulumi.ResourceTransformResult),
        ("transformations", pulumi.ResourceTransformationResult),
    ],
)
def test_transforms_of_the_run_itself_are_applied_once_and_before_its_intent_is_made(option: str, result: Any) -> None:
    given = ResourceOptions(**{option: [own(result), lambda args: None, own(result)]}, version="1.2.3")
    resource: Any = Somebody()
    props, opts = options.transformed(resource, "type", "run", {"name": "a", "object": "b"}, given)
    assert props == {"name": "a++", "object": "b"}
    assert (opts.ignore_changes, opts.version) == (["object", "object"], "1.2.3")
    assert not getattr(opts, option), "the SDK would apply them once more"
    assert len(getattr(given, option)) == 3, "the options are the user's"
    assert options.for_intent(opts, NAMES).ignore_changes == ["arguments.object", "arguments.object"]


def test_a_transform_that_is_a_coroutine_is_left_to_the_sdk() -> None:
    async def later(args: Any) -> None: ...

    resource: Any = Somebody()
    props, opts = options.transformed(resource, "type", "run", {"name": "a"}, ResourceOptions(transforms=[later]))
    assert props == {"name": "a"}
    assert opts.transforms == [later]


def test_without_transforms_the_options_stay_what_they_are() -> None:
    resource: Any = Somebody()
    given = ResourceOptions(ignore_changes=["object"])
    assert options.transformed(resource, "type", "run", {"name": "a"}, given) == ({"name": "a"}, given)


class Somebody(pulumi.ComponentResource):
    """Stands for a resource; nothing is registered."""

    def __init__(self) -> None:
        pass


def test_the_intent_has_the_same_parent_provider_and_dependencies() -> None:
    parent, other = Somebody(), Somebody()
    given = ResourceOptions(parent=parent, depends_on=[other], version="1.2.3")
    intent = options.for_intent(options.for_run(given, "WorkflowRun", "x"), NAMES)
    assert intent.parent is parent
    assert intent.depends_on == [other]
    assert intent.aliases == []


def former(alias: Any) -> Any:
    (mapped,) = options.for_intent(ResourceOptions(aliases=[alias]), NAMES).aliases or []
    return mapped


def parts(alias: Any) -> dict[str, Any]:
    """What an alias says; what it leaves to the resource's present is left out."""
    assert isinstance(alias, Alias)
    return {key: value for key, value in vars(alias).items() if value is not ...}


def test_an_alias_that_is_a_urn() -> None:
    assert former(f"urn:pulumi:s::p::{KIND}::old") == f"urn:pulumi:s::p::{INTENT}::old-intent"
    inside = f"urn:pulumi:s::p::my:mod:Group$my:mod:Inner${KIND}::old"
    assert former(inside) == f"urn:pulumi:s::p::my:mod:Group$my:mod:Inner${INTENT}::old-intent"


def test_an_alias_of_a_name() -> None:
    assert parts(former(Alias(name="old"))) == {"name": "old-intent"}


def test_an_alias_of_a_parent_has_the_present_name() -> None:
    parent = Somebody()
    assert parts(former(Alias(parent=parent))) == {"parent": parent}
    assert parts(former(Alias(parent=ROOT_STACK_RESOURCE))) == {"parent": ROOT_STACK_RESOURCE}
    assert parts(former(Alias(parent="urn:pulumi:s::p::my:mod:Group::g"))) == {
        "parent": "urn:pulumi:s::p::my:mod:Group::g"
    }


def test_an_alias_of_all() -> None:
    alias = Alias(name="old", parent=ROOT_STACK_RESOURCE, stack="s", project="p", type_="other:type:Run")
    assert parts(former(alias)) == {
        "name": "old-intent",
        "parent": ROOT_STACK_RESOURCE,
        "stack": "s",
        "project": "p",
    }, "the type of an intent was never another"


@pytest.mark.parametrize(
    ("alias", "expected"),
    [
        (f"urn:pulumi:s::p::{KIND}::old", f"urn:pulumi:s::p::{INTENT}::old-intent"),
        (Alias(name="old"), {"name": "old-intent"}),
    ],
)
def test_an_alias_that_is_an_output(alias: Any, expected: Any) -> None:
    async def known() -> Any:
        return await former(pulumi.Output.from_input(alias)).future()

    found = asyncio.run(known())
    assert (found if isinstance(found, str) else parts(found)) == expected


class Named(pulumi.ProviderResource):
    """Stands for an explicit provider; nothing is registered."""

    def __init__(self, package: str = "pulumi-python") -> None:
        self.package = package
        self._providers = {}


def parent(**providers: pulumi.ProviderResource) -> Somebody:
    found = Somebody()
    found._providers = {provider.package: provider for provider in providers.values()}
    return found


OURS, INHERITED, OTHER = Named(), Named(), Named("aws")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, None),
        ({"provider": OURS}, OURS),
        ({"providers": [OTHER, OURS]}, OURS),
        ({"providers": {"pulumi-python": OURS, "aws": OTHER}}, OURS),
        ({"providers": [OTHER]}, None),
        ({"providers": {}}, None),
        ({"parent": parent()}, None),
        ({"parent": parent(other=OTHER)}, None),
        ({"parent": parent(ours=INHERITED)}, INHERITED),
        ({"parent": parent(ours=INHERITED), "provider": OURS}, OURS),
        ({"parent": parent(ours=INHERITED), "providers": [OURS]}, OURS),
        ({"parent": parent(ours=INHERITED), "providers": {"aws": OTHER}}, INHERITED),
        ({"parent": parent(ours=INHERITED), "provider": OTHER}, INHERITED),
    ],
)
def test_the_provider_that_a_resource_will_have(given: dict[str, Any], expected: Any) -> None:
    opts = ResourceOptions(**given)
    assert options.named_provider(opts, KIND) is expected
    child = parent()
    if opts.parent:
        child._providers = opts.parent._providers
    assert child._get_providers(KIND, "pulumi-python", opts)[0] is expected, "the SDK's own choice"


def test_of_two_for_one_package_the_provider_is_taken_as_the_sdk_does() -> None:
    opts = ResourceOptions(provider=OURS, providers={"pulumi-python": INHERITED})
    assert options.named_provider(opts, KIND) is OURS
    with pytest.warns(UserWarning, match="conflict"):
        assert parent()._get_providers(KIND, "pulumi-python", opts)[0] is OURS
