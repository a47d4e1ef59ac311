"""How soon regulators must be told, as the laws say it: what a plan's own deadlines are held against."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.plan.governance import report_stages
from holdfast.plan.model import Plan

HOUR_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Clock:
    """A deadline of a law. `words`: how the regulation is named in plans.

    `seconds`: counted from the report before (`after`), or from when the company becomes aware. `stage`: which later report it is; an entry
    of a plan that speaks of none is the first notice.
    """

    words: tuple[str, ...]
    clause: str
    what: str
    seconds: float
    stage: str = ""
    after: "Clock | None" = None

    def is_about(self, identifier: str, name: str) -> bool:
        """Whether a plan's regulation is this one."""
        stages = report_stages(identifier, name)
        named = not {*self.words}.isdisjoint(re.findall(r"[a-z0-9]+", f"{identifier} {name}".casefold()))
        return named and (self.stage in stages if self.stage else not stages)

    def earlier(self) -> "Iterator[Clock]":
        """The reports before this one, the last first."""
        clock = self.after
        while clock is not None:
            yield clock
            clock = clock.after

    def entry_before(self, plan: Plan, authority: str | None) -> str | None:
        """The plan's regulation from whose report this one counts: of the same authority, the soonest; None without a time."""
        if self.after is None:
            return None
        times = {
            name: one.notify_within
            for name, one in plan.regulations.items()
            if self.after.is_about(name, one.name) and one.notify_within is not None and same_authority(one.notify, authority)
        }
        return min(times, key=lambda name: times[name], default=None)

    def limit_seconds(self, plan: Plan, authority: str | None = None) -> float:
        """How long after becoming aware at most, in this plan. What counts from the report before counts from when the plan sends that."""
        if self.after is None:
            return self.seconds
        before = self.after.limit_seconds(plan, authority)
        entry = self.entry_before(plan, authority)
        own = plan.regulations[entry].notify_within if entry is not None else None
        return self.seconds + (before if own is None else min(own, before))


def same_authority(one: str | None, other: str | None) -> bool:
    """Whether reports go to one authority, as far as it is said."""
    return None in (one, other) or str(one).casefold() == str(other).casefold()


GDPR = Clock(("gdpr",), "article 33(1)", "notice of a personal data breach", 72 * HOUR_SECONDS)
_LIMITS = "Delegated Regulation (EU) 2025/301, article 5(1)"
# And four hours from classifying the incident as major, which may come sooner
DORA = Clock(("dora",), f"article 19(4)(a); {_LIMITS}(a)", "the first notice of a major incident", 24 * HOUR_SECONDS)
DORA_INTERMEDIATE = Clock(
    ("dora",), f"article 19(4)(b); {_LIMITS}(b)", "the intermediate report", 72 * HOUR_SECONDS, "intermediate", after=DORA
)
DORA_FINAL = Clock(
    ("dora",),
    f"article 19(4)(c); {_LIMITS}(c)",
    "the final report",
    28 * 24 * HOUR_SECONDS,  # the shortest month
    "final",
    after=DORA_INTERMEDIATE,
)
NIS_2 = Clock(("nis2",), "article 23(4)(a)", "an early warning", 24 * HOUR_SECONDS)
CLOCKS = (GDPR, DORA, DORA_INTERMEDIATE, DORA_FINAL, NIS_2)
