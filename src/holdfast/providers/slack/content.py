"""What a message looks like in Slack: fallback text, blocks, buttons, and the metadata that it is found again by. Pure.

Rules: text of people is shown as it is; nothing in it can mention a channel or become a link. A button carries no secret: Slack's own
signature proves who pressed it, and the proposal's hash keeps it from meaning anything else. A person's own link and digits stand only
where that person alone reads.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.decision.links import Deed, button
from holdfast.ports.notifier import Notification, Purpose
from holdfast.ports.post import REPEAT_NOTE, answer_text

EVENT_TYPE = "holdfast_message"
HEADER_CHARACTERS = 150
SECTION_CHARACTERS = 2900
"""Slack takes 3,000."""
SECTIONS = 40
"""Slack takes 50 blocks in all."""
NAME_CHARACTERS = 80
_IDENTIFIER = re.compile(r"[CGDUW][A-Z0-9]{8,}")


def is_identifier(place: str) -> bool:
    """Whether this is Slack's own identifier of a channel, a conversation or a user, and no name."""
    return _IDENTIFIER.fullmatch(place) is not None


def is_private(place: str) -> bool:
    """Whether one person alone reads there: a user, or the conversation with one."""
    return is_identifier(place) and place[0] in "DUW"


def room_name(pattern: str, notification: Notification) -> str:
    """A name that Slack takes: lower case, no spaces, at most 80 characters. Identifiers stay as they are."""
    if is_identifier(pattern):
        return pattern
    plain = pattern.replace("{incident}", notification.incident).lstrip("#").lower()
    prefix = "exercise-" if notification.exercise else ""
    name = re.sub(r"[^a-z0-9_-]+", "-", prefix + plain).strip("-")[:NAME_CHARACTERS]
    return name or "incident"


def escaped(text: str) -> str:
    """Text that Slack shows as it is."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def metadata(incident: str, key: str) -> dict[str, Any]:
    """What the message is found again by. The living message keeps the key of the first message, whatever it shows later."""
    return {"event_type": EVENT_TYPE, "event_payload": {"incident": incident, "key": key}}


def found_again(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """What `metadata` put into a message; empty for anybody else's."""
    found = message.get("metadata") or {}
    payload = found.get("event_payload") if found.get("event_type") == EVENT_TYPE else None
    return payload if isinstance(payload, dict) else {}


def content(notification: Notification, *, private: bool) -> dict[str, Any]:
    """The message. Long bodies become several sections. `private`: its recipient alone reads it, so its own link may stand there."""
    subject = " ".join(notification.subject.split()) or notification.message
    body = notification.body or " "
    if private and (answers := answer_text(notification)):
        body = f"{body}\n\n{answers}"
    pieces = [body[start : start + SECTION_CHARACTERS] for start in range(0, len(body), SECTION_CHARACTERS)][:SECTIONS]
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": _plain(subject[:HEADER_CHARACTERS])},
        *({"type": "section", "text": _plain(piece)} for piece in pieces),
    ]
    if buttons := list(_buttons(notification)):
        blocks.append({"type": "actions", "elements": buttons})
    return {"text": escaped(subject), "blocks": blocks, "metadata": metadata(notification.incident, notification.key)}


def posted_once_more(notification: Notification) -> dict[str, Any]:
    """As `content`, where nobody can look up what was posted: without metadata, and with a note where it may be a repeat."""
    made = content(notification, private=False)
    if notification.again:
        made["blocks"].insert(1, {"type": "context", "elements": [_plain(REPEAT_NOTE)]})
    return {name: made[name] for name in ("text", "blocks")}


def _buttons(notification: Notification) -> Iterator[dict[str, Any]]:
    if notification.purpose is Purpose.ALERT or notification.acknowledge_url:
        yield {
            "type": "button",
            "action_id": "acknowledge",
            "text": _plain("Acknowledge"),
            "value": button(Deed.ACKNOWLEDGE, notification.incident),
        }
    if notification.approve_hash:
        ask = f"It may start what can't be undone. It counts for exactly what is proposed now ({notification.approve_hash[:12]})."
        yield {
            "type": "button",
            "action_id": "approve",
            "style": "danger",
            "text": _plain("Approve"),
            "value": button(Deed.APPROVE, notification.incident, notification.approve_hash),
            "confirm": {
                "title": _plain("Approve the proposal?"),
                "text": _plain(ask),
                "confirm": _plain("Approve"),
                "deny": _plain("Not now"),
            },
        }


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}
