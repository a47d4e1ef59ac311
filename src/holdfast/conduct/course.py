"""The course of a run: which steps begin, what they leave in the journal, when the run is over and what follows it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from holdfast.conduct import turning
from holdfast.conduct.attesting import is_attested
from holdfast.conduct.catching_up import PATIENCE_SECONDS, holding_back
from holdfast.conduct.expected import run_progress
from holdfast.conduct.guards import forbidden, held
from holdfast.conduct.messages import due_record, owed
from holdfast.conduct.other_way import choices, taking
from holdfast.conduct.pausing import is_paused
from holdfast.conduct.proposals import settle_proposal
from holdfast.conduct.runs import REPROTECT, TURN_BACK, WAY_BACK, current_run, intended, is_open, mode_of_run, next_order, regions_of_run
from holdfast.conduct.situation import Begin, Move, Situation, Write
from holdfast.conduct.suspicion import transition
from holdfast.decision.replay import IncidentState
from holdfast.decision.table import Event, State
from holdfast.journal.kinds import Kind
from holdfast.plan.blocks import BLOCKS, Actor
from holdfast.plan.people import asked_role
from holdfast.plan.tiers import cost_so_far
from holdfast.runbook.graph import PlannedStep, Runbook
from holdfast.runbook.progress import (
    Progress,
    Start,
    StepState,
    goes_by_itself,
    is_finished,
    must_ask,
    startable,
    under_way,
)


def intent(situation: Situation, incident: IncidentState, run: str, step: PlannedStep, attempt: int) -> dict[str, Any]:
    """Body of the record that must be durable before the step does anything."""
    source, target = regions_of_run(incident, run)
    return {
        "run": run,
        "step": step.id,
        "block": step.block.name,
        "component": step.component,
        "source": source,
        "target": target,
        "mode": mode_of_run(incident, run),
        "attempt": attempt,
        "order": next_order(situation.installation, incident, run).as_list(),
        "parameters": dict(step.parameters),
    }


def finish(
    step: PlannedStep, run: str, attempt: int, *, outcome: str, detail: str, facts: Mapping[str, Any], looks: tuple[str, str]
) -> dict[str, Any]:
    """Body of the record of what became of a step. `looks`: answers of check and verify."""
    named = {"run": run, "step": step.id, "block": step.block.name, "attempt": attempt, "attempts_left": -attempt % step.attempts}
    return {**named, "outcome": outcome, "detail": detail, "facts": dict(facts), "checked": looks[0], "verified": looks[1]}


def _assessed(situation: Situation, incident: IncidentState, usd: float) -> str:
    """The impact in words: what was hit and what still is, since a heal may come before the assessment."""
    hit = {entry.function for entry in situation.functions_hit}
    were = hit | set(incident.functions)
    still = "" if were == hit else f", {len(hit)} of them still are"
    said = f"{len(were)} of {len(situation.plan.functions)} functions {'are' if were == hit else 'were'} hit{still}"
    figure = f"{usd:,.0f}".replace(",", "\u202f")
    return f"{said}; an outage of this length costs {figure} USD by the plan's tiers"


def _by_holdfast(
    situation: Situation, incident: IncidentState, run: str, start: Start, book: Runbook, ready_since: float
) -> tuple[Move, ...]:
    """Steps that only state facts: intent, facts and outcome in one go. `ready_since`: when the step's turn came."""
    step = start.step
    first = Write(Kind.STEP_INTENDED, incident.incident, intent(situation, incident, run, step, start.attempt))
    hit = {entry.function: entry.since_seconds for entry in situation.functions_hit}
    elapsed = situation.now - incident.impact_seconds
    extra: tuple[Move, ...] = ()
    if step.block.name == "assess":
        cost = cost_so_far(situation.plan, elapsed)
        assessed = {"functions": hit, "cost_usd": cost.usd, "tier": cost.tier.customer_impact if cost.tier else None}
        extra = (Write(Kind.IMPACT_ASSESSED, incident.incident, assessed),)
        detail = _assessed(situation, incident, cost.usd)
    elif step.block.name == "notify":
        wanted = [message for message in owed(situation, incident) if message.message == step.parameters["message"]]
        extra = tuple(due_record(incident, message) for message in wanted if message.key not in incident.messages_due)
        deliveries = sum(len(message.deliveries) for message in wanted)
        detail = f"{step.parameters['message']} is owed: {deliveries} deliveries, each recorded when it is handed over"
    elif step.block.name == "confirm" and (hit or situation.functions_unknown):
        if situation.now - ready_since < step.time_limit_seconds:
            return ()  # Not yet: what clients get isn't what the plan promises, or nobody can say.
        return _ask(situation, incident, run, step, book, start.attempt, f"after {step.time_limit_seconds:g} s {_unconfirmed(situation)}")
    else:
        detail = f"every function is served as promised, {elapsed:.1f} s after the impact"
    done = finish(step, run, start.attempt, outcome="succeeded", detail=detail, facts={}, looks=("no", "yes"))
    return (first, *extra, Write(Kind.STEP_FINISHED, incident.incident, done))


