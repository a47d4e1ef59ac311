"""HF142: a scenario asks nobody, though the plan demands approval."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.problems import Place

CODE = "HF142"


def _apply(facts: Facts) -> Iterator[Finding]:
    rule = facts.plan.approval.activation
    for name, run in facts.there.items():
        asks = any(step.block.name == "approve" for step in run.book.steps)
        if asks or not rule.of:
            continue
        grants = [step.id for step in run.book.steps if step.block.grants_write or step.block.moves_traffic]
        does = f"moves service with '{grants[0]}'" if grants else "is carried out"
        people = "one person" if rule.count == 1 else f"{rule.count} people"
        sentence = f"the plan demands that {people} approve, but {facts.plan.scenarios[name].name} {does} without asking anybody"
        places: tuple[Place, ...] = (("approval", "activation", "count"), ("scenarios", name, "phases"))
        yield Finding(CODE, Severity.WARNING, sentence, places, "add a step with the block 'approve', or say that it needs none")


RULE = Rule(
    CODE,
    "where approval is demanded, it is asked for",
    _apply,
    Explanation(
        means="An approval rule stands in the plan, and a scenario has no step that asks.",
        why="Two approvers in one place and none in another: nobody knows which holds.",
        computed="Scenarios without a step `approve`, when the plan has an approval rule.",
        mend="Add the step.",
        example="a scenario whose phases hold no block approve",
    ),
)
