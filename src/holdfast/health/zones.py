"""How each zone of the plan is, and what its region can still do without it.

Rules: a zone is judged like everything else, by the majority of the configured observers; one that nobody looks at is *unknown*. Zones
count in no score: what a lost zone takes with it (functions, a store) is seen for itself. A store that is down while another zone of its
region answers is a store that is down *in the region*: whether something inside the region takes over for it is not known here.
Never here: deciding, or telling anybody.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from holdfast.health.history import History
from holdfast.health.observation import Seen, Subject
from holdfast.health.signals import Health, Joint
from holdfast.plan.model import Plan

_STORES = frozenset({Subject.POSTGRES, Subject.REDIS, Subject.BUCKET})


def _none() -> Mapping[str, int]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ZoneState:
    """One zone, now. Counts are as last heard from zones that are up; what nobody has heard of late is not in them."""

    region: str
    zone: str
    health: Health
    since_seconds: float
    reason: str
    instances: Mapping[str, int] = field(default_factory=_none)
    """Function → instances that are ready here."""
    left: Mapping[str, int] = field(default_factory=_none)
    """Function → instances that are ready in the region's other zones."""
    components_down: tuple[str, ...] = ()
    """Stores of the region that a majority finds down or lost."""


def zones(plan: Plan, history: History, joints: Sequence[Joint]) -> tuple[ZoneState, ...]:
    """State of every zone of the plan, in its order."""
    said = {(joint.region, joint.name): joint for joint in joints if joint.subject is Subject.ZONE}
    alone = [_state(region, zone, said.get((region, zone)), history) for region, place in plan.regions.items() for zone in place.zones]
    down = {region: _components_down(joints, region) for region in plan.regions}
    return tuple(replace(state, left=_left(alone, state), components_down=down[state.region]) for state in alone)


def _state(region: str, zone: str, joint: Joint | None, history: History) -> ZoneState:
    if joint is None:
        return ZoneState(region, zone, Health.UNKNOWN, 0.0, "nobody has looked at it of late")
    instances = _instances(history, region, zone) if joint.health is Health.UP else _none()
    return ZoneState(region, zone, joint.health, joint.since_seconds, joint.reason, instances)


def _instances(history: History, region: str, zone: str) -> Mapping[str, int]:
    """What the newest answer from the zone said."""
    answers = [
        track
        for (_, where, subject, name), track in history.tracks.items()
        if subject is Subject.ZONE and (where, name) == (region, zone) and track.last.seen is Seen.UP
    ]
    newest = max(answers, key=lambda track: track.at_seconds, default=None)
    told = newest.last.facts.get("instances") if newest is not None else None
    if not isinstance(told, Mapping):
        return _none()
    return MappingProxyType({str(function): count for function, count in told.items() if isinstance(count, int)})


def _left(states: Sequence[ZoneState], without: ZoneState) -> Mapping[str, int]:
    left: dict[str, int] = {}
    for state in states:
        if state.region == without.region and state.zone != without.zone:
            for function, count in state.instances.items():
                left[function] = left.get(function, 0) + count
    return MappingProxyType(left)


def zone_as_facts(plan: Plan, zone: ZoneState) -> dict[str, Any]:
    """A zone as plain values, with the plan's sizes: for the journal, the API, and whoever puts it into words."""
    return {
        "region": zone.region,
        "zone": zone.zone,
        "health": zone.health.value,
        "since_seconds": zone.since_seconds,
        "reason": zone.reason,
        "instances": dict(zone.instances),
        "left": dict(zone.left),
        "sizes": {name: {"run": of.size.run, "needed": of.size.needed} for name, of in plan.functions.items() if of.size is not None},
        "components_down": list(zone.components_down),
    }


def zone_in_words(facts: Mapping[str, Any]) -> str:
    """What became of a zone and what its region is left with, in a sentence."""
    region, zone = facts["region"], facts["zone"]
    if facts["health"] == Health.UNKNOWN:
        return f"zone {zone} of {region} is unknown: {facts['reason']}"
    if facts["health"] != Health.DOWN:
        return f"zone {zone} of {region} is up"
    left, sizes = facts["left"], facts.get("sizes", {})
    stores = "".join(f"; {component} down in {region}" for component in facts["components_down"])
    if not left:
        return f"zone {zone} is down{stores}; how many instances {region} has left is unknown"
    counts = ", ".join(f"{name} {count}" + (f" of {sizes[name]['run']}" if name in sizes else "") for name, count in left.items())
    if stores:  # instances without their store carry nothing, so nothing is said of the load
        return f"zone {zone} is down{stores}; instances left: {counts}"
    return f"zone {zone} is down; {region} goes on with {counts} instances{_enough(left, sizes)}"


def _enough(left: Mapping[str, int], sizes: Mapping[str, Mapping[str, int]]) -> str:
    short = [name for name, count in left.items() if name in sizes and count < sizes[name]["needed"]]
    if short:
        return f": too few for the full load of {', '.join(short)}"
    return ", enough for the full load" if set(left) <= set(sizes) else ""


def _components_down(joints: Iterable[Joint], region: str) -> tuple[str, ...]:
    return tuple(joint.name for joint in joints if joint.region == region and joint.subject in _STORES and joint.health is Health.DOWN)
