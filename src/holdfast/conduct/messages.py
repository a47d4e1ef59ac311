"""Messages and calls that are owed now, from the plan and the journal: recorded as due first, then handed over delivery by delivery.

A hand-over is recorded as intended before it happens. A delivery that failed is tried again until it is due, and then given up aloud (see
`attempting`); what was sent is never sent again, because its key is in the journal. A channel's one place gets a message once, for all who
look at it. A message that a step sends goes out in time also where the step has not come yet. What a person wrote for a message that is to
come takes the place of the plan's words; where nobody did, the facts go out on time.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from holdfast.communications import DueMessage, IncidentFacts, Recipient, due
from holdfast.communications.asking import CALL_WORDS, DECISION, DECISION_WITHIN_SECONDS, DECISION_WORDS, asked_to_decide
from holdfast.communications.escalation import CALL, CallOut, gathered, recipient_of
from holdfast.communications.obligations import LaterReport, all_messages
from holdfast.communications.places import stood_for
from holdfast.communications.recipients import EXERCISE_MAILBOX, PLACES
from holdfast.communications.rendering import filled_words
from holdfast.conduct.answering import acknowledged_by, calls_of
from holdfast.conduct.asking import asked_of
from holdfast.conduct.attempting import Attempt, Told, attempts_at
from holdfast.conduct.facts import incident_facts, restored_seconds, values_of
from holdfast.conduct.message_words import purpose_of, said_once, words_to_send
from holdfast.conduct.pagers import LATELY_SECONDS, Word, closed_by_the_end, owes_pagers, words_to_pagers
from holdfast.conduct.receipts import without_receipt
from holdfast.conduct.situation import Asked, Move, Situation, Tell, TellPurpose, WayOfChannel, Write
from holdfast.conduct.status_page import CHANNEL, MESSAGE, PageWord, page_state, page_word
from holdfast.conduct.suspicion import cause_gone_seconds
from holdfast.decision.approval import Proposal
from holdfast.decision.deliveries import Attempts, Delivery
from holdfast.decision.replay import IncidentState
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.plan.model import Words
from holdfast.plan.people import enrolled

__all__ = ["due_record", "messages", "owed"]

_Next = tuple[Attempt, Tell] | Write
"""An attempt with its words, or the record that none is left."""

WORTH_WAITING_SECONDS = 60.0
STEPS_FIRST_SECONDS, STEPS_FIRST_SHARE = 10.0, 0.05
"""How long what is not urgent waits for service to come back, counted from when it was owed: at most so long, and so much of its time."""
REMINDED_LATE_SECONDS = 7 * 24 * 3600.0
"""So long after its deadline somebody is still reminded of a report, where no controller ran when it was time."""
URGENT, INSIDE, OUTSIDE, MAILING = 0, 1, 2, 3
"""Priorities: calls and the first alert, the company's own people, circles outside, and everybody in a directory."""


def owed(situation: Situation, incident: IncidentState) -> tuple[DueMessage, ...]:
    """Messages that the plan owes by now, the earliest first."""
    return due(situation.plan, incident.scenario, incident_facts(situation, incident), situation.now, situation.directory)


def messages_to_come(situation: Situation, incident: IncidentState) -> tuple[DueMessage, ...]:
    """What is owed within the next interval of the plan if nothing changes, and was not recorded as due yet."""
    told = situation.plan.messages.values()
    ahead = max((message.every for message in told if message.every), default=max((message.due for message in told), default=0.0))
    later = situation.now + incident.clock.wall_seconds(ahead)
    found = due(situation.plan, incident.scenario, incident_facts(situation, incident), later, situation.directory)
    return tuple(message for message in found if message.key not in incident.messages_due)


def due_record(incident: IncidentState, message: DueMessage) -> Write:
    """The record that a message is owed."""
    body: dict[str, Any] = {
        "key": message.key,
        "message": message.message,
        "audience": [recipient.identifier for recipient in message.recipients],
        "channels": list(message.channels),
        "due_seconds": message.due_seconds,
        "reason": message.reason,
    }
    if reached := message.reached:
        body["reached"] = {channel: list(identifiers) for channel, identifiers in reached.items()}
    if message.unknown:
        body["unknown"] = list(message.unknown)
    return Write(Kind.NOTIFICATION_DUE, incident.incident, body)


