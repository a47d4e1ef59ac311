"""What messages may say about an incident now: gathered from the journal and what is being watched."""

from dataclasses import replace

from holdfast.communications import IncidentFacts
from holdfast.communications.rendering import field_values
from holdfast.conduct.expected import expected_back
from holdfast.conduct.runs import FAILOVER
from holdfast.conduct.situation import Situation
from holdfast.conduct.status_page import page_state
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
    hit_now = () if incident.ended else situation.functions_hit  # what is hit after its end is another incident's
    functions: dict[str, None] = dict.fromkeys(hit.function for hit in hit_now)
    commander, done = None, []
    for record in incident.course:
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
        status=page_state(incident),
        actions_taken=tuple(done),
        next_steps=() if following is None else (following.format(source=incident.source, target=incident.target),),
        cost_usd=cost_so_far(situation.plan, clock.plan_seconds(situation.now - incident.impact_seconds)).usd,
        restored_seconds=restored_seconds(incident),
        aware_seconds=incident.opened_seconds,
        cause=incident.cause,
        report=incident.review,
        needs=_needs(situation, incident),
        clock=clock,
    )


def values_of(situation: Situation, incident: IncidentState, facts: IncidentFacts) -> dict[str, str]:
    """Text of every field that messages may use. What is expected is worked out here and not with the facts: only words need it."""
    facts = replace(facts, expected_back=expected_back(situation, incident))
    return field_values(situation.plan, incident.scenario, facts, situation.now)


def restored_seconds(incident: IncidentState) -> float | None:
    """When every function was served again; None as long as they are not."""
    return next((record.at_seconds for record in incident.course if _is_back(record)), None)


def _is_back(record: Record) -> bool:
    return record.kind == Kind.RUN_FINISHED and record.body["run"] == FAILOVER and record.body["outcome"] == "succeeded"


def _needs(situation: Situation, incident: IncidentState) -> tuple[str, ...]:
    """What people must do now, in words."""
    proposal = incident.proposal
    if proposal is not None:
        roles = [situation.plan.roles[role].name if role in situation.plan.roles else role for role in proposal.roles]
        return (f"{proposal.count} of {', '.join(roles)} decide on the {proposal.action} to {proposal.target}",)
    if incident.state is State.NEEDS_PERSON:
        return ("somebody says how a step of the recovery goes on",)
    return ()
