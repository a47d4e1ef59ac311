"""What messages may say about an incident now: gathered from the journal and what is being watched."""

from holdfast.communications import IncidentFacts
from holdfast.conduct.runs import FAILOVER
from holdfast.conduct.situation import Situation
from holdfast.decision.replay import IncidentState
from holdfast.decision.table import State
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.plan.tiers import cost_so_far

COMMANDER = "incident-commander"
_WORDS = {
    State.DECLARED: "under investigation",
    State.AWAITING_APPROVAL: "waiting for a decision",
    State.ACTIVATING: "recovery under way",
    State.NEEDS_PERSON: "recovery under way, a person is needed",
}
_NEXT = {
    State.DECLARED: "find out what is wrong and propose what to do",
    State.AWAITING_APPROVAL: "decide whether {target} takes over",
    State.ACTIVATING: "finish the recovery in {target}, then move clients there",
    State.NEEDS_PERSON: "a person says how the recovery goes on",
    State.RECOVERED: "watch {target}, and bring {source} back as its replica",
    State.REPROTECTING: "finish making {source} a replica again",
    State.PROTECTED: "decide when service goes home to {source}",
}


def incident_facts(situation: Situation, incident: IncidentState) -> IncidentFacts:
    """What messages may say about the incident now."""
    restored = next((record.at_seconds for record in incident.records if is_back(record)), None)
    functions: dict[str, None] = dict.fromkeys(hit.function for hit in situation.functions_hit)
    commander, done = None, []
    for record in incident.records:
        if record.kind == Kind.SEVERITY_CHANGED:
            functions |= dict.fromkeys(record.body["functions"])
        elif record.kind == Kind.STEP_FINISHED and record.body["outcome"] in ("succeeded", "settled"):
            done.append(record.body["step"])
        elif record.kind == Kind.ROLES_ACTIVATED and commander is None:
            commander = record.body["roles"].get(COMMANDER)
        elif record.kind == Kind.ROLE_TAKEN and record.body["role"] == COMMANDER:
            commander = record.body["person"]
    clock = incident.clock
    following = _NEXT.get(incident.state)
    return IncidentFacts(
        incident=incident.incident,
        started_seconds=incident.impact_seconds,
        source=incident.source,
        target=incident.target,
        severity=incident.severity,
        functions=tuple(functions),
        commander=commander,
        exercise=incident.exercise,
        state=_WORDS.get(incident.state, "service is back"),
        actions_taken=tuple(done),
        next_steps=() if following is None else (following.format(source=incident.source, target=incident.target),),
        cost_usd=cost_so_far(situation.plan, clock.plan_seconds(situation.now - incident.impact_seconds)).usd,
        restored_seconds=restored,
        aware_seconds=incident.opened_seconds,
        needs=_needs(incident),
        clock=clock,
    )


def is_back(record: Record) -> bool:
    """Whether this record says that every function is served again."""
    return record.kind == Kind.RUN_FINISHED and record.body["run"] == FAILOVER and record.body["outcome"] == "succeeded"


def _needs(incident: IncidentState) -> tuple[str, ...]:
    """What people must do now, in words."""
    proposal = incident.proposal
    if proposal is not None:
        return (f"{proposal.count} of {', '.join(proposal.roles)} decide on the {proposal.action} to {proposal.target}",)
    if incident.state is State.NEEDS_PERSON:
        return ("somebody says how a step of the recovery goes on",)
    return ()
