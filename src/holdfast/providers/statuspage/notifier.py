"""Publishes to the status page: a folder of static files that any web server, or none, can serve from elsewhere.

Rules: `history.json` is the truth and is written first, the pages are made from it; every file is replaced whole and durably, so that a
reader never sees half of one; a repeat of a key only makes the pages again. `facts["status"]` names the state; what
belongs to no incident names none, and its purpose does.
"""

import asyncio
import json
import os
import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from holdfast.ports.clock import Clock
from holdfast.ports.notifier import Notification, Purpose, Repeats
from holdfast.ports.post import check_mark
from holdfast.providers.statuspage.page import STATES, Incident, Update, index, interface

_BY_PURPOSE = {
    Purpose.ALERT: "investigating",
    Purpose.UPDATE: "identified",
    Purpose.ACKNOWLEDGED: "identified",
    Purpose.RESOLVED: "resolved",
}


class StatusPageNotifier:
    """One page in one folder. `words`: the plan's own for the four states. One process writes."""

    repeats = Repeats.DROPPED

    def __init__(self, folder: Path, clock: Clock, name: str, url: str = "", words: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        self._clock = clock
        self._name = name
        self._url = url
        self._words = words or {}
        self._mutex = threading.Lock()

    async def send(self, notification: Notification) -> str:
        """Returns `status-page:<incident>/<number of the update>`."""
        check_mark(notification)
        try:
            return await asyncio.to_thread(self._publish, notification)
        except (OSError, ValueError) as error:
            raise ConnectionError(
                f"the status page in {self._folder} can't be written ({type(error).__name__}: {error}); give it room and permission, and a"
                " history.json that is its own"
            ) from None

    def _publish(self, notification: Notification) -> str:
        with self._mutex:
            history = self._history()
            updates = history.setdefault(notification.incident, [])
            keys = [update.key for update in updates]
            if notification.key not in keys:
                keys.append(notification.key)
                updates.append(_update(notification, self._clock.wall_seconds()))
                self._keep(history)
            self._make(history)
            return f"status-page:{notification.incident}/{keys.index(notification.key) + 1}"

    def _history(self) -> dict[str, list[Update]]:
        path = self._folder / "history.json"
        if not path.exists():
            return {}
        try:
            return {name: [Update(**update) for update in updates] for name, updates in json.loads(path.read_bytes()).items()}
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"history.json is no history of this page: {error}") from None

    def _keep(self, history: Mapping[str, list[Update]]) -> None:
        kept = {name: [asdict(update) for update in updates] for name, updates in history.items()}
        self._replace("history.json", json.dumps(kept, ensure_ascii=False, indent=1) + "\n")

    def _make(self, history: Mapping[str, list[Update]]) -> None:
        now = self._clock.wall_seconds()
        incidents = [Incident(name, updates) for name, updates in history.items()]
        self._replace("index.html", index(self._name, incidents, self._words, now))
        for path, content in interface(self._name, self._url, incidents, now).items():
            self._replace(f"api/v2/{path}", content)

    def _replace(self, name: str, text: str) -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.new")
        with fresh.open("wb") as file:
            file.write(text.encode("utf-8", "replace"))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _update(notification: Notification, at_seconds: float) -> Update:
    said = notification.facts.get("status", "")
    return Update(
        key=notification.key,
        at_seconds=at_seconds,
        state=said if said in STATES else _BY_PURPOSE[notification.purpose],
        subject=notification.subject,
        body=notification.body,
        severity=notification.severity,
        exercise=notification.exercise,
    )
