"""HF121: finding out takes longer than the plan's own indicator allows."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.problems import Place
from holdfast.plan.values import spoken_duration

CODE = "HF121"


def _apply(facts: Facts) -> Iterator[Finding]:
    plan = facts.plan
    for name, indicator in plan.indicators.items():
        target = indicator.target
        if indicator.measures != "detection" or target.most_seconds is None:
            continue
        place: Place = ("indicators", name, "target")
        for identifier, profile in plan.profiles.items():
            takes = profile.hold + profile.probe_every + profile.probe_timeout
            if takes > target.most_seconds:
                sentence = f"{indicator.name} must be {target}, but the profile '{identifier}' waits {spoken_duration(takes)} first"
                yield Finding(CODE, Severity.WARNING, sentence, (place, ("profiles", identifier)), "shorten 'hold' or 'probe_every'")
        for identifier, scenario in plan.scenarios.items():
            first = scenario.phases[0]
            assesses = any(step.block == "assess" for step in first.steps) and all(step.block != "manual" for step in first.steps)
            if assesses and first.window[1] - first.window[0] > target.most_seconds:
                yield Finding(
                    CODE,
                    Severity.WARNING,
                    f"{indicator.name} must be {target}, but {scenario.name} gives its phase '{first.name}' "
                    f"{spoken_duration(first.window[1] - first.window[0])}",
                    (place, ("scenarios", identifier, "phases", 0, "window")),
                    "shorten the phase, or set the target to what it takes",
                )


RULE = Rule(
    CODE,
    "troubles are found as fast as the indicator says",
    _apply,
    Explanation(
        means="Detection is given more time than the indicator for it allows.",
        why="The indicator is missed even when everything goes as planned.",
        computed=(
            "The indicator that measures detection against each profile's hold and probes, and against first phases that only assess "
            "and decide."
        ),
        mend="Shorten the phase or the hold, or correct the target.",
        example="detection: < 5m, and a first phase with the window [0s, 10m]",
    ),
)
