"""When the next transaction is due. Pure."""

LATE_SECONDS = 1.0
"""A client that was itself held up for longer than this skips what it should have sent meanwhile instead of sending it in a burst."""


def next_arrival(due_seconds: float, now_seconds: float, rate: float, late_seconds: float = LATE_SECONDS) -> float:
    """When the request after the one that was due is due; held up for too long, the schedule begins again from now."""
    following = due_seconds + 1.0 / rate
    return now_seconds if now_seconds - following > late_seconds else following
