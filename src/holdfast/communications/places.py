"""One delivery for one place: who is told at an address of their own, and who by the one post that everybody there reads.

Rules: a status page, a feed, a pager, a chat room and a webhook's one address get a message once, however many people look at them; a
recipient with an address of its own there is told at that. The recipient that stands for a place is named after those whom the message
is for (roles and audiences, or the people who are called), joined by `+`, and not after who is in them: it stays the same while members
come and go, so that nothing is published twice. Nobody from outside is told at a place of the company's own people.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from holdfast.communications.obligations import VENDOR
from holdfast.communications.recipients import EXERCISE_MAILBOX, PLACES, Recipient, is_outside
from holdfast.plan.model import Plan
from holdfast.plan.people import Occasion
from holdfast.plan.wordlists import INSIDE_CHANNELS

TOGETHER = "+"
"""Between those for whom a place's recipient stands."""
NEEDS_NO_LIST = ("status-page", "in-app")
"""Places that a whole audience looks at: nobody needs to know who is in it."""


class HandOver(NamedTuple):
    """One hand-over of one message."""

    channel: str
    recipient: Recipient


def delivered(channels: Iterable[str], recipients: Iterable[Recipient], places: Mapping[str, Recipient]) -> Iterator[HandOver]:
    """What a message makes over its channels: to every address one, and to each channel's place one."""
    everybody = tuple(recipients)
    for channel in channels:
        yield from (HandOver(channel, one) for one in everybody if one.is_reached_by(channel) and not looks_at_place(one, channel))
        if channel in places:
            yield HandOver(channel, places[channel])


def looks_at_place(recipient: Recipient, channel: str) -> bool:
    """Whether it hears what goes over this channel at the one place for all."""
    return channel in PLACES and recipient.address(channel) is None and recipient.is_reached_by(channel)


def places_of(
    plan: Plan, audience: Iterable[str], recipients: Iterable[Recipient], channels: Iterable[str], occasion: Occasion
) -> Mapping[str, Recipient]:
    """Channel → the recipient that stands for all who look at its one place; channels without one, or where nobody looks, are not in it."""
    named, everybody = tuple(dict.fromkeys(audience)), tuple(recipients)
    found: dict[str, Recipient] = {}
    for channel in channels:
        if channel not in PLACES:
            continue
        looking = [one for one in everybody if looks_at_place(one, channel)]
        names = [name for name in named if _is_known(plan, name) and not (channel in INSIDE_CHANNELS and is_outside(plan, name))]
        if names and (looking or channel in NEEDS_NO_LIST):
            people = tuple(one.person for one in looking if one.person is not None)
            found[channel] = _standing_for(plan, names, people, occasion)
    return found


def place_of_people(recipients: Iterable[Recipient]) -> Recipient:
    """Who stands for these, called at one place: themselves where it is only one."""
    called = tuple(recipients)
    if len(called) == 1:
        return called[0]
    identifier = TOGETHER.join(dict.fromkeys(one.identifier for one in called))
    people = tuple(dict.fromkeys(one.person for one in called if one.person is not None))
    return Recipient(identifier, ", ".join(dict.fromkeys(one.name for one in called)), called[0].through, None, {}, people=people)


def stood_for(identifier: str) -> tuple[str, ...]:
    """Those for whom a recipient of this identifier stands; itself where it is one alone."""
    return tuple(identifier.removeprefix(EXERCISE_MAILBOX).split(TOGETHER)) if TOGETHER in identifier else (identifier,)


def said_name(plan: Plan, identifier: str) -> str:
    """A person, role, audience or vendor of the plan as people know it; its identifier where the plan has none such."""
    for known in (plan.people, plan.roles, plan.audiences, plan.vendors):
        found = known.get(identifier.removeprefix(VENDOR) if known is plan.vendors else identifier)
        if found is not None:
            return str(found.name)
    return identifier


def _is_known(plan: Plan, name: str) -> bool:
    return name in plan.roles or name in plan.audiences or name.removeprefix(VENDOR) in plan.vendors


def _standing_for(plan: Plan, names: list[str], people: tuple[str, ...], occasion: Occasion) -> Recipient:
    mark = EXERCISE_MAILBOX if occasion is Occasion.EXERCISE else ""
    name = ", ".join(said_name(plan, one) for one in names)
    return Recipient(f"{mark}{TOGETHER.join(names)}", name, names[0], None, {}, people=people)
