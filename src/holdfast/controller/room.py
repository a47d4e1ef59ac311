"""Whether the journal can be written, said once when it can't and once when it can again, however many wait for it.

While it can't, nothing is decided or ordered; what that lasted is recorded as soon as it is over, so that a report can say it.
Never here: making room, or trying again (whoever waits does).
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.ports.clock import Clock
from holdfast.ports.journal_store import JournalFull

log = logging.getLogger(__name__)


def _into_the_log(reason: str) -> None:
    log.error("nothing is decided or ordered until the journal can be written: %s", reason)


@dataclass
class JournalRoom:
    """`told` hears the reason when the journal stops taking records."""

    clock: Clock
    told: Callable[[str], None] = _into_the_log
    since_seconds: float | None = None
    reason: str = ""

    def lacks(self, full: JournalFull) -> None:
        """Somebody could not write."""
        self.reason = str(full)
        if self.since_seconds is None:
            self.since_seconds = self.clock.wall_seconds()
            self.told(self.reason)

    def lasted(self) -> Mapping[str, Any] | None:
        """The body of the record that says how long it lasted, or None when there was room all the time. `found` once it is written."""
        if self.since_seconds is None:
            return None
        return {
            "since_seconds": self.since_seconds,
            "seconds": max(self.clock.wall_seconds() - self.since_seconds, 0.0),
            "reason": self.reason,
        }

    def found(self) -> None:
        """There is room again."""
        self.since_seconds, self.reason = None, ""

    def as_facts(self) -> Mapping[str, Any] | None:
        """For readers: since when and why it can't be written, or None."""
        return None if self.since_seconds is None else {"since_seconds": self.since_seconds, "reason": self.reason}
