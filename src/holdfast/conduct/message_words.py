"""What a message of the plan says to whom it is for, and what kind of word it is: a person's own text first, else the plan's."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Literal

from holdfast.communications import DueMessage, IncidentFacts
from holdfast.communications.obligations import message_of
from holdfast.communications.rendering import filled_words, marked, words_of
from holdfast.conduct.facts import values_of
from holdfast.conduct.situation import Situation
from holdfast.decision.replay import IncidentState
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.plan.model import Plan, Words


def words_to_send(plan: Plan, incident: IncidentState, message: DueMessage, facts: IncidentFacts, values: dict[str, str]) -> Words:
    """What a person wrote for this very message, else the plan's words; facts alone where the plan's can't be filled."""
    words = words_of(plan, message.message)
    written = next((record.body for record in reversed(incident.course) if _edits(record, message.key)), None)
    if written is not None:
        words = Words(*(written[name] if written[name] is not None else getattr(words, name) for name in ("subject", "body", "short")))
    try:
        return filled_words(words, values, facts)
    except ValueError:  # no fault of a text may keep people from being told
        bare = f"{values['functions']} hit since {values['started']}"
        return marked(Words(f"{facts.incident}: {values['state']}", f"{bare}.\nState: {values['state']}\n", bare), facts)


def _edits(record: Record, key: str) -> bool:
    return record.kind == Kind.MESSAGE_EDITED and record.body["key"] == key


def purpose_of(plan: Plan, rule: str) -> Literal["alert", "update", "resolved"]:
    """`alert`: what the plan tells first of all. `resolved`: what it tells once service is back."""
    message = message_of(plan, rule)
    if message is None:
        return "update"
    if message.counts_from == "restored":
        return "resolved"
    first = min((other.due for other in plan.messages.values() if other.counts_from == "start" and not other.every), default=None)
    return "alert" if message.counts_from == "start" and not message.every and message.due == first else "update"


def said_once(
    situation: Situation, incident: IncidentState, facts: IncidentFacts, words: Words, behind: str = ""
) -> Callable[[], tuple[Mapping[str, str], Words]]:
    """The fields and the words filled with them, worked out when the first asks for them: at most looks nobody is left to be asked."""

    @cache
    def said() -> tuple[Mapping[str, str], Words]:
        values = values_of(situation, incident, facts)
        filled = filled_words(words, values, facts)
        return values, Words(filled.subject, f"{filled.body}{behind}", filled.short)

    return said
