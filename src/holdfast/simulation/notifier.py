"""A channel in memory: what was sent, at most once for each key, and what it is to be like to lose it."""

import asyncio
from collections import deque
from enum import StrEnum

from holdfast.ports.notifier import Notification, Repeats

EXERCISE_PREFIX = "EXERCISE"


class ChannelFault(StrEnum):
    """What can happen to one hand-over."""

    UNREACHABLE = "unreachable"
    LOST_ANSWER = "lost-answer"
    """It arrived, but nobody learns of it."""
    SILENT = "silent"
    """It did not arrive, and nothing ever answers."""


class MemoryNotifier:
    """Keeps notifications in order. `faults` are used up one by one."""

    repeats = Repeats.DROPPED

    def __init__(self) -> None:
        self.sent: dict[str, Notification] = {}
        self.faults: deque[ChannelFault] = deque()

    async def send(self, notification: Notification) -> str:
        """Take it; a repeat changes nothing and gets the same reference."""
        if notification.exercise != notification.subject.startswith(EXERCISE_PREFIX):
            raise ValueError(f"the subject {notification.subject!r} must begin with {EXERCISE_PREFIX} in an exercise, and only in one")
        fault = self.faults.popleft() if self.faults else None
        if fault is ChannelFault.UNREACHABLE:
            raise ConnectionError("the channel can't be reached")
        if fault is ChannelFault.SILENT:
            await asyncio.Event().wait()
        self.sent.setdefault(notification.key, notification)
        if fault is ChannelFault.LOST_ANSWER:
            raise TimeoutError("the channel did not answer")
        return f"memory:{list(self.sent).index(notification.key) + 1}"
