"""How long each part of a scenario may take before anything was measured, and which sentence of the plan says so.

Rules, the first that applies
- `takes` of the step: two values are shortest and longest, three have the usual one between them.
- An approval takes up to the approval rule's `answer_within`; a fence up to the lease with its drift and margin, when nobody confirms it.
- Every other step takes up to its share of the phase's window: the window's length by the number of steps without a range of their own in
  the longest chain of the phase that leads through it. So no chain of a phase is expected to take longer than its window.
- A phase without an end gives no share: the block's own time limit, as often as it is tried.
- Detection: the profile's hold, and up to two probes' intervals and one probe's time-out more. Where only people or other systems raise
  the alarm, Holdfast detects nothing: up to the end of the first phase's window.
- Resolvers go on with the old address for up to the TTL of the DNS component, where the plan names one.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from holdfast.plan.model import Phase, Plan, Profile, Scenario, SignalTrigger
from holdfast.runbook.graph import PlannedStep, Runbook

Source = Literal["takes", "window", "approval", "lease", "limit", "profile", "ttl"]
SAYS: Mapping[Source, str] = {
    "takes": "the step's own range",
    "window": "from the window",
    "approval": "from the approval rule",
    "lease": "from the lease",
    "limit": "from the block's limit",
    "profile": "from the profile",
    "ttl": "from the TTL",
}


@dataclass(frozen=True, slots=True)
class Span:
    """A range of time in seconds. `usual` is the most likely length, where the plan knows one."""

    shortest: float
    longest: float
    source: Source
    usual: float | None = None


def step_spans(plan: Plan, phases: Sequence[Phase], book: Runbook, profile: Profile) -> Mapping[str, Span]:
    """Step → its range."""
    takes = {step.id: step.takes for phase in phases for step in phase.steps if step.takes is not None}
    found: dict[str, Span] = {}
    for step in book.steps:
        own = _own(plan, step, takes.get(step.id), profile)
        if own is not None:
            found[step.id] = own
    chains = _chains(book, set(found))
    windows = {phase.name: phase.window for phase in phases}
    for step in book.steps:
        if step.id not in found:
            found[step.id] = _share(step, windows[step.phase], chains[step.id])
    return found


def _own(plan: Plan, step: PlannedStep, takes: tuple[float, ...] | None, profile: Profile) -> Span | None:
    if takes is not None:
        ordered = sorted(takes)
        return Span(ordered[0], ordered[-1], "takes", ordered[1] if len(ordered) == 3 else None)
    match step.block.name:
        case "approve":
            return Span(0.0, plan.approval.activation.answer_within, "approval")
        case "fence":
            return Span(0.0, profile.lease * (1 + profile.drift) + profile.margin, "lease")
        case _:
            return None


def _share(step: PlannedStep, window: tuple[float, float], chain: int) -> Span:
    length = window[1] - window[0]
    if math.isinf(length) or length <= 0:
        return Span(0.0, step.time_limit_seconds * step.attempts, "limit")
    return Span(0.0, length / chain, "window")


def _chains(book: Runbook, with_range: set[str]) -> Mapping[str, int]:
    """Step → steps without a range in the longest chain of its own phase that leads through it."""
    phase_of = {step.id: step.phase for step in book.steps}
    weight = {step.id: int(step.id not in with_range) for step in book.steps}
    ordered = in_order(book.steps)
    up: dict[str, int] = {}
    for step in ordered:
        before = (up[name] for name in step.after if phase_of[name] == step.phase)
        up[step.id] = weight[step.id] + max(before, default=0)
    down = dict(weight)
    for step in reversed(ordered):
        for name in step.after:
            if phase_of[name] == step.phase:
                down[name] = max(down[name], weight[name] + down[step.id])
    return {name: max(up[name] + down[name] - weight[name], 1) for name in up}


def in_order(steps: Sequence[PlannedStep]) -> tuple[PlannedStep, ...]:
    """The steps so that each comes after all that it waits for, else as the plan has them."""
    waiting = {step.id: len(set(step.after)) for step in steps}
    behind: dict[str, list[PlannedStep]] = {}
    for step in steps:
        for name in set(step.after):
            behind.setdefault(name, []).append(step)
    ordered = [step for step in steps if not waiting[step.id]]
    for step in ordered:  # grows while it is walked
        for later in behind.get(step.id, ()):
            waiting[later.id] -= 1
            if not waiting[later.id]:
                ordered.append(later)
    return tuple(ordered)


def detection_span(scenario: Scenario, profile: Profile) -> Span:
    """From impact to the incident's start."""
    if scenario.triggers and all(isinstance(trigger, SignalTrigger) for trigger in scenario.triggers):
        end = scenario.phases[0].window[1]
        return Span(0.0, profile.hold if math.isinf(end) else end, "window")
    return Span(profile.hold, profile.hold + 2 * profile.probe_every + profile.probe_timeout, "profile")
