"""HF114: a step's other way is taken without asking although it may lose more than people approved.

Silence is never consent: what may lose data waits for a named person, unless the plan's people said otherwise with open eyes (warning).
"""

from collections.abc import Iterator

from holdfast.checks.finding import Finding, Rule, Severity
from holdfast.checks.runs import runs_of
from holdfast.plan.model import Plan

CODE = "HF114"


def _apply(plan: Plan) -> Iterator[Finding]:
    for run in runs_of(plan):
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


RULE = Rule(CODE, "what may lose data asks first", _apply)
