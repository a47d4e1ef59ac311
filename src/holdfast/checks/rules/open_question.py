"""HF138: a question of the import is still open."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.problems import Place

CODE = "HF138"


def _apply(facts: Facts) -> Iterator[Finding]:
    for number, question in enumerate(facts.plan.questions):
        choices = f" ({', '.join(question.choices)})" if question.choices else ""
        place: Place = ("questions", number)
        sentence = f"nobody has answered what '{question.about}' means: {question.says}{choices}"
        yield Finding(CODE, Severity.NOTE, sentence, (place,), "answer it with `holdfast answer`")


RULE = Rule(
    CODE,
    "no question is open",
    _apply,
    Explanation(
        means="The document's words can mean two things, and the plan holds neither.",
        why="Whatever depends on the answer is not checked, and not done.",
        computed="Every entry of `questions`.",
        mend="Answer it: `holdfast answer PLAN PLACE VALUE`.",
        example="twice a year, or every second year",
    ),
)
