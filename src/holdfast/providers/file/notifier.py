"""The channel `file`: appends each notification as a line of JSON, where exercises and auditors read it.

Rules: one line for each key, so that a repeat after a crash changes nothing; a line is durable before `send` returns; an exercise's
subject begins with EXERCISE, and nothing else's does. Recipients stand there by identifier, without address, link or digits. A torn last
line (a crash while writing) is closed off, never read as a message.
It reaches nobody by itself.
"""

import asyncio
import json
import os
import threading
from pathlib import Path

from holdfast.ports.clock import Clock
from holdfast.ports.notifier import Notification, Repeats

EXERCISE_PREFIX = "EXERCISE"
_KEPT = (
    "key",
    "incident",
    "message",
    "channel",
    "recipient",
    "subject",
    "body",
    "short",
    "exercise",
    "enrolled",
    "purpose",
    "severity",
    "again",
    "facts",
)
"""What reaches or proves one person has no place in a file that others read and that outlives the contact."""


class FileNotifier:
    """Appends to one file. Only one process may write it."""

    repeats = Repeats.DROPPED

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._mutex = threading.Lock()
        self._lines: dict[str, int] | None = None
        self._count = 0

    async def send(self, notification: Notification) -> str:
        """Write it down; returns `file:NAME:LINE`. ValueError: an exercise that does not say so. ConnectionError: it cannot be written."""
        if notification.exercise != notification.subject.startswith(EXERCISE_PREFIX):
            raise ValueError(
                f"message {notification.message}: the subject {notification.subject!r} must begin with {EXERCISE_PREFIX} in an exercise,"
                " and only in an exercise; nothing was sent"
            )
        try:
            line = await asyncio.to_thread(self._append, notification)
        except OSError as error:
            raise ConnectionError(f"{self._path} can't be written: {error.strerror or error}; give it room and permission") from error
        return f"file:{self._path.name}:{line}"

    def _append(self, notification: Notification) -> int:
        with self._mutex:
            lines = self._known_lines()
            if notification.key in lines:
                return lines[notification.key]
            told = {name: getattr(notification, name) for name in _KEPT}
            text = json.dumps({"at_seconds": self._clock.wall_seconds(), **told}, ensure_ascii=False)
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                _write_all(descriptor, text.encode() + b"\n")
                os.fsync(descriptor)
            except OSError:
                self._lines = None  # what stands there now must be read again
                raise
            finally:
                os.close(descriptor)
            self._count += 1
            lines[notification.key] = self._count
            return self._count

    def _known_lines(self) -> dict[str, int]:
        if self._lines is not None:
            return self._lines
        self._path.parent.mkdir(parents=True, exist_ok=True)
        content = self._path.read_bytes() if self._path.exists() else b""
        if content and not content.endswith(b"\n"):
            with self._path.open("ab") as file:
                file.write(b"\n")
        lines: dict[str, int] = {}
        rows = content.splitlines()
        for number, row in enumerate(rows, start=1):
            try:
                lines.setdefault(json.loads(row)["key"], number)
            except (ValueError, KeyError, TypeError):
                continue  # a torn line: its message was never acknowledged, and is sent again
        self._count, self._lines = len(rows), lines
        return lines


def _write_all(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]
