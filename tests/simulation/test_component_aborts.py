"""An abort at every step of every run of a component's failover: one writer, an end, every component in the very state that is named."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from holdfast.conduct.decisions import waiting_steps
from holdfast.conduct.runs import phases_of
from holdfast.conduct.turning import outlook
from holdfast.decision.replay import IncidentState
from holdfast.decision.table import State
from holdfast.journal.kinds import Kind
from holdfast.ledger.entry import RequestResult
from holdfast.simulation.exercise import People, last_incident
from holdfast.simulation.faults import give_back, take_away, written_in
from holdfast.simulation.stage import Stage
from holdfast.simulation.stores import StoreRole
from holdfast.simulation.world import SimulatedWorld
from simulation.playing import PLAN
from simulation.test_component_drills import DR, DRILLS, HOME, on_stage

RUNS = ("failover", "reprotect", "way-back")
MOMENTS = [
    (scenario, run, step.id)
    for scenario in DRILLS
    for run in RUNS
    for phase in phases_of(PLAN, scenario, run)
    for step in phase.steps
    if step.id not in ("assess", "alert")  # Done in one go with the step before: nobody can give a command between them.
    and step.block != "confirm"
]
PROPOSALS = ("approve", "approve-return")
WHOLE = ("replica, never promoted", "promotion ordered, not proved", "begun, not proved")
NAMES = {"postgres": "database", "redis": "cache", "bucket": "storage"}

Facts = dict[tuple[str, str], Any]
"""(Component, region) → what it is there."""


def facts_of(world: SimulatedWorld) -> Facts:
    """What a simulated world looks like, component by component."""
    written = max(place.bucket.writer for place in world.regions.values())[1]
    found: Facts = {}
    for name, region in world.regions.items():
        sizes = {function: (one.wished_replicas, one.wished_version) for function, one in region.deployments.items()}
        found |= {
            ("database", name): region.postgres.role,
            ("cache", name): region.redis.role,
            ("storage", name): written == name,
            ("loadbalancer", name): region.admits,
            ("dns", name): set(world.dns.values()) == {name},
            ("application", name): (dict(region.stores_of), sizes),
            ("network", name): True,
        }
    return found


def holds(word: str, component: str, region: str, world: SimulatedWorld, before: Facts) -> bool:
    """Whether what is said of a component is so. A word that nobody knows holds for nothing."""
    now = facts_of(world)[component, region]
    stores = {NAMES[kind]: where for kind, where in world.regions[region].stores_of.items()}
    serving = {"database": StoreRole.WRITER, "cache": StoreRole.WRITER}.get(component, True)
    sizes = world.regions[region].deployments.values()
    known: Mapping[str, bool] = {
        "as it was": now == before[component, region],
        "serves": now == serving if component != "application" else set(world.dns.values()) == {region},
        "as reprotection left it": now != serving or component in ("loadbalancer", "application"),
        "writer": now == StoreRole.WRITER and world.writes_here(region),
        "replica, never promoted": now == StoreRole.STANDBY,
        "replica": now == StoreRole.STANDBY,
        "fenced": now == StoreRole.FENCED,
        "promotion ordered, not proved": now in (StoreRole.STANDBY, StoreRole.WRITER),
        "not proved to be the writer": now in (StoreRole.STANDBY, StoreRole.WRITER),
        "written": now is True,
        "copy": now is False,
        "admits traffic": now is True,
        "admits none": now is False,
        "the names lead here": now is True,
        "no name leads here": now is False,
        "standby size": {one.wished_replicas for one in sizes} == {1},
        "version of the move": {one.wished_version for one in sizes} == {"2"},
        "uses the stores of this region": set(stores.values()) == {region},
        "not pointed at the stores of this region yet": stores != dict.fromkeys(stores, region),
        f"uses database and cache of {DR} and storage of {HOME}": stores == {"database": DR, "cache": DR, "storage": HOME},
        f"not pointed at database and cache of {DR} and storage of {HOME} yet": stores == dict.fromkeys(stores, HOME),
        f"uses the stores of {HOME}": stores == dict.fromkeys(stores, HOME),
        "begun, not proved": True,
    }
    return known.get(word, False)


def said_of(words: str) -> list[str]:
    """Only an application's state is made of parts."""
    return [words] if words in WHOLE else words.split(", ")


def goes_on(world: SimulatedWorld) -> str:
    """Where service is, in the words that people are told."""
    serving = next(iter(world.dns.values()))
    elsewhere: dict[str, list[str]] = {}
    for name in PLAN.components:
        where = next((region for kind, region in world.regions[serving].stores_of.items() if NAMES[kind] == name), serving)
        if where != serving:
            elsewhere.setdefault(where, []).append(name)
    return "".join([f"{serving} goes on serving", *(f", with {' and '.join(names)} of {region}" for region, names in elsewhere.items())])


def all_are_served(stage: Stage) -> bool:
    since = stage.clock.wall_seconds() - 3.0
    recent = [e.result for ledger in stage.clients.ledgers.values() for e in ledger[-20:] if e.sent_seconds >= since]
    return bool(recent) and set(recent) == {RequestResult.ACKNOWLEDGED}


