"""Random histories of `up`s that are killed anywhere, refused, lose answers, are forced, changed and taken back: never
more runs than were asked for, and none that nobody was told of."""

from __future__ import annotations

import random

import pytest

from cloud_runs.lifecycle.reporting import RunError
from cloud_runs.promise import given_up
from tests.provider.host_stack import HostStack

KILLS = ["", "", "", "intent", "delete", 1, 2, "before create", "before update", "create"]
FAULTS = ["drop_response", "reset_before", "status", "refused_but_ran", ""]


class History:
    """One resource, and what was asked for and told until now."""

    def __init__(self, stack: HostStack, seed: str) -> None:
        self.stack, self.dice = stack, random.Random(seed)
        self.asked, self.generation = 0, 0
        self.last: int | None = None
        self.named: set[str] = set()
        self.on_record: set[str] = set()
        self.killed = self.lies = self.lied = False
        self.steps: list[str] = []

    def step(self) -> None:
        dice = self.dice
        if dice.random() < 0.35:
            self.generation = dice.choice([self.generation + 1, self.generation + 1, max(0, self.generation - 1)])
        for _ in range(2):
            if (action := dice.choice(FAULTS)) and dice.random() < 0.3:
                details = {"status": 403} if action == "status" else {}
                self.stack.cloud.fault(self.stack.system, "start", action, **details)
                self.lies = self.lies or action == "refused_but_ran"
        if dice.random() < 0.15:
            self.stack.no_lists()
        self.up(kill=dice.choice(KILLS), forced=dice.random() < 0.1, same_process=dice.random() < 0.15)

    def up(self, *, kill: str | int = "", forced: bool = False, same_process: bool = False) -> bool:
        """Whether it came to its end."""
        stack = self.stack
        forced = forced and bool(stack.state)
        # A process believes a refusal that it was told; the next one looks.
        same_process = same_process and not self.killed and not self.lied
        self.lied, self.lies = self.lies or (self.lied and same_process), False
        self.asked += forced or self.generation != self.last
        self.last = self.generation
        stack.warned.clear()
        triggers = {"generation": self.generation}
        said = ""
        try:
            last = stack.up(kill=kill, forced=forced, same_process=same_process, triggers=triggers, **stack.plain)
        except RunError as error:
            last, said = "error", str(error)
        self.killed = last == "killed"
        stack.cloud.drop_faults()
        told = "\n".join([said, *stack.warned, *stack.refused.values()])
        self.named |= {id for id in stack.started() if id in told or given_up.NOT_LOOKED_UP in told}
        self.on_record |= set(stack.ids.values())
        self.steps.append(f"generation {self.generation}, kill {kill!r}, forced {forced}: {last} {told}")
        self.holds()
        return last not in ("killed", "error")

    def holds(self) -> None:
        runs = self.stack.started()
        assert len(runs) <= self.asked * self.stack.asks, "\n".join(self.steps)
        assert set(self.stack.ids.values()) <= set(runs), "\n".join(self.steps)

    def ends(self) -> None:
        """With nothing in its way each run is on record, was, or has been named."""
        done = self.up()
        told = self.on_record | self.named
        assert set(self.stack.started()) <= told, "\n".join(self.steps)
        if done and not self.stack.refused:
            assert len(self.stack.ids) == self.stack.asks, "\n".join(self.steps)
            assert self.up()
            assert self.stack.steps == [], "\n".join(self.steps)


def a_history(stack: HostStack, seed: str) -> None:
    history = History(stack, seed)
    for _ in range(12):
        history.step()
    history.ends()


@pytest.mark.parametrize("seed", [*range(3), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(3, 10))])
def test_a_history(stack: HostStack, seed: int) -> None:
    a_history(stack, str(seed))
