"""Turning back: what an abort does at this moment, the steps that undo what was begun, and the state in which everything is left.

Rules:
- Before any promotion was ordered, what can be undone is undone and what stays is said: the epoch is barred and withdrawn with the target
  first (so that it can never take effect), only then is the source told to go on; what was drained, activated or scaled up goes back.
- After a promotion was ordered nothing is withdrawn: nothing further begins, the target stays the writer, a person says how it goes on.
- Every component is named with its state at the end. What nobody could tell the source is said, not guessed.

Never here: carrying a step out, or promising (see `controller.promising`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from holdfast.conduct.runs import (
    FAILOVER,
    REPROTECT,
    TURN_BACK,
    current_run,
    intended,
    is_open,
    phases_of,
    promotion_ordered,
    regions_of_run,
    since_start,
)
from holdfast.conduct.situation import Command, Move, Situation, Write
from holdfast.conduct.suspicion import transition
from holdfast.decision.replay import IncidentState, Installation
from holdfast.decision.table import Event, State
from holdfast.journal.kinds import Kind
from holdfast.plan.blocks import BLOCKS
from holdfast.plan.model import Plan
from holdfast.runbook.graph import PlannedStep, Runbook, runbook
from holdfast.runbook.progress import Progress, StepState

PHASE = "Turning back"
STEP_SECONDS = 15.0
"""Bound of one attempt: undoing is short, and a silent region is a person's business soon."""
ATTEMPTS = 4
_WRITERS = ("postgres", "redis")


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
        serves = incident.target
        return Outlook("none", f"nothing is under way: {serves} serves, and `holdfast failback` is the way home")
    source, target = regions_of_run(incident, run)
    if promotion_ordered(incident, run):
        return _halting(plan, incident, run)
    undone = tuple(_undoes(plan, incident, run))
    stays = tuple(_stays(incident, run))
    reason = f"nothing was promoted: {source if run != REPROTECT else target} goes on serving"
    return Outlook("turn-back", reason, undone, stays, components(plan, installation, incident, run, {}))


def _undoes(plan: Plan, incident: IncidentState, run: str) -> list[str]:
    home, left = regions_of_run(incident, run)
    void = [] if incident.proposal is None else [f"proposal {incident.proposal.proposal} is void, with every approval given for it"]
    undoing = steps(plan, incident, run, incident.epochs.get(run))
    return [*void, *(_SAID[step.block.name].format(region=step.parameters.get("region"), home=home, left=left) for step in undoing)]


_SAID = {
    "withdraw": "{region} is told that the epoch is never opened",
    "loadbalancer.switch": "the load balancer in {home} admits traffic again",
    "bucket.activate": "the bucket in {home} is the one that is written again",
    "application.scale": "the application in {left} goes back to its standby size",
    "settings.update": "the application in {home} uses the stores of its own region again",
    "dns.switch": "the names lead to {home} again",
    "smoke.test": "a real transaction of every function is tried in {home}",
}


def _stays(incident: IncidentState, run: str) -> list[str]:
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
    if any(record.kind == Kind.NOTIFICATION_SENT for record in incident.records):
        found.append("messages that were sent stay sent")
    if run == REPROTECT and begun:
        found.append("what was begun of making the old source a replica may be half done; it is done again before a way home")
    return found


def _halting(plan: Plan, incident: IncidentState, run: str) -> Outlook:
    source, target = regions_of_run(incident, run)
    done = _succeeded(incident, run)
    stays = (
        f"a promotion in {target} was ordered: write power can't be taken back by withdrawing, {target} stays the writer",
        f"{source} stays fenced until it is made a replica",
    )
    named = {
        name: {target: _halted_state(component.kind, done), source: "fenced" if component.kind in _WRITERS else "as it was"}
        for name, component in plan.components.items()
    }
    reason = f"nothing further begins; then `holdfast go-on {incident.incident}` finishes it"
    if run == FAILOVER:
        reason += ", or `holdfast failback` takes the planned way home"
    return Outlook("halt", reason, (), stays, named)


