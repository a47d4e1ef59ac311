"""Turning back: what an abort does at this moment, what it says before, and the records of its beginning and its end.

Rules:
- Before any promotion was ordered, what can be undone is undone and what stays is said: the epoch is barred and withdrawn with the target
  first (so that it can never take effect), only then is the source told to go on; what was drained, activated or scaled up goes back.
- After a promotion was ordered nothing is withdrawn: nothing further begins, the target stays the writer, a person says how it goes on.
- What a run does not move is left alone: service goes on where it was served from before the run, which may be two regions.
- Every component is named with its state at the end (see `naming`).

Never here: which steps undo a run (see `undoing`), carrying a step out, or promising (see `controller.promising`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from holdfast.conduct.naming import halted, turned_back
from holdfast.conduct.runs import (
    FAILOVER,
    REPROTECT,
    TURN_BACK,
    current_run,
    intended,
    is_open,
    moves_writers,
    promotion_ordered,
    regions_of_run,
    since_start,
)
from holdfast.conduct.situation import Command, Move, Situation, Write
from holdfast.conduct.standing import before, pointed, settings
from holdfast.conduct.suspicion import transition
from holdfast.conduct.undoing import is_undone, steps
from holdfast.decision.replay import IncidentState, Installation
from holdfast.decision.table import Event, State
from holdfast.journal.kinds import Kind
from holdfast.plan.model import Plan
from holdfast.plan.parameters import region_of
from holdfast.runbook.graph import PlannedStep
from holdfast.runbook.progress import Progress, StepState


@dataclass(frozen=True, slots=True)
class Outlook:
    """What an abort would do now. `way`: turn-back (what can be undone is), halt (nothing further begins), or none."""

    way: str
    reason: str
    undone: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()
    """What can't be undone, or is left as it is."""
    components: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Component → region → the state in which it will be."""


def outlook(plan: Plan, installation: Installation, incident: IncidentState) -> Outlook:
    """What an abort would do at this moment, for the person who is about to ask for it."""
    run = current_run(incident)
    if incident.ended:
        return Outlook("none", f"{incident.incident} is over: {incident.state.value}")
    if run == TURN_BACK:
        return Outlook("none", f"{incident.incident} is being turned back already")
    if incident.state is State.HALTED:
        offers = f"`holdfast go-on {incident.incident}` finishes it, `holdfast failback` is the planned way home"
        return Outlook("none", f"{incident.incident} was halted already; {offers}")
    if run is None:
        known = before(plan, incident, None)
        return Outlook("none", f"nothing is under way: {known.serves} serves{known.aside}, and `holdfast failback` is the way home")
    if promotion_ordered(incident, run):
        return _halting(plan, incident, run)
    undone = tuple(_undoes(plan, incident, run))
    stays = tuple(_stays(plan, incident, run))
    known = before(plan, incident, run)
    reason = f"nothing was promoted: {known.serves} goes on serving{known.aside}"
    return Outlook("turn-back", reason, undone, stays, turned_back(plan, incident, run, {}))


def _undoes(plan: Plan, incident: IncidentState, run: str) -> list[str]:
    home, left = regions_of_run(incident, run)
    void = [] if incident.proposal is None else [f"proposal {incident.proposal.proposal} is void, with every approval given for it"]
    return [*void, *(_said(plan, step, home, left) for step in steps(plan, incident, run, incident.epochs.get(run)))]


def _said(plan: Plan, step: PlannedStep, home: str, left: str) -> str:
    """What a step of the undoing does, for the person who is about to ask for it."""
    region = region_of(step.parameters, left, home)
    match step.block.name:
        case "withdraw":
            return f"{step.parameters['region']} is told that the epoch is never opened"
        case "application.scale":
            size = "the size that it serves with" if region == home else "its standby size"
            return f"the application in {region} goes back to {size}"
        case "settings.update":
            _, stores = pointed(plan, {"source": left, "target": home, "parameters": step.parameters})
            own = set(stores.values()) == {region}
            return f"the application in {region} uses {'the stores of its own region' if own else settings(stores)} again"
    return _SAID[step.block.name].format(region=region, home=home, left=left)


_SAID = {
    "loadbalancer.switch": "the load balancer in {home} admits traffic again",
    "loadbalancer.drain": "the load balancer in {left} admits no traffic again",
    "bucket.activate": "the bucket in {home} is the one that is written again",
    "dns.switch": "the names lead to {home} again",
    "smoke.test": "a real transaction of every function is tried in {region}",
}


def _stays(plan: Plan, incident: IncidentState, run: str) -> list[str]:
    _, target = regions_of_run(incident, run)
    begun = {record.body["block"] for record in intended(incident, run)}
    found = []
    if run in incident.epochs:
        found.append(f"epoch {incident.epochs[run][0]}.{incident.epochs[run][1]} is used up and never opened")
    if "fence" in begun:
        found.append("requests that failed while the source was fenced have failed")
    if "application.deploy" in begun:
        found.append(f"the application in {target} keeps the version that was deployed")
    if "application.fresh" in begun:
        found.append(f"the application in {target} keeps both sets: neither the fresh one nor the one before is removed")
    if "bucket.activate" in begun:
        found.append(f"objects that were written to the bucket in {target} meanwhile and are not copied yet stay there alone")
    if any(record.kind == Kind.NOTIFICATION_SENT for record in incident.records):
        found.append("messages that were sent stay sent")
    if run == REPROTECT and begun:
        moved = moves_writers(plan, incident.scenario, FAILOVER)
        what = "making the old source a replica" if moved else "making the old source ready"
        found.append(f"what was begun of {what} may be half done; it is done again before a way home")
    return found


def _halting(plan: Plan, incident: IncidentState, run: str) -> Outlook:
    source, target = regions_of_run(incident, run)
    stays = (
        f"a promotion in {target} was ordered: write power can't be taken back by withdrawing, {target} stays the writer",
        f"{source} stays fenced until it is made a replica",
    )
    reason = f"nothing further begins; then `holdfast go-on {incident.incident}` finishes it"
    if run == FAILOVER:
        reason += ", or `holdfast failback` takes the planned way home"
    return Outlook("halt", reason, (), stays, halted(plan, incident, run))


# -- moves --------------------------------------------------------------------------------------------------------------------


def abort(situation: Situation, incident: IncidentState, command: Command) -> tuple[str, tuple[Move, ...]]:
    """Turn back, or stop where turning back is no longer possible."""
    seen = outlook(situation.plan, situation.installation, incident)
    run = current_run(incident)
    if seen.way == "none" or run is None:
        return f"refused: {seen.reason}", ()
    because = str(command.arguments.get("reason") or "")
    reason = f"{command.by} aborted it: {because}".rstrip(": ")
    if seen.way == "halt":
        return f"accepted: {seen.reason}", transition(incident, Event.HALTED, reason)
    return f"accepted: {seen.reason}", turn_back(situation, incident, run, reason)


def turn_back(situation: Situation, incident: IncidentState, run: str, reason: str) -> tuple[Move, ...]:
    """Records that end `run` where it stands and begin its undoing."""
    moves: list[Move] = []
    if incident.proposal is not None:
        moves.append(Write(Kind.PROPOSAL_VOID, incident.incident, {"proposal": incident.proposal.proposal, "reason": reason}))
    if is_open(incident, run):
        kept = frozenset(step for of, step in situation.in_flight if of == run and is_undone(situation.plan, incident, run, step))
        moves += _given_up(incident, run, kept)
        moves.append(Write(Kind.RUN_FINISHED, incident.incident, {"run": run, "outcome": "abandoned", "reason": reason}))
    home, left = regions_of_run(incident, run)
    withdraws = incident.epochs.get(run)
    started = {
        "run": TURN_BACK,
        "source": left,
        "target": home,
        "mode": "graceful",
        "epoch": situation.installation.epoch,
        "of": run,
        "withdraws": None if withdraws is None else list(withdraws),
    }
    moves += transition(incident, Event.RUN_ABANDONED, reason)
    if run not in incident.numbers:
        return (*moves, Write(Kind.RUN_STARTED, incident.incident, started))
    # What obeyed the run's orders obeys only a higher number.
    era, epoch = situation.installation.used
    number = {"run": TURN_BACK, "era": era, "epoch": epoch + 1, "source": left, "target": home}
    return (*moves, Write(Kind.RUN_STARTED, incident.incident, started), Write(Kind.RUN_NUMBERED, incident.incident, number))


def _given_up(incident: IncidentState, run: str, kept: frozenset[str] = frozenset()) -> list[Write]:
    """An outcome for every step that was begun and has none: nobody waits for it any more, and undoing reckons with its effect.

    `kept`: steps under way that something undoes. They come to their own end first: an order that arrives after it was undone would stand.
    """
    open_steps: dict[str, Mapping[str, Any]] = {}
    for record in since_start(incident, run):
        if record.kind == Kind.STEP_INTENDED and record.body["run"] == run:
            open_steps[record.body["step"]] = record.body
        elif record.kind == Kind.STEP_FINISHED and record.body["run"] == run:
            open_steps.pop(record.body["step"], None)
    detail = "given up by the abort before its outcome was known"
    left = (body for step, body in open_steps.items() if step not in kept)
    return [Write(Kind.STEP_FINISHED, incident.incident, unsettled(body, "unknown", detail, {})) for body in left]


def unsettled(begun: Mapping[str, Any], outcome: str, detail: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Body of an outcome that Holdfast gives a step without having looked."""
    named = {name: begun[name] for name in ("run", "step", "block", "attempt")}
    return {**named, "outcome": outcome, "detail": detail, "facts": dict(facts), "checked": "unknown", "verified": "unknown"}


