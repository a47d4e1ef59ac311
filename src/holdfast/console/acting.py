"""Who must act now, by when, and the command that does it.

Rules: a command can be pasted as it stands. Where one of several people may act, the command names the first of them; nobody is named who
could only be refused. What nobody must do isn't listed.
"""

from collections.abc import Mapping
from typing import Any

from holdfast.conduct.assessment import roles_of
from holdfast.conduct.catching_up import holding_back
from holdfast.conduct.decisions import waiting_steps
from holdfast.conduct.runs import current_run
from holdfast.conduct.situation import Situation
from holdfast.conduct.suspicion import waits_for_word
from holdfast.console.calling import calling
from holdfast.decision.approval import Proposal, is_satisfied
from holdfast.decision.replay import IncidentState
from holdfast.decision.table import State
from holdfast.plan.people import Occasion, fillers


def acting(situation: Situation, incident: IncidentState | None) -> list[dict[str, Any]]:
    """What people must do, the most pressing first."""
    if incident is None or incident.ended:
        return []
    roles = roles_of(situation.plan, incident, situation.now)
    found = [_choice(situation, roles, step, asked) for step, asked in waiting_steps(incident).items()]
    found.extend(_answer(situation, incident, roles))
    if incident.proposal is not None:
        if not _only_waits(situation, incident, incident.proposal):
            found.insert(0, _approval(situation, incident, incident.proposal, roles))
    elif waits_for_word(incident):
        people = _people(situation, roles, ("incident-commander", *situation.plan.roles), set())[:1]
        what = f"say whether it is so: {incident.records[0].body['reason']}"
        found.insert(0, {"what": what, "who": people, "needed": 1, "by_seconds": None, "command": _command("holdfast confirm", people)})
    elif incident.state is State.HALTED:
        people = _people(situation, roles, ("incident-commander", *situation.plan.roles), set())[:1]
        command = _command(f"holdfast go-on {incident.incident}", people)
        found.insert(0, {"what": "finish what an abort halted", "who": people, "needed": 1, "by_seconds": None, "command": command})
    elif incident.state is State.RECOVERED and current_run(incident) is None:
        found.append(_way_home(situation, incident, roles))
    return found


def by_hand(situation: Situation, incident: IncidentState | None) -> str | None:
    """The command that opens what opens nothing by itself any more, since people decided against it; None where that isn't so."""
    known = situation.installation
    suspected = any(alarm.region == known.serving for alarm in situation.alarms)
    if incident is not None or known.serving not in known.dismissed or not suspected:
        return None
    occasion = Occasion.of(situation.exercise)
    roles = {identifier: fillers(role, occasion) for identifier, role in situation.plan.roles.items()}
    people = [person for role in ("incident-commander", *roles) for person in roles.get(role, ())]
    free = [person for person in people if not any(person in roles.get(role, ()) for role in situation.plan.approval.activation.of)]
    return f"holdfast declare --as {next(iter([*free, *people]), 'NAME')}"  # who asks for it can't approve it


def _people(situation: Situation, roles: dict[str, tuple[str, ...]], wanted: tuple[str, ...], barred: set[str]) -> list[dict[str, str]]:
    return [
        {"person": person, "name": situation.plan.people[person].name, "role": next(role for role in wanted if role in filled)}
        for person, filled in sorted(roles.items(), key=lambda entry: _rank(wanted, entry[1]))
        if person not in barred and set(filled) & set(wanted)
    ]


def _rank(wanted: tuple[str, ...], filled: tuple[str, ...]) -> int:
    return min((wanted.index(role) for role in filled if role in wanted), default=len(wanted))


def _approval(situation: Situation, incident: IncidentState, proposal: Proposal, roles: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    given = [approval for approval in incident.approvals if approval.hash == proposal.hash]
    people = _people(situation, roles, proposal.roles, {approval.person for approval in given} | {proposal.requester})
    accepted = any(approval.accepts_loss for approval in given)
    accept = "" if accepted or not (proposal.above_rpo or proposal.loss_bound_seconds is None) else " --accept-loss"
    left = max(proposal.count - len({approval.person for approval in given}), 1)
    return {
        "what": f"approve the {proposal.action} {proposal.source} → {proposal.target}",
        "who": people,
        "needed": left,
        "by_seconds": proposal.expires_seconds,
        "command": _command(f"holdfast approve {incident.incident}", people) + accept,
    }


def _only_waits(situation: Situation, incident: IncidentState, proposal: Proposal) -> bool:
    """Whether enough people approved a planned move that its copies keep back: one more approval would change nothing."""
    return is_satisfied(proposal, incident.approvals) and bool(holding_back(situation, incident, proposal.run))


def _choice(situation: Situation, roles: dict[str, tuple[str, ...]], step: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    people = _people(situation, roles, (str(asked["needs"]),), set())
    if asked.get("block") == "manual":
        return {
            "what": f"do {step} and tick it off: {asked['reason']}",
            "who": people,
            "needed": 1,
            "by_seconds": None,
            "command": f'{_command(f"holdfast choose {step} done", people)} --because "…"',
        }
    return {
        "what": f"say how {step} goes on: {asked['reason']}",
        "who": people,
        "needed": 1,
        "by_seconds": None,
        "command": _command(f"holdfast choose {step} retry", people),
    }


def _answer(situation: Situation, incident: IncidentState, roles: dict[str, tuple[str, ...]]) -> list[dict[str, Any]]:
    """Whoever was called and has not said that it is theirs."""
    now = calling(situation, incident)
    if not now["unanswered"]:
        return []
    people = _people(situation, roles, tuple(now["unanswered"]), set())
    loud = f"nobody answers (round {now['round']}): " if now["loud"] else ""
    return [
        {
            "what": f"{loud}answer for {', '.join(situation.plan.roles[role].name for role in now['unanswered'])}",
            "who": people,
            "needed": 1,
            "by_seconds": now["answer_by_seconds"],
            "command": _command(f"holdfast ack {incident.incident}", people),
        }
    ]


def _way_home(situation: Situation, incident: IncidentState, roles: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    people = _people(situation, roles, ("incident-commander", *situation.plan.roles), set())[:1]
    return {
        "what": f"bring the service home when {incident.source} is back",
        "who": people,
        "needed": 1,
        "by_seconds": None,
        "command": _command("holdfast failback", people),
    }


def _command(start: str, people: list[dict[str, str]]) -> str:
    return f"{start} --as {people[0]['person'] if people else 'NAME'}"
