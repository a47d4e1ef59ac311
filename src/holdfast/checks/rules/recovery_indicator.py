"""HF149: a scenario is planned to take longer than the indicator of recovery allows."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts, listed
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.problems import Place
from holdfast.plan.values import spoken_duration

CODE = "HF149"


def _apply(facts: Facts) -> Iterator[Finding]:
    plan = facts.plan
    for name, indicator in plan.indicators.items():
        target = indicator.target
        if indicator.measures != "recovery" or target.most_seconds is None:
            continue
        longer: list[tuple[str, float, Place]] = []
        for scenario, there in facts.there.items():
            planned = there.planned_end()
            if planned is not None and planned[0] > target.most_seconds:
                longer.append((plan.scenarios[scenario].name, *planned))
        if longer:
            said = listed(f"{spoken_duration(end)} for {scenario}" for scenario, end, _ in longer)
            sentence = f"{indicator.name} must be {target}, but the phases plan {said}"
            places: tuple[Place, ...] = (("indicators", name, "target"), *(place for _, _, place in longer))
            hint = "shorten the phases, or say which scenarios the indicator counts"
            yield Finding(CODE, Severity.WARNING, sentence, places, hint)


RULE = Rule(
    CODE,
    "recoveries are planned as fast as their indicator says",
    _apply,
    Explanation(
        means="A scenario that goes as planned misses the indicator of recovery.",
        why="An indicator that the plan itself can't meet is soon ignored.",
        computed="The target of the indicator that measures recovery against the end of each scenario's last phase with a planned end.",
        mend="Shorten the phases, or say which scenarios the indicator counts.",
        example="recovery: < 30m, and a scenario whose last phase ends at 60m",
    ),
)
