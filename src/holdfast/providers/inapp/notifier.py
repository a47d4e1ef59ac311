"""The in-app feed: a file that only grows, which a server-sent-events endpoint follows.

Format: UTF-8, one event a line, each a JSON object `{"id", "event", "data"}`: `id` is the line's number (what a client sends back as
`Last-Event-ID`), `event` is `alert`, `update` or `resolved`, and `data` holds `key, incident, at_seconds, subject, body, short, severity,
exercise, facts`. A line that doesn't end is still being written and isn't read. One process writes; a key stands in it once.
"""

import asyncio
import json
import os
import threading
from contextlib import suppress
from io import RawIOBase
from pathlib import Path

from holdfast.ports.clock import Clock
from holdfast.ports.notifier import Notification, Repeats
from holdfast.ports.post import check_mark


class InAppNotifier:
    """Appends to one feed, durably."""

    repeats = Repeats.DROPPED

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._mutex = threading.Lock()

    async def send(self, notification: Notification) -> str:
        """Returns `in-app:<id>`."""
        check_mark(notification)
        try:
            return f"in-app:{await asyncio.to_thread(self._append, notification)}"
        except OSError as error:
            raise ConnectionError(f"{self._path} can't be written: {error.strerror or error}; give it room and permission") from None

    def _append(self, notification: Notification) -> int:
        with self._mutex:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a+b", buffering=0) as file:
                file.seek(0)
                content = file.read()
                if content and not content.endswith(b"\n"):  # torn by a crash: closed off, and its message comes again
                    file.write(b"\n")
                rows = content.splitlines()
                for number, row in enumerate(rows, start=1):
                    if _key(row) == notification.key:
                        return number
                before = file.seek(0, os.SEEK_END)
                try:
                    _write_whole(file, self._line(notification, len(rows) + 1))
                except OSError:
                    with suppress(OSError):
                        file.truncate(before)  # half a line is nothing that anybody should read
                    raise
                return len(rows) + 1

    def _line(self, notification: Notification, number: int) -> bytes:
        data = {
            "key": notification.key,
            "incident": notification.incident,
            "at_seconds": self._clock.wall_seconds(),
            "subject": notification.subject,
            "body": notification.body,
            "short": notification.short,
            "severity": notification.severity,
            "exercise": notification.exercise,
            "facts": dict(notification.facts),
        }
        return json.dumps({"id": number, "event": str(notification.purpose), "data": data}, ensure_ascii=False).encode() + b"\n"


def _write_whole(file: RawIOBase, line: bytes) -> None:
    """All of it, durably. A disk that has room for a part takes that first, and says so with the next."""
    while line:
        line = line[file.write(line) or 0 :]
    os.fsync(file.fileno())


def _key(row: bytes) -> str | None:
    try:
        return str(json.loads(row)["data"]["key"])
    except (ValueError, KeyError, TypeError):
        return None
