"""What the failover lost, what had been let go on unprotected before, and what stood alone after it. Part of holdfast/report/v1."""

from typing import Literal

from holdfast.report.part import ReportPart


class LostWrite(ReportPart):
    """An acknowledged write that is not there any more."""

    function: str
    store: str
    request: str
    key: str | None
    acknowledged_at: str


class LostWrites(ReportPart):
    """Every acknowledged write lost in the failover: how many, over what span, and the first hundred by name."""

    total: int | None
    rows_and_keys: int | None = None
    """Of them what databases and caches were to hold: all that synchronous replication protects, since no bucket copies before it
    acknowledges. Missing in reports that were made before it was counted."""
    unprotected: int = 0
    """Of these rows and keys those whose store a named person had let go on unprotected: nothing promised that they would be kept."""
    doubtful: int = 0
    """Of them those of which nobody knows whether they waited for the replica, since what came of a person's word isn't known."""
    first_at: str | None = None
    last_at: str | None = None
    listed: tuple[LostWrite, ...] = ()


class LetGo(ReportPart):
    """A component that a named person let go on unprotected, for a time between impact and fence. Seconds from impact, negative before."""

    component: str
    name: str
    region: str
    by: str
    role: str | None
    because: str
    certain: bool
    """False: what came of the order is not known, so its writes may have waited all the same."""
    start_seconds: float
    end_seconds: float | None
    """When each write waited again; null where that didn't happen."""
    lost: int
    """Writes lost that it acknowledged in this time, as far as anybody could look."""


class StoodAlone(ReportPart):
    """A component of a region that was just promoted in synchronous mode, while no copy followed it: nobody else held what it took.

    Seconds from impact. After every failover it is so until the other region is a copy again; the verdict counts nothing of it.
    """

    component: str
    name: str
    region: str
    other: str
    """The region whose copy was to follow it."""
    start_seconds: float
    """When its promotion was ordered."""
    end_seconds: float | None
    """When the copy was proved to follow it, or the region was fenced; null where no record says either."""
    ended_by: Literal["followed", "fenced"] | None
