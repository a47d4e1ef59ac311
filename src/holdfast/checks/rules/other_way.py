"""HF114: a step's other way is taken without asking although it may lose more than people approved.

Silence is never consent: what may lose data waits for a named person, unless the plan's people said otherwise with open eyes (warning).
"""

from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity

CODE = "HF114"


def _apply(facts: Facts) -> Iterator[Finding]:
    for run in facts.runs:
        for way in run.book.ways.values():
            lossy = [step for step in way.steps if step.block.may_lose_data]
            if way.when == "automatic" and lossy:
                yield Finding(
                    CODE,
                    Severity.WARNING,
                    f"when '{way.instead_of}' fails, '{lossy[0].id}' runs without asking, and it may lose more than was approved",
                    (run.places[way.instead_of], run.places[lossy[0].id]),
                    "write 'when: ask'",
                )


RULE = Rule(
    CODE,
    "what may lose data asks first",
    _apply,
    Explanation(
        means="A step's other way can't do what the step was for, or hides a loss.",
        why="The backup strategy is needed when everything else already went wrong.",
        computed="The other way's blocks against the step's own, and whether a person is asked before data is lost.",
        mend="Bring the way in line with the step, or write `when: ask`.",
        example="an other way that only notifies",
    ),
)
