"""The clock of every function: since when clients lack it, what was promised, and when it is expected back.

Rules: a clock starts with the first failure that observers saw and stops when they see it served again; both are in the journal while an
incident is open. A forecast names what it rests on (`conduct.expected` makes it).
"""

from collections.abc import Mapping
from typing import Any

from holdfast.conduct import expected
from holdfast.conduct.situation import Situation
from holdfast.decision.observed import FunctionOutage
from holdfast.decision.replay import IncidentState
from holdfast.health.picture import Picture
from holdfast.health.signals import Health
from holdfast.runbook.expectation import Expected


def forecast(situation: Situation, incident: IncidentState) -> dict[str, Any] | None:
    """When the run that is under way is expected to have its functions proved and to be through; None between runs."""
    ahead = expected.forecast(situation, incident)
    if ahead is None:
        return None
    return {
        "run": ahead.run,
        "served": None if ahead.served is None else _moment(ahead.served),
        "through": None if ahead.through is None else _moment(ahead.through),
        "chain": list(ahead.chain),
        "steps": {step: _moment(one) for step, one in ahead.steps.items()},
        "measured_steps": ahead.measured_steps,
    }


def _moment(one: Expected) -> dict[str, Any]:
    return {
        "at_seconds": one.ends_seconds,
        "not_before": one.not_before,
        "rests_on": "the plan's windows" if one.by_plan else "earlier runs",
    }


def functions(
    situation: Situation,
    incident: IncidentState | None,
    picture: Picture | None,
    served_from: Mapping[str, str],
    ahead: Mapping[str, Any] | None,
) -> list[dict[str, Any]]:
    """Every function of the plan with its clock, in the plan's order. `ahead`: the forecast of the run under way."""
    hit = {entry.function: entry.since_seconds for entry in situation.functions_hit}
    found = []
    for name, function in situation.plan.functions.items():
        joint = picture.functions.get(name) if picture is not None else None
        up = joint is not None and joint.health is Health.UP and name not in hit
        outage = _outage(incident, name, lost=name in hit, up=up) if incident is not None else None
        since = outage.since_seconds if outage is not None else hit.get(name)
        back = outage.back_seconds if outage is not None else None
        out = since is not None and back is None
        found.append(
            {
                "function": name,
                "name": function.name,
                "priority": function.priority,
                "rto_seconds": function.rto,
                "rpo_seconds": function.rpo,
                "health": _health(name, joint.health if joint is not None else Health.UNKNOWN, situation),
                "reason": joint.reason if joint is not None else "nobody has looked at it",
                "served_from": served_from.get(name),
                "out_since_seconds": since,
                "back_seconds": back,
                "expected_back": ahead["served"] if out and ahead is not None else None,
            }
        )
    return found


def _outage(incident: IncidentState, name: str, *, lost: bool, up: bool) -> FunctionOutage | None:
    """A function's outage in an incident. `lost`, `up`: as it is seen now, which is neither where nobody looks."""
    outage = incident.functions.get(name)
    if outage is None or not incident.ended:
        return outage
    # What is lost now is no part of an incident that is over, and of what came back unseen nobody knows since when.
    return None if (lost if outage.back_seconds is not None else up) else outage


def _health(name: str, health: Health, situation: Situation) -> str:
    """As the policy sees it: without an answer from the serving region's network every function there is down."""
    down = {entry.function for entry in situation.functions_hit if entry.down}
    return Health.DOWN.value if name in down else health.value
