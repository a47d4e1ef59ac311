"""Impact from facts: severity, and whether a loss is above what the plan allows."""

from collections.abc import Sequence

from holdfast.communications.oncall import fillers_between
from holdfast.conduct.situation import FunctionHit
from holdfast.decision.replay import IncidentState
from holdfast.plan.model import Plan
from holdfast.plan.people import Occasion

_SEVERITIES = ("P1", "P2", "P3", "P4")


def severity(plan: Plan, hit: Sequence[FunctionHit], now: float) -> str | None:
    """Severity P1 to P4: the highest priority among the functions hit.

    A function that still answers, only worse than promised, counts one step lower until that has lasted for half its RTO.
    None when nothing is hit.
    """
    ranks = []
    for entry in hit:
        function = plan.functions[entry.function]
        rank = _SEVERITIES.index(function.priority)
        mild = not entry.down and now - entry.since_seconds < function.rto / 2
        ranks.append(min(rank + 1, 3) if mild else rank)
    return _SEVERITIES[min(ranks)] if ranks else None


def smallest_rpo_seconds(plan: Plan) -> float:
    """The strictest RPO among the plan's functions: above it, a named human must accept the loss."""
    return min(function.rpo for function in plan.functions.values())


def roles_of(plan: Plan, incident: IncidentState, now: float) -> dict[str, tuple[str, ...]]:
    """Person → roles that the person fills in this incident: in an exercise the stand-ins, otherwise who was on call, primary and backup.

    Whoever has been on call at any moment since the opening counts: who was called before a hand-over may still decide, and who took the
    turn over may too. The incident says which it is, not how this controller was started: a real one stays real.
    """
    occasion = Occasion.of(incident.exercise)
    filled: dict[str, tuple[str, ...]] = {}
    for identifier, role in plan.roles.items():
        for person in fillers_between(plan, role, occasion, incident.opened_seconds, now):
            filled[person] = (*filled.get(person, ()), identifier)
    return filled
