"""HF155: an exercise keeps less time free than its scenario is planned to take."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.problems import Place
from holdfast.plan.values import spoken_duration

CODE = "HF155"


def _apply(facts: Facts) -> Iterator[Finding]:
    plan = facts.plan
    for name, exercise in plan.exercises.items():
        if exercise.scenario is None or exercise.lasts is None or exercise.kind == "tabletop":
            continue  # around a table, time is told and not spent
        planned = facts.there[exercise.scenario].planned_end()
        if planned is not None and planned[0] > exercise.lasts:
            sentence = (
                f"'{exercise.name}' keeps {spoken_duration(exercise.lasts)} free, "
                f"but {plan.scenarios[exercise.scenario].name} is planned to take {spoken_duration(planned[0])}"
            )
            places: tuple[Place, ...] = (("exercises", name, "lasts"), planned[1])
            yield Finding(CODE, Severity.WARNING, sentence, places, "keep more time free, and count the way back too")


RULE = Rule(
    CODE,
    "an exercise has time for its scenario",
    _apply,
    Explanation(
        means="The time that is kept free for an exercise ends before its scenario does.",
        why="It is broken off, and what comes last is never practised.",
        computed="`lasts` of each exercise but those around a table, against the end of its scenario's last phase with a planned end.",
        mend="Keep more time free, or shorten the scenario.",
        example="lasts: 20m for a scenario whose last phase ends at 30m",
    ),
)
