"""HF147: the schedule has one exercise twice, with two frequencies."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts, listed
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.problems import Place
from holdfast.plan.values import frequency_text

CODE = "HF147"


def _apply(facts: Facts) -> Iterator[Finding]:
    plan = facts.plan
    alike: dict[tuple[str, str, str | None], list[tuple[str, float]]] = {}
    for name, exercise in plan.exercises.items():
        if exercise.scenario is not None and exercise.every is not None:
            alike.setdefault((exercise.scenario, exercise.kind, exercise.takes_away), []).append((name, exercise.every))
    for (scenario, _, _), held in alike.items():
        if len({every for _, every in held}) < 2:
            continue
        said = listed(f"'{plan.exercises[name].name}' ({frequency_text(every)})" for name, every in held)
        sentence = f"{said} practise {plan.scenarios[scenario].name} in the same way: nobody knows how often it is due"
        places: tuple[Place, ...] = tuple(("exercises", name, "every") for name, _ in held)
        yield Finding(CODE, Severity.NOTE, sentence, places, "make one of them, or let each take away something else")


RULE = Rule(
    CODE,
    "an exercise stands in the schedule once",
    _apply,
    Explanation(
        means="Two exercises practise the same scenario in the same way, with different frequencies.",
        why="Whoever misses the more frequent one can say that it was the other.",
        computed="`every` of exercises with the same scenario, kind and `takes_away`.",
        mend="Make one of them, or let each practise something else.",
        example="two drills of regional-outage, one quarterly and one yearly",
    ),
)
