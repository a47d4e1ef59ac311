"""Proposals: what people are asked, when that is void, and what becomes of their answers or their silence."""

import math
from typing import Any

from holdfast.conduct.assessment import smallest_rpo_seconds
from holdfast.conduct.catching_up import holding_back
from holdfast.conduct.runs import FAILOVER, WAY_BACK, mode_of_run, moves_writers, regions_of_run
from holdfast.conduct.situation import LossBound, Move, Situation, Write
from holdfast.conduct.suspicion import cause_gone_seconds, ending, transition
from holdfast.decision.approval import REQUESTER_HOLDFAST, Proposal, is_satisfied, proposal_hash
from holdfast.decision.replay import IncidentState
from holdfast.decision.table import Event
from holdfast.fencing.order import Order
from holdfast.journal.kinds import Kind
from holdfast.plan.model import ApprovalRule
from holdfast.runbook.graph import PlannedStep

NO_LOSS = LossBound(0.0, 0)


def _rule(situation: Situation, run: str) -> ApprovalRule:
    approval = situation.plan.approval
    return approval.way_back if run == WAY_BACK and approval.way_back is not None else approval.activation


def propose(situation: Situation, incident: IncidentState, run: str, step: str) -> tuple[Move, ...]:
    """Ask the plan's people: what, from where to where, and what it may lose at most."""
    source, target = regions_of_run(incident, run)
    mode = mode_of_run(incident, run)
    loss = shown(_loss(situation, incident, run))
    era, epoch = _epoch(situation, incident, run)
    rule = _rule(situation, run)
    number = sum(record.kind == Kind.PROPOSED for record in incident.records) + 1
    asked: dict[str, Any] = {
        "proposal": f"{incident.incident}-p{number}",
        "run": run,
        "step": step,
        "action": "failover" if mode == "ungraceful" else "switchover",
        "source": source,
        "target": target,
        "mode": mode,
        "era": era,
        "epoch": epoch,
        "loss_bound_seconds": loss.bound_seconds,
        "estimated_writes": loss.estimated_writes,
        "above_rpo": loss.bound_seconds is not None and loss.bound_seconds > smallest_rpo_seconds(situation.plan),
        "expires_seconds": situation.now + incident.clock.wall_seconds(rule.answer_within),
        "count": rule.count,
        "roles": list(rule.of),
        "requester": _requester(incident, run),
    }
    # Bound by the plan's digest, and said so that nobody takes the move of a component for that of the region.
    told = {"scenario": incident.scenario, "moves_writers": moves_writers(situation.plan, incident.scenario, run)}
    body = {**asked, **told, "hash": proposal_hash(situation.plan_digest, asked)}
    reason = f"{rule.count} of {', '.join(rule.of)} must approve"
    return (Write(Kind.PROPOSED, incident.incident, body), *transition(incident, Event.PROPOSED, reason))


def _loss(situation: Situation, incident: IncidentState, run: str) -> LossBound:
    """What the run may lose: nothing after an orderly stop; once the source is fenced what was known then, which stands still."""
    if mode_of_run(incident, run) == "graceful":
        return NO_LOSS
    if run in incident.fence_losses:
        return LossBound(incident.fence_losses[run], situation.loss.estimated_writes)
    return situation.loss


def _epoch(situation: Situation, incident: IncidentState, run: str) -> tuple[int, int]:
    """The (era, epoch) that the run opens, or has opened, or only numbers its orders with; a new one is above everything ever used."""
    era, epoch = situation.installation.used
    return incident.epochs.get(run) or incident.numbers.get(run) or (era, epoch + 1)


def shown(loss: LossBound) -> LossBound:
    """The bound as people see it: rounded up to a tenth of a second, so that the clocks' jitter doesn't void what they approved."""
    if not loss.bound_seconds:
        return loss
    return LossBound(math.ceil(loss.bound_seconds * 10 + 1) / 10, loss.estimated_writes)


