"""What follows from a step's outcome in the journal, besides the outcome itself: a confirmed fence, a withdrawn epoch.

A confirmed fence says what its promotion may lose at most, now that the source can't write any more: from the newest write that the target
is known to have to the moment when the source had to stop. Who approved less than that is asked again (see `conduct.going_on`).
"""

from collections.abc import Mapping
from typing import Any

from holdfast.conduct.situation import Begin, Write
from holdfast.conduct.turning import withdrawn
from holdfast.controller.execution import StepResult
from holdfast.controller.stopping import opened_seconds, stopped_seconds
from holdfast.controller.watch import Watch
from holdfast.decision.replay import IncidentState, Installation
from holdfast.health.loss import worst_loss
from holdfast.journal.kinds import Kind
from holdfast.plan.model import Profile

_DONE = ("succeeded", "settled")


def follows(
    known: Installation, profile: Profile, watch: Watch, move: Begin, body: Mapping[str, Any], result: StepResult, now: float
) -> tuple[Write, ...]:
    """The records that belong before the outcome of this step."""
    incident = known.incidents[move.incident]
    if result.outcome not in _DONE:
        return ()
    if move.step.block.name == "withdraw":
        return withdrawn(known, incident, move.step.parameters["region"], result.detail)
    if move.step.block.name == "fence":
        return (_fenced(incident, profile, watch, move, body, result, now),)
    return ()


def _fenced(
    incident: IncidentState, profile: Profile, watch: Watch, move: Begin, body: Mapping[str, Any], result: StepResult, now: float
) -> Write:
    facts, run, target = result.facts, move.run, body["target"]
    noticed = float(facts.get("noticed_seconds", now))
    agent_ended = watch.promise_ended_seconds(target, opened_seconds(incident, run) or noticed)
    at_seconds = _last_write_seconds(incident, run, facts, stopped_seconds(incident, run, profile, noticed, agent_ended))
    confirmed = {
        "run": run,
        "region": body["source"],
        "how": facts.get("how", "acknowledged"),
        "at_seconds": at_seconds,
        "detail": result.detail,
        "last_heartbeat_seconds": facts.get("last_heartbeat_seconds"),
        "skew_seconds": facts.get("skew_seconds", 0.0),
        "position": facts.get("position") or {},
        "fenced_at_seconds": facts.get("fenced_at_seconds"),
    }
    loss = 0.0 if body["mode"] == "graceful" and confirmed["how"] == "acknowledged" else None
    if loss is None:
        loss = worst_loss(watch.losses(target, at_seconds))[0]
    return Write(Kind.FENCE_CONFIRMED, incident.incident, {**confirmed, "loss_bound_seconds": loss})


def _last_write_seconds(incident: IncidentState, run: str, facts: Mapping[str, Any], at_seconds: float) -> float:
    """The latest moment at which the source may have written: its own word, else the later end of the two promises to it, where known."""
    own, agent = incident.decided.get(run, {}).get("promise_ends_seconds"), facts.get("target_promise_ended_seconds")
    if facts.get("how") == "acknowledged" or own is None or agent is None:
        return at_seconds
    return min(at_seconds, max(float(own), float(agent)))
