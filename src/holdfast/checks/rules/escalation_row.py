"""HF153: something has a severity for which the escalation has no row: nobody is called."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts, listed
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.problems import Place

CODE = "HF153"


def _apply(facts: Facts) -> Iterator[Finding]:
    plan = facts.plan
    having: dict[str, list[tuple[str, Place]]] = {}
    for name, function in plan.functions.items():
        having.setdefault(function.priority, []).append((function.name, ("functions", name, "priority")))
    for name, scenario in plan.scenarios.items():
        if scenario.severity is not None:
            having.setdefault(scenario.severity, []).append((scenario.name, ("scenarios", name, "severity")))
    for severity, held in sorted(having.items()):
        if plan.escalation and severity not in plan.escalation:
            has = "has" if len(held) == 1 else "have"
            sentence = f"the escalation doesn't say who is called at {severity}, and {listed(name for name, _ in held)} {has} it"
            yield Finding(CODE, Severity.WARNING, sentence, (("escalation",), *(place for _, place in held)), f"write the row {severity}")


RULE = Rule(
    CODE,
    "the escalation knows every severity in use",
    _apply,
    Explanation(
        means="A function or a scenario has a severity that the escalation matrix leaves out.",
        why="When nobody answers, nobody else is called.",
        computed="Priorities of functions and severities of scenarios against the rows of `escalation`, where there is one.",
        mend="Write the row.",
        example="configuration: { priority: P3 }, and an escalation of P1 and P2 only",
    ),
)
