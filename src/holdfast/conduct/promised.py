"""What the approvers were told may be lost, as the effector of a promotion is held to it: checked where the loss would happen.

Rules: a bound that people approved is never exceeded silently; a named person may accept the larger figure that the promotion found,
and that word is in the journal. Who accepted a loss that could not be bounded is held to nothing. Never here: what a target lacks.
"""

from collections.abc import Mapping
from typing import Any

from holdfast.conduct.assessment import smallest_rpo_seconds
from holdfast.conduct.undoing import book_of
from holdfast.decision.replay import IncidentState
from holdfast.journal.kinds import Kind
from holdfast.plan.model import Plan

ACCEPTED = "accepts_loss_seconds"


def promised(incident: IncidentState, run: str, mode: str) -> Mapping[str, Any]:
    """`loss_bound_seconds` and `stopped_seconds` (when the source stopped writing), or nothing when no bound was given."""
    bound = incident.decided.get(run, {}).get("loss_bound_seconds")
    fences = [r.body for r in incident.records if r.kind == Kind.FENCE_CONFIRMED and r.body["run"] == run]
    if mode != "ungraceful" or bound is None or not fences or "at_seconds" not in fences[-1]:
        return {}
    accepted = [
        float(record.body["facts"][ACCEPTED])
        for record in incident.records
        if record.kind == Kind.STEP_FINISHED and record.body["run"] == run and ACCEPTED in record.body["facts"]
    ]
    return {"loss_bound_seconds": max(float(bound), *accepted, 0.0), "stopped_seconds": fences[-1]["at_seconds"]}


def held_to(plan: Plan, incident: IncidentState, run: str, mode: str, step: str) -> Mapping[str, Any]:
    """What a step of this run is told about the loss that was approved: see `promised` and `rather_restored`."""
    bound = promised(incident, run, mode)
    return {**bound, **rather_restored(plan, incident, run, step)} if bound else {}


def rather_restored(plan: Plan, incident: IncidentState, run: str, step: str) -> Mapping[str, Any]:
    """`rather_restore_above_seconds`: from which loss on the archived log is asked first, because the plan binds a restore as this
    step's other way. Nothing where it binds none, or where a named person has accepted what the promotion loses."""
    way = book_of(plan, incident, run).ways.get(step)
    if way is None or all(one.block.name != "postgres.restore" for one in way.steps):
        return {}
    accepted = any(
        record.kind == Kind.STEP_FINISHED and (record.body["run"], record.body["step"]) == (run, step) and ACCEPTED in record.body["facts"]
        for record in incident.records
    )
    return {} if accepted else {"rather_restore_above_seconds": smallest_rpo_seconds(plan)}


def would_lose_seconds(incident: IncidentState, run: str, step: str) -> float | None:
    """The loss that the step's last attempt found too large, or None when that isn't why it stands."""
    for record in reversed(incident.records):
        if record.kind == Kind.STEP_FINISHED and record.body["run"] == run and record.body["step"] == step:
            value = record.body["facts"].get("would_lose_seconds")
            return None if value is None else float(value)
    return None
