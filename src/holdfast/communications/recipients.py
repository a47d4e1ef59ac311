"""Who stands behind the roles and audiences that a message names, and where each is reached.

Rules: a role means who is on call for it, its primary and its backup; in an exercise its stand-ins, and an audience is one mailbox named
after it: no person behind it is reached. An audience with a source is as long as its directory says; where that doesn't answer, the last
copy counts and its age is told, and where there is none, that is told, never an empty list. Who is reached where is `places`' matter.
A recipient's `identifier` is what journal and report hold; addresses stand only here and go no further than the channel.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from holdfast.communications.obligations import VENDOR
from holdfast.communications.oncall import fillers_at, on_call
from holdfast.plan.model import Person, Plan
from holdfast.plan.people import Occasion
from holdfast.plan.values import spoken_duration
from holdfast.plan.wordlists import INSIDE_CHANNELS

EXERCISE_MAILBOX = "exercise:"
"""Before the name of an audience that an exercise reaches as one mailbox."""
ADDRESS_BY_CHANNEL = {"email": "email", "phone": "phone", "sms": "phone", "slack": "chat"}
"""Channel that reaches a person at an address of its own → the field of the person that holds it."""
PLACES = (*INSIDE_CHANNELS, "status-page", "in-app", "webhook")
"""Channels with one place for everybody who has no address of their own there."""
_BETWEEN_DIGITS = str.maketrans("", "", " \u00a0-./()")


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in an audience's directory. `identifier` is the directory's own, and says nothing about the person."""

    identifier: str
    name: str
    addresses: Mapping[str, str]
    """Channel → address."""


@dataclass(frozen=True, slots=True)
class Membership:
    """What is known of one audience's directory. `members` is None when nobody knows them."""

    members: tuple[Member, ...] | None
    as_of_seconds: float | None = None
    """When this was read; older where the directory didn't answer since."""
    problem: str | None = None
    """Why it is a copy, or unknown."""


@dataclass(frozen=True, slots=True)
class Directory:
    """What is known of all audiences that have a source."""

    audiences: Mapping[str, Membership] = field(default_factory=dict)

    def unknown_of(self, identifiers: Iterable[str]) -> tuple[str, ...]:
        """Those of which nobody knows who is in them."""
        return tuple(name for name in identifiers if name in self.audiences and self.audiences[name].members is None)

    def copies_of(self, identifiers: Iterable[str], now: float) -> str:
        """What to say of those that are known from a copy only, with its age; empty where none is."""
        return "".join(
            f"; {name} as of {spoken_duration(max(now - known.as_of_seconds, 0.0))} ago, since its directory does not answer"
            for name in identifiers
            if (known := self.audiences.get(name)) is not None and known.problem is not None and known.as_of_seconds is not None
        )


NO_DIRECTORY = Directory()
"""Where no audience has a source."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is told: a person of the plan, or somebody outside of it (`person` is None). `through`: role or audience that named it."""

    identifier: str
    name: str
    through: str
    person: str | None
    addresses: Mapping[str, str] | None = None
    """Channel → address, where it has one of its own; None: over every channel, at that channel's place for this audience."""
    outside: bool = False
    """Whether it is none of the company's own people: customers, partners, vendors, authorities."""
    people: tuple[str, ...] = ()
    """People of the plan for whom it stands, where it is the one place that they all look at."""

    def is_reached_by(self, channel: str) -> bool:
        """Whether it hears what goes over this channel, at an address of its own or at the channel's one place.

        Members of a directory are written to where they have an address. Nobody from outside is told where only the company's own look.
        """
        if self.address(channel) is not None:
            return True
        if channel in PLACES:
            return not (self.outside and channel in INSIDE_CHANNELS)
        return self.person is not None or self.addresses is None

    def address(self, channel: str) -> str | None:
        """Where it is reached over this channel, or None."""
        return None if self.addresses is None else self.addresses.get(channel)