def _halted_state(kind: str, done: frozenset[str]) -> str:
    blocks = {
        "postgres": ("postgres.promote", "writer", "promotion ordered, not proved"),
        "redis": ("redis.promote", "writer", "not proved to be the writer"),
        "bucket": ("bucket.activate", "written", "not activated"),
        "loadbalancer": ("loadbalancer.switch", "admits traffic", "admits none yet"),
        "dns": ("dns.switch", "the names lead here", "the names don't lead here yet"),
        "application": ("settings.update", "uses the stores of this region", "not pointed at the stores of this region yet"),
    }
    if kind not in blocks:
        return "as it was"
    block, yes, no = blocks[kind]
    return yes if block in done else no


def _succeeded(incident: IncidentState, run: str) -> frozenset[str]:
    outcomes = ("succeeded", "settled")
    finished = (r for r in since_start(incident, run) if r.kind == Kind.STEP_FINISHED and r.body["run"] == run)
    return frozenset(record.body["block"] for record in finished if record.body["outcome"] in outcomes)


# -- the steps ----------------------------------------------------------------------------------------------------------------


def steps(plan: Plan, incident: IncidentState, run: str, withdraws: tuple[int, int] | None) -> tuple[PlannedStep, ...]:
    """What undoes `run`. It depends only on what was intended before the abort, so it stays the same while it is carried out."""
    home, left = regions_of_run(incident, run)
    found: list[PlannedStep] = []
    first: tuple[str, ...] = ()
    if withdraws is not None:
        found.append(_step(f"withdraw-{left}", "withdraw", parameters={"region": left}))
        found.append(_step(f"withdraw-{home}", "withdraw", after=(found[0].id,), parameters={"region": home}))
        first = (found[1].id,)
    for record in intended(incident, run):
        undo = _undo(plan, incident, run, record.body)
        if undo is not None:
            block, parameters = undo
            found.append(_step(f"undo-{record.body['step']}", block, record.body["component"], first, parameters))
    if withdraws is not None or run in incident.numbers:
        found.append(_step("prove-service", "smoke.test", after=tuple(step.id for step in found)))
    return tuple(found)


def book(plan: Plan, incident: IncidentState) -> Runbook:
    """The steps of the turning back that is on, or was last."""
    return Runbook(steps(plan, incident, incident.turning or FAILOVER, incident.epochs.get(TURN_BACK)))


def book_of(plan: Plan, incident: IncidentState, run: str) -> Runbook:
    """The steps of a run: the plan's, or what undoes an aborted run."""
    return book(plan, incident) if run == TURN_BACK else runbook(phases_of(plan, incident.scenario, run))


def _step(
    identifier: str, block: str, component: str | None = None, after: tuple[str, ...] = (), parameters: Mapping[str, Any] | None = None
) -> PlannedStep:
    return PlannedStep(identifier, PHASE, BLOCKS[block], component, after, parameters or {}, STEP_SECONDS, ATTEMPTS)


def _undo(plan: Plan, incident: IncidentState, run: str, begun: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]] | None:
    """Block and parameters that undo a step, or None where there is nothing to undo or no block for it."""
    match begun["block"]:
        case "loadbalancer.drain":
            return "loadbalancer.switch", {}
        case "bucket.activate":
            return "bucket.activate", {}
        case "settings.update" if begun["parameters"].get("region") == "source":
            return "settings.update", {}
        case "dns.switch":
            return "dns.switch", {}
        case "application.scale" if run == FAILOVER and begun["parameters"].get("region", "target") == "target":
            standby = _standby_size(plan, incident.scenario)
            return None if standby is None else ("application.scale", standby)
    return None


def _standby_size(plan: Plan, scenario: str) -> Mapping[str, Any] | None:
    """How the plan's own way home shrinks the region that is left, if it does."""
    blocks = (step for phase in plan.scenarios[scenario].way_back for step in phase.steps if step.block == "application.scale")
    return next((step.parameters for step in blocks if step.parameters.get("region") == "source"), None)


# -- the states ---------------------------------------------------------------------------------------------------------------


