"""How long each component took to come back, by its probes, else by its steps.

Rules: a component with a writer is back with the first probe that sees the target region's server as the writer; any other with the
first probe that finds it up after its last step ended. Without such probes the end of its last verified step counts. The network is
back when the first function's clients get answers again. What has neither probe nor step is unmeasured.
"""

from collections.abc import Sequence
from typing import Literal

from holdfast.health.observation import Observation, Seen
from holdfast.plan.blocks import BLOCKS
from holdfast.plan.model import Component, Plan
from holdfast.report.model import ComponentResult, Criteria, FunctionResult, StepResult
from holdfast.report.steps import DONE

_WRITER_ROLES = ("primary", "master")
_HAS_WRITER = ("postgres", "redis")
Measure = tuple[float | None, Literal["probes", "steps", "clients", "nothing"]]


def component_results(
    plan: Plan,
    steps: Sequence[StepResult],
    functions: Sequence[FunctionResult],
    observations: Sequence[Observation],
    impact_seconds: float,
    target: str,
    criteria: Criteria | None = None,
) -> tuple[ComponentResult, ...]:
    """Targets and actuals of every component of the plan, or of those that the criteria name; `steps` are the failover's."""
    since = [look for look in observations if look.region == target and look.at_seconds >= impact_seconds]
    results = []
    wanted = criteria.components if criteria is not None and criteria.components else tuple(plan.components)
    for identifier, component in ((name, plan.components[name]) for name in wanted):
        mine = [step for step in steps if _concerns(step, identifier, component.kind)]
        if component.kind == "network":
            seconds, how = _network(functions)
        else:
            here = [look for look in since if look.name == identifier]
            seconds, how = _by_probes_or_steps(component, mine, here, impact_seconds)
        results.append(
            ComponentResult(
                id=identifier,
                name=component.name,
                kind=component.kind,
                rto_target_seconds=component.rto,
                rpo_target_seconds=component.rpo,
                rto_actual_seconds=seconds,
                met=None if seconds is None else seconds <= component.rto,
                measured_by=how,
            )
        )
    return tuple(results)


def _concerns(step: StepResult, identifier: str, kind: str) -> bool:
    if step.component is not None:
        return step.component == identifier
    specification = BLOCKS.get(step.block)
    return specification is not None and specification.component_kind == kind


def _network(functions: Sequence[FunctionResult]) -> Measure:
    back = [function.recovered_seconds for function in functions if function.recovered_seconds is not None]
    if back:
        return max(0.0, min(back)), "clients"
    if functions and all(function.rto_actual_seconds == 0 for function in functions):
        return 0.0, "clients"
    return None, "nothing"


def _by_probes_or_steps(component: Component, steps: Sequence[StepResult], seen: Sequence[Observation], impact_seconds: float) -> Measure:
    ends = [step.ended_seconds for step in steps if step.ended_seconds is not None]
    done = bool(steps) and len(ends) == len(steps) and all(step.outcome in DONE and step.verified == "yes" for step in steps)
    up = sorted((look for look in seen if look.seen is Seen.UP), key=lambda look: look.at_seconds)
    if component.kind in _HAS_WRITER:
        back = next((look for look in up if look.facts.get("role") in _WRITER_ROLES), None)
    else:
        back = next((look for look in up if done and look.at_seconds - impact_seconds >= max(ends)), None)
    if back is not None:
        return back.at_seconds - impact_seconds, "probes"
    return (max(ends), "steps") if done else (None, "nothing")
