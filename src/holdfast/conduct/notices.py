"""Notices that belong to no incident: handed over as messages of an incident are, with an intent that is durable first.

Each is told once over each channel, at the address that the plan has for whom it names, or at the channel's one place for all of them; one
that fails is tried again like any other.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from holdfast.communications import addressed, delivered, places_of
from holdfast.communications.places import stood_for
from holdfast.communications.rendering import rehearsed
from holdfast.conduct.situation import Move, Situation, Tell, Write
from holdfast.decision.deliveries import Attempts
from holdfast.journal.kinds import Kind
from holdfast.plan.messages import Words
from holdfast.plan.people import Occasion, enrolled
from holdfast.plan.plan_clock import AS_ON_THE_WALL


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told. `about`: what a channel holds messages on the same matter together by."""

    key: str
    message: str
    words: Words
    about: str
    purpose: Literal["update", "resolved"] = "update"


def handed_out(situation: Situation, notice: Notice, channels: Iterable[str], audience: Iterable[str], at_seconds: float) -> Iterator[Move]:
    """An intent and a hand-over for everybody who was not told yet and may be now. In an exercise its words say so.

    `audience`: roles and audiences; `at_seconds`: whose turn on call counts.
    """
    words = notice.words if situation.exercise is None else rehearsed(notice.words, situation.exercise)
    named, over, occasion = tuple(audience), tuple(channels), Occasion.of(situation.exercise)
    reachable = enrolled(situation.plan, situation.exercise, situation.scenario)
    told = addressed(situation.plan, named, occasion, at_seconds=at_seconds, directory=situation.directory)
    for channel, recipient in delivered(over, told, places_of(situation.plan, named, told, over, occasion)):
        delivery = (notice.key, channel, recipient.identifier)
        before = situation.installation.notices.get(delivery, Attempts())
        if delivery in situation.telling or not before.may_try(situation.now, AS_ON_THE_WALL):
            continue
        about = {"key": notice.key, "message": notice.message, "channel": channel, "recipient": recipient.identifier}
        yield Write(Kind.NOTIFICATION_INTENDED, "", {**about, "attempt": before.intended + 1})
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
            enrolled=reachable.issuperset(stood_for(recipient.identifier)),
            again=before.may_have_arrived,
            second_way=before.unreceived,
            about=notice.about,
        )
