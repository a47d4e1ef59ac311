"""HF128: a scenario is never practised."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.problems import Place

CODE = "HF128"


def _apply(facts: Facts) -> Iterator[Finding]:
    practised = {exercise.scenario for exercise in facts.plan.exercises.values()}
    for name, scenario in facts.plan.scenarios.items():
        if name not in practised:
            sentence = f"no exercise practises {scenario.name}"
            places: tuple[Place, ...] = (("scenarios", name), ("exercises",))
            yield Finding(CODE, Severity.WARNING, sentence, places, "add one, if only around a table, with how often it is due")


RULE = Rule(
    CODE,
    "every scenario is practised",
    _apply,
    Explanation(
        means="A scenario has no exercise in the schedule.",
        why="What was never practised takes several times as long, and its mistakes are found in the incident.",
        computed="Scenarios that no exercise names.",
        mend="Add an exercise; one around a table is better than none.",
        example="a scenario security-breach without an exercise that names it",
    ),
)