def _requester(incident: IncidentState, run: str) -> str:
    """Who asked for this run: who had the incident opened, or whose wish to go home was accepted last."""
    if run == FAILOVER:
        confirmed = next((record.body["by"] for record in incident.records if record.kind == Kind.ALERT_CONFIRMED), None)
        return str(confirmed or incident.records[0].body.get("requester", REQUESTER_HOLDFAST))
    for record in reversed(incident.records):
        body = record.body
        if record.kind == Kind.COMMAND and body["verb"] == "failback" and str(body["answer"]).startswith("accepted"):
            return str(body["by"])
    return str(incident.records[0].body.get("requester", REQUESTER_HOLDFAST))


def _loss_grew(situation: Situation, incident: IncidentState, proposal: Proposal) -> bool:
    return grew(proposal.loss_bound_seconds, _loss(situation, incident, proposal.run).bound_seconds)


def grew(told_seconds: float | None, bound_seconds: float | None) -> bool:
    """Whether more may be lost than people were told. Who was told that it can't be bounded was told everything."""
    return told_seconds is not None and (bound_seconds is None or bound_seconds > told_seconds)


def _changed(situation: Situation, incident: IncidentState, proposal: Proposal) -> str | None:
    """What is not as the people saw it any more (a controller may have been started with another plan in between), or None."""
    asked = {name: getattr(proposal, name) for name in Proposal.__dataclass_fields__ if name not in ("hash", "roles")}
    if proposal_hash(situation.plan_digest, {**asked, "roles": list(proposal.roles)}) != proposal.hash:
        return "the plan is another one than the approvers saw"
    if (proposal.era, proposal.epoch) != _epoch(situation, incident, proposal.run):
        return f"epoch {proposal.era}.{proposal.epoch} is not the next one any more"
    return None


def settle_proposal(situation: Situation, incident: IncidentState, run: str, step: PlannedStep, order: Order) -> tuple[Move, ...]:
    """Decide when enough people approved what is still true; ask again when it changed; act on silence as the plan says.

    While its cause is gone nothing is decided and nobody is asked: people approve a move away from a region that fails, and it may just
    have come back. A planned move isn't decided while a copy is too far behind; what people said stands until their time is over.
    """
    if cause_gone_seconds(situation, incident) is not None:
        return ()
    proposal = incident.proposal
    if proposal is None:
        return propose(situation, incident, run, step.id)
    behind = holding_back(situation, incident, run)
    enough = is_satisfied(proposal, incident.approvals)  # each was given in time, so a pause that lasted longer takes none of them away
    if situation.now >= proposal.expires_seconds and not enough:
        return _unanswered(situation, incident, proposal, run)
    void = _void(situation, incident, proposal)
    if void is not None:
        return (_voided(incident, proposal, void),)
    if behind and situation.now >= proposal.expires_seconds:
        return _never_near(incident, proposal, behind)
    return _decided(situation, incident, proposal, run, step, order) if enough and not behind else ()


def settle_again(situation: Situation, incident: IncidentState, run: str, step: str) -> tuple[Move, ...]:
    """The same about a run whose epoch is open already: it opens none, and silence never ends it. `step`: the run's own approval."""
    proposal = incident.proposal
    if proposal is None:
        return propose(situation, incident, run, step)
    void = _void(situation, incident, proposal)
    if situation.now >= proposal.expires_seconds and not is_satisfied(proposal, incident.approvals):
        void = "nobody decided in time; everybody who may approve is asked again"
    if void is not None:
        return (_voided(incident, proposal, void),)
    if not is_satisfied(proposal, incident.approvals):
        return ()
    return (Write(Kind.DECIDED, incident.incident, _decision(situation, incident, proposal, run)),)


def _void(situation: Situation, incident: IncidentState, proposal: Proposal) -> str | None:
    """Why people must be asked again, or None."""
    changed = _changed(situation, incident, proposal)
    if changed is not None:
        return f"{changed}; people are asked again"
    if proposal.loss_bound_seconds is None and _loss(situation, incident, proposal.run).bound_seconds is not None:
        return "the loss can be bounded now; people are asked again with the figure"
    if is_satisfied(proposal, incident.approvals) and _loss_grew(situation, incident, proposal):
        return "the loss could now be more than the approvers saw; they are asked again"
    return None