def components(
    plan: Plan, installation: Installation, incident: IncidentState, run: str, done: Mapping[str, StepState]
) -> dict[str, dict[str, str]]:
    """Component → region → its state after `run` was turned back. `done`: how each undoing step ended; empty before it began."""
    if run == REPROTECT:
        source, target = regions_of_run(incident, run)
        return {name: {target: "serves", source: "as reprotection left it"} for name in plan.components}
    home, left = regions_of_run(incident, run)
    begun = {record.body["block"]: record.body["step"] for record in intended(incident, run)}
    found = {}
    for name, component in plan.components.items():
        here, there = _states(component.kind, home, left, begun, done)
        states = {home: here, left: there}
        found[name] = {region: states[region] for region in plan.regions}  # Regions never swap places.
    return found


def _states(kind: str, home: str, left: str, begun: Mapping[str, str], done: Mapping[str, StepState]) -> tuple[str, str]:
    told = done.get(f"withdraw-{home}", StepState.SUCCEEDED) is StepState.SUCCEEDED
    if kind in _WRITERS:
        return ("writer" if told else "not told: fenced, or writer again once its agent answers"), "replica, never promoted"
    if kind == "bucket":
        return _undone("bucket.activate", "written", "not written again", begun, done), "copy"
    if kind == "loadbalancer":
        return _undone("loadbalancer.drain", "admits traffic", "still held back", begun, done), "admits none"
    if kind == "dns":
        return "the names lead here", "no name leads here"
    if kind == "application":
        return "as it was", _standby(begun, done)
    return "as it was", "as it was"


def _undone(block: str, yes: str, no: str, begun: Mapping[str, str], done: Mapping[str, StepState]) -> str:
    state = done.get(f"undo-{begun[block]}", StepState.SUCCEEDED) if block in begun else StepState.SUCCEEDED
    return yes if state is StepState.SUCCEEDED else no


def _standby(begun: Mapping[str, str], done: Mapping[str, StepState]) -> str:
    parts = []
    if "application.scale" in begun:
        undo = f"undo-{begun['application.scale']}"
        shrunk = not done or done.get(undo) is StepState.SUCCEEDED
        parts.append("standby size" if shrunk else "left at the size that the move gave it")
    told = {"application.deploy": "version of the move", "application.fresh": "a second set of instances beside the first"}
    parts += [said for block, said in told.items() if block in begun]
    return ", ".join(parts) or "as it was"


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
        moves += [Write(Kind.STEP_FINISHED, incident.incident, body) for body in _given_up(incident, run)]
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


def _given_up(incident: IncidentState, run: str) -> list[dict[str, Any]]:
    """An outcome for every step that was begun and has none: nobody waits for it any more, and undoing reckons with its effect."""
    open_steps: dict[str, Mapping[str, Any]] = {}
    for record in since_start(incident, run):
        if record.kind == Kind.STEP_INTENDED and record.body["run"] == run:
            open_steps[record.body["step"]] = record.body
        elif record.kind == Kind.STEP_FINISHED and record.body["run"] == run:
            open_steps.pop(record.body["step"], None)
    detail = "given up by the abort before its outcome was known"
    return [unsettled(body, "unknown", detail, {}) for body in open_steps.values()]


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
    named = components(situation.plan, situation.installation, incident, run, {step: state.state for step, state in now.items()})
    skipped = [step for step, state in now.items() if state.state is StepState.SKIPPED]
    left_out = f"; skipped by a person: {', '.join(skipped)}" if skipped else ""
    moves: tuple[Move, ...] = (
        Write(Kind.RUN_FINISHED, incident.incident, {"run": TURN_BACK, "outcome": "succeeded", "reason": f"turned back{left_out}"}),
        Write(Kind.TURNED_BACK, incident.incident, {"run": run, "components": named, "reason": f"turned back{left_out}"}),
    )
    if run != FAILOVER:
        return (*moves, *transition(incident, Event.STAYED, f"the way home was turned back; {incident.target} goes on serving"))
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
