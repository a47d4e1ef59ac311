"""HF128: a scenario is never practised."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts, listed
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.problems import Place

CODE = "HF128"


def _apply(facts: Facts) -> Iterator[Finding]:
    practised = {exercise.scenario for exercise in facts.plan.exercises.values()}
    unsaid = [name for name, exercise in facts.plan.exercises.items() if exercise.kind == "drill" and exercise.scenario is None]
    for name, scenario in facts.plan.scenarios.items():
        if name not in practised:
            sentence, hint = f"no exercise practises {scenario.name}", "add one, if only around a table, with how often it is due"
            places: tuple[Place, ...] = (("scenarios", name), ("exercises",))
            if unsaid:
                sentence = f"no exercise says that it practises {scenario.name}: "
                sentence += f"{listed(repr(facts.plan.exercises[one].name) for one in unsaid)} name no scenario"
                places = (("scenarios", name), *(("exercises", one) for one in unsaid))
                hint = f"write 'scenario: {name}' and 'takes_away' at the drill that does, or add an exercise of it"
            yield Finding(CODE, Severity.WARNING, sentence, places, hint)


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
