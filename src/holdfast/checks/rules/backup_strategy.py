"""HF111: a component has no backup strategy: when its primary strategy fails, the plan says nothing."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity

CODE = "HF111"


def _apply(facts: Facts) -> Iterator[Finding]:
    plan = facts.plan
    for identifier, component in plan.components.items():
        if not component.primary_strategy.strip():
            sentence = f"{component.name} has no recovery strategy: the plan doesn't say how it comes back"
            yield Finding(CODE, Severity.WARNING, sentence, (("components", identifier, "primary_strategy"),), "write 'primary_strategy'")
        if component.backup_strategy is None or not component.backup_strategy.strip():
            sentence = (
                f"{component.name} has no backup strategy: the plan doesn't say what happens when '{component.primary_strategy}' fails"
            )
            yield Finding(CODE, Severity.WARNING, sentence, (("components", identifier),), "write 'backup_strategy'")


RULE = Rule(
    CODE,
    "every component has a second way",
    _apply,
    Explanation(
        means="A component has no recovery strategy, or no second one.",
        why="When the first way fails, people invent the second at night.",
        computed="`primary_strategy` and `backup_strategy` that are absent or empty.",
        mend="Write both.",
        example="cache: { primary_strategy: Promote the replica }",
    ),
)
