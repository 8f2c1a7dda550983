"""Outputs of a resource that are made when the program reads them.

Pulumi's SDK makes an output of each property of a resource, which is five futures and a task, and waits for all of them
again whenever one is done (observed with SDK 3.272; bench/README.md): of the thirty that a run has, a program reads one
or two. So what the engine answers is kept here, and an output is made of it by the SDK's own function when it is read.
An SDK that does this otherwise is left alone: then all outputs are made at once.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Collection, Iterable, Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi import dynamic
from pulumi.runtime import rpc

_HELD: Any = vars(pulumi.Resource)["__dict__"]
"""The attributes that an instance really has, of which its own `__dict__` shows more."""
_LATER = "_outputs_later"
_PARAMETERS = ["res", "props", "custom"]


class Later(dynamic.Resource):
    """A resource whose outputs are made when they are read. To the program they look like any."""

    if not TYPE_CHECKING:  # which would take any name for an attribute

        def __getattr__(self, name: str) -> Any:
            later = _HELD.__get__(self).get(_LATER)
            if later is None or name not in later.unread:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
            return later.read(name)

        def __dir__(self) -> list[str]:
            return [*dir(type(self)), *self.__dict__]

        @property
        def __dict__(self) -> MutableMapping[str, Any]:
            """For `pulumi.export` of the whole resource: the SDK goes through this."""
            return _Attributes(_HELD.__get__(self))


class _Outputs:
    """What the engine has answered, and the outputs that were made so far."""

    def __init__(self, held: dict[str, Any], make: Callable[[str], dict[str, Any]], names: Iterable[str]) -> None:
        """`make` makes an output the attribute with this name, and returns what resolves it."""
        self._held, self._make, self._loop = held, make, asyncio.get_event_loop()
        self._told: dict[str, tuple[Any, ...]] = {}
        self._made: dict[str, Any] = {}
        own = (name for name in names if name not in ("urn", "id"))  # those the SDK makes by itself
        self.resolvers: dict[str, Any] = {name: functools.partial(self._resolve, name) for name in own}

    def _resolve(self, name: str, *told: Any) -> None:
        self._told[name] = told
        if name in self._made:
            self._made[name](*told)

    @property
    def unread(self) -> Collection[str]:
        return [name for name in self.resolvers if name not in self._made]

    def read(self, name: str) -> Any:
        try:
            asyncio.get_running_loop()
        except RuntimeError:  # a thread that has none: futures are made for the loop of their thread
            asyncio.set_event_loop(self._loop)
        self._made[name] = self._make(name)[name]
        if name in self._told:
            self._made[name](*self._told[name])
        return self._held[name]


class _Attributes(MutableMapping[str, Any]):
    """The attributes of an instance, with the outputs that are not made yet."""

    def __init__(self, held: dict[str, Any]) -> None:
        self._held = held

    def __getitem__(self, name: str) -> Any:
        return self._held[name] if name in self._held or name not in self._later else self._held[_LATER].read(name)

    def __setitem__(self, name: str, value: Any) -> None:
        self._held[name] = value

    def __delitem__(self, name: str) -> None:
        del self._held[name]

    def __contains__(self, name: object) -> bool:
        return name in self._held or name in self._later

    def __len__(self) -> int:
        return len({*self._held, *self._later})

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*self._held, *self._later)))

    def copy(self) -> dict[str, Any]:
        return dict(self)

    @property
    def _later(self) -> Collection[str]:
        later = self._held.get(_LATER)
        return later.unread if later else ()


def _install() -> None:
    """Once, and never back: programs may run side by side (Automation API), and one registration within another."""
    theirs = getattr(rpc, "transfer_properties", None)
    if theirs is None or list(inspect.signature(theirs).parameters) != _PARAMETERS:
        return

    @functools.wraps(theirs)
    def transfer_properties(res: Any, props: Any, custom: bool) -> Any:
        if not isinstance(res, Later):
            return theirs(res, props, custom)
        held = _HELD.__get__(res)
        held[_LATER] = later = _Outputs(held, lambda name: theirs(res, [name], custom), props)
        return later.resolvers

    rpc.transfer_properties = transfer_properties


_install()
