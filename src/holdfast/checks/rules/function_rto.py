"""HF101: a function promises to be back sooner than a scenario brings it back.

A function is back when traffic has moved: at the end of the phase with the last step that moves it (without such a step, of
the last phase). The plan knows it for sure at the end of the last phase. Later than the first is a broken promise;
between the two the service may be there in time, but nobody can say so.
"""

import math
from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.checks.runs import Run
from holdfast.plan.values import spoken_duration
from holdfast.runbook.graph import critical_path

CODE = "HF101"


def _apply(facts: Facts) -> Iterator[Finding]:
    plan = facts.plan
    for identifier, scenario in plan.scenarios.items():
        there = facts.there[identifier]
        moving = _phase_that_moves_traffic(there)
        last = there.last_of(range(len(scenario.phases)))
        for name, function in plan.functions.items():
            if function.rto >= scenario.phases[last].window[1]:
                continue
            broken = function.rto < scenario.phases[moving].window[1]
            yield Finding(
                CODE,
                Severity.WARNING if broken else Severity.NOTE,
                f"{function.name} promises to be back within {spoken_duration(function.rto)}, but {scenario.name} "
                + _path(there, moving, last)
                + _chain(there),
                (("functions", name, "rto"), (*there.phase_place(moving if broken else last), "window")),
                "shorten the phases that come before, or promise what the path can keep; a drill measures what it really takes",
            )


def _phase_that_moves_traffic(there: Run) -> int:
    phases = range(len(there.phases))
    moving = [number for number in phases if any(there.block(step.id).moves_traffic for step in there.phases[number].steps)]
    return there.last_of(moving or phases)


def _chain(there: Run) -> str:
    """The critical path; where no step says what it takes, the longest chain of steps that wait for each other."""
    planned = [phase for phase in there.phases if not math.isinf(phase.window[1])]
    usual = {step.id: usually for phase in planned for step in phase.steps if (usually := step.usual_seconds) is not None}
    if not usual:
        _, steps = critical_path(there.book, {step.id: 1.0 for phase in planned for step in phase.steps})
        return f"; its longest chain of steps, of which none says how long it takes: {' → '.join(steps)}"
    length, steps = critical_path(there.book, usual)
    return f"; its longest chain of steps usually takes {spoken_duration(length)}: {' → '.join(step for step in steps if step in usual)}"


def _path(there: Run, moving: int, last: int) -> str:
    back, sure = there.phases[moving], there.phases[last]
    if back is sure:
        return f"brings it back only in its phase '{back.name}', by {spoken_duration(back.window[1])}"
    return (
        f"moves traffic in its phase '{back.name}', by {spoken_duration(back.window[1])}, "
        f"and confirms it in '{sure.name}', by {spoken_duration(sure.window[1])}"
    )


RULE = Rule(
    CODE,
    "functions come back in time",
    _apply,
    Explanation(
        means="A function promises to be back sooner than the phases of a scenario bring it back.",
        why="Whoever relies on the promise learns in the incident that the plan never meant to keep it.",
        computed=(
            "The function's RTO against the end of the phase with the last step that moves traffic, and of the last phase that has a "
            "planned end. Where steps say what they take, the longest chain of them is named."
        ),
        mend="Shorten the phases, let steps run side by side, or promise what the path keeps.",
        example="functions.voice.rto: 15m, and traffic moves in a phase that ends at 25m",
    ),
)
