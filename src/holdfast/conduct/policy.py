"""What to do next: the stages in the order in which they are asked; the first that has moves wins.

The controller calls `next_moves`, carries the moves out, and calls again until nothing is left to do now. Because every
stage sees the state after the records of the one before, no stage has to think of another.
"""

from collections.abc import Callable

from holdfast.communications.oncall import fillers_at
from holdfast.conduct.access import broken_glass
from holdfast.conduct.answering import escalation
from holdfast.conduct.assessment import severity
from holdfast.conduct.course import steps
from holdfast.conduct.decisions import answer
from holdfast.conduct.going_on import ask_again, outgrown
from holdfast.conduct.messages import after_the_end, messages
from holdfast.conduct.protecting import protections
from holdfast.conduct.quiet_test import quiet_tests
from holdfast.conduct.reapply import reapplies
from holdfast.conduct.runs import TURN_BACK
from holdfast.conduct.situation import Command, Move, Situation, Write
from holdfast.conduct.suspicion import incidents, observers, suspicions, waits_for_word
from holdfast.conduct.turning import found
from holdfast.conduct.zones import zones
from holdfast.decision.replay import IncidentState
from holdfast.journal.kinds import Kind
from holdfast.plan.people import Occasion

Stage = Callable[[Situation], tuple[Move, ...]]


def answered(situation: Situation, command: Command) -> tuple[str, tuple[Move, ...]]:
    """A command's answer and its moves; the command itself is journalled first, and never twice."""
    if command.identifier in situation.installation.handled_commands:
        return situation.installation.handled_commands[command.identifier], ()
    said, moves = answer(situation, command)
    incident = situation.installation.open_incident()
    arguments = {**command.arguments}
    body = {"id": command.identifier, "verb": command.verb, "by": command.by, "arguments": arguments, "answer": said}
    return said, (Write(Kind.COMMAND, incident.incident if incident else "", body), *moves)


def _severity(situation: Situation, incident: IncidentState) -> tuple[Move, ...]:
    """The worst that was seen: of the functions hit, and at least the scenario's own. It doesn't fall while people work on it."""
    by_functions = severity(situation.plan, situation.functions_hit, situation.now)
    at_least = situation.plan.scenarios[incident.scenario].severity
    now = min((one for one in (by_functions, at_least) if one is not None), default=None)
    if now is None or (incident.severity is not None and now >= incident.severity):
        return ()
    hit = [entry.function for entry in situation.functions_hit]
    reason = f"{', '.join(hit)} hit" if now == by_functions else f"the plan gives this scenario at least {now}"
    return (Write(Kind.SEVERITY_CHANGED, incident.incident, {"severity": now, "functions": hit, "reason": reason}),)


def _functions(situation: Situation, incident: IncidentState) -> tuple[Move, ...]:
    """Record which functions clients lost and got back, as observers saw it. Silence is neither."""
    out = {name for name, outage in incident.functions.items() if outage.back_seconds is None}
    hit = {entry.function: entry.since_seconds for entry in situation.functions_hit if entry.function not in out}
    still = {entry.function for entry in situation.functions_hit} | situation.functions_unknown
    back = {name: situation.functions_up_since.get(name, situation.now) for name in sorted(out - still)}
    return (Write(Kind.FUNCTIONS_SEEN, incident.incident, {"hit": hit, "back": back}),) if hit or back else ()


def _roles(situation: Situation, incident: IncidentState) -> tuple[Move, ...]:
    if any(record.kind == Kind.ROLES_ACTIVATED for record in incident.course):
        return ()
    occasion = Occasion.of(incident.exercise)
    at = incident.opened_seconds
    called = {identifier: fillers_at(situation.plan, role, occasion, at) for identifier, role in situation.plan.roles.items()}
    roles = {identifier: people[0] for identifier, people in called.items() if people}
    return (Write(Kind.ROLES_ACTIVATED, incident.incident, {"roles": roles}),)


def _conduct(situation: Situation) -> tuple[Move, ...]:
    incident = situation.installation.open_incident()
    if incident is None:
        return ()
    if waits_for_word(incident):  # people are told what an alert says, and called; nothing else begins before one of them confirms it
        told = (_roles, _functions, _severity, escalation, messages)
        return next((moves for stage in told if (moves := stage(situation, incident))), ())
    stages = (_roles, _functions, _severity, escalation, messages, _outgrown, ask_again, steps)
    return next((moves for stage in stages if (moves := stage(situation, incident))), ())


def _farewells(situation: Situation) -> tuple[Move, ...]:
    """What incidents that are over still owe, the latest first."""
    known = reversed(tuple(situation.installation.incidents.values()))
    return next((moves for incident in known if (moves := after_the_end(situation, incident))), ())


def _back_at_last(situation: Situation) -> tuple[Move, ...]:
    """Incidents may end with functions still away (turned back, say): an outage ends when its function is seen up again.

    Where nobody watched without a break since the end, nobody knows when that was, and nothing is written of it.
    """
    hit = {entry.function for entry in situation.functions_hit}
    up = {name: since for name, since in situation.functions_up_since.items() if name not in hit}
    for incident in situation.installation.incidents.values():
        out = sorted(name for name, outage in incident.functions.items() if outage.back_seconds is None and name in up)
        if out and incident.ended_seconds is not None and incident.ended_seconds >= situation.installation.watched_since_seconds:
            return (Write(Kind.FUNCTIONS_SEEN, incident.incident, {"hit": {}, "back": {name: up[name] for name in out}}),)
    return ()


def _outgrown(_: Situation, incident: IncidentState) -> tuple[Move, ...]:
    return outgrown(incident)


def _strays(situation: Situation) -> tuple[Move, ...]:
    """An activation under way that no incident conducts: its journal was lost."""
    known = situation.installation
    stray = situation.stray
    turned = [incident.epochs.get(TURN_BACK) for incident in known.incidents.values()]
    if stray is None or known.open_incident() is not None or stray <= (known.era, known.epoch) or stray in turned:
        return ()
    return found(situation, stray)


STAGES: tuple[Stage, ...] = (
    observers,
    zones,
    broken_glass,
    suspicions,
    _strays,
    incidents,
    _conduct,
    _back_at_last,
    _farewells,
    reapplies,
    protections,
    quiet_tests,
)


def next_moves(situation: Situation) -> tuple[Move, ...]:
    """The moves of the first stage that has any; none when there is nothing to do before something changes."""
    for stage in STAGES:
        moves = stage(situation)
        if moves:
            return moves
    return ()
