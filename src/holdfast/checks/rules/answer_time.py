"""HF109: people may take so long to approve that the path ends after the plan's promise.

If the answer comes at the last allowed moment, everything after it comes as much later as the answer is later than its phase's end.
"""

from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.checks.runs import Run
from holdfast.plan.values import spoken_duration

CODE = "HF109"


def _apply(facts: Facts) -> Iterator[Finding]:
    plan = facts.plan
    answer, promised = plan.approval.activation.answer_within, plan.objectives.rto
    if promised is None or not plan.approval.activation.of:
        return  # without a rule, nobody has said how long an answer may take
    for identifier, scenario in plan.scenarios.items():
        there = facts.there[identifier]
        asking = _phase_that_asks(there)
        if asking is None:
            continue
        start, end = there.phases[asking].window
        planned = max(phase.window[1] for phase in there.phases)
        late = planned + max(0.0, start + answer - end)
        broken = [function.name for function in plan.functions.values() if planned <= function.rto < late]
        if late <= promised or late <= planned:
            continue
        also = f"; late as well: {', '.join(broken)}" if broken else ""
        yield Finding(
            CODE,
            Severity.WARNING,
            f"an approval may take {spoken_duration(answer)}, but the phase '{there.phases[asking].name}' leaves it "
            f"{spoken_duration(end - start)}: with a late answer {scenario.name} ends after {spoken_duration(late)}, "
            f"and the plan promises {spoken_duration(promised)}{also}",
            (("approval", "activation", "answer_within"), (*there.phase_place(asking), "window"), ("objectives", "rto")),
            f"ask for an answer within {spoken_duration(max(0.0, end - start))}, and escalate when it doesn't come",
        )


def _phase_that_asks(there: Run) -> int | None:
    return next((number for number, phase in enumerate(there.phases) if any(step.block == "approve" for step in phase.steps)), None)


RULE = Rule(
    CODE,
    "a late approval still leaves time",
    _apply,
    Explanation(
        means="An approval may be answered so late that the path ends after the promise.",
        why="Time for thinking is part of the outage.",
        computed="By how much the last allowed answer is later than its phase ends is added to the path's end.",
        mend="Ask for an answer within the phase's window, and escalate when it doesn't come.",
        example="answer_within: 30m in a phase of 5 min",
    ),
)