def answered(incident: IncidentState, step: str) -> tuple[Move, ...]:
    """The incident goes on, where this was the only step that a person was asked about."""
    waits: set[str] = set()
    for record in since_start(incident, TURN_BACK):
        if record.kind == Kind.STEP_WAITING:
            waits.add(record.body["step"])
        elif record.kind in (Kind.STEP_FINISHED, Kind.STEP_INTENDED):
            waits.discard(record.body["step"])
    return transition(incident, Event.PERSON_CHOSE, f"{step} was attested") if waits == {step} else ()


def withdrawn(installation: Installation, incident: IncidentState, region: str, detail: str) -> tuple[Write, ...]:
    """The record that the epoch never takes effect, once the target knows; nothing for the source, or when it is written already."""
    if incident.withdraws is None or region != regions_of_run(incident, TURN_BACK)[0]:
        return ()
    era, epoch = incident.withdraws
    back = (installation.era, installation.epoch, installation.serving)
    if (installation.era, installation.epoch) == (era, epoch) and installation.former is not None:
        back = installation.former
    body = {"run": incident.turning, "era": era, "epoch": epoch, "back": list(back[:2]), "serving": back[2], "detail": detail}
    return (Write(Kind.EPOCH_WITHDRAWN, incident.incident, body),)


def finished(situation: Situation, incident: IncidentState, now: Progress) -> tuple[Move, ...]:
    """Everything is undone, or a named person let it be: say where each component stands, and end."""
    run = incident.turning or FAILOVER
    home = regions_of_run(incident, TURN_BACK)[1]
    named = turned_back(situation.plan, incident, run, {step: state.state for step, state in now.items()})
    skipped = [step for step, state in now.items() if state.state is StepState.SKIPPED]
    left_out = f"; skipped by a person: {', '.join(skipped)}" if skipped else ""
    moves: tuple[Move, ...] = (
        *_given_up(incident, run),
        Write(Kind.RUN_FINISHED, incident.incident, {"run": TURN_BACK, "outcome": "succeeded", "reason": f"turned back{left_out}"}),
        Write(Kind.TURNED_BACK, incident.incident, {"run": run, "components": named, "reason": f"turned back{left_out}"}),
    )
    if run != FAILOVER:
        known = before(situation.plan, incident, run)
        stayed = f"the way home was turned back; {known.serves} goes on serving{known.aside}"
        return (*moves, *transition(incident, Event.STAYED, stayed))
    reason = f"turned back: {home} serves as before{left_out}"
    closed = Write(Kind.INCIDENT_CLOSED, incident.incident, {"outcome": "turned-back", "reason": reason})
    return (*moves, *transition(incident, Event.TURNED, reason), closed)


