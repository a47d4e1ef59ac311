"""Everything that can go wrong, at random, out of one seed; then everything heals, and the run must come to an end.

While faults last and after, the invariants are looked at after every event. Afterwards people answer what they are asked, choose to try
again where a step needs them, and ask for the way back: within a bound the incident is over and every function is served (invariant 14).
"""

from collections.abc import Callable
from dataclasses import dataclass

from holdfast.conduct.decisions import waiting_steps
from holdfast.decision.replay import IncidentState
from holdfast.decision.table import State
from holdfast.ledger.entry import RequestResult
from holdfast.simulation.exercise import LOOK_SECONDS, SETTLE_SECONDS, People, last_incident
from holdfast.simulation.invariants import InvariantBroken, under_watch
from holdfast.simulation.stage import Stage, StageSettings

CALM_SECONDS = 20.0
"""Before the first fault: longer than the wait of a controller without memory."""
FAULTS_SECONDS = 90.0
END_BOUND_SECONDS = 1500.0
"""Within this, after everything healed, a run has ended: the longest step takes 300 s, three attempts of it fit in."""


@dataclass(frozen=True, slots=True)
class Survived:
    """What became of one seed."""

    seed: int
    faults: tuple[str, ...]
    kills: int
    incidents: tuple[str, ...]
    """State in which each incident ended."""
    ended_after_seconds: float
    """From healing to the end."""


def torment(settings: StageSettings, *, loses_journal: bool = False, aborts: bool = False) -> Survived:
    """One seed. `aborts`: people also turn back at any moment. Raises InvariantBroken with the seed in its text."""
    return under_watch(settings, lambda stage: Nemesis(stage, loses_journal, aborts).play())


