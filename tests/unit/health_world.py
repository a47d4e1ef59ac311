"""A world to watch: three observers that look at two regions every second, and faults that can be put on it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from holdfast.health.history import History, absorb
from holdfast.health.observation import Observation, Seen, Subject
from holdfast.health.picture import Picture, picture
from holdfast.health.score import AGENT_NAME
from holdfast.health.triggers import TriggerKey, TriggerState, evaluate
from holdfast.plan.loader import load
from holdfast.plan.model import Plan, Profile, Trigger

PLAN = load(Path(__file__).resolve().parents[2] / "examples" / "voicehive" / "plan.yaml").plan
TRIGGERS = PLAN.scenarios["regional-outage"].triggers
PRIMARY, DR = PLAN.primary_region(), PLAN.dr_region()
OBSERVERS = PLAN.observers
START = 1_800_000_000.0

Fault = Callable[[str, float, str, Subject], Seen]
"""What an observer sees at a moment when it looks at a subject in a region."""


def healthy(observer: str, at: float, region: str, subject: Subject) -> Seen:
    return Seen.UP


def cut(region: str, start: float, end: float = float("inf"), observers: tuple[str, ...] = OBSERVERS) -> Fault:
    """Nothing of the region answers those observers from `start` to `end` (seconds after START)."""

    def seen(observer: str, at: float, place: str, subject: Subject) -> Seen:
        return Seen.SILENT if place == region and observer in observers and start <= at < end else Seen.UP

    return seen


def looks_at(serving: str) -> list[tuple[str, Subject, str]]:
    """Everything that one observer looks at in one round."""
    things = [("", Subject.DNS, "dns")]
    things += [(serving, Subject.TRANSACTION, function) for function in PLAN.functions]
    for region in PLAN.regions:
        things += [(region, Subject.HTTP, "loadbalancer"), (region, Subject.POSTGRES, "database"), (region, Subject.REDIS, "cache")]
        things += [(region, Subject.BUCKET, "storage"), (region, Subject.AGENT, AGENT_NAME)]
        things += [(region, Subject.ZONE, zone) for zone in PLAN.regions[region].zones]
    return things


@dataclass
class World:
    """Runs rounds of looks through `absorb`, `picture` and `evaluate`, as the controller does."""

    fault: Fault = healthy
    plan: Plan = PLAN
    profile: Profile = field(default_factory=lambda: PLAN.profiles["fast"])
    triggers: tuple[Trigger, ...] = TRIGGERS
    silent_observers: frozenset[str] = frozenset()
    lost_zones: Mapping[str, Seen] = field(default_factory=dict)
    blind_to_zones: frozenset[str] = frozenset()
    """Observers that get no answer from any zone."""
    clock_errors: Mapping[str, float] = field(default_factory=dict)
    history: History = field(default_factory=History)
    states: Mapping[TriggerKey, TriggerState] = field(default_factory=dict)
    sequence: int = 0

    def round(self, at: float) -> Picture:
        """One second of everybody's looks, received half a second later."""
        now = START + at
        for observer in OBSERVERS:
            if observer not in self.silent_observers:
                batch = list(self._looks(observer, at))
                self.history = absorb(self.history, batch, now + 0.5, self.profile)
        seen = picture(self.plan, self.profile, self.history, now + 0.5)
        self.states = evaluate(self.plan, self.profile, self.triggers, seen, self.states)
        return seen

    def run(self, start: float, end: float) -> Picture:
        """Rounds from `start` up to, not including, `end`."""
        for at in range(int(start), int(end)):
            seen = self.round(float(at))
        return seen

    def firing(self) -> set[TriggerKey]:
        return {key for key, state in self.states.items() if state.firing}

    def _looks(self, observer: str, at: float) -> Iterator[Observation]:
        for region, subject, name in looks_at(PRIMARY):
            self.sequence += 1
            seen = self.fault(observer, at, region, subject)
            facts = {}
            if subject is Subject.ZONE and seen is Seen.UP:
                seen = Seen.SILENT if observer in self.blind_to_zones else self.lost_zones.get(name, Seen.UP)
                facts = {"instances": dict.fromkeys(PLAN.functions, 3)} if seen is Seen.UP else {}
            moment = START + at + self.clock_errors.get(observer, 0.0)
            yield Observation(observer, self.sequence, moment, region, subject, name, seen, 0.01, facts=facts)
