"""HF110: a scenario that moves service has no way back, or one in words only."""

from collections.abc import Iterator

from holdfast.checks.finding import Finding, Rule, Severity
from holdfast.checks.runs import run
from holdfast.plan.model import Plan

CODE = "HF110"


def _apply(plan: Plan) -> Iterator[Finding]:
    for identifier, scenario in plan.scenarios.items():
        there = run(identifier, "phases", scenario.phases)
        moves = any(step.block.grants_write or step.block.moves_traffic for step in there.book.steps)
        if scenario.way_back or not moves:
            continue
        if scenario.rollback:
            sentence = f"{scenario.name} has its way back in words only: it can't be run or practised"
            yield Finding(CODE, Severity.NOTE, sentence, (("scenarios", identifier, "rollback"),), "write it as phases under 'way_back'")
        else:
            sentence = f"{scenario.name} moves service to another region and says no way back"
            yield Finding(
                CODE, Severity.WARNING, sentence, (("scenarios", identifier),), "write 'rollback' in words and 'way_back' as phases"
            )


RULE = Rule(CODE, "every scenario leads back", _apply)