def _can_say(situation: Situation, incident: IncidentState, message: DueMessage) -> bool:
    """Whether it is worth sending now: before anybody knows how severe it is, only what is due within a minute goes out."""
    return incident.severity is not None or message.due_seconds - situation.now <= incident.clock.wall_seconds(WORTH_WAITING_SECONDS)


def messages(situation: Situation, incident: IncidentState) -> tuple[Move, ...]:
    """Record what fell due, and hand over what is due and wasn't sent, the most urgent first."""
    now_owed = owed(situation, incident)
    sent_by_steps = {record.body["step"] for record in incident.course if record.kind == Kind.STEP_FINISHED}
    fallen_due = [
        message
        for message in now_owed
        if message.key not in incident.messages_due
        and (message.step is None or message.step in sent_by_steps or situation.now >= message.at_last_seconds)
        and _can_say(situation, incident, message)
    ]
    if fallen_due:
        return tuple(due_record(incident, message) for message in fallen_due)
    to_pagers = _words_to_pagers(situation, incident)
    if asked := (*_decision_due(situation, incident), *_pagers_due(incident, to_pagers)):
        return asked
    begun = closed_by_the_end(situation.plan, incident)
    word = page_word(incident, now_owed, begun)
    if word is not None and word.key not in incident.messages_due:
        return (Write(Kind.NOTIFICATION_DUE, incident.incident, word.due()),)
    missing = tuple(without_receipt(situation, incident, begun))
    if missing:
        return missing
    found: list[_Next] = [
        *_calls(situation, incident, begun),
        *_decisions(situation, incident, begun),
        *_to_pagers(situation, incident, to_pagers, begun),
        *_to_page(situation, incident, word, begun),
        *_messages(situation, incident, now_owed, begun),
    ]
    return _handed_over(situation, incident, found)


def after_the_end(situation: Situation, incident: IncidentState) -> tuple[Move, ...]:
    """What is still owed of an incident that is over: its page must not say that it lasts, no pager go on, who is to hear hears it, and
    whoever reports to an authority is reminded of a report that is due long after."""
    if not incident.ended:
        return ()
    told = incident.page.recipient is None or page_state(incident) in incident.page.states
    now_owed, to_pagers = _owed_after_the_end(situation, incident), _words_to_pagers(situation, incident)
    if told and not now_owed and not owes_pagers(incident, to_pagers):
        return ()
    fallen_due = tuple(due_record(incident, message) for message in now_owed if message.key not in incident.messages_due)
    if due_now := fallen_due or tuple(_pagers_due(incident, to_pagers)):
        return due_now
    begun = closed_by_the_end(situation.plan, incident)
    word = page_word(incident, now_owed, begun)
    if word is not None and word.key not in incident.messages_due:
        return (Write(Kind.NOTIFICATION_DUE, incident.incident, word.due()),)
    keys = {message.key for message in now_owed}
    if missing := tuple(without_receipt(situation, incident, {one: known for one, known in begun.items() if one[0] in keys})):
        return missing
    found = (
        *_to_pagers(situation, incident, to_pagers, begun),
        *_to_page(situation, incident, word, begun),
        *_messages(situation, incident, now_owed, begun),
    )
    return _handed_over(situation, incident, found)


