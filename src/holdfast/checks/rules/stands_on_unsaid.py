"""HF145: nobody says what a function stands on, so what components promise can't be held against it."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts, listed
from holdfast.checks.finding import Explanation, Finding, Rule, Severity

CODE = "HF145"


def _apply(facts: Facts) -> Iterator[Finding]:
    plan = facts.plan
    unsaid = [name for name, function in plan.functions.items() if not function.stands_on] if plan.components else []
    if unsaid:
        names = listed(plan.functions[name].name for name in unsaid)
        stands = "stands" if len(unsaid) == 1 else "stand"
        sentence = f"nobody says what {names} {stands} on: what a component loses, or how late it is back, can't be held against that"
        places = tuple(("functions", name) for name in unsaid)
        yield Finding(CODE, Severity.NOTE, sentence, places, "write 'stands_on' with the components that it needs")


RULE = Rule(
    CODE,
    "every function says what it stands on",
    _apply,
    Explanation(
        means="A function names no component, though the plan has some.",
        why="An impact analysis without dependencies finds no contradiction between a promise and what must keep it.",
        computed="Functions without `stands_on` in a plan with components.",
        mend="Write the components that the function needs.",
        example="voice: { name: Voice, rto: 15m }, and components further down that it never names",
    ),
)
