"""How far one bucket is behind the bucket that is written, told from the lists of both.

Works with any S3: it needs no metric of the storage's own and trusts none. What counts is the application's objects; Holdfast's own
(`holdfast/…`) are left out. Pure. Never here: reading a bucket.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.providers.s3.bucket import OWN_PREFIX, Entry

_MADE_OF_PARTS = "-"
"""In an ETag: the object was uploaded in parts, so its ETag says nothing about its content."""
RESOLUTION_SECONDS = 1.0
"""S3 gives the time of writing in whole seconds, rounded down."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What one comparison found lacking. `oldest_seconds` is when the oldest uncopied object was written, by the storage's clock."""

    at_seconds: float
    objects: int
    size_bytes: int
    oldest_seconds: float | None

    @property
    def complete_until_seconds(self) -> float:
        """Everything written before this moment had arrived when it was compared."""
        if self.oldest_seconds is None:
            return self.at_seconds - RESOLUTION_SECONDS
        return min(self.oldest_seconds, self.at_seconds - RESOLUTION_SECONDS)


def compare(written: Mapping[str, Entry], copy: Mapping[str, Entry], at_seconds: float) -> Backlog:
    """What the copy lacks. `at_seconds`: before the first of the two lists was read."""
    lacking = [
        entry for key, entry in written.items() if not key.startswith(OWN_PREFIX) and (key not in copy or _differs(entry, copy[key]))
    ]
    oldest = min((entry.modified_seconds for entry in lacking), default=None)
    return Backlog(at_seconds, len(lacking), sum(entry.size_bytes for entry in lacking), oldest)


def _differs(written: Entry, copy: Entry) -> bool:
    if written.size_bytes != copy.size_bytes:
        return True
    return written.etag != copy.etag and _MADE_OF_PARTS not in written.etag and _MADE_OF_PARTS not in copy.etag
