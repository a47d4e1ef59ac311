"""How a canary marks its records, so that they can be told from customers', found by time, and cleaned up. Pure.

A request's identifier is `canary-<UTC to the second>-<canary>-<number>`: it stands in every row, key and object name that the transaction
writes, and sorts by time. Every request also carries the header `x-holdfast-canary` with the function's name.
"""

from datetime import UTC, datetime

PREFIX = "canary-"
HEADER = "x-holdfast-canary"
LAST = f"{PREFIX}99991231t235959"
"""Behind every identifier, in the order of any language: databases sort by their own, and there `~` may come before `2`."""


def request_sent_at(at_seconds: float) -> str:
    """What the identifiers of requests sent in that second begin with."""
    return f"{PREFIX}{datetime.fromtimestamp(at_seconds, UTC):%Y%m%dt%H%M%S}"


def request_name(at_seconds: float, canary: str, number: int) -> str:
    """One request's identifier; `canary` tells this client's run from all others."""
    return f"{request_sent_at(at_seconds)}-{canary}-{number:07d}"
