"""What people say: approvals, refusals, choices, and the other things that a person can ask for, each with its answer."""

from collections.abc import Callable, Mapping
from typing import Any

from holdfast.conduct import alerting, answering, explaining, going_on, protecting, quiet_test, turning
from holdfast.conduct.access import break_glass
from holdfast.conduct.assessment import roles_of
from holdfast.conduct.attesting import attest
from holdfast.conduct.catching_up import holding_back, not_near
from holdfast.conduct.other_way import NEEDS_REASON, OUTCOMES, Choice, known_choices, taking
from holdfast.conduct.pausing import pause, resume
from holdfast.conduct.promised import ACCEPTED, would_lose_seconds
from holdfast.conduct.proposals import not_returning
from holdfast.conduct.reapply import ordered
from holdfast.conduct.receipts import receipt
from holdfast.conduct.runs import FAILOVER, current_run, is_carried_out_by_people
from holdfast.conduct.situation import Command, Move, Situation, Write
from holdfast.conduct.suspicion import ending, opening, stands_down_in_seconds, transition, waits_for_word
from holdfast.conduct.undoing import book_of
from holdfast.decision.approval import objection, role_used
from holdfast.decision.replay import IncidentState
from holdfast.decision.table import Event, State
from holdfast.journal.kinds import Kind
from holdfast.plan.people import against_stranger
from holdfast.runbook.expectation import Conducted

Deed = Callable[[Situation, IncidentState, Command], tuple[str, tuple[Move, ...]]]
"""What a command comes to where there is an open incident."""


def answer(situation: Situation, command: Command) -> tuple[str, tuple[Move, ...]]:
    """What a command comes to: a sentence for the person who gave it, and the records that it causes."""
    incident = situation.installation.open_incident()
    if command.verb in ("switchover", "declare"):
        return _begin_by_hand(situation, command, incident)
    if command.verb in _OF_THE_INSTALLATION:
        return _OF_THE_INSTALLATION[command.verb](situation, command)
    if command.verb in ("pause", "resume"):
        if (stranger := against_stranger(situation.plan, command.by, situation.exercise)) is not None:
            return f"refused: {stranger}", ()
        return (pause if command.verb == "pause" else resume)(situation, command)
    if command.verb == "reapply":
        about = situation.installation.incidents.get(str(command.arguments.get("incident")))
        return ordered(situation, command, against_stranger(situation.plan, command.by, about.exercise if about is not None else None))
    of_test = quiet_test.acknowledged(situation, command) if command.verb == "ack" else None
    if incident is None or of_test is not None:
        return of_test or ("refused: there is no open incident; `holdfast status` shows what there is", ())
    deeds: dict[str, Deed] = {
        "approve": _approve,
        "refuse": _refuse,
        "failback": _by_somebody_here(_failback),
        "choose": _choose,
        "abort": _by_somebody_here(_abort),
        "go-on": _by_somebody_here(_go_on),
        "attest": attest,
        "confirm": _by_somebody_here(alerting.confirm),
        "ack": _by_somebody_here(answering.acknowledge),
        "edit-message": _by_somebody_here(explaining.edit),
        "explain": _by_somebody_here(explaining.explain),
    }
    if command.verb not in deeds:
        known = ", ".join([*deeds, "declare", "switchover", "pause", "resume", protecting.DROP, protecting.PROTECT])
        return f"refused: '{command.verb}' is not a command; it can be one of: {known}", ()
    return deeds[command.verb](situation, incident, command)


def _approve(situation: Situation, incident: IncidentState, command: Command) -> tuple[str, tuple[Move, ...]]:
    proposal = incident.proposal
    if proposal is None:
        return f"refused: {incident.incident} waits for no approval; it is {incident.state.value}", ()
    roles = roles_of(situation.plan, incident, situation.now)
    against = objection(proposal, incident.approvals, command.by, str(command.arguments.get("hash")), roles, situation.now)
    if against is not None:
        return f"refused: {against}", ()
    body = {
        "proposal": proposal.proposal,
        "hash": proposal.hash,
        "person": command.by,
        "role": role_used(proposal, command.by, roles),
        "accepts_loss": command.arguments.get("accepts_loss") is True,
        "through": str(command.arguments.get("through") or "cli")[:100],
    }
    given = len(incident.approvals) + 1
    also = answering.answered_by_approving(situation, incident, command)
    said = f"accepted: approval {given} of {proposal.count}{_not_now(situation, incident)}"
    return said, (Write(Kind.APPROVED, incident.incident, body), *also)


