"""HF106: the windows of a scenario's phases contradict each other or the plan's objective.

A window that ends before it starts can't be carried out at all (error). Phases that overlap, leave a gap, or end after the plan's RTO
(there only, the way back has none) are written so that the promise can't be read off them (warning, a gap is a note).
"""

import math
from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.checks.runs import Run
from holdfast.plan.model import Plan
from holdfast.plan.values import spoken_duration

CODE = "HF106"


def _apply(facts: Facts) -> Iterator[Finding]:
    plan = facts.plan
    for run in facts.runs:
        yield from _each(run)
        yield from _neighbours(run)
        if run.name == "phases":
            yield from _end(plan, run)


def _each(run: Run) -> Iterator[Finding]:
    for number, phase in enumerate(run.phases):
        start, end = phase.window
        if end <= start:
            yield Finding(
                CODE,
                Severity.ERROR,
                f"the phase '{phase.name}' ends at {spoken_duration(end)}, not after its start at {spoken_duration(start)}",
                ((*run.phase_place(number), "window"),),
                "write the window as [start, end], counted from the incident's start",
            )


def _neighbours(run: Run) -> Iterator[Finding]:
    for number in range(1, len(run.phases)):
        before, phase = run.phases[number - 1], run.phases[number]
        places = ((*run.phase_place(number - 1), "window"), (*run.phase_place(number), "window"))
        end, start = before.window[1], phase.window[0]
        if start < end:
            sentence = f"the phase '{phase.name}' starts at {spoken_duration(start)}, before '{before.name}' ends at {spoken_duration(end)}"
            yield Finding(CODE, Severity.WARNING, sentence, places, "let one start where the other ends; steps may still run side by side")
        elif start > end:
            sentence = f"nothing is planned between {spoken_duration(end)} ('{before.name}') and {spoken_duration(start)} ('{phase.name}')"
            yield Finding(CODE, Severity.NOTE, sentence, places, "close the gap, or say what is waited for in a phase of its own")


def _end(plan: Plan, run: Run) -> Iterator[Finding]:
    last = max(range(len(run.phases)), key=lambda number: run.phases[number].window[1])
    end = run.phases[last].window[1]
    promised = plan.objectives.rto
    if promised is not None and end > promised:
        yield Finding(
            CODE,
            Severity.WARNING,
            f"{plan.scenarios[run.scenario].name} {_until(end)} by its phases, "
            f"but the plan promises recovery within {spoken_duration(promised)}",
            (("objectives", "rto"), (*run.phase_place(last), "window")),
            "shorten the phases, or promise what they can keep",
        )


def _until(end: float) -> str:
    return "has no planned end" if math.isinf(end) else f"takes {spoken_duration(end)}"


RULE = Rule(
    CODE,
    "phases follow each other and end in time",
    _apply,
    Explanation(
        means="Windows of phases overlap, leave a gap, or end after the plan's promise.",
        why="People read from the windows what is due when; windows that contradict each other say nothing.",
        computed="Each window against its neighbour, and the last end against objectives.rto.",
        mend="Let a phase start where the one before ends, and end within the promise.",
        example="phases with the windows [0s, 5m] and [4m, 15m]",
    ),
)
