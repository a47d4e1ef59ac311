"""A quiet test: do a person's channels reach them? Nobody is woken, nobody is called, and no incident is opened.

Rules: it goes to those who fill a role of the plan or take turns in a rotation, and to nobody else, also not by name (a contact, or
somebody whom an audience outside names, was never told of a test), at an address of their own, never to a place that many look at; in an
exercise to who is enrolled in it. It says in every text that it is practice, as an exercise does, and passes the same guard below the
channels. What rings is left out unless somebody asks for it: calls always, text messages outside of the person's day. Each hand-over is
tried once: a test shows what is so, and doesn't insist. While an incident is open there is no test, since it would be taken for a part of
it; one that is opened ends what is still to be handed over, and what was handed over before is waited for all the same. Who could not be
reached, and why, is recorded with it; arrived is what a channel says, acknowledged is what the person says.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Literal

from holdfast.communications.escalation import recipient_of
from holdfast.communications.oncall import zone_of
from holdfast.communications.recipients import ADDRESS_BY_CHANNEL, PLACES, Recipient, person_recipient
from holdfast.communications.rendering import rehearsed
from holdfast.conduct.answering import WAYS
from holdfast.conduct.attempting import Attempt, Told
from holdfast.conduct.notices import INSIDE
from holdfast.conduct.situation import Asked, Command, Move, Situation, Write
from holdfast.decision.channel_test import PREFIX, ChannelTest, Hand, LeftOut
from holdfast.decision.deliveries import Attempts
from holdfast.journal.kinds import Kind
from holdfast.plan.messages import Words
from holdfast.plan.model import Person, Plan
from holdfast.plan.people import against_stranger, enrolled, responsible

MESSAGE = "quiet-test"
DAY_HOURS = (8, 20)
"""From when until when a text message wakes nobody, local time of whoever gets it."""
ANSWERS_COUNT_SECONDS = 86400.0
_CALLS, _TEXTS = "phone", "sms"

_LOUDEST: Mapping[str, Literal["text", "call"]] = {_CALLS: "call", _TEXTS: "text"}
"""Channel → how loud it may be once it is tested over at all; whatever a channel is bound to, it is never louder than its name says."""


def begin(situation: Situation, command: Command) -> tuple[str, tuple[Move, ...]]:
    """Somebody asks for a test. Arguments: people [person] (all who may be, where empty), rings [channel]. Its one record is the whole
    of what will be handed over, so a controller that takes over goes on with exactly that."""
    may = _may_be_tested(situation)
    if (stranger := against_stranger(situation.plan, command.by, situation.exercise)) is not None:
        return f"refused: {stranger}. Nothing was sent", ()
    open_now = situation.installation.open_incident()
    if open_now is not None:
        return f"refused: {open_now.incident} is open, and a test would be taken for a part of it. Nothing was sent", ()
    last = situation.installation.channel_test
    if last is not None and last.is_under_way(situation.now):
        return f"refused: {last.name} is still under way; look at it with `holdfast oncall tested`", ()
    people, rings = (_texts(command.arguments.get(name)) for name in ("people", "rings"))
    if people is None or rings is None:
        return "refused: 'people' and 'rings' are lists of names", ()
    if strangers := [person for person in people if person not in may]:
        whom = ", ".join(may) or "nobody"
        return f"refused: '{strangers[0]}' is nobody whom a test may reach here; it may reach: {whom}. Nothing was sent", ()
    if unknown := [channel for channel in rings if channel not in (_CALLS, _TEXTS)]:
        return f"refused: '{unknown[0]}' can't be asked to ring in a test; {_CALLS} and {_TEXTS} can. Nothing was sent", ()
    chosen = tuple(dict.fromkeys(people)) or may
    name = f"{PREFIX}{1 if last is None else last.number + 1}"
    reaches, left_out = _over_what(situation.plan, chosen, frozenset(rings), situation.now)
    body = {
        "test": name,
        "by": command.by,
        "people": list(chosen),
        "rings": list(dict.fromkeys(rings)),
        "reaches": [list(hand) for hand in reaches],
        "left_out": [[one.channel, one.person, one.because, one.says] for one in left_out],
        "until_seconds": situation.now + ANSWERS_COUNT_SECONDS,
    }
    count = f"{len(reaches)} hand-over{'' if len(reaches) == 1 else 's'}"
    return f"accepted: {name} is handed to {len(chosen)} of the plan's people, {count}", (Write(Kind.CHANNELS_TESTED, "", body),)


def _texts(given: object) -> tuple[str, ...] | None:
    """None for what is no list of texts."""
    if given is None:
        return ()
    if not isinstance(given, list | tuple) or not all(isinstance(one, str) for one in given):
        return None
    return tuple(given)


def _may_be_tested(situation: Situation) -> tuple[str, ...]:
    """Those who fill a role or take turns, in the plan's order; in an exercise those of its people that are enrolled in it."""
    people = situation.plan.people
    if situation.exercise is not None:
        reachable = enrolled(situation.plan, situation.exercise, situation.scenario)
        return tuple(person for person in people if person in reachable)
    on_duty = responsible(situation.plan)
    return tuple(person for person, known in people.items() if person in on_duty and not known.exercise)