def _owed_after_the_end(situation: Situation, incident: IncidentState) -> tuple[DueMessage, ...]:
    """Of an incident whose service came back (else nobody hears of an end): what was recorded as due before, so that no delivery is left
    neither sent nor given up, and what counts from when service was back. What nobody told within a day after its time is no news. Of any
    real one: reminders of later reports to authorities, but of none that is long overdue."""
    ended, now = incident.ended_seconds, situation.now
    if ended is None or incident.scenario not in situation.plan.scenarios:
        return ()
    dues = (record.body["due_seconds"] for record in incident.course if record.kind == Kind.NOTIFICATION_DUE)
    is_news = restored_seconds(incident) is not None and now <= max(ended, *dues, 0.0) + LATELY_SECONDS
    rules = all_messages(situation.plan).items() if incident.exercise is None else ()
    later = {name for name, message in rules if isinstance(message, LaterReport)}
    if not is_news and not later:
        return ()
    return tuple(
        message
        for message in owed(situation, incident)
        if (message.message in later and now <= message.due_seconds + REMINDED_LATE_SECONDS)
        or (
            is_news
            and now <= message.due_seconds + LATELY_SECONDS
            and (message.key in incident.messages_due or purpose_of(situation.plan, message.message) == "resolved")
        )
    )


def _handed_over(situation: Situation, incident: IncidentState, found: Iterable[_Next]) -> tuple[Move, ...]:
    """What is given up is recorded first; else every intent, durable before the hand-overs, which follow the most urgent first."""
    nexts = tuple(found)
    given_up = tuple(one for one in nexts if isinstance(one, Write))
    if given_up:
        return given_up
    attempts = sorted((one for one in nexts if not isinstance(one, Write)), key=lambda one: one[0].told.priority)
    reachable = enrolled(situation.plan, incident.exercise, incident.scenario)
    tells = (replace(tell, enrolled=reachable.issuperset(stood_for(tell.recipient))) for _, tell in attempts)
    return (*(_intended(attempt, tell) for attempt, tell in attempts), *tells)


def _intended(attempt: Attempt, tell: Tell) -> Write:
    write = attempt.intended()
    return write if tell.channel != CHANNEL else replace(write, body={**write.body, "status": tell.facts["status"]})


def _messages(
    situation: Situation, incident: IncidentState, now_owed: Iterable[DueMessage], begun: Mapping[Delivery, Attempts]
) -> Iterator[_Next]:
    facts: IncidentFacts | None = None
    values: dict[str, str] = {}
    for message in now_owed:
        if message.key not in incident.messages_due:
            continue
        handed = message.deliveries
        # A place may be over and the people behind it still be told alone, over the plan's second channel.
        # What is being handed over waits for its outcome. In the ordinary case nobody of ten thousand is looked at closer.
        left = [one for one in handed if one[1].people or not _is_over(situation, begun, (message.key, one[0], one[1].identifier))]
        if not left:
            continue
        purpose = purpose_of(situation.plan, message.message)
        waiting = []
        everybody = {(channel, recipient.identifier) for channel, recipient in handed}
        for channel, recipient in left:
            priority = URGENT if purpose == "alert" else _priority(recipient)
            told = Told(incident.incident, message.key, message.message, channel, recipient, purpose, priority, message.due_seconds)
            for found in attempts_at(situation, incident.clock, begun, told, everybody):
                if isinstance(found, Write):
                    yield found
                else:
                    waiting.append(found)
        if not waiting:
            continue
        if facts is None:
            facts = incident_facts(situation, incident)
            values = values_of(situation, incident, facts)
        if purpose != "alert" and _gives_way(situation, facts, message):
            continue
        words = words_to_send(situation.plan, incident, message, facts, values)
        for attempt in waiting:
            asked = asked_of(situation, incident, attempt.told.recipient) if purpose == "alert" else None
            yield _tell(facts, attempt, words, values, asked)


def _is_over(situation: Situation, begun: Mapping[Delivery, Attempts], delivery: Delivery) -> bool:
    """Whether there is nothing to do about it now: it is over, or being handed over."""
    if delivery in situation.telling:
        return True
    known = begun.get(delivery)
    return known is not None and known.is_over


def _gives_way(situation: Situation, facts: IncidentFacts, message: DueMessage) -> bool:
    """Whether it waits for those who decide and the steps after that: fifty messages at once would take a part of a second from them."""
    patience = min(STEPS_FIRST_SECONDS, (message.due_seconds - message.from_seconds) * STEPS_FIRST_SHARE)
    return facts.restored_seconds is None and situation.now < message.from_seconds + patience


