"""HF111: a component has no backup strategy: when its primary strategy fails, the plan says nothing."""

from collections.abc import Iterator

from holdfast.checks.finding import Finding, Rule, Severity
from holdfast.plan.model import Plan

CODE = "HF111"


def _apply(plan: Plan) -> Iterator[Finding]:
    for identifier, component in plan.components.items():
        if component.backup_strategy is None or not component.backup_strategy.strip():
            sentence = (
                f"{component.name} has no backup strategy: the plan doesn't say what happens when '{component.primary_strategy}' fails"
            )
            yield Finding(CODE, Severity.WARNING, sentence, (("components", identifier),), "write 'backup_strategy'")


RULE = Rule(CODE, "every component has a second way", _apply)
