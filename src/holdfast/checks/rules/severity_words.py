"""HF141: one word means two severities."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts, listed
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.problems import Place

CODE = "HF141"


def _apply(facts: Facts) -> Iterator[Finding]:
    meant: dict[str, list[tuple[str, Place]]] = {}
    for severity, level in facts.plan.escalation.items():
        meant.setdefault(severity, []).append((severity, ("escalation", severity)))
        for number, word in enumerate(level.also_called):
            meant.setdefault(word, []).append((severity, ("escalation", severity, "also_called", number)))
    twice = {word: uses for word, uses in meant.items() if len({severity for severity, _ in uses}) > 1}
    if twice:
        sentence = "; ".join(f"'{word}' means {listed(severity for severity, _ in uses)}" for word, uses in twice.items())
        places = tuple(place for uses in twice.values() for _, place in uses)
        yield Finding(CODE, Severity.WARNING, f"severities are counted in two ways: {sentence}", places, "count them one way everywhere")


RULE = Rule(
    CODE,
    "a severity's name means one thing",
    _apply,
    Explanation(
        means="The plan and other systems of the company call different severities by the same name.",
        why="Somebody is called for a P1 and answers as to a P2.",
        computed="Names of severities and their `also_called` that more than one severity has.",
        mend="Count severities one way everywhere.",
        example="P2: { also_called: [P1] }",
    ),
)
