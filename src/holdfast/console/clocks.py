"""The clock of every function: since when clients lack it, what was promised, and when it is expected back.

Rules: a clock starts with the first failure that observers saw and stops when they see it served again; both are in the journal while an
incident is open. A forecast names what it rests on, and is *not before* where nobody can say how long a step still takes.
"""

from collections.abc import Mapping
from typing import Any

from holdfast.conduct.course import run_progress, run_started_seconds
from holdfast.conduct.runs import FAILOVER, current_run, phases_of
from holdfast.conduct.situation import Situation
from holdfast.decision.replay import IncidentState
from holdfast.health.picture import Picture
from holdfast.health.signals import Health
from holdfast.runbook.expectation import Expected, chain_to, expectation, measured_seconds, proof_of_service
from holdfast.runbook.progress import DONE


def forecast(situation: Situation, incident: IncidentState) -> dict[str, Any] | None:
    """When the run that is under way is expected to have its functions proved and to be through; None between runs."""
    run = current_run(incident)
    phases = () if run is None else phases_of(situation.plan, incident.scenario, run)
    if run is None or not phases:
        return None  # Turning back has no window in the plan to measure it by.
    book, now = run_progress(situation, incident, run)
    earlier = [known for known in situation.installation.incidents.values() if known.incident != incident.incident]
    measured = measured_seconds(earlier, incident.scenario, run, book, incident.exercise)
    started = run_started_seconds(incident, run)
    counted_from = incident.impact_seconds if run == FAILOVER or started is None else started
    found = expectation(book, phases, now, measured, counted_from, situation.now)
    proof = proof_of_service(book)
    last = max(found, key=lambda step: found[step].ends_seconds, default=None)
    chain = chain_to(found, proof or last) if last is not None else ()
    return {
        "run": run,
        "served": None if proof is None else _moment(found[proof]),
        "through": None if last is None else _moment(found[last]),
        "chain": [step for step in chain if now[step].state not in DONE],
        "steps": {step: _moment(expected) for step, expected in found.items() if now[step].state not in DONE},
        "measured_steps": len(measured),
    }


def _moment(expected: Expected) -> dict[str, Any]:
    return {
        "at_seconds": expected.ends_seconds,
        "not_before": expected.not_before,
        "rests_on": "the plan's windows" if expected.by_plan else "earlier runs",
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
        outage = incident.functions.get(name) if incident is not None else None
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


def _health(name: str, health: Health, situation: Situation) -> str:
    """As the policy sees it: without an answer from the serving region's network every function there is down."""
    down = {entry.function for entry in situation.functions_hit if entry.down}
    return Health.DOWN.value if name in down else health.value