def _calls(situation: Situation, incident: IncidentState, begun: Mapping[Delivery, Attempts]) -> Iterator[_Next]:
    """Over everything that a call reaches somebody by, as long as that person has not answered and service is not back."""
    calls = calls_of(incident)
    if not calls:
        return
    facts, answered = incident_facts(situation, incident), acknowledged_by(incident)
    if facts.restored_seconds is not None:
        return
    said = said_once(situation, incident, facts, CALL_WORDS)
    for call in calls:
        since = {person for person, at in answered.items() if at >= call.at_seconds}
        due = float(call.body["answer_by_seconds"])
        outs = tuple(_called(situation, begun, call))
        everybody = {(channel, identifier) for channel, identifier, _ in call.body["calls"]} | _told_over(outs)
        for out in outs:
            if situation.now < out.from_seconds or since.issuperset(stood_for(out.recipient.identifier)):
                continue
            told = Told(incident.incident, call.body["key"], CALL, out.channel, out.recipient, "alert", URGENT, due)
            attempts = attempts_at(situation, incident.clock, begun, told, everybody)
            yield from _asking(situation, incident, facts, said, attempts, since)


def _called(situation: Situation, begun: Mapping[Delivery, Attempts], call: Record) -> Iterator[CallOut]:
    """What a call hands over and may still be open; whom it names is looked up only then."""
    outs = [
        CallOut(channel, recipient_of(situation.plan, identifier, situation.directory), from_seconds)
        for channel, identifier, from_seconds in call.body["calls"]
        if channel in PLACES or not _is_over(situation, begun, (call.body["key"], channel, identifier))
    ]
    yield from gathered(outs)


def _deciding(situation: Situation, incident: IncidentState) -> tuple[str, tuple[CallOut, ...]]:
    """The key of what whoever decides on the open proposal is told, and who that is over what."""
    proposal = incident.proposal
    if proposal is None or cause_gone_seconds(situation, incident) is not None:  # while it is gone nobody is asked
        return "", ()
    at = next((record.at_seconds for record in reversed(incident.course) if record.kind == Kind.PROPOSED), situation.now)
    facts = incident_facts(situation, incident)
    return f"{incident.incident}/{DECISION}/{proposal.proposal}", asked_to_decide(
        situation.plan, facts, proposal.roles, proposal.requester, at
    )


def _decision_due(situation: Situation, incident: IncidentState) -> Iterator[Write]:
    key, called = _deciding(situation, incident)
    if called and key not in incident.messages_due:
        yield Write(
            Kind.NOTIFICATION_DUE,
            incident.incident,
            {
                "key": key,
                "message": DECISION,
                "audience": list(dict.fromkeys(out.recipient.identifier for out in called)),
                "channels": list(dict.fromkeys(out.channel for out in called)),
                "deliveries": [[out.channel, out.recipient.identifier] for out in called],
                "due_seconds": max(out.from_seconds for out in called) + incident.clock.wall_seconds(DECISION_WITHIN_SECONDS),
                "reason": "whoever decides on a proposal is asked as soon as it is made",
            },
        )


def _decisions(situation: Situation, incident: IncidentState, begun: Mapping[Delivery, Attempts]) -> Iterator[_Next]:
    """Everybody who may decide on what is proposed, and has not, is asked."""
    key, called = _deciding(situation, incident)
    if not called or incident.proposal is None or key not in incident.messages_due:
        return
    facts, given = incident_facts(situation, incident), {approval.person for approval in incident.approvals}
    said = said_once(situation, incident, facts, DECISION_WORDS, f"{_loss_in_words(incident.proposal)}\n")
    outs = tuple(gathered(called))
    everybody = _told_over(called) | _told_over(outs)
    for out in outs:
        if given.issuperset(stood_for(out.recipient.identifier)) or situation.now < out.from_seconds:
            continue
        due = out.from_seconds + incident.clock.wall_seconds(DECISION_WITHIN_SECONDS)
        told = Told(incident.incident, key, DECISION, out.channel, out.recipient, "alert", URGENT, due)
        attempts = attempts_at(situation, incident.clock, begun, told, everybody)
        yield from _asking(situation, incident, facts, said, attempts, given)


