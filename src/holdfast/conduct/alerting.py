"""What alerts from outside come to: a suspicion, and an incident that waits for people.

Rules: an alert says what somebody else has seen, so it never begins a step and never counts as anybody's approval. It names a signal of
the plan; the scenario whose triggers name that signal is opened, or the alert joins the incident that is open. What an alert opened
begins only when a person of the plan confirms it, and who confirms it has asked for it, so can't approve it. Where a signal counts
something, it is believed when more than the plan's number were counted within the plan's time.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.conduct.situation import Command, Move, Situation, Write
from holdfast.conduct.suspicion import ending, opening, waits_for_word
from holdfast.decision.replay import SIGNAL, IncidentState
from holdfast.decision.table import Event
from holdfast.journal.kinds import Kind
from holdfast.plan.model import SignalTrigger

_LONGEST_TEXT = 500


def alert(situation: Situation, command: Command) -> tuple[str, tuple[Move, ...]]:
    """The answer to an alert and its records.

    Arguments: signal, status (firing | resolved), source, fingerprint, says, count, at_seconds, truncated (so many alerts its sender left
    out). What is optional and odd counts as absent.
    """
    given = command.arguments
    name, status = str(given.get("signal")), given.get("status")
    known = {trigger.signal: (scenario, trigger) for scenario, trigger in _signals(situation)}
    if name not in known:
        return f"refused: the plan has no signal '{name}'; it has: {', '.join(known) or 'none'}", ()
    if status not in ("firing", "resolved"):
        return f"refused: an alert is firing or resolved, not '{status}'", ()
    scenario, trigger = known[name]
    incident = situation.installation.open_incident()
    at_seconds, count, truncated = given.get("at_seconds"), given.get("count"), given.get("truncated")
    heard = {
        "signal": name,
        "status": status,
        "source": str(given.get("source") or "unnamed")[:_LONGEST_TEXT],
        "fingerprint": str(given.get("fingerprint") or "")[:_LONGEST_TEXT],
        "says": str(given.get("says") or trigger.says)[:_LONGEST_TEXT],
        "count": count if _is_number(count) else None,
        "at_seconds": at_seconds if _is_number(at_seconds) else situation.now,
        "scenario": scenario,
        "truncated": truncated if isinstance(truncated, int) and truncated is not True and truncated > 0 else 0,
    }
    record = Write(Kind.ALERT_HEARD, incident.incident if incident else "", heard)
    if status == "resolved":
        return _resolved(situation, name, record)
    counted = _counted(situation, trigger, heard["count"])
    if counted is not None:
        return f"accepted: heard, and not believed yet: {counted}", (record,)
    return _believed(situation, scenario, trigger, incident, record)


def left_out(heard: Mapping[str, Any]) -> str:
    """What an alert that was heard doesn't show, in words: how many its sender left out beside it."""
    number = heard.get("truncated", 0)
    return f" (the sender left out {number} more alert{'' if number == 1 else 's'})" if number else ""


def confirm(situation: Situation, incident: IncidentState, command: Command) -> tuple[str, tuple[Move, ...]]:
    """A person says that what an alert opened is so: from then on its steps begin. `command.by` has asked for it."""
    if not waits_for_word(incident):
        return f"refused: {incident.incident} was not opened by an alert, or somebody has confirmed it already", ()
    body = {"by": command.by, "trigger": incident.trigger}
    name = situation.plan.scenarios[incident.scenario].name
    return f"accepted: {name} goes on; `holdfast status` shows who does what next", (Write(Kind.ALERT_CONFIRMED, incident.incident, body),)


def unconfirmed_refused(incident: IncidentState, command: Command) -> tuple[str, tuple[Move, ...]]:
    """A person says that it isn't so: nothing was begun, and the incident stands down."""
    reason = f"{command.by} decided against it: {command.arguments.get('reason') or 'no reason given'}"
    cleared = {"region": incident.source, "trigger": incident.trigger, "reason": reason}
    # To the table it is a cause that isn't there: nobody was asked to approve anything, so there was nothing to refuse.
    moves = (Write(Kind.SUSPICION_CLEARED, "", cleared), *ending(incident, Event.CAUSE_GONE, reason))
    return "accepted: the incident stands down; nothing was begun", moves


def _signals(situation: Situation) -> Iterator[tuple[str, SignalTrigger]]:
    for name, scenario in situation.plan.scenarios.items():
        for trigger in scenario.triggers:
            if isinstance(trigger, SignalTrigger):
                yield name, trigger


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _counted(situation: Situation, trigger: SignalTrigger, count: float | None) -> str | None:
    """Why so many are not enough yet, or None. An alert without a count has been judged by who sends it."""
    if trigger.more_than is None or count is None:
        return None
    since = situation.now - (trigger.within or 0.0)
    earlier = [heard for heard in situation.installation.alerts if heard["signal"] == trigger.signal and heard["count"] is not None]
    total = count + sum(heard["count"] for heard in earlier if heard["at_seconds"] >= since)
    return None if total > trigger.more_than else f"{total:g} were counted, and the plan believes more than {trigger.more_than:g}"


def _resolved(situation: Situation, name: str, record: Write) -> tuple[str, tuple[Move, ...]]:
    trigger = f"{SIGNAL}{name}"
    raised = [region for region, raised_by in situation.installation.suspicions if raised_by == trigger]
    reason = f"{record.body['source']} says that it is over"
    cleared = tuple(Write(Kind.SUSPICION_CLEARED, "", {"region": region, "trigger": trigger, "reason": reason}) for region in raised)
    return "accepted: it is over, says who raised it; an incident that is open is ended by people", (record, *cleared)


def _believed(
    situation: Situation, scenario: str, trigger: SignalTrigger, incident: IncidentState | None, record: Write
) -> tuple[str, tuple[Move, ...]]:
    known = situation.installation
    named, reason = f"{SIGNAL}{trigger.signal}", f"{record.body['source']}: {record.body['says']}{left_out(record.body)}"
    since = min(float(record.body["at_seconds"]), situation.now)
    body = {"region": known.serving, "trigger": named, "reason": reason, "since_seconds": since, "score": None}
    raised = () if (known.serving, named) in known.suspicions else (Write(Kind.SUSPICION_RAISED, "", body),)
    if incident is not None:
        return f"accepted: it joins {incident.incident}", (record, *raised)
    if known.paused is not None:
        return "accepted: a suspicion is raised; automatic action is paused, so it opens nothing", (record, *raised)
    moves = opening(
        situation, source=known.serving, mode="ungraceful", trigger=named, impact_seconds=since, reason=reason, scenario=scenario
    )
    opened = moves[0].incident if isinstance(moves[0], Write) else ""
    said = f"accepted: {opened} is open; nothing begins before a person confirms it"
    return said, (Write(Kind.ALERT_HEARD, "", record.body), *raised, *moves)
