"""HF116: a component promises to be back sooner than the phases bring it back.

A component is back at the end of the phase with the last step that concerns it on the way there. What no step concerns has no such
promise to break here; a drill measures it.
"""

from collections.abc import Iterator

from holdfast.checks.finding import Finding, Rule, Severity
from holdfast.checks.runs import run
from holdfast.plan.model import Plan
from holdfast.plan.values import spoken_duration

CODE = "HF116"


def _apply(plan: Plan) -> Iterator[Finding]:
    for identifier, scenario in plan.scenarios.items():
        there = run(identifier, "phases", scenario.phases)
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


RULE = Rule(CODE, "components come back in time", _apply)
