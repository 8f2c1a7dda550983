"""Outputs of a resource that are made when the program reads them.

Pulumi's SDK makes an output of each property of a resource, which is five futures and a task, and waits for all of them
again whenever one is done (observed with SDK 3.272; bench/README.md): of the thirty that a run has, a program reads one
or two. So what the engine answers is kept here, and an output is made of it by the SDK's own function when it is read.
An SDK that does this otherwise is left alone: then all outputs are made at once.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi import dynamic
from pulumi.runtime import rpc

_HELD: Any = vars(pulumi.Resource)["__dict__"]
"""The attributes that an instance really has, of which its own `__dict__` shows more."""
_LATER = "_outputs_later"
_TRANSFER, _PARAMETERS = "transfer_properties", ["res", "props", "custom"]


class Later(dynamic.Resource):
    """A resource whose outputs are made when they are read. To the program they look like any."""

    if not TYPE_CHECKING:  # which would take any name for an attribute

        def __getattr__(self, name: str) -> Any:
            later = _HELD.__get__(self).get(_LATER)
            if later is None or name not in later.resolvers:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
            return later.read(name)

        @property
        def __dict__(self) -> MutableMapping[str, Any]:
            """For `pulumi.export` of the whole resource: the SDK goes through this."""
            return _Attributes(_HELD.__get__(self))


@contextlib.contextmanager
def outputs() -> Iterator[None]:
    """For a registration, which is made in the one thread that runs the program."""
    theirs = getattr(rpc, _TRANSFER, None)
    if theirs is None or list(inspect.signature(theirs).parameters) != _PARAMETERS:
        yield
        return
    setattr(rpc, _TRANSFER, functools.partial(_transferred, theirs))
    try:
        yield
    finally:
        setattr(rpc, _TRANSFER, theirs)


def _transferred(theirs: Callable[..., Any], res: Any, props: Iterable[str], custom: bool) -> dict[str, Any]:
    if not isinstance(res, Later):
        return dict(theirs(res, props, custom))
    held = _HELD.__get__(res)
    held[_LATER] = later = _Outputs(held, lambda name: theirs(res, [name], custom), props)
    return later.resolvers


class _Outputs:
    """What the engine has answered, and the outputs that were made so far."""

    def __init__(self, held: dict[str, Any], make: Callable[[str], dict[str, Any]], names: Iterable[str]) -> None:
        """`make` makes an output the attribute with this name, and returns what resolves it."""
        self._held, self._make = held, make
        self._told: dict[str, tuple[Any, ...]] = {}
        self._made: dict[str, Any] = {}
        own = (name for name in names if name not in ("urn", "id"))  # those the SDK makes by itself
        self.resolvers: dict[str, Any] = {name: functools.partial(self._resolve, name) for name in own}

    def _resolve(self, name: str, *told: Any) -> None:
        self._told[name] = told
        if name in self._made:
            self._made[name](*told)

    def read(self, name: str) -> Any:
        self._made[name] = self._make(name)[name]
        if name in self._told:
            self._made[name](*self._told[name])
        return self._held[name]


class _Attributes(MutableMapping[str, Any]):
    """The attributes of an instance, with the outputs that are not made yet."""

    def __init__(self, held: dict[str, Any]) -> None:
        self._held = held

    def __getitem__(self, name: str) -> Any:
        return self._held[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._held[name] = value

    def __delitem__(self, name: str) -> None:
        del self._held[name]

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[str]:
        if later := self._held.get(_LATER):
            for name in later.resolvers.keys() - self._held.keys():
                later.read(name)
        return iter(dict(self._held))
