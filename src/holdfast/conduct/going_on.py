"""Going on after somebody stopped, or where the source died: finish what was halted, take the way home from there, or ask people again.

What people approved binds them to exactly that. When it no longer holds after the epoch was opened (the source that was to stop orderly
is dead; the loss at the fence is more than they saw), the epoch goes on, the approval is void, and nothing touches a writer or traffic
before people have approved again, with the bound as it is now.
"""

from collections.abc import Mapping
from typing import Any

from holdfast.conduct.proposals import settle_again, shown
from holdfast.conduct.runs import (
    FAILOVER,
    REPROTECT,
    TURN_BACK,
    current_run,
    mode_of_run,
    phases_of,
    promotion_ordered,
    regions_of_run,
    since_start,
)
from holdfast.conduct.situation import Command, LossBound, Move, Situation, Write
from holdfast.conduct.suspicion import opening, transition
from holdfast.conduct.turning import unsettled
from holdfast.decision.replay import IncidentState
from holdfast.decision.table import Event, State
from holdfast.journal.kinds import Kind
from holdfast.plan.blocks import BLOCKS
from holdfast.plan.model import Plan


def go_on(incident: IncidentState, command: Command) -> tuple[str, tuple[Move, ...]]:
    """Finish what was halted; or, asked for `ungracefully`, go on without the source's orderly stop."""
    if command.arguments.get("ungracefully") is True:
        return _without_the_source(incident, command)
    moves = transition(incident, Event.GONE_ON, f"{command.by} said: go on")
    if not moves:
        return f"refused: nothing was halted; {incident.incident} is {incident.state.value}", ()
    return "accepted: the run goes on where it was halted", moves


def home_after_halt(plan: Plan, incident: IncidentState, by: str) -> tuple[str, tuple[Move, ...]]:
    """The planned way home instead of finishing: possible once every writer of the plan was promoted."""
    run = current_run(incident)
    finish = f"finish it first: `holdfast go-on {incident.incident} --as NAME`"
    if run != FAILOVER:
        return f"refused: {run} is what was halted, so there is no other way home; {finish}", ()
    done = {r.body["step"] for r in since_start(incident, run) if r.kind == Kind.STEP_FINISHED and r.body["outcome"] in _DONE}
    promotions = [
        step.id
        for phase in plan.scenarios[incident.scenario].phases
        for step in phase.steps
        if BLOCKS[step.block].grants_write and step.id not in done
    ]
    if promotions:
        return f"refused: {', '.join(promotions)} is not done, so {incident.target} can't be followed yet; {finish}", ()
    reason = f"{by} asked for the way home after it was halted"
    ended = Write(Kind.RUN_FINISHED, incident.incident, {"run": run, "outcome": "abandoned", "reason": reason})
    moves = transition(incident, Event.RETURN_REQUESTED, reason)
    return "accepted: the lost region is made a replica first, then the way back is proposed", (ended, *moves)


_DONE = ("succeeded", "settled")


def _without_the_source(incident: IncidentState, command: Command) -> tuple[str, tuple[Move, ...]]:
    run = current_run(incident)
    if run is None or run in (REPROTECT, TURN_BACK) or incident.state is State.HALTED:
        return f"refused: no planned move is under way; {incident.incident} is {incident.state.value}", ()
    if mode_of_run(incident, run) == "ungraceful":
        return f"refused: {incident.incident} doesn't wait for its source any more", ()
    source, _ = regions_of_run(incident, run)
    if run in incident.positions:
        return f"refused: {source} has stopped already and said so; nothing is lost by going on", ()
    because = str(command.arguments.get("reason") or "")
    reason = f"{command.by} goes on without the orderly stop of {source}: {because}".rstrip(": ")
    moves = [*fence_again(incident, run, reason), reopened(incident, run, "ungraceful", reason, command.by)]
    return f"accepted: people are asked again, with what may be lost when {source} doesn't stop orderly", tuple(moves)


