"""Breaking the glass: two people sign in without single sign-on, which the journal and everybody who is told must show.

It grants nothing by itself (the server of the pages opens the session); it makes the deed durable first, with both names. Whom the plan's
`access_notice` names is told at once, over each channel, for as long as it lasts; a delivery that fails is tried again like any other. A
plan that names nobody for it tells those whom it asks to approve an activation, over the channels of its first alert.
"""

import math
from collections.abc import Iterator
from datetime import UTC, datetime

from holdfast.conduct.notices import Notice, handed_out
from holdfast.conduct.situation import Command, Move, Situation, Write
from holdfast.journal.kinds import Kind
from holdfast.plan.model import Plan, Words

LONGEST_SECONDS = 3600.0
"""Broken glass mends by itself after this long at most."""
MESSAGE = "access-notice"


def break_glass(situation: Situation, command: Command) -> tuple[str, tuple[Move, ...]]:
    """Records that two different people of the plan signed in together. Arguments: with, because, sign_on, until_seconds."""
    given, people = command.arguments, situation.plan.people
    other = str(given.get("with"))
    strangers = [person for person in (command.by, other) if person not in people]
    if strangers:
        return f"refused: '{strangers[0]}' is nobody in the plan", ()
    if other == command.by:
        return "refused: it takes two different people", ()
    if any(people[person].exercise for person in (command.by, other)) and situation.exercise is None:
        return "refused: one of them stands in only in exercises, and this is none", ()
    if not str(given.get("because") or "").strip():
        return "refused: say why single sign-on can't be used", ()
    until = given.get("until_seconds")
    if isinstance(until, bool) or not isinstance(until, int | float) or not math.isfinite(until):
        return "refused: it must say until when", ()
    if not situation.now < until <= situation.now + LONGEST_SECONDS:
        return f"refused: it lasts {LONGEST_SECONDS / 60:.0f} minutes at most", ()
    incident = situation.installation.open_incident()
    said = {name: str(given.get(name) or "")[:500] for name in ("because", "sign_on")}
    body = {"by": command.by, "with": other, **said, "until_seconds": until}
    return "accepted: it is journalled, and everybody sees it", (Write(Kind.ACCESS_BROKEN, incident.incident if incident else "", body),)


def broken_glass(situation: Situation) -> tuple[Move, ...]:
    """Tell whoever must know and was not told yet that somebody is in without single sign-on."""
    return tuple(_notices(situation))


def _notices(situation: Situation) -> Iterator[Move]:
    glass = situation.installation.broken_glass
    if glass is None or situation.now >= glass["until_seconds"]:
        return
    key = f"access/{glass['by']}/{glass['until_seconds']:.3f}"
    audience, channels = _whom(situation.plan)
    words = _words(situation.plan, glass["by"], glass["with"], glass["because"], glass["sign_on"], glass["until_seconds"])
    yield from handed_out(situation, Notice(key, MESSAGE, words, "access"), channels, audience, situation.now)


def _whom(plan: Plan) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(roles or audiences, channels)"""
    if plan.access_notice is not None:
        return plan.access_notice.audience, plan.access_notice.channels
    from_the_start = (one for one in plan.messages.values() if one.counts_from == "start" and not one.every)
    first = min(from_the_start, key=lambda one: one.due, default=None)
    return plan.approval.activation.of, () if first is None else first.channels


def _words(plan: Plan, by: str, other: str, because: str, sign_on: str, until_seconds: float) -> Words:
    until = datetime.fromtimestamp(until_seconds, UTC).isoformat(sep=" ", timespec="minutes")
    subject = f"{plan.name}: GLASS BROKEN by {by} and {other} until {until}"
    text = (
        f"{by} and {other} signed in together, without single sign-on. They say why: {because}\n"
        f"Single sign-on at that moment: {sign_on or 'not asked'}\n"
        f"It ends by itself at {until}. If you know nothing of it, call one of them now: what they do is in `holdfast journal show`.\n"
    )
    return Words(subject, text, subject)
