"""Slack: one living message an incident that always shows the latest, and a thread below it that keeps every message.

Rules: what was posted is found again by its metadata in the channel's own history, not in a file here: a controller that restarts, or
takes over elsewhere, joins the message that is there and drops a repeat. The war-room channel is made on first use; a name that is taken
is one that somebody made before. A person who has an address is written to alone. Until the message itself is posted, nothing that goes
wrong leaves a doubt: nobody was told.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlencode

from holdfast.ports.notifier import Notification, RefusedNotificationError, Repeats
from holdfast.ports.post import Answer, Post, Secret, accepted, check_mark, waited_seconds
from holdfast.providers.slack.content import content, found_again, is_identifier, is_private, metadata, posted_once_more, room_name

API_URL = "https://slack.com/api"
PAGES = 10
PAGE_MESSAGES = 200
PAGE_CHANNELS = 999
_READING = frozenset({"conversations.history", "conversations.replies", "conversations.list"})
"""Methods that take a form only; those that write take JSON."""
_UNSURE = frozenset({"internal_error", "fatal_error", "request_timeout", "service_unavailable"})


class SlackNotifier:
    """One workspace. `room` names the war-room channel, `{incident}` in it stands for the incident; without one the plan's name serves."""

    repeats = Repeats.DROPPED

    def __init__(self, token: Secret, post: Post, room: str | None = None, api_url: str = API_URL) -> None:
        self._token = token
        self._post = post
        self._room = room
        self._api_url = api_url.rstrip("/")
        self._rooms: dict[str, str] = {}
        self._living: dict[tuple[str, str], tuple[str, str]] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    async def send(self, notification: Notification) -> str:
        """Returns `slack:<channel>/<time stamp>`. Messages into one room go one after the other."""
        check_mark(notification)
        asked = notification.address or self._room or notification.facts.get("war_room") or "incident-{incident}"
        name = room_name(asked, notification)
        async with self._turns.setdefault(name, asyncio.Lock()):
            try:
                return await self._said_in(name, notification)
            except RefusedNotificationError:
                self._rooms.pop(name, None)  # somebody may have put it away: the next message looks for it again
                raise

    async def _said_in(self, name: str, notification: Notification) -> str:
        try:
            room = self._rooms.get(name) or await self._enter(name)
            self._rooms[name] = room
            living, first, found = await self._posted(room, notification)
        except TimeoutError as error:
            raise ConnectionError(f"{error}; that was before the message: nothing was posted") from None
        if found is None:
            thread = {} if living is None else {"thread_ts": living}
            shown = content(notification, private=is_private(room))
            found = str((await self._call("chat.postMessage", {"channel": room, **shown, **thread}))["ts"])
            if living is None:
                self._living[room, notification.incident] = (found, notification.key)
            else:
                await self._refresh(room, living, first, notification)
        return f"slack:{room}/{found}"

    async def _refresh(self, room: str, living: str, first: str, notification: Notification) -> None:
        """The message is in the thread: that the one above could not be changed is no reason to send it again."""
        shown = {**content(notification, private=is_private(room)), "metadata": metadata(notification.incident, first)}
        try:
            await self._call("chat.update", {"channel": room, "ts": living, **shown})
        except (ConnectionError, TimeoutError):
            return

    async def _enter(self, name: str) -> str:
        """The identifier of the place with this name. Raises RefusedNotificationError where there is no way in."""
        if is_identifier(name):
            return str((await self._call("conversations.open", {"users": name}))["channel"]["id"]) if name[0] in "UW" else name
        try:
            return str((await self._call("conversations.create", {"name": name}))["channel"]["id"])
        except RefusedNotificationError as error:
            if "name_taken" not in str(error):
                raise
        async for page in self._pages("conversations.list", {"exclude_archived": "true", "limit": PAGE_CHANNELS}):
            for channel in page["channels"]:
                if channel["name"] == name:
                    await self._call("conversations.join", {"channel": channel["id"]})
                    return str(channel["id"])
        raise RefusedNotificationError(
            f"Slack's channel #{name} exists but can't be seen: invite the app into it, or take it out of the archive"
        )

    async def _posted(self, room: str, notification: Notification) -> tuple[str | None, str, str | None]:
        """The living message's time stamp and key, and the time stamp of this very message, where they are there already."""
        living, first = self._living.get((room, notification.incident)) or await self._looked_up(room, notification.incident)
        if living is None or first == notification.key:
            return living, first, living
        self._living[room, notification.incident] = (living, first)
        try:
            async for message in self._messages("conversations.replies", room, ts=living):
                if found_again(message).get("key") == notification.key and str(message["ts"]) != living:
                    return living, first, str(message["ts"])
        except RefusedNotificationError as error:
            del self._living[room, notification.incident]
            if "thread_not_found" not in str(error):  # else somebody deleted it, and another takes its place
                raise
            return None, "", None
        return living, first, None

    async def _looked_up(self, room: str, incident: str) -> tuple[str | None, str]:
        """The living message of an incident: the oldest in the room that is about it. History comes the newest first."""
        living, first = None, ""
        async for message in self._messages("conversations.history", room):
            if found_again(message).get("incident") == incident:
                living, first = str(message["ts"]), str(found_again(message).get("key"))
        return living, first

    async def _messages(self, method: str, room: str, **more: str) -> AsyncIterator[Mapping[str, Any]]:
        reading = {"channel": room, "include_all_metadata": "true", "limit": PAGE_MESSAGES, **more}
        async for page in self._pages(method, reading):
            for message in page["messages"]:
                yield message

    async def _pages(self, method: str, arguments: Mapping[str, Any]) -> AsyncIterator[Mapping[str, Any]]:
        """As far as it is worth looking back."""
        asked = dict(arguments)
        for _ in range(PAGES):
            page = await self._call(method, asked)
            yield page
            cursor = page.get("response_metadata", {}).get("next_cursor")
            if not cursor:
                return
            asked["cursor"] = cursor

    async def _call(self, method: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        if method in _READING:
            kind, body = "application/x-www-form-urlencoded", urlencode(arguments).encode()
        else:
            kind, body = "application/json; charset=utf-8", json.dumps(arguments, ensure_ascii=False).encode("utf-8", "replace")
        headers = {"authorization": f"Bearer {self._token.value}", "content-type": kind}
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
        body = json.dumps(posted_once_more(notification), ensure_ascii=False).encode("utf-8", "replace")
        accepted("Slack's incoming webhook", await self._post(self._url.value, {"content-type": "application/json"}, body))
        return f"slack-webhook:{notification.key}"


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