def _unconfirmed(situation: Situation) -> str:
    """What speaks against saying that the service is back. Silence is no proof of it."""
    hit = ", ".join(entry.function for entry in situation.functions_hit)
    unknown = ", ".join(sorted(situation.functions_unknown))
    parts = [f"clients still don't get what the plan promises from: {hit}"] if hit else []
    parts += [f"no majority of the observers can say how clients are served by: {unknown}"] if unknown else []
    return "; ".join(parts)


def _begin(situation: Situation, incident: IncidentState, run: str, start: Start, book: Runbook, now: Progress) -> tuple[Move, ...]:
    step = start.step
    ready_since = max((now[name].ended_seconds or 0.0 for name in step.after), default=incident.opened_seconds)
    if step.block.name == "approve":
        return settle_proposal(situation, incident, run, step, next_order(situation.installation, incident, run))
    takes_away = step.block.removes_write or step.block.stops_traffic
    if takes_away and (behind := _still_behind(situation, incident, run, step)):
        if situation.now - ready_since < PATIENCE_SECONDS:
            return ()  # A copy that fell behind a moment ago may be back in the next.
        return _ask(situation, incident, run, step, book, start.attempt, _held_back(incident, run, behind))
    if step.block.actor is Actor.PERSON:
        return _ask(situation, incident, run, step, book, start.attempt, str(step.parameters.get("text", step.id)))
    if step.block.actor is Actor.CONTROLLER:
        return _by_holdfast(situation, incident, run, start, book, ready_since)
    return (Begin(incident.incident, run, step, start.attempt, start.look_only, start.prove_only),)


def _held_back(incident: IncidentState, run: str, behind: tuple[str, ...]) -> str:
    """What a person must know who is asked how a planned move goes on whose copies fell behind."""
    source = regions_of_run(incident, run)[0]
    drained = any(BLOCKS[record.body["block"]].stops_traffic for record in intended(incident, run))
    traffic = f", but {source} admits no traffic any more" if drained else ""
    dead = f"`holdfast go-on {incident.incident} --ungracefully` where {source} is dead"
    return f"{'; '.join(behind)}: no store was stopped{traffic} ({dead})"


def _still_behind(situation: Situation, incident: IncidentState, run: str, step: PlannedStep) -> tuple[str, ...]:
    """Why the source of a planned move is not to be stopped now. Once that was ordered, its copies can't come nearer by waiting."""
    ordered = any(record.body["step"] == step.id for record in intended(incident, run))
    return () if ordered or is_attested(incident, run) else holding_back(situation, incident, run)


def _ask(
    situation: Situation, incident: IncidentState, run: str, step: PlannedStep, book: Runbook, attempt: int, reason: str
) -> tuple[Move, ...]:
    named = {"run": run, "step": step.id, "block": step.block.name, "attempt": attempt}
    body = {**named, "reason": reason, "needs": asked_role(situation.plan, step.by), "choices": choices(incident, run, book, step)}
    stuck = transition(incident, Event.STEP_STUCK, f"{step.id}: {reason}")
    return (Write(Kind.STEP_WAITING, incident.incident, body), *stuck)


