"""HF156: the steps of a phase usually take longer than its window."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.problems import Place
from holdfast.plan.values import spoken_duration
from holdfast.runbook.graph import critical_path

CODE = "HF156"


def _apply(facts: Facts) -> Iterator[Finding]:
    for run in facts.runs:
        for number, phase in enumerate(run.phases):
            usual = {step.id: usually for step in phase.steps if (usually := step.usual_seconds) is not None}
            start, end = phase.window
            if sum(usual.values()) <= end - start:
                continue  # not even one after the other: no chain of them can be longer
            taken, chain = critical_path(run.book, usual)
            steps = [step for step in chain if step in usual]
            if taken > end - start:
                sentence = (
                    f"the phase '{phase.name}' of {facts.plan.scenarios[run.scenario].name} has {spoken_duration(end - start)}, "
                    f"but its steps usually take {spoken_duration(taken)}: {' → '.join(steps)}"
                )
                places: tuple[Place, ...] = ((*run.phase_place(number), "window"), *((*run.places[step], "takes") for step in steps))
                yield Finding(CODE, Severity.WARNING, sentence, places, "lengthen the window, or let steps run side by side")


RULE = Rule(
    CODE,
    "a phase's steps fit into its window",
    _apply,
    Explanation(
        means="By the plan's own `takes`, the longest chain of a phase's steps usually takes longer than the phase's window.",
        why="The phase after it begins late, and with it everything that was promised.",
        computed="The usual time of the longest chain of a phase's steps against its window; a step without `takes` counts as none.",
        mend="Lengthen the window, let steps run side by side, or make them quicker and measure it.",
        example="two steps after each other with takes: [2m, 6m, 20m] each, in a window of 10 min",
    ),
)
