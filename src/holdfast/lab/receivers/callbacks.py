"""What a vendor sends by itself, to the address that it was given: reports, keys, buttons, acknowledgements."""

import threading
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ANSWER_SECONDS = 5.0
"""So long the address has to answer."""
READING_SECONDS = 1.0
"""So long people take before they answer what reached them."""


@dataclass(frozen=True, slots=True)
class Callback:
    """One request, signed already."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Press:
    """Who, by the vendor's own name for the user, does what: the identifier of a button, or a verb."""

    user: str
    action: str


def presses(file: Path | None) -> tuple[Press, ...]:
    """Who answers in a lab and how, a line each: `USER ACTION`. Nobody where there is no file. Raises ValueError for another line."""
    if file is None or not file.exists():
        return ()
    found = []
    for line in file.read_text(encoding="utf-8").splitlines():
        user, action = line.split()
        found.append(Press(user, action))
    return tuple(found)


def send_later(callbacks: Sequence[Callback], after_seconds: float) -> None:
    """One after the other, in a thread of their own. What is not taken is not sent again, and nobody is told."""
    if callbacks:
        threading.Timer(after_seconds, _sent, [callbacks]).start()


def _sent(callbacks: Sequence[Callback]) -> None:
    for one in callbacks:
        request = urllib.request.Request(one.url, one.body, dict(one.headers))  # noqa: S310 - the lab's own, or checked when it was taken
        try:
            urllib.request.urlopen(request, timeout=ANSWER_SECONDS).close()  # noqa: S310
        except OSError:
            continue