def steps(situation: Situation, incident: IncidentState) -> tuple[Move, ...]:
    """Begin what may begin, ask a person about what can't go on, and close the run when all is done."""
    run = current_run(incident)
    if run is None or incident.state is State.HALTED:
        return ()
    if not is_open(incident, run):
        return _start_run(situation, incident, run)
    book, now = run_progress(situation, incident, run)
    now = _with_orphans(situation, run, now)
    for step in under_way(book, now):
        reason = must_ask(step, now[step.id])
        if reason is not None and goes_by_itself(book, step, now[step.id]):
            if is_paused(situation, incident, run, step):
                continue
            return (taking(incident, run, book, step, reason),)
        if reason is not None:
            return _ask(situation, incident, run, step, book, now[step.id].attempts, reason)
    if is_finished(book, now):
        return turning.finished(situation, incident, now) if run == TURN_BACK else _finished(situation, incident, run)
    moves: list[Move] = []
    for start in startable(book, now, situation.now):
        if (run, start.step.id) in situation.in_flight or _waits_for_person(now, start.step) or held(situation, incident, run, start.step):
            continue
        barred = forbidden(incident, run, start.step, book, now, situation.plan_digest)
        if barred is not None:
            return _ask(situation, incident, run, start.step, book, start.attempt, barred)
        begun = _begin(situation, incident, run, start, book, now)
        if begun and not isinstance(begun[0], Begin):
            return begun
        moves += begun
    return tuple(moves)


def _with_orphans(situation: Situation, run: str, now: Progress) -> Progress:
    """A step whose intent the disk kept though it could not confirm it was never begun: nobody is carrying it out."""
    return {
        step: replace(state, state=StepState.UNSETTLED)
        if state.state is StepState.RUNNING and (run, step) not in situation.in_flight
        else state
        for step, state in now.items()
    }


def _waits_for_person(now: Progress, step: PlannedStep) -> bool:
    return now[step.id].state is StepState.NEEDS_PERSON


def _start_run(situation: Situation, incident: IncidentState, run: str) -> tuple[Move, ...]:
    source, target = regions_of_run(incident, run)
    body = {"run": run, "source": source, "target": target, "mode": mode_of_run(incident, run), "epoch": situation.installation.epoch}
    return (Write(Kind.RUN_STARTED, incident.incident, body),)


def _finished(situation: Situation, incident: IncidentState, run: str) -> tuple[Move, ...]:
    reason = "every step is done"
    if incident.state is State.DECLARED:  # People's own work: nothing was proposed, so nothing moved, and no way home is left to take.
        return (
            Write(Kind.RUN_FINISHED, incident.incident, {"run": run, "outcome": "succeeded", "reason": reason}),
            *transition(incident, Event.RESOLVED, reason),
            Write(Kind.INCIDENT_CLOSED, incident.incident, {"outcome": "resolved", "reason": f"{reason}, and nothing was moved"}),
        )
    at_home = run == REPROTECT and incident.target == situation.plan.primary_region()  # It was DR that was lost: nowhere is left to go.
    moves: tuple[Move, ...] = (
        Write(Kind.RUN_FINISHED, incident.incident, {"run": run, "outcome": "succeeded", "reason": reason}),
        *transition(incident, Event.HOME_ALREADY if at_home else Event.RUN_SUCCEEDED, reason),
    )
    if at_home:
        closed = {"outcome": "returned", "reason": f"{incident.target} serves everything and {incident.source} is its replica"}
        moves = (*moves, Write(Kind.INCIDENT_CLOSED, incident.incident, closed))
    if run == WAY_BACK:
        closed = {"outcome": "returned", "reason": f"{incident.source} serves everything again and {incident.target} is its replica"}
        moves = (*moves, Write(Kind.INCIDENT_CLOSED, incident.incident, closed))
    return moves
