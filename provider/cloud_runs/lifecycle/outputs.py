"""What outputs hold, so that a type checker finds a misspelt word or key in a program. They are plain values: a text of
the service that this version does not know is not refused by them."""

from __future__ import annotations

from typing import Literal, TypedDict

PhaseWord = Literal["pending", "running", "succeeded", "failed", "cancelled", "unknown"]
Provenance = Literal["fired", "found", "given"]


class FailedTask(TypedDict):
    """A step of a run; what the system does not tell is empty."""

    name: str
    type: str
    state: str
    code: str
    message: str


class Task(FailedTask):
    """Any step, with what it has produced."""

    objects: list[str]


class PastRun(TypedDict):
    """A run that the resource had before this one."""

    id: str
    phase: PhaseWord
    code: str
    fired_at: str
    why: str


class FailedRun(TypedDict):
    """The run of an object of a fan-out, which has failed."""

    id: str
    code: str
    message: str
    fired_at: str


class _Outcome(TypedDict, total=False):
    duration: float
    object: str


class Outcome(_Outcome):
    """What became of a run, as a `Completion` saw it."""

    reference: str
    phase: PhaseWord
    state: str
    code: str
    message: str
    failed_tasks: list[FailedTask]
    objects: list[str]
    executions: dict[str, int]
    started_at: str
    finished_at: str
    request_id: str
