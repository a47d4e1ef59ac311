"""People's answers to being called: who has acknowledged, for which roles, and who is called next.

Rules: an acknowledgement answers for the roles that its giver was called for, and for those whose first person it is: a backup who has
answered for another role still leaves the primary its time. Whoever was called for nothing answers for every role that it fills.
Approving is answering too, and is recorded as such where people are called. Who answers late joins: nothing starts anew, and the role
stays with whoever took it. How severe it is may take a moment to see; after that people are called as for the gravest severity. A planned
move that hits nothing calls nobody: whoever asked for it is there.
"""

from collections.abc import Mapping
from typing import Any

from holdfast.communications import IncidentFacts
from holdfast.communications.escalation import Call, Called, answerable, next_call, why_that_row
from holdfast.conduct.assessment import roles_of
from holdfast.conduct.facts import incident_facts
from holdfast.conduct.situation import Command, Move, Situation, Write
from holdfast.conduct.suspicion import from_signal
from holdfast.decision.replay import IncidentState
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record

WAYS = ("cli", "link", "reply", "phone-key", "button")
"""How an acknowledgement can come in."""
SEVERITY_WITHIN_SECONDS = 60.0
"""On the plan's clock, from the opening: so long observers have to see what is hit, before its severity counts as unknown."""
APPROVING = "approval"
"""How it comes in where somebody approves."""


def answered_roles(incident: IncidentState) -> frozenset[str]:
    """Roles that somebody has answered for."""
    found: set[str] = set()
    for record in incident.course:
        if record.kind == Kind.ACKNOWLEDGED:
            found.update(record.body["roles"])
    return frozenset(found)


def acknowledged_by(incident: IncidentState) -> Mapping[str, float]:
    """Person → when it acknowledged last; approving counts."""
    return {record.body["person"]: record.at_seconds for record in incident.course if record.kind in (Kind.ACKNOWLEDGED, Kind.APPROVED)}


def last_called(incident: IncidentState) -> Called | None:
    """The last rung that was climbed, or None."""
    record = next((record for record in reversed(incident.course) if record.kind == Kind.ESCALATED), None)
    if record is None:
        return None
    return Called(record.body["number"], record.body["round"], record.body["place"], record.at_seconds)


def escalation(situation: Situation, incident: IncidentState) -> tuple[Move, ...]:
    """Call whoever must answer next."""
    if incident.severity is None and not _severity_stays_unknown(situation, incident):
        return ()
    facts, answered = incident_facts(situation, incident), answered_roles(incident)
    call = next_call(situation.plan, facts, answered, last_called(incident), situation.now, situation.directory)
    return () if call is None else (Write(Kind.ESCALATED, incident.incident, _body(call, facts)),)


def _severity_stays_unknown(situation: Situation, incident: IncidentState) -> bool:
    """Whether people must be called although nobody knows how severe it is."""
    planned = incident.mode == "graceful" and not from_signal(incident)
    return not planned and situation.now >= incident.opened_seconds + incident.clock.wall_seconds(SEVERITY_WITHIN_SECONDS)


def called_as_for(incident: IncidentState) -> str:
    """Why people were called last by another row of the matrix than the severity's own; empty where they were not."""
    calls = calls_of(incident)
    body = calls[-1].body if calls else {}
    return why_that_row(body.get("severity"), body.get("row"))


def _body(call: Call, facts: IncidentFacts) -> dict[str, Any]:
    return {
        "key": call.key,
        "number": call.number,
        "round": call.round,
        "place": call.place,
        "rung": call.rung,
        "level": call.level,
        "roles": list(call.roles),
        "severity": facts.severity,
        "row": call.row,
        "calls": [[out.channel, out.recipient.identifier, out.from_seconds] for out in call.calls],
        "answer_by_seconds": call.answer_by_seconds,
        "starts_over": call.starts_over,
        "reason": call.reason,
    }


def acknowledge(situation: Situation, incident: IncidentState, command: Command) -> tuple[str, tuple[Move, ...]]:
    """Somebody says: I have it. Raises nothing; a second word of the same person changes nothing."""
    named, way = command.arguments.get("incident", incident.incident), str(command.arguments.get("way", "cli"))
    if named != incident.incident:
        return f"refused: {incident.incident} is the open incident, not {named}", ()
    if way not in WAYS:
        return f"refused: '{way}' is no way to acknowledge; it can be one of: {', '.join(WAYS)}", ()
    facts = incident_facts(situation, incident)
    before = answered_roles(incident)
    roles = _answers_for(situation, incident, facts, command.by)
    known = acknowledged_by(incident).get(command.by)
    if known is not None and not set(roles) - before:
        return f"accepted: {command.by} had acknowledged {incident.incident} already", ()
    joins = bool(roles) and set(roles) <= before
    body = {"person": command.by, "way": way, "roles": list(roles), "joins": joins}
    taken = [
        Write(Kind.ROLE_TAKEN, incident.incident, took)
        for role in roles
        if role not in before and (took := _takes(situation, incident, role, command.by)) is not None
    ]
    if joins:
        said = f"accepted: {command.by} joins; others had answered already"
    else:
        for_what = ", ".join(situation.plan.roles[role].name for role in roles) or "no role"
        said = f"accepted: {command.by} answers for {for_what}"
    return said, (Write(Kind.ACKNOWLEDGED, incident.incident, body), *taken)


def answered_by_approving(situation: Situation, incident: IncidentState, command: Command) -> tuple[Move, ...]:
    """The record that who approves has answered, where people are called and this one had not said so yet."""
    if not calls_of(incident) or command.by in acknowledged_by(incident):
        return ()
    said = Command(command.identifier, "ack", command.by, {})
    given = acknowledge(situation, incident, said)[1]
    return tuple(
        Write(move.kind, move.incident, {**move.body, "way": APPROVING})
        if isinstance(move, Write) and move.kind is Kind.ACKNOWLEDGED
        else move
        for move in given
    )


def _answers_for(situation: Situation, incident: IncidentState, facts: IncidentFacts, person: str) -> tuple[str, ...]:
    """Roles that this person answers for by acknowledging now, in the plan's order."""
    people = answerable(situation.plan, facts, situation.now)
    first = {role for role, called in people.items() if called[0] == person}
    asked: set[str] = set()
    for call in calls_of(incident):
        if any(recipient == person for _, recipient, _ in call.body["calls"]):
            mine, then = call.body["rung"] == "level", answerable(situation.plan, facts, call.at_seconds)  # a turn may have ended since
            asked.update(role for role in call.body["roles"] if mine or person in then.get(role, ())[: call.body["place"] + 1])
    filled = {role for role, called in people.items() if person in called}
    filled |= set(roles_of(situation.plan, incident, situation.now).get(person, ()))
    return tuple(role for role in situation.plan.roles if role in (first | asked or filled))


def _takes(situation: Situation, incident: IncidentState, role: str, person: str) -> dict[str, Any] | None:
    """The record that somebody takes a role which was first of all another's, or None. A turn that was handed over is taken too."""
    activated = next((record.body["roles"] for record in incident.course if record.kind == Kind.ROLES_ACTIVATED), None)
    if activated is None:
        people = answerable(situation.plan, incident_facts(situation, incident), incident.opened_seconds)
        activated = {name: called[0] for name, called in people.items()}
    first = activated.get(role)
    if first == person:
        return None
    return {"role": role, "person": person, "instead_of": first, "reason": f"{first or 'nobody'} had not answered"}


def calls_of(incident: IncidentState) -> tuple[Record, ...]:
    """Every rung that was climbed, in order."""
    return tuple(record for record in incident.course if record.kind == Kind.ESCALATED)
