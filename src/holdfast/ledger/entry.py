"""What a client knows of one request: the truth that RTO and RPO are computed from.

A ledger is a file of JSON lines, one entry per request and per store that the answer named. All times are wall-clock
seconds since 1970 at the client.
"""

from dataclasses import dataclass
from enum import StrEnum


class RequestResult(StrEnum):
    """`acknowledged`: the service said yes. `refused`: it said no. `unknown`: no answer in time, so it may or may not have happened."""

    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One request as its client saw it, for one store that it wrote (or `store=None` where nothing was written)."""

    function: str
    request: str
    """Unique identifier made by the client before it sent anything; the stored record carries it."""
    sent_seconds: float
    answered_seconds: float
    result: RequestResult
    store: str | None
    """Component identifier of the plan (database, cache, storage), when acknowledged."""
    key: str | None
    """Where the record stands in that store: primary key, Redis key, object name."""
    region: str | None
    """Region of the writer that acknowledged, as the writer said."""
    epoch: int | None
    """Epoch of the writer that acknowledged, as the writer said."""
    written_seconds: float | None
    """The store's own clock at the write, where it has one."""
    detail: str = ""
    own_fault: str = ""
    """Why the client itself can't vouch for this result (it was held up, or reached nothing at all); empty when it can."""