class Nemesis:
    """One stage tormented."""

    def __init__(self, stage: Stage, loses_journal: bool, aborts: bool) -> None:
        self._stage = stage
        self._people = InsistentPeople(stage)
        self._loses_journal = loses_journal
        self._told: list[str] = []
        self._faults: list[Callable[[], str]] = [
            self._cut_site,
            self._cut_site,
            self._cut_between,
            self._cut_one_way,
            self._cut_one_way,
            self._cut_zone,
            self._heal,
            self._stop_agent,
            self._kill_controller,
            self._kill_controller,
            self._silence_observer,
            self._slow_down,
            self._stop_dns,
        ]
        if loses_journal:
            self._faults.append(self._lose_journal)
        if aborts:
            self._faults += [self._abort, self._abort, self._move]

    async def play(self) -> Survived:
        """Calm, faults, healing, end."""
        stage, clock = self._stage, self._stage.clock
        await self._live(CALM_SECONDS)
        until = clock.steady_seconds() + FAULTS_SECONDS
        while clock.steady_seconds() < until:
            fault = stage.random.choice(self._faults)
            self._told.append(f"{clock.steady_seconds():.1f} s: {fault()}")
            await self._live(stage.random.expovariate(1 / 5.0))
        self._all_heals()
        if self._loses_journal:
            return await self._settled()
        healed = clock.steady_seconds()
        while not await self._stays_over():
            if clock.steady_seconds() - healed > END_BOUND_SECONDS:
                raise self._broken(f"nothing ended within {END_BOUND_SECONDS:.0f} s: {self._where()}")
            await self._live(LOOK_SECONDS)
        ended = clock.steady_seconds() - healed - SETTLE_SECONDS
        self._all_are_served()
        known = stage.installation
        states = tuple(incident.state.value for incident in known.incidents.values()) if known is not None else ()
        return Survived(stage.settings.seed, tuple(self._told), stage.kills, states, ended)

    async def _settled(self) -> Survived:
        """Nobody tells a controller without its journal how far the lost one had come; nothing unsafe may follow from that."""
        await self._live(2 * FAULTS_SECONDS)
        return Survived(self._stage.settings.seed, tuple(self._told), self._stage.kills, (), 2 * FAULTS_SECONDS)

    async def _live(self, seconds: float) -> None:
        clock = self._stage.clock
        until = clock.steady_seconds() + seconds
        while clock.steady_seconds() < until:
            await clock.sleep(min(LOOK_SECONDS, max(until - clock.steady_seconds(), 0.001)))
            self._stage.check()
            self._people.answer()

    # -- faults -------------------------------------------------------------------------------------------------------------

    def _site(self) -> str:
        return self._stage.random.choice(self._stage.world.links.sites)

    def _pair(self) -> tuple[str, str]:
        one, other = self._stage.random.sample(self._stage.world.links.sites, 2)
        return one, other

    def _cut_site(self) -> str:
        site = self._stage.random.choice((self._stage.world.home, self._stage.world.home, self._site()))
        self._stage.world.links.cut(site)
        return f"cut {site}"

    def _cut_between(self) -> str:
        one, other = self._pair()
        self._stage.world.links.cut_between(one, other)
        return f"cut between {one} and {other}"

    def _cut_one_way(self) -> str:
        sender, receiver = self._pair()
        self._stage.world.links.cut_one_way(sender, receiver)
        return f"lose what {sender} sends to {receiver}"

    def _cut_zone(self) -> str:
        zone = self._stage.random.choice([zone for region in self._stage.plan.regions.values() for zone in region.zones])
        self._stage.world.links.cut_zone(zone)
        return f"cut zone {zone}"

    def _heal(self) -> str:
        self._stage.world.links.heal_all()
        return "heal all links"

    def _stop_agent(self) -> str:
        region = self._stage.random.choice(list(self._stage.world.regions.values()))
        region.agent.alive = not region.agent.alive
        return f"agent of {region.name} {'starts' if region.agent.alive else 'dies'}"

    def _kill_controller(self) -> str:
        self._stage.kill_controller()
        return "kill the controller"

    def _lose_journal(self) -> str:
        self._stage.lose_journal()
        return "lose the controller and its journal"

    def _abort(self) -> str:
        incident = last_incident(self._stage)
        said = "nothing" if incident is None else self._people.repeat("abort", "abort", {"incident": incident.incident})
        return f"abort: {said}"

    def _move(self) -> str:
        verb = self._stage.random.choice(("switchover", "failback", "go-on"))
        return f"{verb}: {self._people.repeat(verb, verb)}"

    def _silence_observer(self) -> str:
        observer = self._stage.random.choice(list(self._stage.observers.values()))
        observer.alive = not observer.alive
        return f"observer {observer.site} {'speaks again' if observer.alive else 'falls silent'}"

    def _slow_down(self) -> str:
        self._stage.world.slowness = self._stage.random.choice((1.0, 5.0, 50.0))
        return f"everything takes {self._stage.world.slowness:g} times as long"

    def _stop_dns(self) -> str:
        self._stage.world.dns_alive = not self._stage.world.dns_alive
        return f"DNS {'answers again' if self._stage.world.dns_alive else 'dies'}"

    def _all_heals(self) -> None:
        world = self._stage.world
        world.links.heal_all()
        world.slowness, world.dns_alive = 1.0, True
        for region in world.regions.values():
            region.agent.alive = True
        for observer in self._stage.observers.values():
            observer.alive = True

    # -- the end ------------------------------------------------------------------------------------------------------------

    async def _stays_over(self) -> bool:
        """Whether it is over, and still is when all have looked again: what observers kept back during a cut can begin an incident late."""
        if not self._is_over():
            return False
        await self._live(SETTLE_SECONDS)
        return self._stage.installation is not None and self._stage.installation.open_incident() is None

    def _is_over(self) -> bool:
        known = self._stage.installation
        if known is None:
            return False
        incident = known.open_incident()
        if incident is None:
            return not known.suspicions and self._served(self._stage.clock.wall_seconds() - 1.0)
        if incident.state is State.RECOVERED:
            self._people.repeat("failback", "failback")
        if incident.state is State.HALTED:
            self._people.repeat("go-on", "go-on")
        return False

    def _served(self, since_seconds: float) -> bool:
        recent = [
            entry.result for ledger in self._stage.clients.ledgers.values() for entry in ledger[-30:] if entry.sent_seconds >= since_seconds
        ]
        return bool(recent) and set(recent) == {RequestResult.ACKNOWLEDGED}

    def _all_are_served(self) -> None:
        if not self._served(self._stage.clock.wall_seconds() - SETTLE_SECONDS / 2):
            raise self._broken(f"it is over, but clients are not served: {self._where()}")

    def _where(self) -> str:
        incident = last_incident(self._stage)
        if incident is None:
            return f"no incident; suspicions {dict(self._stage.installation.suspicions) if self._stage.installation else 'unknown'}"
        waiting = {step: body["reason"] for step, body in waiting_steps(incident).items()}
        return f"{incident.incident} is {incident.state.value}; steps that wait for a person: {waiting}"

    def _broken(self, what: str) -> InvariantBroken:
        return InvariantBroken(f"seed {self._stage.settings.seed}: invariant 14: {what}\n" + "\n".join(self._told))


class InsistentPeople(People):
    """They have every step that needs them tried again; what only they can do, they do at once and tick it off."""

    def answer(self) -> None:
        """Approve, and choose *retry*, or *done* where the step is theirs."""
        super().answer()
        incident = last_incident(self._stage)
        if incident is not None and incident.state is State.NEEDS_PERSON:
            self._insist(incident)

    def _insist(self, incident: IncidentState) -> None:
        for step, asked in waiting_steps(incident).items():
            if self._looked_long_enough(f"{len(incident.records)}-{asked['attempt']}", step):
                choice = {"choice": "done", "reason": "built"} if asked["block"] == "manual" else {"choice": "retry"}
                name = f"{choice['choice']}-{incident.incident}-{step}-{len(incident.records)}"
                self._stage.command(name, "choose", self.conductor, {"step": step, **choice})