def found(situation: Situation, stray: tuple[int, int]) -> tuple[Move, ...]:
    """An agent pledged an epoch that nothing in this journal opened: a lost journal did, and it is turned back."""
    known = situation.installation
    home = known.serving
    left = next(name for name in situation.plan.regions if name != home)
    incident = f"inc-{known.term}-{len(known.incidents) + 1}"
    reason = f"the agent of {left} pledged epoch {stray[0]}.{stray[1]} to a controller whose journal is lost; it is turned back"
    opened = {
        "scenario": situation.scenario,
        "kind": "exercise" if situation.exercise is not None else "incident",
        "exercise": situation.exercise,
        "source": home,
        "target": left,
        "mode": "ungraceful",
        "trigger": "lost-journal",
        "impact_seconds": situation.now,
        "reason": reason,
        "requester": "holdfast",
    }
    moved = {"from": State.DECLARED.value, "to": State.TURNING_BACK.value, "event": Event.RUN_ABANDONED.value, "reason": reason}
    run = {"run": FAILOVER, "source": home, "target": left, "mode": "ungraceful", "epoch": known.epoch}
    undoing = {**run, "run": TURN_BACK, "source": left, "target": home, "mode": "graceful", "of": FAILOVER, "withdraws": list(stray)}
    found_ = {"run": FAILOVER, "era": stray[0], "epoch": stray[1], "source": home, "target": left, "reason": reason}
    return (
        Write(Kind.INCIDENT_OPENED, incident, opened),
        Write(Kind.RUN_STARTED, incident, run),
        Write(Kind.EPOCH_FOUND, incident, found_),
        Write(Kind.RUN_FINISHED, incident, {"run": FAILOVER, "outcome": "abandoned", "reason": reason}),
        Write(Kind.TRANSITION, incident, moved),
        Write(Kind.RUN_STARTED, incident, undoing),
    )
