"""HF117: the day on which the plan was to be reviewed next has passed.

It needs to know which day it is, which a plan alone doesn't say: so it is asked beside the other rules, by whoever knows the day.
"""

from collections.abc import Iterator
from datetime import date

from holdfast.checks.finding import Finding, Severity
from holdfast.plan.model import Plan

CODE = "HF117"
_PLACE = ("document", "next_review")


def overdue(plan: Plan, today: date) -> Iterator[Finding]:
    """At most one finding."""
    written = plan.document.next_review
    if written is None:
        return
    hint = "review it, then write the new dates; phone numbers and roles age first"
    days = (today - date.fromisoformat(written)).days
    if days > 0:
        since = "1 day" if days == 1 else f"{days} days"
        yield Finding(CODE, Severity.WARNING, f"the plan was to be reviewed by {written}: that is {since} ago", (_PLACE,), hint)
