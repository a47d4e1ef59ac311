"""What a failover now could lose, per component, as a bound in time (live RPO).

A heartbeat's time stamp is taken before its commit, so whatever was acknowledged before the newest heartbeat that the other region has
replayed is there too. The bound is the time from that heartbeat to the fence (or to now, while nothing is fenced), plus an allowance
for the clocks: the true loss in time never exceeds it. Where no heartbeat was seen the bound is None, *unknown*, never zero.
A count of writes is an estimate and is called so.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.health.history import History
from holdfast.health.observation import Subject
from holdfast.plan.model import Plan

SKEW_SECONDS = 0.1
"""Allowance for the difference between two clocks, of two regions or of two hosts of one; NTP keeps them closer."""
_SUBJECTS = {"postgres": Subject.POSTGRES, "redis": Subject.REDIS, "bucket": Subject.BUCKET}


@dataclass(frozen=True, slots=True)
class ComponentLoss:
    """What one component could lose at most. None: unknown."""

    component: str
    bound_seconds: float | None
    last_replayed_seconds: float | None
    """The writer's time of the newest write known to be in the target region."""
    estimated_writes: int | None
    rpo_seconds: float | None
    reason: str


def component_losses(
    plan: Plan,
    history: History,
    target: str,
    until_seconds: float,
    skew_seconds: float,
    writes_per_second: Mapping[str, float] | None = None,
) -> Mapping[str, ComponentLoss]:
    """Live RPO of every component that keeps data, were `target` to take over. `until_seconds`: the fence, or now."""
    rates = writes_per_second or {}
    losses: dict[str, ComponentLoss] = {}
    for name, component in plan.components.items():
        subject = _SUBJECTS.get(component.kind)
        if subject is None:
            continue
        replayed = _last_replayed(history, target, subject, name)
        if replayed is None:
            reason = f"nobody has seen a time stamp of {name} in {target}"
            losses[name] = ComponentLoss(name, None, None, None, component.rpo, reason)
            continue
        bound = max(0.0, until_seconds - replayed) + skew_seconds
        estimate = math.ceil(bound * rates[name]) if name in rates else None
        reason = f"{target} has everything until {bound:.1f} s before, clocks allowed {skew_seconds:g} s"
        losses[name] = ComponentLoss(name, bound, replayed, estimate, component.rpo, reason)
    return losses


def worst_loss(losses: Mapping[str, ComponentLoss]) -> tuple[float | None, int | None]:
    """Bound in seconds over all components, None as soon as one is unknown; and estimated writes over those whose rate was seen."""
    bounds = [loss.bound_seconds for loss in losses.values()]
    counts = [loss.estimated_writes for loss in losses.values() if loss.estimated_writes is not None]
    bound = None if not bounds or None in bounds else max(value for value in bounds if value is not None)
    return bound, sum(counts) if counts and bound is not None else None


def write_rates(history: History, source: str) -> Mapping[str, float]:
    """Component → writes a second that observers saw its store in the source region take lately; the highest of what they say."""
    rates: dict[str, float] = {}
    for (_, region, _, name), track in history.tracks.items():
        if region == source and track.writes_per_second is not None:
            rates[name] = max(rates.get(name, 0.0), track.writes_per_second)
    return rates


def _last_replayed(history: History, target: str, subject: Subject, name: str) -> float | None:
    """The newest time stamp that any observer has seen replayed in the target region, by the writer's clock."""
    moments = [
        track.replayed_seconds
        for (_, region, seen_subject, seen_name), track in history.tracks.items()
        if (region, seen_subject, seen_name) == (target, subject, name) and track.replayed_seconds is not None
    ]
    return max(moments, default=None)
