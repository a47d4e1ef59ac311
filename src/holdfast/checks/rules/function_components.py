"""HF143: a function promises to be back sooner than something that it stands on."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts, listed
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.values import spoken_duration

CODE = "HF143"


def _apply(facts: Facts) -> Iterator[Finding]:
    components = facts.plan.components
    order = {name: number for number, name in enumerate(components)}
    for name, function in facts.plan.functions.items():
        slower = sorted((one for one in facts.beneath[name] if components[one].rto > function.rto), key=order.__getitem__)
        if slower:
            said = listed(f"{components[one].name} ({spoken_duration(components[one].rto)})" for one in slower)
            yield Finding(
                CODE,
                Severity.WARNING,
                f"{function.name} promises to be back within {spoken_duration(function.rto)}, but stands on {said}",
                (("functions", name, "rto"), *(("components", one, "rto") for one in slower)),
                "let what it stands on come back sooner, or promise what the slowest of it keeps",
            )


RULE = Rule(
    CODE,
    "functions promise no sooner return than what they stand on",
    _apply,
    Explanation(
        means="A function's RTO is shorter than the RTO of a component that it stands on.",
        why="Everybody keeps their own promise, and the function's is broken all the same.",
        computed="The function's RTO against that of every component that it stands on, directly or through `needs`.",
        mend="Agree on a shorter RTO for the component, or promise the longer one.",
        example="functions.voice.rto: 15m, and components.application.rto: 30m",
    ),
)
