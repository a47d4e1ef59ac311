"""Handing a request to somebody's HTTP interface: the port that channels share, and how an answer is judged.

Rules: what is raised tells how much is known (see `Notifier.send`); no address and no secret stands in an error, since a webhook's
address is itself a secret.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from holdfast.ports.notifier import Notification, RefusedNotificationError

EXERCISE_PREFIX = "EXERCISE"
REPEAT_NOTE = "You may have had this message before: it is not known whether it arrived the first time."
REPEAT_MARK = "(again)"
"""The same where there is room for one word."""
LONGEST_WAIT_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Post(Protocol):
    """Sends one request, never again by itself."""

    async def __call__(self, url: str, headers: Mapping[str, str], content: bytes) -> Answer:
        """Raises ConnectionError when nothing was handed over, TimeoutError when that isn't known."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret that can't be printed by mistake."""

    value: str = field(repr=False)

    def __str__(self) -> str:
        return "(secret)"


def waited_seconds(text: str | None) -> float | None:
    """The seconds of a Retry-After header; None when there is none that can be read (a date is not: clocks differ)."""
    try:
        seconds = float(text or "")
    except ValueError:
        return None
    return min(seconds, LONGEST_WAIT_SECONDS) if seconds >= 0 else None


def accepted(channel: str, answer: Answer, explanation: str = "") -> Answer:
    """The answer, when it says yes.

    Raises RefusedNotificationError for a no (3xx, 4xx, and 503, which promises that nothing was done), and TimeoutError for any other
    fault of the far end: it may have taken the message before it failed.
    """
    if 200 <= answer.status < 300:
        return answer
    why = f": {explanation}" if explanation else ""
    if answer.status >= 500 and answer.status != 503:
        raise TimeoutError(f"{channel} answered {answer.status}{why}; it isn't known whether the message was taken")
    raise RefusedNotificationError(
        f"{channel} refused with status {answer.status}{why}; nothing was delivered", waited_seconds(answer.headers.get("retry-after"))
    )


def check_mark(notification: Notification) -> None:
    """Raises ValueError for an exercise that doesn't say so, and for anything else that says it is one."""
    if notification.exercise != notification.subject.startswith(EXERCISE_PREFIX):
        raise ValueError(
            f"message {notification.message}: the subject {notification.subject!r} must begin with {EXERCISE_PREFIX} in an exercise,"
            " and only in an exercise; nothing was sent"
        )


def body_text(notification: Notification) -> str:
    """The body, beginning with a note where it may be a repeat. For channels that can't drop one."""
    return f"{REPEAT_NOTE}\n\n{notification.body}" if notification.again else notification.body


def answer_text(notification: Notification) -> str:
    """How the recipient answers, a line for each way; empty where nothing is asked. For channels that only its recipient reads."""
    lines = []
    if notification.acknowledge_url:
        lines.append(f"Say that you read it: {notification.acknowledge_url}")
    if notification.approve_url:
        lines.append(f"See what is proposed, and approve it: {notification.approve_url}")
    if notification.code:
        lines.append(f"The digits that approve it by telephone or text message: {notification.code}")
    return "\n".join(lines)


def short_text(notification: Notification) -> str:
    """One sentence, marked in an exercise."""
    text = notification.short or notification.subject
    if notification.exercise and not text.startswith(EXERCISE_PREFIX):
        return f"{EXERCISE_PREFIX}: {text}"
    return text
