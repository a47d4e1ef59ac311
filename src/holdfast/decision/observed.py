"""What observers saw, as the journal keeps it: outages of functions, and who of them is heard.

Never here: what they see now; that lives in `health`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.journal.record import Record


@dataclass(frozen=True, slots=True)
class FunctionOutage:
    """What observers saw of one function in an incident: the outage that is on, or the longest one that ended."""

    since_seconds: float
    back_seconds: float | None = None
    before: "FunctionOutage | None" = None
    """The longest that ended before the one that is on."""

    @property
    def seconds(self) -> float:
        """Its length; endless while it is on."""
        return math.inf if self.back_seconds is None else self.back_seconds - self.since_seconds


def heard_after(known: frozenset[str] | None, record: Record) -> Mapping[str, Any]:
    """What changes in the installation when others are heard than `known`; None: nothing was recorded of it so far.

    Fewer than a majority see nothing, so where it was lacking, `watched_since_seconds` begins anew as soon as it is back.
    """
    heard, silent = frozenset(record.body["heard"]), record.body["silent"]
    was_blind = known is not None and 2 * len(known) <= len(heard) + len(silent)
    back = {"watched_since_seconds": record.at_seconds} if was_blind and len(heard) > len(silent) else {}
    return {"observers_heard": heard, **back}
