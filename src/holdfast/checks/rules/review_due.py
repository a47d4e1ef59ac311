"""HF117: the day on which the plan was to be reviewed next has passed.

Judged only where it is known which day it is.
"""

from collections.abc import Iterator
from datetime import date

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity

CODE = "HF117"
_PLACE = ("document", "next_review")


def _apply(facts: Facts) -> Iterator[Finding]:
    written, today = facts.plan.document.next_review, facts.today
    if written is None or today is None:
        return
    hint = "review it, then write the new dates; phone numbers and roles age first"
    days = (today - date.fromisoformat(written)).days
    if days > 0:
        since = "1 day" if days == 1 else f"{days} days"
        yield Finding(CODE, Severity.WARNING, f"the plan was to be reviewed by {written}: that is {since} ago", (_PLACE,), hint)


RULE = Rule(
    CODE,
    "the plan was reviewed in time",
    _apply,
    Explanation(
        means="The day of the next review has passed.",
        why="Telephone numbers and roles age first.",
        computed="document.next_review against today.",
        mend="Review the plan, then write the new dates.",
        example="next_review: 2024-04-01, read in 2026",
    ),
)
