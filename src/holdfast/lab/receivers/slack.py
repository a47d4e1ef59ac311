"""Slack as its Web API is published: a workspace with channels, conversations, messages and threads, in memory.

Rules: methods that read take a form and nothing else; those that write take JSON, too. Blocks must pass the models of Slack's own library.
The app is a member of what it made or joined, and metadata come back only where they are asked for. Where the directory holds
`slack.presses` with lines `USER ACTION`, each of these users presses every button of that `action_id` that a message of a room or of their
own has, once, and the app's address for interactions hears of it, signed as Slack signs, by its own library.
"""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block
from slack_sdk.signature import SignatureVerifier

from holdfast.lab.receivers.callbacks import READING_SECONDS, Callback, presses, send_later
from holdfast.lab.receivers.web import Reply

TEXT_CHARACTERS = 40_000
BLOCKS = 50
_READING = {"conversations.history", "conversations.replies", "conversations.list"}
_FIRST_SECONDS = 1_700_000_000


@dataclass(frozen=True, slots=True)
class Interactivity:
    """Where the app hears of pressed buttons, and what that is signed with. `directory`: where it stands who presses."""

    url: str
    secret: str
    directory: Path
    after_seconds: float = READING_SECONDS


class Slack:
    """A workspace."""

    def __init__(self, interactivity: Interactivity | None = None) -> None:
        self._interactivity = interactivity
        self._pressed: set[tuple[str, str, str]] = set()
        self.messages: list[dict[str, Any]] = []
        self.rooms: dict[str, str] = {}
        self.joined: set[str] = set()

    def answer(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """One method of the Web API, or the incoming webhook."""
        if path.startswith("/services/"):
            problem = wrong_message(json.loads(body))
            return (200, {"ok": True}, {}) if problem is None else (400, {"ok": False, "error": problem}, {"wrong": problem})
        method = path.rsplit("/", 1)[-1]
        if not headers.get("authorization", "").startswith("Bearer xoxb-"):
            return 200, {"ok": False, "error": "invalid_auth"}, {"refused": "invalid_auth"}
        is_json = headers.get("content-type", "").startswith("application/json")
        said: dict[str, Any] = {}
        if is_json and method not in _READING:
            said = json.loads(body)
        elif not is_json:
            said = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        made = getattr(self, "_" + method.replace(".", "_"), None)
        answer = {"ok": False, "error": "unknown_method"} if made is None else made(said)
        return 200, answer, {} if answer["ok"] else {"refused": answer["error"]}

    def _conversations_create(self, said: dict[str, Any]) -> Mapping[str, Any]:
        if not re.fullmatch(r"[a-z0-9_-]{1,80}", said.get("name", "")):
            return _no("invalid_name_specials")
        if said["name"] in self.rooms:
            return _no("name_taken")
        room = f"C{len(self.rooms):09d}"
        self.rooms[said["name"]] = room
        self.joined.add(room)
        return {"ok": True, "channel": {"id": room, "name": said["name"]}}

    def _conversations_open(self, said: dict[str, Any]) -> Mapping[str, Any]:
        if not re.fullmatch(r"[UW][A-Z0-9]{8,}", said.get("users", "")):
            return _no("user_not_found")
        room = "D" + said["users"][1:]
        self.joined.add(room)
        return {"ok": True, "channel": {"id": room}}

    def _conversations_list(self, said: dict[str, Any]) -> Mapping[str, Any]:
        found = [{"id": room, "name": name, "is_member": room in self.joined} for name, room in self.rooms.items()]
        return _page("channels", found, said, most=999)

    def _conversations_join(self, said: dict[str, Any]) -> Mapping[str, Any]:
        if said.get("channel") not in self.rooms.values():
            return _no("channel_not_found")
        self.joined.add(said["channel"])
        return {"ok": True, "channel": {"id": said["channel"]}}

    def _conversations_history(self, said: dict[str, Any]) -> Mapping[str, Any]:
        problem = self._no_entry(said)
        if problem is not None:
            return _no(problem)
        found = [one for one in reversed(self.messages) if one["channel"] == said["channel"] and "thread_ts" not in one]
        return _page("messages", _shown(found, said), said, most=999)

    def _conversations_replies(self, said: dict[str, Any]) -> Mapping[str, Any]:
        problem = self._no_entry(said)
        if problem is not None:
            return _no(problem)
        found = [one for one in self.messages if one["channel"] == said["channel"] and said["ts"] in (one["ts"], one.get("thread_ts"))]
        return _page("messages", _shown(found, said), said, most=1000) if found else _no("thread_not_found")

    def _chat_postMessage(self, said: dict[str, Any]) -> Mapping[str, Any]:
        problem = self._no_entry(said) or wrong_message(said)
        if problem is not None:
            return _no(problem)
        number = len(self.messages)
        self.messages.append({**said, "ts": f"{_FIRST_SECONDS + number}.000100"})
        self._press(self.messages[-1])
        return {"ok": True, "ts": self.messages[-1]["ts"], "channel": said["channel"]}

    def _chat_update(self, said: dict[str, Any]) -> Mapping[str, Any]:
        problem = self._no_entry(said) or wrong_message(said)
        if problem is not None:
            return _no(problem)
        found = next((one for one in self.messages if (one["channel"], one["ts"]) == (said["channel"], said.get("ts"))), None)
        if found is None:
            return _no("message_not_found")
        found.update(said)
        self._press(found)
        return {"ok": True, "ts": found["ts"], "channel": found["channel"]}

    def _press(self, message: Mapping[str, Any]) -> None:
        """Whoever is said to and sees the message."""
        if self._interactivity is None:
            return
        buttons = [one for block in message.get("blocks", ()) for one in block.get("elements", ()) if one.get("type") == "button"]
        made = []
        for press in presses(self._interactivity.directory / "slack.presses"):
            sees = message["channel"] in (*self.rooms.values(), "D" + press.user[1:])
            for button in buttons if sees else ():
                once = (press.user, press.action, str(button.get("value", "")))
                if button.get("action_id") == press.action and once not in self._pressed:
                    self._pressed.add(once)
                    made.append(_signed(self._interactivity, _interaction(press.user, message, button)))
        send_later(made, self._interactivity.after_seconds)

    def _no_entry(self, said: Mapping[str, Any]) -> str | None:
        room = said.get("channel")
        if room not in self.joined:
            return "not_in_channel" if room in self.rooms.values() else "channel_not_found"
        return None


def _interaction(user: str, message: Mapping[str, Any], button: Mapping[str, Any]) -> dict[str, Any]:
    """A pressed button, as it is published."""
    moment = f"{time.time():.6f}"
    return {
        "type": "block_actions",
        "user": {"id": user, "team_id": "T1"},
        "container": {"type": "message", "message_ts": message["ts"], "channel_id": message["channel"]},
        "channel": {"id": message["channel"]},
        "actions": [{**button, "action_ts": moment}],
    }


def _signed(interactivity: Interactivity, payload: Mapping[str, Any]) -> Callback:
    stamp, body = str(int(time.time())), urlencode({"payload": json.dumps(payload)})
    made = SignatureVerifier(interactivity.secret).generate_signature(timestamp=stamp, body=body) or ""
    headers = {
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": made,
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return Callback(interactivity.url, headers, body.encode())


def _no(error: str) -> Mapping[str, Any]:
    return {"ok": False, "error": error}


def _shown(found: list[dict[str, Any]], said: Mapping[str, Any]) -> list[dict[str, Any]]:
    if said.get("include_all_metadata") in ("true", "1", True):
        return found
    return [{name: value for name, value in one.items() if name != "metadata"} for one in found]


def _page(name: str, found: list[dict[str, Any]], said: Mapping[str, Any], most: int) -> Mapping[str, Any]:
    limit = int(said.get("limit") or 100)
    if not 1 <= limit <= most:
        return _no("invalid_limit")
    start = int(said.get("cursor") or 0)
    following = str(start + limit) if start + limit < len(found) else ""
    return {"ok": True, name: found[start : start + limit], "response_metadata": {"next_cursor": following}}


def wrong_message(said: Mapping[str, Any]) -> str | None:
    """What Slack would refuse a message for, or None."""
    blocks, text = said.get("blocks", []), said.get("text", "")
    if not blocks and not text:
        return "no_text"
    if len(text) > TEXT_CHARACTERS:
        return "msg_too_long"
    if len(blocks) > BLOCKS:
        return "invalid_blocks"
    given = said.get("metadata")
    if given is not None and not (isinstance(given.get("event_type"), str) and isinstance(given.get("event_payload"), dict)):
        return "invalid_metadata_format"
    try:
        parsed = [Block.parse(block) for block in blocks]
        for block in parsed:
            if block is None:
                return "invalid_blocks"
            block.to_dict()
    except (SlackObjectFormationError, TypeError, KeyError, AttributeError):
        return "invalid_blocks"
    texts = [found for block in blocks for found in _texts(block)]
    identifiers = [element.get("action_id") for block in blocks for element in block.get("elements", ())]
    pressed = [identifier for identifier in identifiers if identifier is not None]
    return "invalid_blocks" if not all(texts) or len(pressed) != len(set(pressed)) else None


def _texts(value: Any) -> list[str]:
    """Every text that is shown: none may be empty."""
    if isinstance(value, dict):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return own + [text for inner in value.values() for text in _texts(inner)]
    return [text for inner in value for text in _texts(inner)] if isinstance(value, list) else []
