"""HF125: somebody who must be told or called has no contact for any of the channels named."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts, listed
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.problems import Place
from holdfast.plan.wordlists import INSIDE_CHANNELS

CODE = "HF125"


_PERSONAL = {"email": "email", "phone": "phone", "sms": "phone"}
"""Channels that need something of the person's own; the others lead to a place that all look at."""


def _apply(facts: Facts) -> Iterator[Finding]:
    plan = facts.plan
    asked: list[tuple[Place, str, tuple[str, ...], tuple[str, ...]]] = [
        (("messages", name), f"the message '{name}'", message.audience, message.channels) for name, message in plan.messages.items()
    ]
    asked += [
        (("escalation", severity), f"the escalation of {severity}", level.audience, level.channels)
        for severity, level in plan.escalation.items()
    ]
    if plan.zone_notice is not None:
        asked.append((("zone_notice",), "the notice of a lost zone", plan.zone_notice.audience, plan.zone_notice.channels))
    if plan.access_notice is not None:
        asked.append((("access_notice",), "the notice of broken glass", plan.access_notice.audience, plan.access_notice.channels))
    for place, what, audience, channels in asked:
        for name in audience:
            yield from _audience(facts, place, what, name, channels)
    for severity, level in plan.escalation.items():
        if not level.audience:
            sentence = f"the escalation of {severity} goes to '{level.level}', and the plan names nobody for it"
            yield Finding(CODE, Severity.WARNING, sentence, (("escalation", severity),), "write 'audience' with roles or audiences")
    yield from _roles(facts)


def _roles(facts: Facts) -> Iterator[Finding]:
    """People of roles who can't be reached by anything at all, in one finding: it is one telephone list that is missing."""
    plan = facts.plan
    filling = dict.fromkeys(person for role in plan.roles.values() for person in (role.primary, role.backup) if person is not None)
    people = {person: plan.people[person] for person in filling}
    bare = [key for key, one in people.items() if not (one.exercise or one.email or one.phone or one.chat or plan.contacts is not None)]
    if bare:
        fills = "fills a role" if len(bare) == 1 else "fill roles"
        sentence = f"{listed(people[person].name for person in bare)} {fills}, and the plan has neither e-mail, telephone nor chat of them"
        places: tuple[Place, ...] = tuple(("people", person) for person in bare)
        yield Finding(CODE, Severity.WARNING, sentence, places, "write 'email' and 'phone' of each, or keep them apart with 'contacts'")


def _audience(facts: Facts, place: Place, what: str, name: str, channels: tuple[str, ...]) -> Iterator[Finding]:
    plan = facts.plan
    circle = plan.audiences.get(name)
    if circle is not None and circle.address is None and circle.source is None:
        people = _members(facts, name)
        if not people:
            sentence = f"{what} goes to {circle.name}, and nobody is in it"
            yield Finding(CODE, Severity.WARNING, sentence, (place, ("audiences", name)), "name people, roles or an address")
    elif circle is not None and set(channels) <= set(INSIDE_CHANNELS) and not _members(facts, name):
        sentence = f"{what} goes to {circle.name} by {listed(channels)}, and nobody from outside is told where only the company's own look"
        mend = "write e-mail, webhook or the status page, or name the people who are meant"
        yield Finding(CODE, Severity.WARNING, sentence, (place, ("audiences", name)), mend)
    for person in _members(facts, name):
        known = plan.people[person]
        bare = not (known.email or known.phone or known.chat)
        if known.exercise or (bare and plan.contacts is not None):
            continue  # kept apart, and not opened here: unknown is not missing
        used = tuple(dict.fromkeys((*channels, *(known.reach.channels if known.reach is not None else ()))))
        if any(channel not in _PERSONAL or getattr(known, _PERSONAL[channel]) for channel in used):
            continue
        sentence = f"{what} goes to {known.name} by {listed(used)}, and the plan has no such contact"
        yield Finding(CODE, Severity.WARNING, sentence, (place, ("people", person)), "write the person's e-mail or telephone")


def _members(facts: Facts, name: str) -> tuple[str, ...]:
    plan = facts.plan
    circle = plan.audiences.get(name)
    roles = [plan.roles[name]] if circle is None else [plan.roles[role] for role in circle.roles]
    people = [person for role in roles for person in (role.primary, role.backup) if person is not None]
    if circle is not None:
        people += [*circle.people, *(person for rotation in circle.rotations for person in plan.rotations[rotation].people)]
    return tuple(dict.fromkeys(people))


RULE = Rule(
    CODE,
    "everybody who must hear can be reached",
    _apply,
    Explanation(
        means="A message or an escalation names people who have no contact for its channels, or nobody at all.",
        why="What nobody can receive was not said.",
        computed=(
            "E-mail, telephone and sms need the person's own; other channels lead to a place that all look at, and nobody from outside is "
            "told in the company's own room or pager. Whoever fills a role needs some contact in any case."
        ),
        mend="Write the contact, another channel, or somebody who can be reached.",
        example="channels: [phone], and the person has only an e-mail",
    ),
)
