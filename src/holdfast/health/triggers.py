"""The plan's typed triggers, judged over time.

Rules: a trigger's condition is true, false or unknown (None). It fires when its condition has been true without a break for
the profile's hold; *unknown* is a break, and never fires. The caller keeps the states that `evaluate` returns and passes them in
again: that is all the memory there is. A trigger never decides; what follows from one that fires is for the room `decision`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holdfast.health.observation import Subject
from holdfast.health.picture import Picture
from holdfast.health.signals import Health, Signal, majority
from holdfast.plan.model import (
    ComponentDownTrigger,
    NetworkLostTrigger,
    Plan,
    Profile,
    ScoreTrigger,
    SignalTrigger,
    Trigger,
    ZonesDownTrigger,
)


@dataclass(frozen=True, slots=True)
class TriggerState:
    """One trigger about one region, now. `since_seconds`: since when its condition is true without a break."""

    region: str
    trigger: str
    condition: bool | None
    firing: bool | None
    since_seconds: float | None
    reason: str
    score: float | None


@dataclass(frozen=True, slots=True)
class _Condition:
    holds: bool | None
    reason: str
    since_seconds: float | None = None


TriggerKey = tuple[str, str]
"""Region and name of the trigger."""

_SUBJECTS = {"postgres": Subject.POSTGRES, "redis": Subject.REDIS, "bucket": Subject.BUCKET, "loadbalancer": Subject.HTTP}
_STORES = ("postgres", "redis", "bucket")


def trigger_name(trigger: Trigger) -> str:
    """Its kind, and of a component's also which."""
    if isinstance(trigger, SignalTrigger):
        return f"{trigger.kind}:{trigger.signal}"
    return f"{trigger.kind}:{trigger.component}" if isinstance(trigger, ComponentDownTrigger) else trigger.kind


def evaluate(
    plan: Plan,
    profile: Profile,
    triggers: Sequence[Trigger],
    picture: Picture,
    before: Mapping[TriggerKey, TriggerState],
) -> Mapping[TriggerKey, TriggerState]:
    """State of each trigger about each region of the plan, after the states `before`."""
    states: dict[TriggerKey, TriggerState] = {}
    for region in plan.regions:
        for trigger in triggers:
            key = (region, trigger_name(trigger))
            states[key] = _next_state(profile, region, trigger, _condition(plan, trigger, region, picture), picture, before.get(key))
    return states


def _next_state(
    profile: Profile, region: str, trigger: Trigger, condition: _Condition, picture: Picture, before: TriggerState | None
) -> TriggerState:
    score, name = picture.scores[region].score, trigger_name(trigger)
    if not condition.holds:
        return TriggerState(region, name, condition.holds, condition.holds, None, condition.reason, score)
    since = condition.since_seconds if condition.since_seconds is not None else picture.now
    if before is not None and before.condition and before.since_seconds is not None:
        since = before.since_seconds
    firing = picture.now - since >= profile.hold
    return TriggerState(region, name, True, firing, since, condition.reason, score)


def _condition(plan: Plan, trigger: Trigger, region: str, picture: Picture) -> _Condition:
    match trigger:
        case ScoreTrigger(below=below):
            return _score_below(below, region, picture)
        case NetworkLostTrigger():
            return _network_lost(plan, region, picture)
        case ZonesDownTrigger(count=count):
            return _zones_down(count, region, picture)
        case ComponentDownTrigger(component=component):
            return _component_down(plan, component, region, picture)
        case SignalTrigger():
            return _Condition(None, "Holdfast does not measure this: an alert or a person says so")


def _component_down(plan: Plan, component: str, region: str, picture: Picture) -> _Condition:
    kind = plan.components[component].kind
    if kind == "application":
        return _application_down(plan, region, picture)
    subject = _SUBJECTS.get(kind)
    joint = next((one for one in picture.joints if (one.region, one.subject, one.name) == (region, subject, component)), None)
    if joint is None or joint.health is Health.UNKNOWN:
        return _Condition(None, f"nobody can say how {component} in {region} is")
    if joint.health is Health.DOWN:
        return _Condition(True, f"{component} in {region} is down: {joint.reason}", joint.since_seconds)
    return _Condition(False, f"{component} in {region} is {joint.health}")


