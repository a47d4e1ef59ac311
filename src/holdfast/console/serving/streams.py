"""Server-sent events: answers that last, and how many of them there may be at once."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

BEGIN = "retry: 2000\n\n"
MEDIA_TYPE = "text/event-stream"
HEADERS = {"x-accel-buffering": "no"}
"""A proxy that collects an answer before it passes it on would hold this one for ever."""


def event(name: str, data: object, number: int | None = None) -> str:
    """One event. With a number, whoever comes back says the last that it had."""
    numbered = "" if number is None else f"id: {number}\n"
    return f"{numbered}event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


class Seats:
    """Places for those who follow."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0

    @property
    def full(self) -> bool:
        """Whether there is none left."""
        return self._taken >= self._most

    @contextmanager
    def taken(self) -> Iterator[None]:
        """One of them, for as long as it is needed."""
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1
