"""Notices that belong to no incident: handed over as messages of an incident are, with an intent that is durable first.

Each is told once over each channel, at the address that the plan has for whom it names; one that fails is tried again like any other.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from holdfast.communications import Recipient
from holdfast.communications.rendering import rehearsed
from holdfast.conduct.attempting import Attempt, Told, attempts_at
from holdfast.conduct.situation import Move, Situation, Tell, Write
from holdfast.plan.messages import Words
from holdfast.plan.plan_clock import AS_ON_THE_WALL

INSIDE = 1
"""How urgent they are: as what the company's own people are told."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told. `about`: what a channel holds messages on the same matter together by."""

    key: str
    message: str
    words: Words
    about: str
    purpose: Literal["update", "resolved"] = "update"


def handed_out(situation: Situation, notice: Notice, channels: Iterable[str], recipients: Iterable[Recipient]) -> Iterator[Move]:
    """An intent and a hand-over for everybody who was not told yet and may be now. In an exercise its words say so."""
    words = notice.words if situation.exercise is None else rehearsed(notice.words, situation.exercise)
    told, over = tuple(recipients), tuple(channels)
    everybody = {(channel, recipient.identifier) for channel in over for recipient in told}
    for channel in over:
        for recipient in told:
            if not recipient.is_reached_by(channel):
                continue
            one = Told("", notice.key, notice.message, channel, recipient, notice.purpose, INSIDE, None)
            for found in attempts_at(situation, AS_ON_THE_WALL, situation.installation.notices, one, everybody):
                yield from (found,) if isinstance(found, Write) else (found.intended(), _tell(found, words, notice.about))


def _tell(attempt: Attempt, words: Words, about: str) -> Tell:
    told, before = attempt.told, attempt.before
    return Tell(
        incident="",
        key=told.key,
        message=told.message,
        channel=told.channel,
        recipient=told.recipient.identifier,
        subject=words.subject,
        body=words.body,
        short=words.short,
        purpose=told.purpose,
        address=told.recipient.address(attempt.over or told.channel),
        addresses=told.recipient.addresses or {},
        over=attempt.over,
        enrolled=told.recipient.enrolled,
        again=before.may_have_arrived,
        second_way=before.unreceived and attempt.over is None,
        about=about,
    )
