"""HF117: the review of the plan is overdue, planned later than the plan's own interval, or not planned at all.

What is overdue is judged only where it is known which day it is. Without a day of its own, the next review is due one interval after the
last change.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.governance import DocumentControl
from holdfast.plan.problems import Place
from holdfast.plan.values import frequency_text

CODE = "HF117"
_SLACK = timedelta(days=3)
"""Quarters, half years and years differ by so much."""


def _apply(facts: Facts) -> Iterator[Finding]:
    control = facts.plan.document
    planned = _planned(control)
    if control.next_review is None and planned is None:
        sentence = "nobody says when the plan is reviewed next"
        yield Finding(CODE, Severity.NOTE, sentence, (("document",),), "write 'next_review' with a day, and 'review_every'")
    if control.next_review is not None:
        due, places = date.fromisoformat(control.next_review), _place("next_review")
        if planned is not None and due > planned + _SLACK:
            yield _too_late(control)
    elif planned is not None:
        due, places = planned, _place("review_every", "last_updated")
    else:
        return
    days = (facts.today - due).days if facts.today is not None else 0
    if days > 0:
        since = "1 day" if days == 1 else f"{days} days"
        hint = "review it, then write the new dates; phone numbers and roles age first"
        yield Finding(CODE, Severity.WARNING, f"the plan was to be reviewed by {due.isoformat()}: that is {since} ago", places, hint)


def _place(*keys: str) -> tuple[Place, ...]:
    return tuple(("document", key) for key in keys)


def _planned(control: DocumentControl) -> date | None:
    """The day that follows from the last change and the interval."""
    if control.last_updated is None or control.review_every is None:
        return None
    return date.fromisoformat(control.last_updated) + timedelta(seconds=control.review_every)


def _too_late(control: DocumentControl) -> Finding:
    sentence = (
        f"the plan is to be reviewed {_how_often(control.review_every or 0.0)}, "
        f"but the review after the change of {control.last_updated} is planned for {control.next_review}"
    )
    places = _place("next_review", "review_every", "last_updated")
    return Finding(CODE, Severity.WARNING, sentence, places, "plan the next review sooner, or write the interval that holds")


def _how_often(seconds: float) -> str:
    text = frequency_text(seconds)
    return f"every {text}" if text[0].isdigit() else text


RULE = Rule(
    CODE,
    "the plan is reviewed in time",
    _apply,
    Explanation(
        means="The review is overdue, planned too late, or not planned.",
        why="Telephone numbers and roles age first.",
        computed="`next_review` against today, and against `last_updated` and `review_every`, from which it follows where it is absent.",
        mend="Review the plan, then write the new dates.",
        example="next_review: 2024-04-01, read in 2026",
    ),
)
