"""What observers saw, as the journal keeps it: outages of functions, and who of them is heard.

Never here: what they see now; that lives in `health`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from holdfast.journal.kinds import Kind
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


def watched_after(known: frozenset[str] | None, record: Record) -> Mapping[str, Any]:
    """What changes in the installation when a controller starts, or others are heard than `known`; None: nothing was recorded of it so far.

    Fewer than a majority see nothing, and without a controller nobody looks: `watched_since_seconds` begins anew when that is over.
    """
    if record.kind == Kind.CONTROLLER_STARTED:
        return {"watched_since_seconds": record.at_seconds}
    heard, silent = frozenset(record.body["heard"]), record.body["silent"]
    was_blind = known is not None and 2 * len(known) <= len(heard) + len(silent)
    back = {"watched_since_seconds": record.at_seconds} if was_blind and len(heard) > len(silent) else {}
    return {"observers_heard": heard, **back}


def outages_after(functions: Mapping[str, FunctionOutage], body: Mapping[str, Any]) -> Mapping[str, FunctionOutage]:
    """Function → its outage, after one more record of what was seen (`functions.seen`)."""
    now = dict(functions)
    for name, since in body["hit"].items():
        known = now.get(name)
        now[name] = FunctionOutage(since, before=known) if known is None or known.back_seconds is not None else known
    for name, at in body["back"].items():
        known = now.get(name)
        if known is not None and known.back_seconds is None:
            ended = FunctionOutage(known.since_seconds, max(at, known.since_seconds))
            now[name] = ended if known.before is None or known.before.seconds < ended.seconds else replace(known.before, before=None)
    return now
