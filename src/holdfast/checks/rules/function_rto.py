"""HF101: a function promises to be back sooner than a scenario brings it back.

A function is back when traffic has moved: at the end of the phase with the last step that moves it (without such a step, of
the last phase). The plan knows it for sure at the end of the last phase. Later than the first is a broken promise;
between the two the service may be there in time, but nobody can say so.
"""

from collections.abc import Iterator

from holdfast.checks.finding import Finding, Rule, Severity
from holdfast.checks.runs import Run, run
from holdfast.plan.model import Plan
from holdfast.plan.values import spoken_duration

CODE = "HF101"


def _apply(plan: Plan) -> Iterator[Finding]:
    for identifier, scenario in plan.scenarios.items():
        there = run(identifier, "phases", scenario.phases)
        moving = _phase_that_moves_traffic(there)
        last = max(range(len(scenario.phases)), key=lambda number: scenario.phases[number].window[1])
        for name, function in plan.functions.items():
            if function.rto >= scenario.phases[last].window[1]:
                continue
            broken = function.rto < scenario.phases[moving].window[1]
            yield Finding(
                CODE,
                Severity.WARNING if broken else Severity.NOTE,
                f"{function.name} promises to be back within {spoken_duration(function.rto)}, but {scenario.name} "
                + _path(there, moving, last),
                (("functions", name, "rto"), (*there.phase_place(moving if broken else last), "window")),
                "shorten the phases that come before, or promise what the path can keep; a drill measures what it really takes",
            )


def _phase_that_moves_traffic(there: Run) -> int:
    phases = range(len(there.phases))
    moving = [number for number in phases if any(there.block(step.id).moves_traffic for step in there.phases[number].steps)]
    return max(moving or phases, key=lambda number: there.phases[number].window[1])


def _path(there: Run, moving: int, last: int) -> str:
    back, sure = there.phases[moving], there.phases[last]
    if back is sure:
        return f"brings it back only in its phase '{back.name}', by {spoken_duration(back.window[1])}"
    return (
        f"moves traffic in its phase '{back.name}', by {spoken_duration(back.window[1])}, "
        f"and confirms it in '{sure.name}', by {spoken_duration(sure.window[1])}"
    )


RULE = Rule(CODE, "functions come back in time", _apply)
