"""Random histories of `up`s that are killed anywhere, refused, lose answers, are forced, changed and taken back: never
more runs than were asked for, and none that nobody was told of. Where runs that fail can go on, they fail now and then:
each of them is asked to go on once for each failure, and never while it goes on."""

from __future__ import annotations

import random

import pytest

from cloud_runs.lifecycle.reporting import RunError
from cloud_runs.promise import given_up
from tests.provider.host_stack import HostStack

RESUME = {"rerun_on_failure": "resume"}
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
        self.resumes = "" if stack.fans else stack.kit.resume
        """The call by which a run that failed goes on, if it has one."""
        self.tries = 1
        self.steps: list[str] = []

    def step(self) -> None:
        dice = self.dice
        if self.resumes and self.stack.ids and dice.random() < 0.4:
            self.fails()
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

    def fails(self) -> None:
        """The run on record. Perhaps a refresh sees it, and perhaps somebody lets it go on after that."""
        stack, dice = self.stack, self.dice
        stack.cloud.set_state(stack.id, stack.kit.failure)
        if dice.random() < 0.7:
            stack.refresh()
        if dice.random() < 0.2:
            stack.cloud.set_state(stack.id, "running")
        action = dice.choice(FAULTS)
        if action:
            stack.cloud.fault(stack.system, self.resumes, action, **({"status": 403} if action == "status" else {}))
        self.tries = 1 + (action == "reset_before")  # which is sent again, as it did not arrive
        self.steps.append(f"failed, is {self.state()} now, and is {stack.state['phase']} on record; {action}")

    def asked_to_go_on(self) -> int:
        return self.stack.cloud.count(self.stack.system, self.resumes) if self.resumes else 0

    def state(self) -> str:
        """That of the run on record, in the service's words."""
        return next((str(run["state"]) for run in self.stack.cloud.runs() if run["id"] == self.stack.id), "")

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
        given = {"triggers": {"generation": self.generation}, **stack.plain, **(RESUME if self.resumes else {})}
        most = self.asked_to_go_on() + (self.tries if self.state() == stack.kit.failure else 0)
        said = ""
        try:
            last = stack.up(kill=kill, forced=forced, same_process=same_process, **given)
        except RunError as error:
            last, said = "error", str(error)
        self.killed = last == "killed"
        stack.cloud.drop_faults()
        told = "\n".join([said, *stack.warned, *stack.refused.values()])
        self.named |= {id for id in stack.started() if id in told or given_up.NOT_LOOKED_UP in told}
        self.on_record |= set(stack.ids.values())
        self.steps.append(f"generation {self.generation}, kill {kill!r}, forced {forced}: {last} {told}")
        self.holds()
        assert self.asked_to_go_on() <= most, "\n".join(["asked to go on again", *self.steps])
        self.tries = 1
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
            if self.resumes and self.stack.state["phase"] == "failed":  # the run of before has stayed
                assert self.up()
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
