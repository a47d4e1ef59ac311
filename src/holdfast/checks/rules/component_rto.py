"""HF116: a component promises to be back sooner than the phases bring it back.

A component is back at the end of the phase with the last step that concerns it on the way there. What no step concerns has no such
promise to break here; a drill measures it.
"""

from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.values import spoken_duration

CODE = "HF116"


def _apply(facts: Facts) -> Iterator[Finding]:
    plan = facts.plan
    for identifier, scenario in plan.scenarios.items():
        there = facts.there[identifier]
        last = {
            step.component: (number, step.id)
            for number, phase in sorted(enumerate(there.phases), key=lambda entry: entry[1].window[1])
            for step in phase.steps
            if step.component is not None
        }
        for name, component in plan.components.items():
            if name not in last:
                continue
            number, step = last[name]
            phase = there.phases[number]
            if component.rto < phase.window[1]:
                yield Finding(
                    CODE,
                    Severity.WARNING,
                    f"{component.name} promises to be back within {spoken_duration(component.rto)}, but {scenario.name} does that with "
                    f"'{step}' in its phase '{phase.name}', by {spoken_duration(phase.window[1])}",
                    (("components", name, "rto"), (*there.phase_place(number), "window")),
                    "move the step into an earlier phase, or promise what the phase can keep; a drill measures what it really takes",
                )


RULE = Rule(
    CODE,
    "components come back in time",
    _apply,
    Explanation(
        means="A component promises to be back sooner than its phase brings it back.",
        why="Component promises are what the functions' are built on.",
        computed="The component's RTO against the end of the phase with the last step about it.",
        mend="Move the step into an earlier phase, or promise what the phase keeps.",
        example="cache.rto: 10m, promoted in a phase that ends at 15m",
    ),
)
