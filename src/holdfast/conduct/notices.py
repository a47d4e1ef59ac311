"""Notices that belong to no incident: handed over as messages of an incident are, with an intent that is durable first.

Each is told once over each channel, at the address that the plan has for whom it names; one that fails is tried again like any other.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from holdfast.communications import Recipient
from holdfast.communications.rendering import rehearsed
from holdfast.conduct.situation import Move, Situation, Tell, Write
from holdfast.decision.deliveries import Attempts
from holdfast.journal.kinds import Kind
from holdfast.plan.messages import Words
from holdfast.plan.plan_clock import AS_ON_THE_WALL


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
    told = tuple(recipients)
    for channel in channels:
        for recipient in told:
            delivery = (notice.key, channel, recipient.identifier)
            before = situation.installation.notices.get(delivery, Attempts())
            may_try = recipient.is_reached_by(channel) and before.may_try(situation.now, AS_ON_THE_WALL)
            if delivery in situation.telling or not may_try:
                continue
            named = {"key": notice.key, "message": notice.message, "channel": channel, "recipient": recipient.identifier}
            yield Write(Kind.NOTIFICATION_INTENDED, "", {**named, "attempt": before.intended + 1})
            yield Tell(
                incident="",
                key=notice.key,
                message=notice.message,
                channel=channel,
                recipient=recipient.identifier,
                subject=words.subject,
                body=words.body,
                short=words.short,
                purpose=notice.purpose,
                address=recipient.address(channel),
                enrolled=recipient.enrolled,
                again=before.may_have_arrived,
                second_way=before.unreceived,
                about=notice.about,
            )