def _voided(incident: IncidentState, proposal: Proposal, reason: str) -> Write:
    return Write(Kind.PROPOSAL_VOID, incident.incident, {"proposal": proposal.proposal, "reason": reason})


def _decision(situation: Situation, incident: IncidentState, proposal: Proposal, run: str) -> dict[str, Any]:
    approvers = [approval.person for approval in incident.approvals if approval.hash == proposal.hash]
    # From the first decision on nothing more is promised, so the end of the controller's last promise stays what it was then.
    ends = incident.decided.get(run, {}).get("promise_ends_seconds", situation.promise_ends_seconds)
    return {
        "proposal": proposal.proposal,
        "run": run,
        "action": proposal.action,
        "mode": proposal.mode,
        "reason": f"approved by {' and '.join(approvers)}",
        "loss_bound_seconds": proposal.loss_bound_seconds,
        "estimated_writes": proposal.estimated_writes,
        "approvers": approvers,
        "plan_digest": situation.plan_digest,
        "promise_ends_seconds": ends,
    }


def _decided(
    situation: Situation, incident: IncidentState, proposal: Proposal, run: str, step: PlannedStep, order: Order
) -> tuple[Move, ...]:
    decision = _decision(situation, incident, proposal, run)
    reason = decision["reason"]
    epoch = {"run": run, "era": proposal.era, "epoch": proposal.epoch, "source": proposal.source, "target": proposal.target}
    named = {"run": run, "step": step.id, "block": step.block.name, "attempt": 1}
    intended = {
        **named,
        "component": step.component,
        "source": proposal.source,
        "target": proposal.target,
        "mode": proposal.mode,
        "order": order.as_list(),
        "parameters": dict(step.parameters),
    }
    finished = {**named, "outcome": "succeeded", "detail": reason, "facts": {}, "checked": "no", "verified": "yes"}
    return (
        Write(Kind.DECIDED, incident.incident, decision),
        Write(Kind.EPOCH_OPENED if moves_writers(situation.plan, incident.scenario, run) else Kind.RUN_NUMBERED, incident.incident, epoch),
        Write(Kind.STEP_INTENDED, incident.incident, intended),
        Write(Kind.STEP_FINISHED, incident.incident, finished),
        *transition(incident, Event.APPROVED, reason),
    )


def _unanswered(situation: Situation, incident: IncidentState, proposal: Proposal, run: str) -> tuple[Move, ...]:
    rule = _rule(situation, run)
    if rule.if_unanswered == "stand-down" and run == FAILOVER:
        return ending(incident, Event.UNANSWERED, f"nobody decided within {rule.answer_within:g} s and the plan says: stand down")
    if rule.if_unanswered == "stand-down":
        return not_returning(incident, proposal, f"nobody decided within {rule.answer_within:g} s; service stays where it is")
    reason = f"nobody decided within {rule.answer_within:g} s; everybody who may approve is asked again"
    return (_voided(incident, proposal, reason),)


def _never_near(incident: IncidentState, proposal: Proposal, behind: tuple[str, ...]) -> tuple[Move, ...]:
    """Enough people approved a planned move, but the copies did not come near in the time that it had."""
    reason = f"approved, and not begun in its time: {'; '.join(behind)}; nothing was changed, and it can be asked for again"
    return ending(incident, Event.UNANSWERED, reason) if proposal.run == FAILOVER else not_returning(incident, proposal, reason)


def not_returning(incident: IncidentState, proposal: Proposal, reason: str) -> tuple[Move, ...]:
    """The way back isn't taken now; it can be asked for again."""
    return (
        _voided(incident, proposal, reason),
        Write(Kind.RUN_FINISHED, incident.incident, {"run": proposal.run, "outcome": "abandoned", "reason": reason}),
        *transition(incident, Event.REFUSED, reason),
    )
