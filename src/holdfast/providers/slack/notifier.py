"""Slack: one living message an incident that always shows the latest, and a thread below it that keeps every message.

Rules: what was posted is found again by its metadata in the channel's own history, not in a file here: a controller that restarts, or
takes over elsewhere, joins the message that is there and drops a repeat. The war-room channel is made on first use; a name that is taken
is one that somebody made before. Text of people is escaped; nothing in it can mention a channel or become a link.
"""

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any

from holdfast.ports.notifier import Notification, RefusedNotificationError, Repeats
from holdfast.ports.post import Answer, Post, Secret, accepted, check_mark, waited_seconds

API_URL = "https://slack.com/api"
EVENT_TYPE = "holdfast_message"
SECTION_CHARACTERS = 2900
SECTIONS = 40
NAME_CHARACTERS = 80
PAGES = 10
_UNSURE = {"internal_error", "fatal_error", "request_timeout", "service_unavailable"}


class SlackNotifier:
    """One workspace. `room` names the war-room channel; `{incident}` in it stands for the incident's identifier."""

    repeats = Repeats.DROPPED

    def __init__(self, token: Secret, post: Post, room: str = "incident-{incident}", api_url: str = API_URL) -> None:
        self._token = token
        self._post = post
        self._room = room
        self._api_url = api_url.rstrip("/")
        self._rooms: dict[str, str] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    async def send(self, notification: Notification) -> str:
        """Returns `slack:<channel>/<time stamp>`. Messages into one room go one after the other."""
        check_mark(notification)
        name = room_name(notification.address or self._room, notification)
        async with self._turns.setdefault(name, asyncio.Lock()):
            room = self._rooms.get(name) or await self._enter(name)
            self._rooms[name] = room
            living, first, found = await self._posted(room, notification)
            if found is None:
                thread = {} if living is None else {"thread_ts": living}
                made = await self._call("chat.postMessage", {"channel": room, **content(notification), **thread})
                found = str(made["ts"])
                if living is not None:
                    await self._refresh(room, living, first, notification)
            return f"slack:{room}/{found}"

    async def _refresh(self, room: str, living: str, first: str, notification: Notification) -> None:
        """The message is in the thread: that the one above could not be changed is no reason to send it again."""
        shown = {**content(notification), "metadata": metadata(notification.incident, first)}
        try:
            await self._call("chat.update", {"channel": room, "ts": living, **shown})
        except (ConnectionError, TimeoutError):
            return

    async def _enter(self, name: str) -> str:
        if re.fullmatch(r"[CGDU][A-Z0-9]{8,}", name):
            return name
        try:
            made = await self._call("conversations.create", {"name": name})
            return str(made["channel"]["id"])
        except RefusedNotificationError as error:
            if "name_taken" not in str(error):
                raise
        cursor = ""
        for _ in range(PAGES):
            listed = await self._call("conversations.list", {"exclude_archived": True, "limit": 1000, "cursor": cursor})
            for channel in listed["channels"]:
                if channel["name"] == name:
                    await self._call("conversations.join", {"channel": channel["id"]})
                    return str(channel["id"])
            cursor = listed.get("response_metadata", {}).get("next_cursor", "")
            if not cursor:
                break
        raise RefusedNotificationError(f"Slack's channel #{name} exists but can't be seen: invite the app into it")

    async def _posted(self, room: str, notification: Notification) -> tuple[str | None, str, str | None]:
        """The living message's time stamp and key, and the time stamp of this very message, where they are there already."""
        living, first = None, ""
        for message in await self._pages("conversations.history", {"channel": room}):
            payload = _payload(message)
            if payload.get("incident") == notification.incident:
                living, first = str(message["ts"]), str(payload.get("key"))
                if first == notification.key:
                    return living, first, living
        if living is None:
            return None, "", None
        for message in await self._pages("conversations.replies", {"channel": room, "ts": living}):
            payload = _payload(message)
            if payload.get("key") == notification.key and str(message["ts"]) != living:
                return living, first, str(message["ts"])
        return living, first, None

    async def _pages(self, method: str, arguments: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        messages: list[Mapping[str, Any]] = []
        cursor = ""
        for _ in range(PAGES):
            answer = await self._call(method, {**arguments, "include_all_metadata": True, "limit": 200, "cursor": cursor})
            messages += answer["messages"]
            cursor = answer.get("response_metadata", {}).get("next_cursor", "")
            if not cursor:
                break
        return messages

    async def _call(self, method: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        headers = {"authorization": f"Bearer {self._token.value}", "content-type": "application/json; charset=utf-8"}
        body = json.dumps(arguments, ensure_ascii=False).encode()
        answer = accepted(f"Slack ({method})", await self._post(f"{self._api_url}/{method}", headers, body))
        return _said(method, answer)


class SlackWebhookNotifier:
    """Slack's incoming webhook: needs no token and no look-up, and can't tell a repeat."""

    repeats = Repeats.POSSIBLE

    def __init__(self, url: Secret, post: Post) -> None:
        self._url = url
        self._post = post

    async def send(self, notification: Notification) -> str:
        """Returns `slack-webhook:<key>`."""
        check_mark(notification)
        body = {key: value for key, value in content(notification).items() if key in ("text", "blocks")}
        answer = await self._post(self._url.value, {"content-type": "application/json"}, json.dumps(body, ensure_ascii=False).encode())
        accepted("Slack's incoming webhook", answer)
        return f"slack-webhook:{notification.key}"


def room_name(pattern: str, notification: Notification) -> str:
    """A name that Slack takes: lower case, no spaces, at most 80 characters. Identifiers of channels stay as they are."""
    if re.fullmatch(r"[CGDU][A-Z0-9]{8,}", pattern):
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


def content(notification: Notification) -> dict[str, Any]:
    """Fallback text, blocks, and metadata. Long bodies become several sections."""
    body = notification.body or " "
    pieces = [body[start : start + SECTION_CHARACTERS] for start in range(0, len(body), SECTION_CHARACTERS)][:SECTIONS]
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": notification.subject[:150], "emoji": False}},
        *({"type": "section", "text": {"type": "plain_text", "text": piece, "emoji": False}} for piece in pieces),
    ]
    if notification.acknowledge_url:
        button = {"type": "button", "action_id": "acknowledge", "value": notification.key[:2000]}
        label = {"type": "plain_text", "text": "Acknowledge"}
        blocks.append({"type": "actions", "elements": [{**button, "text": label, "url": notification.acknowledge_url}]})
    return {"text": escaped(notification.subject), "blocks": blocks, "metadata": metadata(notification.incident, notification.key)}


def _payload(message: Mapping[str, Any]) -> Mapping[str, Any]:
    found = message.get("metadata") or {}
    payload = found.get("event_payload") if found.get("event_type") == EVENT_TYPE else None
    return payload if isinstance(payload, dict) else {}


def _said(method: str, answer: Answer) -> Mapping[str, Any]:
    """Slack says no with status 200."""
    try:
        said = json.loads(answer.body)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise TimeoutError(f"Slack ({method}) answered something that isn't its own; whether the message was taken isn't known")
    if said.get("ok") is True:
        return said
    reason = str(said.get("error", "no reason given"))[:100]
    if reason in _UNSURE:
        raise TimeoutError(f"Slack ({method}) failed: {reason}; whether the message was taken isn't known")
    raise RefusedNotificationError(f"Slack ({method}) refused: {reason}", waited_seconds(answer.headers.get("retry-after")))