def _application_down(plan: Plan, region: str, picture: Picture) -> _Condition:
    """No function is served where its clients are sent, and it isn't the stores' fault: a lost database is no lost application."""
    served_here = {signal.name for signal in picture.signals if signal.subject is Subject.TRANSACTION and signal.region == region}
    if not served_here >= set(plan.functions):
        return _Condition(False, f"not all functions' clients are sent to {region}")
    stores = [name for name, component in plan.components.items() if component.kind in _STORES]
    here = {one.name: one.health for one in picture.joints if one.region == region and one.name in stores}
    if any(here.get(store, Health.UNKNOWN) in (Health.DOWN, Health.UNKNOWN) for store in stores):
        return _Condition(None, f"the stores in {region} are not known to be up, so nothing is said of its application")
    health = {name: joint.health for name, joint in picture.functions.items()}
    if all(said is Health.DOWN for said in health.values()):
        since = max(joint.since_seconds for joint in picture.functions.values())
        return _Condition(True, f"none of {len(health)} functions is served in {region}, though its stores are up", since)
    if any(said in (Health.UP, Health.DEGRADED) for said in health.values()):
        return _Condition(False, f"functions are served in {region}")
    return _Condition(None, f"it is not known whether any function is served in {region}")


def _score_below(below: float, region: str, picture: Picture) -> _Condition:
    found = picture.scores[region]
    if found.score is None:
        return _Condition(None, f"the score of {region} is unknown: {found.reason}")
    if found.best < below:
        return _Condition(True, f"the score of {region} is {found.score:.0f}, below {below:g}: {found.reason}")
    if found.score < below:
        return _Condition(None, f"the score of {region} is {found.score:.0f} by what is known, and {found.best:.0f} if the rest is well")
    return _Condition(False, f"the score of {region} is {found.score:.0f}")


def _network_lost(plan: Plan, region: str, picture: Picture) -> _Condition:
    needed = majority(plan)
    lost_since: dict[str, float] = {}
    answered: set[str] = set()
    for observer in plan.observers:
        said = [signal for signal in picture.signals if signal.observer == observer and _on_path(signal, region)]
        if said and all(signal.lost for signal in said):
            lost_since[observer] = max(signal.since_seconds for signal in said)
        elif any(signal.health is not Health.UNKNOWN for signal in said):
            answered.add(observer)
    if len(lost_since) >= needed:
        since = sorted(lost_since.values())[needed - 1]
        return _Condition(True, f"{_names(lost_since)} get no answer from anything in {region}, and do elsewhere", since)
    if len(answered) >= needed:
        return _Condition(False, f"{_names(answered)} get answers from {region}")
    return _Condition(None, f"{len(lost_since)} of {len(plan.observers)} observers get no answer from {region}; {needed} are needed")


def _zones_down(count: int, region: str, picture: Picture) -> _Condition:
    here = [zone for zone in picture.zones if zone.region == region]
    down = sorted((zone for zone in here if zone.health is Health.DOWN), key=lambda zone: zone.since_seconds)
    unknown = [zone for zone in here if zone.health is Health.UNKNOWN]
    if len(here) < count:
        return _Condition(None, f"the plan names {len(here)} zones of {region}, and {count} would have to be down")
    if len(down) >= count:
        names = ", ".join(zone.zone for zone in down)
        return _Condition(True, f"{len(down)} of {len(here)} zones of {region} are down: {names}", down[count - 1].since_seconds)
    if len(down) + len(unknown) >= count:
        return _Condition(None, f"{len(down)} of {len(here)} zones of {region} are known to be down, {len(unknown)} are unknown")
    return _Condition(False, f"{len(down)} of {len(here)} zones of {region} are down")


def _on_path(signal: Signal, region: str) -> bool:
    # Transactions go where DNS sends them: they say how a function is, not where a path ends.
    return signal.region == region and signal.subject is not Subject.TRANSACTION


def _names(observers: Mapping[str, float] | set[str]) -> str:
    names = sorted(observers)
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
