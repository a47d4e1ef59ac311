"""What the approvers were told may be lost, as the effector of a promotion is held to it: checked where the loss would happen.

Rules: a bound that people approved is never exceeded silently; a named person may accept the larger figure that the promotion found,
and that word is in the journal. Who accepted a loss that could not be bounded is held to nothing. Never here: what a target lacks.
"""

from collections.abc import Mapping
from typing import Any

from holdfast.decision.replay import IncidentState
from holdfast.journal.kinds import Kind

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


def would_lose_seconds(incident: IncidentState, run: str, step: str) -> float | None:
    """The loss that the step's last attempt found too large, or None when that isn't why it stands."""
    for record in reversed(incident.records):
        if record.kind == Kind.STEP_FINISHED and record.body["run"] == run and record.body["step"] == step:
            value = record.body["facts"].get("would_lose_seconds")
            return None if value is None else float(value)
    return None
