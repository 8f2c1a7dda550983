"""What Pulumi's resource options mean for a run, and which of them its intent takes over."""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection, Mapping
from typing import Any

import pulumi
from pulumi import Alias, ResourceOptions

from cloud_runs import addresses
from cloud_runs.promise.ledger import ARGUMENTS, OBJECTS, intent_name, intent_urn, name_of
from cloud_runs.promise.records import TRIGGERS

EVERYTHING = "*"

_PART = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|([^.\[\]"]+)')
_REFUSED = {
    "retain_on_delete": "it hides a forced replacement; use on_delete='abandon', which leaves the run alone as well",
    "import_": "Pulumi cannot import dynamic resources; set adopt_id to record a run that exists",
    "replace_with": "it fires again whenever another resource is replaced; name what that depends on in triggers",
    "custom_timeouts": "Pulumi does not hand them to dynamic resources, and a run resource never waits",
}


def for_run(opts: ResourceOptions | None, kind: str, name: str, adopts: Any = None) -> ResourceOptions:
    """The options a run is registered with. Raises ValueError for those that would break the promise.

    `adopts`: the id that the program gives it. Nothing is fired then, so what is recorded stays until that one is: an
    `up` that ends between the two leaves nothing which looks like a replacement that is to fire.
    """
    given = opts or ResourceOptions()
    for option, reason in _REFUSED.items():
        if getattr(given, option, None):
            raise ValueError(addresses.of_argument(f"{kind} {name!r}: the option {option} is refused: {reason}"))
    if given.delete_before_replace is False:
        told = (
            f"{kind} {name!r}: delete_before_replace=False is refused: two runs of one resource would overlap, and a "
            "forced replacement would be taken for an interrupted one. Leave the option out"
        )
        raise ValueError(addresses.of_argument(told))
    made = ResourceOptions.merge(None, given)
    made.delete_before_replace = None if isinstance(adopts, str) and adopts else True
    made.replace_on_changes = None  # what asks for a new run is said by the run alone
    return made


def for_intent(opts: ResourceOptions, arguments: Collection[str]) -> ResourceOptions:
    """The same parent, provider, dependencies and former places. Nothing that could make the intent cause a run."""
    made = ResourceOptions(
        parent=opts.parent,
        depends_on=opts.depends_on,
        provider=opts.provider,
        providers=opts.providers if isinstance(opts.providers, (Mapping, type(None))) else list(opts.providers),
        version=opts.version,
        aliases=[_intent_alias(alias) for alias in opts.aliases or []],
        # What is ignored for the run must not give it another token: a run that was lost would be asked for again.
        ignore_changes=[
            mapped for path in opts.ignore_changes or [] if (mapped := _intent_path(path, arguments)) is not None
        ],
    )
    # What it forces is another ask, and it stays forced until a run is on record: so it needs a token of its own.
    if getattr(opts, "replacement_trigger", None) is not None:  # older SDKs have none
        made.replacement_trigger = opts.replacement_trigger
    return made


def _intent_path(path: str, arguments: Collection[str]) -> str | None:
    """The same value in the intent, which has the arguments in a mapping; None for what it does not have."""
    name = parts(path)[0]
    if name in (EVERYTHING, TRIGGERS, OBJECTS):
        return path
    if name in arguments:
        return f"{ARGUMENTS}{path}" if path.startswith("[") else f"{ARGUMENTS}.{path}"
    return None


def ignored(opts: ResourceOptions) -> list[str]:
    """The paths under `ignore_changes`, each as names with dots between them."""
    return sorted({".".join(parts(path)) for path in opts.ignore_changes or []})


def former_names(opts: ResourceOptions) -> list[str] | None:
    """The names that the resource had before, for a `replacement_trigger`, which forces a new run without showing that
    it is the same resource. None if there are none, or if nothing is forced so."""
    if getattr(opts, "replacement_trigger", None) is None:  # older SDKs have none
        return None
    given = [alias if isinstance(alias, str) else getattr(alias, "name", None) for alias in opts.aliases or []]
    return sorted({name_of(one) for one in given if isinstance(one, str)}) or None


def transformed(
    resource: pulumi.Resource, type_: str, name: str, props: Mapping[str, Any], opts: ResourceOptions
) -> tuple[dict[str, Any], ResourceOptions]:
    """Properties and options after the transforms that the resource itself was given, which are applied here and not by
    Pulumi, so that its intent has the same. Those of its parents and of the stack come later and cannot be seen; nor
    can those that are coroutines."""
    left: list[Any] = []
    made, given = dict(props), opts
    for transformation in opts.transformations or []:
        old = transformation(pulumi.ResourceTransformationArgs(resource, type_, name, made, given))
        if old is not None:
            made, given = dict(old.props), old.opts
    for transform in opts.transforms or []:
        if inspect.iscoroutinefunction(transform):
            left.append(transform)
            continue
        new = transform(pulumi.ResourceTransformArgs(True, type_, name, made, given))
        if isinstance(new, pulumi.ResourceTransformResult):
            made, given = dict(new.props), new.opts
    if opts.transformations or opts.transforms:
        given = ResourceOptions.merge(ResourceOptions(), given)  # a copy: the options are the user's
        given.transformations, given.transforms = None, left or None
    return made, given


def named_provider(opts: ResourceOptions, type_: str) -> pulumi.ProviderResource | None:
    """The explicit provider that a resource with these options will have; None if it has the default one."""
    package = type_.partition(":")[0]
    given = opts.providers if isinstance(opts.providers, Mapping) else {p.package: p for p in opts.providers or ()}
    named = [opts.provider] if opts.provider and opts.provider.package == package else []
    inherited = opts.parent.get_provider(type_) if opts.parent else None
    return next((provider for provider in (*named, given.get(package)) if provider), inherited)


def parts(path: str) -> list[str]:
    """The names in a path of `ignore_changes`: `input.prefix`, `["input"]`, `triggers["a.b"]`, `*`."""
    found = [quoted.replace('\\"', '"') or plain for quoted, plain in _PART.findall(path)]
    return found or [path]


def _intent_alias(alias: pulumi.Input[str | Alias]) -> pulumi.Input[str | Alias]:
    if isinstance(alias, str):
        return intent_urn(alias)
    if isinstance(alias, Alias):
        former = Alias(stack=alias.stack, project=alias.project, parent=alias.parent)
        unnamed: Any = ...  # pulumi's mark for "the current name"
        former.name = unnamed if alias.name is unnamed else intent_name(str(alias.name))
        return former
    later: Any = alias
    return pulumi.Output.from_input(later).apply(_intent_alias)
