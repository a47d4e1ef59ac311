"""HF103: an availability target allows less outage in its period than one recovery as the plan promises it.

The plan's own objective counts over 30 days, a service level over its period. One recovery takes the plan's RTO; where there is room for
that, a scenario that is planned to take longer may still be too much.
"""

from collections.abc import Iterator

from holdfast.checks.facts import Facts, listed
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.problems import Place
from holdfast.plan.values import spoken_duration

CODE = "HF103"
MONTH_SECONDS = 30 * 86400.0


def _apply(facts: Facts) -> Iterator[Finding]:
    plan = facts.plan
    rto, percent_promised = plan.objectives.rto, plan.objectives.availability_percent
    if rto is None:
        return
    targets: list[tuple[str, float, float, Place]] = []
    if percent_promised is not None:
        targets.append(("the plan's objective", percent_promised, MONTH_SECONDS, ("objectives", "availability_percent")))
    targets += [
        (level.name, level.availability_percent, level.period, ("service_levels", name, "availability_percent"))
        for name, level in plan.service_levels.items()
    ]
    for who, percent, period, place in targets:
        allowed = (100 - percent) / 100 * period
        if allowed < rto - 0.5:  # less than half a second apart is rounding of the percentage
            yield Finding(
                CODE,
                Severity.WARNING,
                f"{percent:g} % over {spoken_duration(period)} ({who}) allows {spoken_duration(allowed)} of outage, "
                f"but one recovery within the plan's RTO may take {spoken_duration(rto)}",
                (place, ("objectives", "rto")),
                "a single recovery breaks this promise: shorten the RTO or promise less",
            )
        else:
            yield from _scenarios(facts, f"{percent:g} % over {spoken_duration(period)} ({who})", allowed, place)


def _scenarios(facts: Facts, target: str, allowed: float, place: Place) -> Iterator[Finding]:
    longer: list[tuple[str, Place]] = []
    for name, there in facts.there.items():
        planned = there.planned_end()
        if planned is not None and planned[0] > allowed + 0.5:
            longer.append((f"{facts.plan.scenarios[name].name} takes {spoken_duration(planned[0])}", planned[1]))
    if longer:
        yield Finding(
            CODE,
            Severity.WARNING,
            f"{target} allows {spoken_duration(allowed)} of outage, but by their phases {listed(said for said, _ in longer)}",
            (place, *(where for _, where in longer)),
            "one such incident breaks this promise: shorten the phases, or say that it doesn't count them",
        )


RULE = Rule(
    CODE,
    "one recovery fits into the availability promised",
    _apply,
    Explanation(
        means="An availability target allows less outage than one recovery takes.",
        why="A single incident that goes as planned breaks the promise for the whole period.",
        computed="(100 % less the target) of the period, against the plan's RTO and the planned length of each scenario.",
        mend="Shorten the RTO, or promise less.",
        example="99.95 % of 30 days are 21 min 36 s, and the RTO is 30 min",
    ),
)
