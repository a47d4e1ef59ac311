"""Breaking the glass: two people sign in without single sign-on, which the journal and everybody who is told must show.

It grants nothing by itself (the server of the pages opens the session); it makes the deed durable first, with both names.
"""

import math

from holdfast.conduct.situation import Command, Move, Situation, Write
from holdfast.journal.kinds import Kind

LONGEST_SECONDS = 3600.0
"""Broken glass mends by itself after this long at most."""


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
