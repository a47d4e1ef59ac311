"""Aborts in a simulated world, at any moment, and with the controller killed at every append of one: one writer, and an end."""

from collections.abc import Callable, Sequence

import pytest

from holdfast.decision.table import State
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.ledger.entry import RequestResult
from holdfast.simulation.clock import run_virtual
from holdfast.simulation.exercise import last_incident
from holdfast.simulation.invariants import Invariants
from holdfast.simulation.journal import JournalFault
from holdfast.simulation.nemesis import InsistentPeople, torment
from holdfast.simulation.stage import Stage, StageSettings
from simulation.playing import LOADED

Story = Callable[[Stage], None]


class Night:
    """A stage whose invariants are looked at after every event, and people who abort when a story says so."""

    def __init__(self, seed: int = 1, interfere: Story = lambda _: None) -> None:
        self.invariants = Invariants()
        self.stage = Stage(StageSettings(LOADED, seed=seed, people_accept_loss=True), self.invariants.wrap)
        self.people = InsistentPeople(self.stage)
        interfere(self.stage)

    async def begin(self) -> None:
        self.stage.begin()
        self.invariants.watch(self.stage)
        await self.stage.clock.sleep(10.0)

    async def until(self, condition: Callable[[], bool], what: str, seconds: float = 600.0) -> None:
        clock = self.stage.clock
        deadline = clock.steady_seconds() + seconds
        while not condition():
            assert clock.steady_seconds() < deadline, f"{what}: not within {seconds:.0f} s; {last_incident(self.stage)}"
            await clock.sleep(0.1)
            self.stage.check()
            self.people.answer()

    def recorded(self, kind: Kind, **body: object) -> bool:
        def fits(record: Record) -> bool:
            return record.kind == kind and all(record.body.get(name) == value for name, value in body.items())

        return any(fits(record) for record in self.stage.disk.records)

    def is_in(self, *states: State) -> bool:
        incident = last_incident(self.stage)
        return incident is not None and incident.state in states

    async def abort(self) -> None:
        """Until it is accepted, or what it was about has moved on."""

        def answered() -> bool:
            incident = last_incident(self.stage)
            if incident is None:
                return False
            said = self.people.repeat("abort", "abort", {"incident": incident.incident})
            return said.startswith(("accepted", "refused"))

        await self.until(answered, "the abort is answered")

    def all_are_served_at(self, region: str) -> bool:
        world = self.stage.world
        since = self.stage.clock.wall_seconds() - 5.0
        recent = [e.result for ledger in self.stage.clients.ledgers.values() for e in ledger[-30:] if e.sent_seconds >= since]
        return bool(recent) and set(recent) == {RequestResult.ACKNOWLEDGED} and set(world.dns.values()) == {region}


async def switched_with_a_dead_source(night: Night) -> None:
    """A planned switchover whose source dies in the middle of its fence: the hole that there was no way out of."""
    world, disk = night.stage.world, night.stage.disk
    listening = disk.on_append

    def dies(records: Sequence[Record]) -> None:
        if listening is not None:
            listening(records)
        if any(record.kind == Kind.STEP_INTENDED and record.body["block"] == "fence" for record in records):
            world.regions[world.home].agent.alive = False

    disk.on_append = dies
    await night.begin()
    night.people.repeat("switchover", "switchover")
    await night.until(lambda: night.recorded(Kind.STEP_INTENDED, block="fence"), "the fence begins")
    await night.stage.clock.sleep(10.0)


async def aborted(night: Night) -> None:
    world = night.stage.world
    await switched_with_a_dead_source(night)
    assert not night.recorded(Kind.FENCE_CONFIRMED), "a graceful fence needs the source's word"
    await night.abort()
    await night.stage.clock.sleep(5.0)
    world.regions[world.home].agent.alive = True
    await night.until(lambda: night.is_in(State.TURNED_BACK), "turned back")
    await night.until(lambda: night.all_are_served_at(world.home), "every function is served at home again", 60.0)


def test_a_switchover_whose_source_died_in_its_fence_is_turned_back() -> None:
    async def story() -> None:
        night = Night()
        await aborted(night)
        await night.stage.end()

    run_virtual(story)


def points() -> tuple[int, int]:
    """The appends of an abort: from the command to the end of the incident."""
    seen: list[list[str]] = []
    spans: list[int] = []

    async def story() -> None:
        night = Night()
        night.stage.disk.on_append = lambda records: seen.append([record.kind for record in records])
        await aborted(night)
        await night.stage.end()

    run_virtual(story)
    for number, kinds in enumerate(seen, start=1):
        if Kind.COMMAND in kinds or Kind.TURNED_BACK in kinds:
            spans.append(number)
    return spans[-2], spans[-1]


def test_killed_at_every_append_of_an_abort_the_next_controller_ends_it() -> None:
    first, last = points()
    assert last - first > 5
    for number in range(first, last + 1):
        for fault in (JournalFault.CRASH_BEFORE, JournalFault.CRASH_AFTER):

            async def story(number: int = number, fault: JournalFault = fault) -> None:
                night = Night()
                night.stage.disk.faults[number] = fault
                await aborted(night)
                assert night.stage.kills == 1, f"{fault} {number}"
                await night.stage.end()

            run_virtual(story)


@pytest.mark.parametrize("after_seconds", [0.0, 0.3, 0.6, 0.9, 1.2, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 7.0, 10.0])
def test_aborted_at_any_moment_of_a_failover_it_ends_with_one_writer(after_seconds: float) -> None:
    async def story() -> None:
        night = Night(seed=int(after_seconds * 10))
        world = night.stage.world
        await night.begin()
        world.links.cut(world.home)
        await night.until(lambda: last_incident(night.stage) is not None, "an incident is opened")
        until = night.stage.clock.steady_seconds() + after_seconds
        await night.until(lambda: night.stage.clock.steady_seconds() >= until, "its moment")
        await night.abort()
        world.links.heal_all()
        await night.until(lambda: night.is_in(State.TURNED_BACK, State.HALTED, State.RECOVERED), "stopped", 900.0)
        if night.is_in(State.HALTED):
            assert night.people.repeat("go-on", "go-on").startswith("accepted")
            await night.until(lambda: night.is_in(State.RECOVERED), "finished")
        serves = world.home if night.is_in(State.TURNED_BACK) else world.dr
        await night.until(lambda: night.all_are_served_at(serves), f"served at {serves}", 60.0)
        await night.stage.end()

    run_virtual(story)


@pytest.mark.parametrize("seed", range(16))
def test_whatever_happens_with_aborts_at_any_moment_the_invariants_hold_and_the_run_ends(seed: int) -> None:
    torment(StageSettings(LOADED, seed=2000 + seed, people_accept_loss=True), aborts=True)
