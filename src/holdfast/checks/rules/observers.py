"""HF113: the observers can't tell a lost region from a lost observer.

A decision on its own needs a majority of the configured observers. With fewer than three, one silent observer leaves no majority.
An observer inside the primary region falls silent together with it and counts against the majority that must see it.
"""

from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity

CODE = "HF113"


def _apply(facts: Facts) -> Iterator[Finding]:
    plan = facts.plan
    distinct = tuple(dict.fromkeys(plan.observers))
    if len(distinct) < 3:
        sentence = f"the plan watches from {_places(len(distinct))}: as soon as one is silent, no majority is left to decide"
        yield Finding(CODE, Severity.WARNING, sentence, (("observers",),), "watch from three places outside the primary region")
    primary = plan.primary_region()
    outside = [site for site in distinct if site != primary]
    if len(outside) * 2 <= len(distinct):
        sentence = f"with {primary} lost, {len(outside)} of {len(distinct)} observers are left, which is no majority"
        yield Finding(CODE, Severity.WARNING, sentence, (("observers",),), "add observers outside the primary region")


def _places(count: int) -> str:
    return "one place" if count == 1 else f"{count} places"


RULE = Rule(
    CODE,
    "a majority can see a lost region",
    _apply,
    Explanation(
        means="The observers can't tell a lost region from a lost observer.",
        why="The plan would either never decide, or decide by mistake.",
        computed="At least three observers, most of them outside the primary region.",
        mend="Watch from the DR region, a witness and one place outside.",
        example="observers: [eu-west-1, eu-central-1]",
    ),
)
