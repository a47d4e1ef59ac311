"""Notices that belong to no incident: handed over as messages of an incident are, with an intent that is durable first.

Each is told once over each channel, at the address that the plan has for whom it names, or at the channel's one place for all of them; one
that fails is tried again like any other.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from holdfast.communications import addressed, delivered, places_of
from holdfast.communications.places import stood_for
from holdfast.communications.rendering import rehearsed
from holdfast.conduct.attempting import Told, attempts_at
from holdfast.conduct.situation import Move, Situation, Write
from holdfast.plan.messages import Words
from holdfast.plan.people import Occasion, enrolled
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


def handed_out(situation: Situation, notice: Notice, channels: Iterable[str], audience: Iterable[str], at_seconds: float) -> Iterator[Move]:
    """An intent and a hand-over for everybody who was not told yet and may be now. In an exercise its words say so.

    `audience`: roles and audiences; `at_seconds`: whose turn on call counts.
    """
    words = notice.words if situation.exercise is None else rehearsed(notice.words, situation.exercise)
    named, over, occasion = tuple(audience), tuple(channels), Occasion.of(situation.exercise)
    reachable = enrolled(situation.plan, situation.exercise, situation.scenario)
    people = addressed(situation.plan, named, occasion, at_seconds=at_seconds, directory=situation.directory)
    told = tuple(delivered(over, people, places_of(situation.plan, named, people, over, occasion)))
    everybody = {(channel, recipient.identifier) for channel, recipient in told}
    for channel, recipient in told:
        one = Told("", notice.key, notice.message, channel, recipient, notice.purpose, INSIDE, None)
        for found in attempts_at(situation, AS_ON_THE_WALL, situation.installation.notices, one, everybody):
            if isinstance(found, Write):
                yield found
            else:
                may = reachable.issuperset(stood_for(found.told.recipient.identifier))
                yield from (found.intended(), replace(found.tell(words), about=notice.about, enrolled=may))
