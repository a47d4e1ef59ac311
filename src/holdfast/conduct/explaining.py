"""What people write for messages: the words of one that is to come, and what only people know, why it happened and where the review stands.

Rules: it is journalled with who wrote it, the last word counts, and messages say it from then on; what was told before stays as it was.
"""

from holdfast.communications.obligations import VENDOR, message_of
from holdfast.conduct.situation import Command, Move, Situation, Write
from holdfast.decision.replay import IncidentState
from holdfast.journal.kinds import Kind
from holdfast.plan import texts

MOST_CHARACTERS = 1000
SAID = ("cause", "review")


def explain(_: Situation, incident: IncidentState, command: Command) -> tuple[str, tuple[Move, ...]]:
    """Somebody says why it happened, or where the review stands, or both. Arguments: cause, review. Refused: nothing said, or too much."""
    named = command.arguments.get("incident", incident.incident)
    if named != incident.incident:
        return f"refused: {incident.incident} is the open incident, not {named}", ()
    said: dict[str, str | None] = {}
    for name in SAID:
        text = command.arguments.get(name)
        if text is not None and (not isinstance(text, str) or not text.strip() or len(text) > MOST_CHARACTERS):
            return f"refused: the {name} must be text of at most {MOST_CHARACTERS} characters", ()
        said[name] = None if text is None else " ".join(text.split())
    if all(text is None for text in said.values()):
        return "refused: say why it happened (--cause), or where the review stands (--review)", ()
    body = {"by": command.by, **said}
    return "accepted: messages say so from now on", (Write(Kind.EXPLAINED, incident.incident, body),)


def edit(situation: Situation, incident: IncidentState, command: Command) -> tuple[str, tuple[Move, ...]]:
    """A person's words for the next of a message that wasn't handed over yet. Refused: words that can't be filled, or nothing to come."""
    rule = str(command.arguments.get("message"))
    known = message_of(situation.plan, rule)
    if known is None or rule.startswith(VENDOR):
        return f"refused: the plan has no message '{rule}'; it has: {', '.join(situation.plan.messages)}", ()
    written = {name: command.arguments.get(name) for name in ("subject", "body", "short")}
    if all(text is None for text in written.values()):
        return "refused: say what it is to say: a subject, a body or a short form", ()
    for name, text in written.items():
        if text is not None and (not isinstance(text, str) or len(text) > texts.MOST_CHARACTERS):
            return f"refused: the {name} must be text of at most {texts.MOST_CHARACTERS} characters", ()
        wrong = texts.faults(text) if isinstance(text, str) else ()
        if wrong:
            return f"refused: the {name} can't be filled: {wrong[0][0]}" + (f" ({wrong[0][1]})" if wrong[0][1] else ""), ()
    begun = {key for key, _, _ in incident.deliveries}
    number = 1
    while f"{incident.incident}/{rule}/{number}" in begun:
        number += 1
    if number > 1 and not known.every:
        return f"refused: {rule} was handed over already, and is told only once", ()
    key = f"{incident.incident}/{rule}/{number}"
    body = {"key": key, "message": rule, "by": command.by, **written}
    return f"accepted: {key} goes out in these words", (Write(Kind.MESSAGE_EDITED, incident.incident, body),)
