"""Everything that watching says at one moment: signals, what they say together, functions, scores, and zones."""

from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.health.history import History
from holdfast.health.score import RegionScore, scores
from holdfast.health.signals import Joint, Signal, combine, functions, signals
from holdfast.health.zones import ZoneState, zones
from holdfast.plan.model import Plan, Profile


@dataclass(frozen=True, slots=True)
class Picture:
    """One moment. `now` is the controller's wall clock."""

    now: float
    signals: tuple[Signal, ...]
    joints: tuple[Joint, ...]
    functions: Mapping[str, Joint]
    scores: Mapping[str, RegionScore]
    zones: tuple[ZoneState, ...] = ()


def picture(plan: Plan, profile: Profile, history: History, now: float) -> Picture:
    """What the history amounts to, now."""
    spoken = signals(plan, profile, history, now)
    joints = combine(plan, spoken)
    return Picture(now, spoken, joints, functions(plan, spoken), scores(plan, joints), zones(plan, history, joints))