def _not_now(situation: Situation, incident: IncidentState) -> str:
    """What an approver must know: copies that fell too far behind, or a region that has come back in the meantime."""
    run = current_run(incident)
    if run is not None and (behind := holding_back(situation, incident, run)):
        return f"; but {'; '.join(behind)}: nothing begins while that is so"
    left = stands_down_in_seconds(situation, incident)
    if left is None:
        return ""
    held = "nothing is moved unless it fails again"
    by_hand = "`holdfast refuse`, then `holdfast declare`, moves it all the same"
    return f"; but {incident.source} has come back: {held}, and in {left:.0f} s the incident stands down ({by_hand})"


def _refuse(situation: Situation, incident: IncidentState, command: Command) -> tuple[str, tuple[Move, ...]]:
    proposal = incident.proposal
    if proposal is None and waits_for_word(incident):
        if (stranger := against_stranger(situation.plan, command.by, incident.exercise)) is not None:
            return f"refused: {stranger}", ()
        return alerting.unconfirmed_refused(incident, command)
    if proposal is None:
        return f"refused: {incident.incident} waits for no approval; it is {incident.state.value}", ()
    if proposal.run in incident.reopened:
        turn = f"`holdfast abort {incident.incident}` turns back; until people approve, nothing is promoted"
        return f"refused: the epoch is open already, so there is nothing to refuse; {turn}", ()
    if command.arguments.get("hash", proposal.hash) != proposal.hash:
        return "refused: what is proposed now is not what was refused; look at the proposal again and decide on that", ()
    against = objection(proposal, (), command.by, proposal.hash, roles_of(situation.plan, incident, situation.now), situation.now)
    if against is not None and command.by != proposal.requester:  # Who asked for it may take it back.
        return f"refused: {against}", ()
    reason = str(command.arguments.get("reason") or "no reason given")
    refusal = Write(Kind.APPROVAL_REFUSED, incident.incident, {"proposal": proposal.proposal, "person": command.by, "reason": reason})
    said = f"{command.by} decided against it: {reason}"
    if proposal.run == FAILOVER:
        return f"accepted: the incident stands down{_still(situation, incident)}", (refusal, *ending(incident, Event.REFUSED, said))
    return "accepted: the way back is not taken now", (refusal, *not_returning(incident, proposal, said))


def _still(situation: Situation, incident: IncidentState) -> str:
    """What stays as it is after a refusal: nothing was changed, and the same suspicion opens nothing again."""
    if not any(alarm.region == incident.source for alarm in situation.alarms):
        return ""
    return f"; {incident.source} is still suspected, and that opens nothing by itself until it clears; `holdfast declare` does"


def _by_somebody_here(deed: Deed) -> Deed:
    """The deed, refused to whoever has nothing to say in this incident."""

    def checked(situation: Situation, incident: IncidentState, command: Command) -> tuple[str, tuple[Move, ...]]:
        stranger = against_stranger(situation.plan, command.by, incident.exercise)
        return (f"refused: {stranger}", ()) if stranger is not None else deed(situation, incident, command)

    return checked


def _failback(situation: Situation, incident: IncidentState, command: Command) -> tuple[str, tuple[Move, ...]]:
    if incident.state is State.HALTED:
        return going_on.home_after_halt(situation.plan, incident, command.by)
    moves = transition(incident, Event.RETURN_REQUESTED, f"{command.by} asked for the way back")
    if not moves:
        return f"refused: the way back starts when {incident.target} serves everything; {incident.incident} is {incident.state.value}", ()
    return "accepted: the lost region is made a replica first, then the way back is proposed", moves


def _abort(situation: Situation, incident: IncidentState, command: Command) -> tuple[str, tuple[Move, ...]]:
    named = command.arguments.get("incident")
    if named != incident.incident:
        return f"refused: {incident.incident} is the open incident, not {named}", ()
    return turning.abort(situation, incident, command)


def _go_on(_: Situation, incident: IncidentState, command: Command) -> tuple[str, tuple[Move, ...]]:
    return going_on.go_on(incident, command)