def addressed(
    plan: Plan, audience: Iterable[str], occasion: Occasion, *, at_seconds: float | None = None, directory: Directory | None = None
) -> tuple[Recipient, ...]:
    """Who stands behind these roles and audiences, in the plan's order, nobody twice. `at_seconds`: whose turn on call counts."""
    found: dict[str, Recipient] = {}
    for identifier in audience:
        for recipient in _named(plan, identifier, occasion, at_seconds or 0.0, directory or NO_DIRECTORY):
            found.setdefault(recipient.identifier, recipient)
    return tuple(found.values())


def person_recipient(plan: Plan, person: str, through: str) -> Recipient:
    """A person of the plan with everything that it is reached at."""
    known = plan.people[person]
    return Recipient(person, known.name, through, person, addresses_of(known))


def addresses_of(person: Person) -> dict[str, str]:
    """Channel → address of a person of the plan."""
    found = {channel: getattr(person, name) for channel, name in ADDRESS_BY_CHANNEL.items()}
    return {
        channel: dialled(value) if ADDRESS_BY_CHANNEL[channel] == "phone" else value
        for channel, value in found.items()
        if value is not None
    }


def dialled(number: str) -> str:
    """A telephone number without what people put between its digits to read it."""
    return number.translate(_BETWEEN_DIGITS)


def _named(plan: Plan, identifier: str, occasion: Occasion, at_seconds: float, directory: Directory) -> Iterator[Recipient]:
    role = plan.roles.get(identifier)
    if role is not None:
        people = fillers_at(plan, role, occasion, at_seconds)
        if not people:
            yield Recipient(f"{EXERCISE_MAILBOX}{identifier}", f"{role.name} (nobody stands in)", identifier, None)
        yield from (person_recipient(plan, person, identifier) for person in people)
        return
    if identifier not in plan.audiences:
        yield from _vendor(plan, identifier, occasion)
        return
    audience = plan.audiences[identifier]
    outside = is_outside(plan, identifier)
    if occasion is Occasion.EXERCISE:
        yield Recipient(f"{EXERCISE_MAILBOX}{identifier}", audience.name, identifier, None, outside=outside)
        return
    yield from (person_recipient(plan, person, identifier) for person in audience.people)
    for rotation in audience.rotations:
        shift = on_call(plan, rotation, at_seconds) if rotation in plan.rotations else None
        if shift is not None and shift.person is not None:
            yield person_recipient(plan, shift.person, identifier)
    for inner in audience.roles:
        yield from (person_recipient(plan, person, identifier) for person in fillers_at(plan, plan.roles[inner], occasion, at_seconds))
    known = directory.audiences.get(identifier)
    for member in (known.members or ()) if known is not None else ():
        yield Recipient(f"{identifier}:{member.identifier}", member.name, identifier, None, member.addresses, outside)
    if audience.address is not None:
        own = {channel: audience.address for channel in ("email", "webhook") if audience.address != identifier}
        yield Recipient(identifier, audience.name, identifier, None, own or None, outside)


def is_outside(plan: Plan, identifier: str) -> bool:
    """Whether an audience is a circle outside the company: it names nobody of the plan. Roles are inside, vendors are not."""
    audience = plan.audiences.get(identifier)
    if audience is None:
        return identifier not in plan.roles
    return not (audience.people or audience.roles or audience.rotations)


def _vendor(plan: Plan, identifier: str, occasion: Occasion) -> Iterator[Recipient]:
    name = identifier.removeprefix(VENDOR)
    vendor = plan.vendors.get(name)
    if vendor is None:
        return
    if occasion is Occasion.EXERCISE:
        yield Recipient(f"{EXERCISE_MAILBOX}{identifier}", vendor.name, identifier, None, outside=True)
        return
    phone = None if vendor.phone is None else dialled(vendor.phone)
    ways = {"email": vendor.email, "phone": phone, "sms": phone}
    known = {channel: way for channel, way in ways.items() if way is not None}
    yield Recipient(identifier, vendor.name, identifier, None, known, outside=True)
