"""The texts of a record: `1 token=… at=…`. How each of its parts is written and read back; which parts there are is the
business of ledger.py. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import quote, unquote

from cloud_runs.errors import RunsError
from cloud_runs.promise.records import LONG_AGO, Moment
from cloud_runs.runs import rfc3339, time_of

VERSION = "1"


def text_of(fields: Mapping[str, str]) -> str:
    return " ".join([VERSION, *(f"{name}={value}" for name, value in fields.items() if value)])


def moment_fields(moment: Moment) -> dict[str, str]:
    clock = f"{moment.boot}+{moment.uptime:.2f}" if moment.boot else ""
    return {"token": moment.token, "at": rfc3339(moment.at), "host": moment.host, "clock": clock}


def moments(moments: Iterable[Moment]) -> str:
    return ";".join(",".join(moment_fields(moment).values()) for moment in moments)


def pairs(digests: Mapping[str, str]) -> str:
    return ",".join(f"{quoted(name)}:{value}" for name, value in digests.items())


def quoted(name: str) -> str:
    return quote(name, safe="-_.~")


def grouped(told: Mapping[str, str]) -> str:
    """Texts, and the objects that have them in common: `text/object/object$...`."""
    objects: dict[str, list[str]] = {}
    for key, text in told.items():
        objects.setdefault(text, []).append(quoted(key))
    return "$".join("/".join([text, *keys]) for text, keys in objects.items())


def fields_of(text: str) -> dict[str, str]:
    version, *parts = text.split(" ")
    if version != VERSION:
        raise RunsError(
            f"a record in the state is not one that this version can read (it begins with {text[:20]!r}); if a later "
            "version of cloud-runs wrote it, use that version. Nothing was fired"
        )
    return dict(part.split("=", 1) for part in parts if "=" in part)


def named(text: str) -> dict[str, str]:
    pairs = (pair.rpartition(":") for pair in text.split(",") if pair)
    return {unquote(name): value for name, _, value in pairs}


def listed(text: str) -> tuple[Moment, ...]:
    return tuple(moment(part.split(",")) for part in text.split(";") if part)


def groups(text: str) -> Iterator[tuple[str, str]]:
    """What `grouped` has written: each object with its text."""
    for group in text.split("$"):
        told, *keys = group.split("/")
        yield from ((unquote(key), told) for key in keys)


def moment(parts: Sequence[str]) -> Moment:
    token, at, host, clock = (*parts, "", "", "")[:4]
    boot, _, uptime = clock.partition("+")
    if not re.fullmatch(r"\d{1,12}(\.\d+)?", uptime):  # somebody has edited it
        boot, uptime = "", "0"
    return Moment(token, time_of(at) or LONG_AGO, host, boot, float(uptime))


def counted(text: str) -> int:
    return int(text) if re.fullmatch(r"\d{1,9}", text) else 0