def _choose(situation: Situation, incident: IncidentState, command: Command) -> tuple[str, tuple[Move, ...]]:
    if (against := _against_choice(situation, incident, command)) is not None:
        return f"refused: {against}", ()
    waiting, step = waiting_steps(incident), str(command.arguments["step"])
    asked, run = waiting[step], waiting[step]["run"]
    book, choice = book_of(situation.plan, incident, run), Choice(str(command.arguments["choice"]))
    said = f"{command.by} chose {choice.value}: {command.arguments.get('reason') or ''}".rstrip(": ")
    facts: dict[str, Any] = {"person": command.by}
    if command.arguments.get("accepts_loss") is True:
        facts[ACCEPTED] = would_lose_seconds(incident, run, step)
        said += f" and accepts a loss of {facts[ACCEPTED]:.1f} s"
    chosen = transition(incident, Event.PERSON_CHOSE, f"{command.by} chose") if len(waiting) == 1 else ()
    if choice is Choice.OTHER_WAY:
        why = f"{said}; it waited because {asked['reason']}"
        return "accepted", (taking(incident, run, book, book.step(step), why, command.by), *chosen)
    if choice is Choice.FIRST_WAY:
        first = book.step(book.stand_ins[step])
        left = _settled_by_hand(incident, asked, "skipped", said, facts)
        again = {**asked, "step": first.id, "block": first.block.name}
        return "accepted", (left, _settled_by_hand(incident, again, "again", said, facts), *chosen)
    return "accepted", (_settled_by_hand(incident, asked, OUTCOMES[choice], said, facts), *chosen)


def _against_choice(situation: Situation, incident: IncidentState, command: Command) -> str | None:
    """Why this choice can't be taken, or None."""
    if (stranger := against_stranger(situation.plan, command.by, incident.exercise)) is not None:
        return stranger
    waiting = waiting_steps(incident)  # Before a decision a step may wait for a person too; the incident stays where it stands then.
    step, wanted = str(command.arguments.get("step")), str(command.arguments.get("choice"))
    if not waiting:
        return f"no step waits for a person; {incident.incident} is {incident.state.value}"
    if step not in waiting:
        return f"{step} waits for nobody; one of these does: {', '.join(sorted(waiting))}"
    run = waiting[step]["run"]
    known = known_choices(incident, run, book_of(situation.plan, incident, run), step)
    if wanted not in known:
        none = " (the plan binds no other way to it)" if wanted == Choice.OTHER_WAY else ""
        return f"{wanted} is no choice for {step}{none}; choose one of: {', '.join(known)}"
    if wanted in NEEDS_REASON and not command.arguments.get("reason"):
        return "skipping a step or calling it done needs a reason (--because)"
    return _against_loss(situation, incident, command, run)


def _against_loss(situation: Situation, incident: IncidentState, command: Command, run: str) -> str | None:
    """Why this person can't accept a loss here, or None: only who may approve a failover can, and only a loss that was found."""
    if command.arguments.get("accepts_loss") is not True:
        return None
    step, may = str(command.arguments["step"]), situation.plan.approval.activation.of
    if command.arguments.get("choice") != Choice.RETRY or would_lose_seconds(incident, run, step) is None:
        return f"a loss is accepted with retry, and {step} must have found one that is larger than approved"
    if not set(may) & set(roles_of(situation.plan, incident, situation.now).get(command.by, ())):
        return f"{command.by} fills none of the roles {', '.join(may)}, and only they can accept a loss"
    return None


def _settled_by_hand(incident: IncidentState, asked: Mapping[str, Any], outcome: str, said: str, facts: Mapping[str, Any]) -> Write:
    """A person's word about a step, as the outcome of its attempt."""
    named = {name: asked[name] for name in ("run", "step", "block", "attempt")}
    looks = {"checked": "unknown", "verified": "unknown"}
    return Write(Kind.STEP_FINISHED, incident.incident, {**named, "outcome": outcome, "detail": said, "facts": dict(facts), **looks})


def _mark(situation: Situation, command: Command) -> tuple[str, tuple[Move, ...]]:
    """What a drill does to the world, for the report. Only an exercise has such marks."""
    if situation.exercise is None:
        return "refused: this controller runs no exercise, so there is nothing to mark", ()
    incident = situation.installation.open_incident()
    body = {name: command.arguments.get(name) for name in ("what", "detail", "at_seconds")}
    return "accepted: marked", (Write(Kind.EXERCISE_MARK, incident.incident if incident else "", body),)


_OF_THE_INSTALLATION = {
    "alert": alerting.alert,
    "break-glass": break_glass,
    "mark": _mark,
    "receipt": receipt,
    "test-channels": quiet_test.begin,
    protecting.DROP: protecting.ordered,
    protecting.PROTECT: protecting.ordered,
}
"""Verbs that need no incident, and say themselves who may give them."""


def waiting_steps(incident: Conducted) -> dict[str, Mapping[str, Any]]:
    """Step → the record that says why it waits for a person, for every step that still does."""
    waiting: dict[str, Mapping[str, Any]] = {}
    for record in incident.records:
        if record.kind == Kind.STEP_WAITING:
            waiting[record.body["step"]] = record.body
        elif record.kind in (Kind.STEP_FINISHED, Kind.STEP_INTENDED, Kind.OTHER_WAY):
            waiting.pop(record.body["step"], None)
        elif record.kind == Kind.RUN_FINISHED:
            waiting = {step: asked for step, asked in waiting.items() if asked["run"] != record.body["run"]}
    return waiting