def _over_what(plan: Plan, people: tuple[str, ...], rings: frozenset[str], now: float) -> tuple[list[Hand], list[LeftOut]]:
    reaches: list[Hand] = []
    left_out: list[LeftOut] = []
    for person in people:
        recipient, called_over = person_recipient(plan, person, MESSAGE), _called_over(plan, plan.people[person])
        for channel in plan.channels():
            found = _left_out(plan, recipient, channel, now) if channel not in rings or recipient.address(channel) is None else None
            if found is None:
                reaches.append((channel, person))
            elif channel in called_over or recipient.address(channel) is not None:
                left_out.append(LeftOut(channel, person, *found))
    return reaches, left_out


def _called_over(plan: Plan, person: Person) -> frozenset[str]:
    """The channels that an incident would call this person over."""
    if person.reach is not None:
        return frozenset(person.reach.channels)
    return frozenset(channel for row in plan.escalation.values() for channel in row.channels)


def _left_out(plan: Plan, recipient: Recipient, channel: str, now: float) -> tuple[str, str] | None:
    """Why a test doesn't go to this person over this channel, as (because, says); None where it does."""
    person = plan.people[recipient.identifier]
    if recipient.address(channel) is None:
        if channel in PLACES:
            return "place", "one place for everybody who looks at it; a test goes to people's own addresses only"
        return "no-address", f"the plan has no {ADDRESS_BY_CHANNEL.get(channel, 'address')} for {person.name}"
    if channel == _CALLS:
        return "rings", f"a call rings; `--ring {_CALLS}` tests it too"
    if channel == _TEXTS:
        local = datetime.fromtimestamp(now, zone_of(person.timezone or plan.timezone))
        if not DAY_HOURS[0] <= local.hour < DAY_HOURS[1]:
            return "rings", f"it is {local:%H:%M} for {person.name}; `--ring {_TEXTS}` tests it too"
    return None


def quiet_tests(situation: Situation) -> tuple[Move, ...]:
    """Hand over what the last test still has to; an incident that was opened meanwhile ends that."""
    test = situation.installation.channel_test
    if test is None or not test.may_hand_over(situation.now):
        return ()
    return tuple(_handed_over(situation, test))


def _handed_over(situation: Situation, test: ChannelTest) -> Iterator[Move]:
    words = rehearsed(_words(situation.plan, test), f"quiet test {test.name}")
    may = frozenset(_may_be_tested(situation)) & frozenset(test.people)
    left = [_attempt(situation.plan, test, hand) for hand in test.reaches if hand not in test.handed]
    yield from (one.intended() for one in left)
    for one in left:
        person = one.told.recipient.identifier
        yield replace(
            one.tell(words),
            enrolled=person in may,
            asked=Asked(person, test.until_seconds),
            about=test.name,
            test=test.name,
            loudest=_LOUDEST.get(one.told.channel, "quiet"),
        )


def _attempt(plan: Plan, test: ChannelTest, hand: Hand) -> Attempt:
    channel, person = hand
    return Attempt(Told("", test.name, MESSAGE, channel, recipient_of(plan, person), "update", INSIDE, None), Attempts())


def _words(plan: Plan, test: ChannelTest) -> Words:
    say = f"holdfast ack {test.name} --as NAME"
    return Words(
        subject=f"TEST of your channels ({plan.name}): nothing has happened",
        body=(
            f"{test.by} asks whether this reaches you. Nothing has happened, and nobody waits for you.\n"
            f"When you see it, say that it arrived, by the link below where there is one, or: {say}\n"
        ),
        short=f"TEST of your channels, nothing has happened. It arrived? {say}",
    )


def acknowledged(situation: Situation, command: Command) -> tuple[str, tuple[Move, ...]] | None:
    """What it comes to that somebody says that a test arrived; None where the command is about no test. It answers for no role."""
    named = str(command.arguments.get("incident", ""))
    if not named.startswith(PREFIX):
        return None
    test, way = situation.installation.channel_test, str(command.arguments.get("way", "cli"))
    if test is None or test.name != named:
        return f"refused: {named} is not the last test", ()
    if way not in WAYS:
        return f"refused: '{way}' is no way to acknowledge; it can be one of: {', '.join(WAYS)}", ()
    if command.by not in test.people:
        return f"refused: {test.name} was not for '{command.by}'", ()
    if situation.now >= test.until_seconds:
        return f"refused: {test.name} is over; ask for another", ()
    if command.by in test.answers:
        return f"accepted: {command.by} had said already that {test.name} arrived", ()
    body: Mapping[str, str] = {"test": test.name, "person": command.by, "way": way}
    return f"accepted: {test.name} reached {command.by}", (Write(Kind.TEST_ACKNOWLEDGED, "", body),)


def arrived(situation: Situation, given: str, how: str, result: str) -> tuple[str, tuple[Move, ...]] | None:
    """A channel's later word on a test; `given`: test/channel/person. None where it is about no hand-over of the last test."""
    test = situation.installation.channel_test
    found = None if test is None else next((hand for hand in test.handed if "/".join((test.name, *hand)) == given), None)
    if test is None or found is None:
        return None
    named = {"key": test.name, "channel": found[0], "recipient": found[1]}
    if result == "delivered":
        if test.handed[found].delivered_seconds is not None:
            return "accepted: that was known", ()
        return "accepted: it arrived", (Write(Kind.NOTIFICATION_DELIVERED, "", {**named, "at_seconds": situation.now, "how": how}),)
    failed = {**named, "message": MESSAGE, "reason": f"not delivered: {how}"}
    return "accepted: it did not arrive", (Write(Kind.NOTIFICATION_FAILED, "", failed),)
