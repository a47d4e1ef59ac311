"""Saying an order again: durable before it is said, once, and not at all while people have paused or said something else."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from holdfast.conduct.situation import Write
from holdfast.controller.chronicle import Chronicle
from holdfast.controller.reminding import Reminding
from holdfast.controller.room import JournalRoom
from holdfast.fencing.order import Order
from holdfast.journal.kinds import Kind
from holdfast.ports.action import Answer, Finding, Outcome, Result, Task
from holdfast.ports.journal_store import JournalFull
from holdfast.simulation.journal import JournalFault, MemoryDisk, MemoryJournal
from unit.test_watch import Moment

HOME, AWAY = "eu-west-1", "eu-central-1"


class Balancer:
    """A load balancer's process that can be started anew. `meanwhile` happens while it is asked."""

    def __init__(self) -> None:
        self.keeps: Order | None = None
        self.result = Result.SUCCEEDED
        self.acts = 0
        self.meanwhile: Any = lambda: None

    async def check(self, task: Task) -> Finding:
        return Finding(Answer.YES if self.keeps else Answer.NO, "looked")

    async def recalls(self, task: Task) -> Finding:
        self.meanwhile()
        return Finding(Answer.YES if self.keeps else Answer.NO, "it was started anew")

    async def act(self, task: Task) -> Outcome:
        self.acts += 1
        if self.result is Result.SUCCEEDED:
            self.keeps = task.order
        return Outcome(self.result, "told")

    verify = check


class Rig:
    """The other region serves, and its load balancer was told so before its process ended."""

    def __init__(self) -> None:
        clock = Moment()
        self.disk = MemoryDisk()
        self.journal = MemoryJournal(self.disk)
        self.chronicle = Chronicle(self.journal, clock, HOME)
        self.balancer = Balancer()
        self.reminding = Reminding(AWAY, {"loadbalancer.switch": self.balancer}, self.chronicle, clock, JournalRoom(clock))
        self.write(Kind.EPOCH_OPENED, run="failover", era=0, epoch=2, source=HOME, target=AWAY)
        self.intends(1)
        about = {"run": "failover", "step": "switch", "block": "loadbalancer.switch", "attempt": 1}
        self.write(Kind.STEP_FINISHED, **about, outcome="succeeded")

    def intends(self, number: int) -> None:
        about = {"run": "failover", "step": "switch", "block": "loadbalancer.switch", "component": "loadbalancer"}
        order = {"order": [0, 2, 1, number], "mode": "ungraceful", "attempt": 1, "parameters": {}}
        self.write(Kind.STEP_INTENDED, **about, **order, source=HOME, target=AWAY)

    def write(self, kind: Kind, **body: Any) -> None:
        self.chronicle.append([Write(kind, "", body)])

    def kinds(self) -> list[str]:
        return [record.kind for record in self.journal.read() if record.kind.startswith("order.")]


def played(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 10))


def test_what_was_forgotten_is_recorded_said_and_recorded_again_once() -> None:
    async def story() -> None:
        rig = Rig()
        for _ in range(3):
            await rig.reminding.look()
        assert (rig.kinds(), rig.balancer.acts) == (["order.forgotten", "order.repeated"], 1)
        assert rig.balancer.keeps == Order(0, 2, 1, 1), "the order that it had, not a new one"
        rig.balancer.keeps = None
        await rig.reminding.look()
        assert rig.kinds() == ["order.forgotten", "order.repeated"] * 2, "another restart is another record"

    played(story())


def test_what_does_not_come_about_is_tried_on_and_not_recorded_every_second() -> None:
    async def story() -> None:
        rig = Rig()
        rig.balancer.result = Result.UNKNOWN
        for _ in range(5):
            await rig.reminding.look()
        assert (rig.kinds(), rig.balancer.acts) == (["order.forgotten", "order.repeated"], 5)
        rig.balancer.result = Result.SUCCEEDED
        await rig.reminding.look()
        assert rig.kinds() == ["order.forgotten", "order.repeated", "order.repeated"]

    played(story())


def test_nothing_is_said_that_could_not_be_recorded_first() -> None:
    async def story() -> None:
        rig = Rig()
        rig.disk.faults[rig.disk.appends + 1] = JournalFault.FULL
        with pytest.raises(JournalFull):
            await rig.reminding.look()
        assert (rig.kinds(), rig.balancer.acts) == ([], 0)
        await rig.reminding.look()
        assert rig.balancer.acts == 1

    played(story())


def test_a_pause_holds_it_back_and_its_end_lets_it_go() -> None:
    async def story() -> None:
        rig = Rig()
        rig.write(Kind.PAUSED, by="aoife-brennan", because="work on the links")
        await rig.reminding.look()
        assert rig.balancer.acts == 0
        rig.write(Kind.RESUMED, by="aoife-brennan", because="")
        await rig.reminding.look()
        assert rig.balancer.acts == 1

    played(story())


def test_what_was_said_while_it_was_asked_takes_the_place_of_what_was_to_be_said_again() -> None:
    async def story() -> None:
        rig = Rig()
        rig.balancer.meanwhile = lambda: rig.intends(2)
        await rig.reminding.look()
        assert (rig.kinds(), rig.balancer.acts) == ([], 0)

    played(story())
