"""Which resource of an earlier `up` one of this `up` is, where nothing but its URN tells. Pure."""

from __future__ import annotations

from collections.abc import Collection

from cloud_runs.promise.ledger import name_of


def same(urn: str, names: Collection[str], former: Collection[str]) -> str | None:
    """The URN, of these former ones, that the resource with this URN had: its own; else the same but for stack and
    project (`pulumi stack rename`); else that of the one resource of its type with one of its `names` (a move into a
    component, an alias). None if there is no such one, or more of them than one."""
    if urn in former:
        return urn
    moved = [one for one in former if _path(one) == _path(urn)]
    alike = moved or [one for one in former if _type(one) == _type(urn) and name_of(one) in (*names, name_of(urn))]
    return alike[0] if len(alike) == 1 else None


def _path(urn: str) -> str:
    """Parents, type and name."""
    return "::".join(urn.split("::")[2:])


def _type(urn: str) -> str:
    return "::".join(urn.split("::")[2:3]).rpartition("$")[2]