class Night:
    """One incident on a stage, and people who answer what they are asked."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.people = People(stage)

    @property
    def incident(self) -> IncidentState:
        incident = last_incident(self.stage)
        assert incident is not None
        return incident

    async def until(self, what: str, condition: Callable[[], bool], seconds: float = 120.0) -> None:
        clock = self.stage.clock
        deadline = clock.steady_seconds() + seconds
        while not condition():
            waits = [record.body["reason"] for record in self.stage.disk.records if record.kind == Kind.STEP_WAITING]
            assert clock.steady_seconds() < deadline, f"{what}: not within {seconds:.0f} s; {waits[-1:]}"
            await clock.sleep(0.05)
            self.stage.check()
            self.people.answer()

    def is_in(self, *states: State) -> bool:
        return last_incident(self.stage) is not None and self.incident.state in states

    def begun(self, run: str, step: str) -> bool:
        """Whether this step was intended, or people are asked to approve it."""
        if step in PROPOSALS:
            return last_incident(self.stage) is not None and self.incident.proposal is not None and self.incident.proposal.run == run
        wanted = (Kind.STEP_INTENDED, run, step)
        return any((r.kind, r.body.get("run"), r.body.get("step")) == wanted for r in self.stage.disk.records)

    def started(self, run: str) -> bool:
        return any(r.kind == Kind.RUN_STARTED and r.body["run"] == run for r in self.stage.disk.records)

    async def lost(self, scenario: str) -> None:
        self.stage.begin()
        await self.stage.clock.sleep(20.0)
        take_away(self.stage.world, PLAN.exercises[scenario])

    async def until_begun(self, run: str, step: str) -> Facts:
        """The world before the run, once the run has come to this step."""
        if run != "failover":
            await self.until("recovered", lambda: self.is_in(State.RECOVERED))
            await self.stage.clock.sleep(1.0)
            give_back(self.stage.world)
            await self.stage.clock.sleep(1.0)
        before = facts_of(self.stage.world)
        if run != "failover":
            await self.until("asked for", lambda: self.people.repeat("failback", "failback").startswith("accepted"))
            if run == "way-back":
                await self.until("the way back", lambda: self.started("way-back"))
                before = facts_of(self.stage.world)
        await self.until(f"{step} is begun", lambda: self.begun(run, step))
        return before

    def abort(self) -> str:
        return self.stage.command("abort-1", "abort", self.people.conductor, {"incident": self.incident.incident})

    async def goes_home(self) -> None:
        """Whatever was left undone can be finished by those who are named."""
        if self.is_in(State.HALTED):
            assert self.stage.command("go-on-1", "go-on", self.people.conductor).startswith("accepted")
            await self.until("finished", lambda: self.is_in(State.RECOVERED, State.CLOSED))
        if self.is_in(State.RECOVERED):
            await self.until("asked for", lambda: self.people.repeat("failback-again", "failback").startswith("accepted"))
            await self.until("home again", lambda: self.is_in(State.CLOSED))
        await self.until("served at last", lambda: all_are_served(self.stage), 20.0)
        assert set(self.stage.world.dns.values()) == {HOME}


@pytest.mark.parametrize(("scenario", "run", "step"), MOMENTS)
def test_aborted_at_any_step_every_component_stands_as_it_is_named(scenario: str, run: str, step: str) -> None:
    async def story(stage: Stage) -> None:
        night = Night(stage)
        try:
            await night.lost(scenario)
            before = await night.until_begun(run, step)
            give_back(stage.world)
            known = stage.installation
            assert known is not None
            foreseen = outlook(PLAN, known, night.incident)
            said = night.abort()
            assert said.startswith("accepted"), said
            await night.until("an end", lambda: night.is_in(State.TURNED_BACK, State.RECOVERED, State.HALTED))
            await stage.clock.sleep(4.0)
            named = foreseen.components if night.is_in(State.HALTED) else night.incident.turned_back
            assert named is not None and set(named) == set(PLAN.components)
            wrong = [
                f"{component} in {region}: {words}, but {facts_of(stage.world)[component, region]}"
                for component, states in named.items()
                for region, words in states.items()
                for word in said_of(words)
                if not holds(word, component, region, stage.world, before)
            ]
            assert not wrong, "\n".join(wrong)
            if not night.is_in(State.HALTED):
                assert named == foreseen.components, "what was said before is what came"
                assert said.endswith(goes_on(stage.world)), f"{said} / {goes_on(stage.world)}"
                assert all_are_served(stage)
            await night.goes_home()
        finally:
            await stage.end()

    on_stage(scenario, story)


async def left_away(night: Night, scenario: str, step: str, stuck: str) -> None:
    """Aborted at this step while what was lost is still away: the undoing waits for a person at the step `stuck`."""
    await night.lost(scenario)
    await night.until_begun("failover", step)
    assert night.abort().startswith("accepted")
    await night.until("a person is asked", lambda: night.is_in(State.NEEDS_PERSON))
    assert set(waiting_steps(night.incident)) == {stuck}
    await night.stage.clock.sleep(4.0)
    assert all_are_served(night.stage), "what serves is not taken away before what is to serve again is proved"
    skipped = night.stage.command("skip-1", "choose", night.people.conductor, {"step": stuck, "choice": "skip", "reason": "never mind"})
    assert skipped == f"refused: skip is no choice for {stuck}; choose one of: retry, done"
    give_back(night.stage.world)
    await night.stage.clock.sleep(1.0)
    assert night.stage.command("retry-1", "choose", night.people.conductor, {"step": stuck, "choice": "retry"}).startswith("accepted")
    await night.until("an end", lambda: night.is_in(State.TURNED_BACK))
    await night.goes_home()
    assert written_in(night.stage.world) == dict.fromkeys(NAMES, HOME)


@pytest.mark.parametrize(
    ("scenario", "step", "stuck"),
    [("storage-failover", "smoke-test", "undo-activate-bucket"), ("application-failover", "smoke-test", "prove-before-traffic")],
)
def test_what_was_lost_and_is_still_away_is_given_nothing_back(scenario: str, step: str, stuck: str) -> None:
    async def story(stage: Stage) -> None:
        try:
            await left_away(Night(stage), scenario, step, stuck)
        finally:
            await stage.end()

    on_stage(scenario, story)