def _because(situation: Situation, command: Command, scenario: str) -> str:
    """Why an incident was opened by hand, as it is told."""
    other = scenario != situation.scenario
    if command.verb == "switchover":
        return f"{command.by} asked for a planned switchover" + (f": {situation.plan.scenarios[scenario].name}" if other else "")
    if other or command.arguments.get("scenario"):
        return f"{command.by} declared: {situation.plan.scenarios[scenario].name}"
    return f"{command.by} declared {situation.installation.serving} lost"


def _begin_by_hand(situation: Situation, command: Command, incident: IncidentState | None) -> tuple[str, tuple[Move, ...]]:
    """`switchover`: a planned move. `declare`: the serving region is lost, whatever the triggers say."""
    given, planned = command.arguments.get("foreseen"), command.verb == "switchover"
    foreseen: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    scenario = str(command.arguments.get("scenario") or foreseen.get("scenario") or situation.scenario)
    if (against := _against_beginning(situation, command, incident, foreseen, scenario)) is not None:
        return f"refused: {against}", ()
    serving, digest = situation.installation.serving, str(foreseen.get("digest")) if foreseen else None
    if planned and serving != situation.plan.primary_region():
        moves = going_on.home_without_incident(situation, command.by, scenario, digest)
        return "accepted: home is made a replica first, then the way back is proposed", moves
    moves = opening(
        situation,
        source=serving,
        mode="graceful" if planned else "ungraceful",
        trigger="command",
        impact_seconds=situation.now if planned else _impact_seconds(situation, serving),
        reason=_because(situation, command, scenario),
        requester=command.by,
        foreseen=digest,
        scenario=scenario,
    )
    if is_carried_out_by_people(situation.plan, scenario):
        return f"accepted: {situation.plan.scenarios[scenario].name} is open; `holdfast status` shows who does what next", moves
    return f"accepted: the {'switchover' if planned else 'failover'} is proposed next", moves


def _against_beginning(
    situation: Situation, command: Command, incident: IncidentState | None, foreseen: Mapping[str, Any], scenario: str
) -> str | None:
    """Why nothing is begun by this person's word now, or None."""
    known, plan = situation.installation, situation.plan
    if incident is not None:
        return f"{incident.incident} is open; one thing at a time"
    if (stranger := against_stranger(situation.plan, command.by, situation.exercise)) is not None:
        return stranger
    if foreseen and (moved := _moved_since(situation, foreseen)):
        return f"the world has moved since this was planned: {moved}; look again with `holdfast plan`"
    if scenario not in plan.scenarios:
        return f"the plan has no scenario '{scenario}'; it has: {', '.join(plan.scenarios)}"
    if command.verb != "switchover":
        return None
    if is_carried_out_by_people(plan, scenario):
        return f"{scenario} is carried out by people and moves nothing; `holdfast declare --scenario {scenario}` begins it"
    return _not_harmless(situation, scenario) if known.serving == plan.primary_region() else None


def _not_harmless(situation: Situation, scenario: str) -> str | None:
    """Why a planned move must not even be proposed now, and what to do about it; or None."""
    serving = situation.installation.serving
    behind = not_near(situation, scenario, FAILOVER, next(name for name in situation.plan.regions if name != serving))
    if not behind:
        return None
    harm = f"{serving} would be stopped, and service down until a person acts"
    mend = "`holdfast top` shows the links; find out why it is behind, and ask again once it has caught up"
    instead = f"If {serving} fails, `holdfast declare` moves without it and says what that may lose"
    return f"{'; '.join(behind)}. A planned move does not begin like that: {harm}. Nothing was changed. {mend}. {instead}"


def _impact_seconds(situation: Situation, region: str) -> float:
    """When clients began to lack something, as far as anybody saw: a clock starts there, not with the declaration."""
    suspected = [alarm.since_seconds for alarm in situation.alarms if alarm.region == region]
    return min([situation.now, *suspected, *(hit.since_seconds for hit in situation.functions_hit)])


def _moved_since(situation: Situation, foreseen: Mapping[str, Any]) -> str | None:
    """What the controller itself knows to be otherwise than a file of `holdfast plan` says, at the very moment of beginning."""
    known = situation.installation
    now = {
        "plan_digest": situation.plan_digest,
        "serving": known.serving,
        "era": known.era,
        "epoch": known.epoch,
    }
    other = [f"{name} is {value}, it was {foreseen.get(name)}" for name, value in now.items() if foreseen.get(name) != value]
    return ", ".join(other) or None