def reopened(incident: IncidentState, run: str, mode: str, reason: str, by: str) -> Write:
    """The record that the approval of a run no longer holds."""
    return Write(Kind.APPROVAL_REOPENED, incident.incident, {"run": run, "mode": mode, "reason": reason, "by": by})


def fence_again(incident: IncidentState, run: str, reason: str) -> tuple[Move, ...]:
    """The fence that waits for the source is given up, to be ordered anew; a person who was asked about it has answered."""
    begun: Mapping[str, Any] | None = None
    waits: set[str] = set()
    for record in since_start(incident, run):
        body = record.body
        if record.kind in (Kind.STEP_INTENDED, Kind.STEP_WAITING) and body["block"] == "fence":
            begun = body
        elif record.kind == Kind.STEP_FINISHED and body["block"] == "fence":
            begun = None
        if record.kind == Kind.STEP_WAITING:
            waits.add(body["step"])
        elif record.kind in (Kind.STEP_FINISHED, Kind.STEP_INTENDED):
            waits.discard(body["step"])
    if begun is None:
        return ()
    again = Write(Kind.STEP_FINISHED, incident.incident, unsettled(begun, "again", reason, {}))
    return (again, *(transition(incident, Event.PERSON_CHOSE, reason) if waits == {begun["step"]} else ()))


def outgrown(incident: IncidentState) -> tuple[Move, ...]:
    """The loss at the confirmed fence is more than was approved: people are asked again before anything is promoted."""
    run = current_run(incident)
    if run is None or run == TURN_BACK or run not in incident.fence_losses or run in incident.reopened:
        return ()
    decision = incident.decided.get(run)
    if decision is None or decision["loss_bound_seconds"] is None or promotion_ordered(incident, run):
        return ()  # Nobody was told a bound: a named person accepted that.
    loss, approved = shown(LossBound(incident.fence_losses[run], None)).bound_seconds, decision["loss_bound_seconds"]
    exact = incident.fence_losses[run]
    if exact is not None and exact <= approved:
        return ()
    now = "can't be bounded" if loss is None else f"is up to {loss:.1f} s"
    reason = f"what may be lost {now} now that the source is fenced; {approved:.1f} s were approved"
    return (reopened(incident, run, "ungraceful", reason, "holdfast"),)


def ask_again(situation: Situation, incident: IncidentState) -> tuple[Move, ...]:
    """Proposals about a run whose approval no longer holds, though its epoch is open."""
    run = current_run(incident)
    if run is None or run not in incident.reopened or incident.state is State.HALTED or situation.installation.paused is not None:
        return ()
    approvals = (step.id for phase in phases_of(situation.plan, incident.scenario, run) for step in phase.steps if step.block == "approve")
    return settle_again(situation, incident, run, next(approvals, "approve"))


def home_without_incident(situation: Situation, by: str, scenario: str, foreseen: str | None = None) -> tuple[Move, ...]:
    """DR serves and no incident is open (its journal was lost, say): open one of this scenario that has only the way home left.

    `foreseen`: digest of the file of `holdfast plan` that it was begun with.
    """
    home, serving = situation.plan.primary_region(), situation.installation.serving
    reason = f"{by} asked for the way home; {serving} serves and no incident is open"
    opened, _ = opening(
        situation,
        source=home,
        mode="graceful",
        trigger="command",
        impact_seconds=situation.now,
        reason=reason,
        requester=by,
        foreseen=foreseen,
        scenario=scenario,
    )
    assert isinstance(opened, Write)
    steps = ((State.DECLARED, Event.FOUND_AWAY, State.RECOVERED), (State.RECOVERED, Event.RETURN_REQUESTED, State.REPROTECTING))
    moved = [
        Write(Kind.TRANSITION, opened.incident, {"from": before.value, "to": after.value, "event": event.value, "reason": reason})
        for before, event, after in steps
    ]
    return (opened, *moved)