def _told_over(outs: Iterable[CallOut]) -> set[tuple[str, str]]:
    return {(out.channel, out.recipient.identifier) for out in outs}


def _asking(
    situation: Situation,
    incident: IncidentState,
    facts: IncidentFacts,
    said: Callable[[], tuple[Mapping[str, str], Words]],
    attempts: Iterable[Attempt | Write],
    answered: Collection[str],
) -> Iterator[_Next]:
    """Attempts that ask for an answer: each asks whom it goes to, be it a place or one behind it, and nobody who has answered."""
    for found in attempts:
        if isinstance(found, Write):
            yield found
        elif not set(stood_for(found.told.recipient.identifier)) <= set(answered):
            values, words = said()
            yield _tell(facts, found, words, values, asked_of(situation, incident, found.told.recipient))


def _words_to_pagers(situation: Situation, incident: IncidentState) -> tuple[Word, ...]:
    return tuple(words_to_pagers(incident, restored_seconds(incident), situation.now, situation.telling, situation.pagers))


def _pagers_due(incident: IncidentState, words: Iterable[Word]) -> Iterator[Write]:
    for word in words:
        if word.key not in incident.messages_due:
            yield Write(Kind.NOTIFICATION_DUE, incident.incident, word.due(incident))


def _to_pagers(situation: Situation, incident: IncidentState, words: Iterable[Word], begun: Mapping[Delivery, Attempts]) -> Iterator[_Next]:
    for word in words:
        recipient = recipient_of(situation.plan, word.recipient, situation.directory)
        due = word.since_seconds + incident.clock.wall_seconds(DECISION_WITHIN_SECONDS)
        way: WayOfChannel = "second" if word.second_way else "first"
        told = Told(incident.incident, word.key, word.message, word.channel, recipient, word.purpose, INSIDE, due, True, way)
        for found in attempts_at(situation, incident.clock, begun, told):
            facts = incident_facts(situation, incident)
            values = values_of(situation, incident, facts)
            yield _tell(facts, found, filled_words(word.words, values, facts), values, None)


def _to_page(situation: Situation, incident: IncidentState, word: PageWord | None, begun: Mapping[Delivery, Attempts]) -> Iterator[_Next]:
    if word is None:
        return
    facts = incident_facts(situation, incident)
    recipient = recipient_of(situation.plan, word.recipient, situation.directory)
    purpose: TellPurpose = "resolved" if word.state == "resolved" else "update"
    told = Told(incident.incident, word.key, MESSAGE, CHANNEL, recipient, purpose, OUTSIDE, word.due_seconds, only_there=True)
    for found in attempts_at(situation, incident.clock, begun, told):
        values = values_of(situation, incident, facts)
        yield _tell(facts, found, filled_words(word.words, values, facts), values, None)


def _loss_in_words(proposal: Proposal) -> str:
    """What those who decide must know before they do."""
    if proposal.loss_bound_seconds is None:
        return "What it may lose is not known; somebody must accept that by name."
    accept = "; that is above the RPO, and somebody must accept it by name" if proposal.above_rpo else ""
    return f"It may lose at most {proposal.loss_bound_seconds:.1f} s of writes{accept}."


def _tell(facts: IncidentFacts, found: Attempt | Write, words: Words, values: Mapping[str, str], asked: Asked | None) -> _Next:
    """An attempt with what it says; the record that there is none stays what it is."""
    if isinstance(found, Write):
        return found
    return found, replace(found.tell(words), severity=facts.severity, facts=values, asked=asked)


def _priority(recipient: Recipient) -> int:
    if recipient.person is not None or recipient.people:
        return INSIDE
    return MAILING if ":" in recipient.identifier and not recipient.identifier.startswith(EXERCISE_MAILBOX) else OUTSIDE
