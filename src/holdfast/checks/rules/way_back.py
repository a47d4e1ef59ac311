"""HF110: a scenario has no way back, or one that moves service has one in words only."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity

CODE = "HF110"


def _apply(facts: Facts) -> Iterator[Finding]:
    plan = facts.plan
    for identifier, scenario in plan.scenarios.items():
        there = facts.there[identifier]
        moves = any(step.block.grants_write or step.block.moves_traffic for step in there.book.steps)
        if scenario.way_back:
            continue
        if not moves:
            if not scenario.rollback:
                sentence = f"{scenario.name} says no way back: nobody knows what is undone, and how, when it turns out to be wrong"
                yield Finding(CODE, Severity.NOTE, sentence, (("scenarios", identifier),), "write 'rollback' in words")
            continue
        if scenario.rollback:
            sentence = f"{scenario.name} has its way back in words only: it can't be run or practised"
            yield Finding(CODE, Severity.NOTE, sentence, (("scenarios", identifier, "rollback"),), "write it as phases under 'way_back'")
        else:
            sentence = f"{scenario.name} moves service to another region and says no way back"
            yield Finding(
                CODE, Severity.WARNING, sentence, (("scenarios", identifier),), "write 'rollback' in words and 'way_back' as phases"
            )


RULE = Rule(
    CODE,
    "every scenario leads back",
    _apply,
    Explanation(
        means="A scenario says no way back.",
        why="The company stays in the emergency place, without a second region behind it; or nobody knows how to undo what was wrong.",
        computed=(
            "A scenario that promotes or moves traffic needs `way_back`; words under `rollback` alone are a note. One that moves nothing "
            "and has neither is a note."
        ),
        mend="Write the way back as phases, or in words under `rollback` where people do it.",
        example="a scenario with `phases` only",
    ),
)
