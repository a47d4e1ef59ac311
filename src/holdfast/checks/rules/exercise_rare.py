"""HF129: an exercise says no frequency, or is due less often than yearly."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.problems import Place
from holdfast.plan.values import spoken_duration

CODE = "HF129"


YEAR_SECONDS = 366 * 86400.0


def _apply(facts: Facts) -> Iterator[Finding]:
    asked = {question.about for question in facts.plan.questions}
    for name, exercise in facts.plan.exercises.items():
        place: Place = ("exercises", name)
        if exercise.every is None and f"exercises.{name}.every" in asked:
            continue  # Somebody said it in words that can mean two things: that question is its own finding (HF138).
        if exercise.every is None:
            sentence = f"nobody says how often '{exercise.name}' is held: it is never due"
            yield Finding(CODE, Severity.WARNING, sentence, (place,), "write 'every', such as yearly")
        elif exercise.every > YEAR_SECONDS:
            asking = next((key for key, kept in facts.plan.regulations.items() if kept.requires), None)
            more: tuple[Place, ...] = (("regulations", asking, "requires"),) if asking is not None else ()
            sentence = f"'{exercise.name}' is due every {spoken_duration(exercise.every)}, and standards ask for one a year at least"
            yield Finding(CODE, Severity.WARNING, sentence, ((*place, "every"), *more), "hold it once a year")


RULE = Rule(
    CODE,
    "exercises are due at least yearly",
    _apply,
    Explanation(
        means="An exercise has no frequency, or one that is longer than a year.",
        why="An exercise that is never due is never held.",
        computed=("`every` of each exercise, unless an open question is about it; a year is what PCI DSS and DORA ask for at least."),
        mend="Write `every`.",
        example="tabletop: { name: Around a table, kind: tabletop }",
    ),
)
