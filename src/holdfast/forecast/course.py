"""A scenario as one graph in time: detection, steps, what resolvers still remember, and the moments at which functions are back.

What brings a function back, as the rule HF101 understands it
- Only functions that the scenario's loss can hit count: all of them, but where every trigger is the loss of one component, those that stand
  on such a component, directly or through what it needs.
- The steps that move traffic (of the components that the function stands on, else all of them) are done, resolvers have forgotten the old
  address, and every step of the components that it stands on is done, but those that only make the old side a replica or drain it.
- Where nothing moves traffic: the steps of its components are done and a real transaction was carried out (`smoke.test`); without either,
  every step of the run is done, but those of phases that end `open`: they watch and review what is back already. Telling people never
  brings anything back.

Nodes stand so that each comes after all that it waits for. Moments (functions, components, the end) take no time.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from holdfast.forecast.spans import Span, detection_span, in_order, step_spans
from holdfast.plan.model import ComponentDownTrigger, Plan, Profile, Scenario
from holdfast.runbook.graph import PlannedStep, runbook

DETECTION = "(detection)"
RESOLVERS = "(resolvers)"
EVERYTHING = "(everything)"


@dataclass(frozen=True, slots=True)
class Node:
    """Something that takes time, or a moment (`span` is None). `after` names nodes before it."""

    id: str
    kind: Literal["detection", "step", "resolvers", "moment"]
    after: tuple[str, ...]
    span: Span | None = None
    step: PlannedStep | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """A scenario's graph. `functions`: hit function → the moment at which it is back."""

    scenario: str
    nodes: tuple[Node, ...]
    functions: Mapping[str, str]
    not_hit: tuple[str, ...]

    @property
    def lasting(self) -> tuple[Node, ...]:
        """The nodes that take time."""
        return tuple(node for node in self.nodes if node.span is not None)


def course(plan: Plan, identifier: str, profile: Profile) -> Course:
    """The graph of a scenario's run there."""
    scenario = plan.scenarios[identifier]
    book = runbook(scenario.phases)
    spans = step_spans(plan, scenario.phases, book, profile)
    nodes = [Node(DETECTION, "detection", (), detection_span(scenario, profile))]
    steps = in_order(book.steps)
    nodes += [Node(step.id, "step", step.after or (DETECTION,), spans[step.id], step) for step in steps]
    forget = _resolvers(plan, steps)
    nodes += forget.values()
    hit = _hit(plan, scenario)
    moments, functions = _moments(plan, steps, forget, hit, _watching(scenario))
    nodes += moments
    nodes.append(Node(EVERYTHING, "moment", tuple(functions.values())))
    return Course(identifier, tuple(nodes), functions, tuple(name for name in plan.functions if name not in hit))


def _resolvers(plan: Plan, steps: Iterable[PlannedStep]) -> dict[str, Node]:
    """Step that moves names → the node of what resolvers still remember after it."""
    found = {}
    for step in steps:
        component = plan.components.get(step.component or "")
        if step.block.moves_traffic and component is not None and component.ttl is not None:
            found[step.id] = Node(f"{RESOLVERS} {step.id}", "resolvers", (step.id,), Span(0.0, component.ttl, "ttl"))
    return found


def _hit(plan: Plan, scenario: Scenario) -> frozenset[str]:
    lost = [trigger.component for trigger in scenario.triggers if isinstance(trigger, ComponentDownTrigger)]
    if not lost or len(lost) < len(scenario.triggers):
        return frozenset(plan.functions)
    needing: dict[str, list[str]] = {}
    for name, component in plan.components.items():
        for needed in component.needs:
            needing.setdefault(needed, []).append(name)
    fallen = list(lost)
    for one in fallen:  # grows while it is walked
        fallen += [name for name in needing.get(one, ()) if name not in fallen]
    standing = {name for name, function in plan.functions.items() if not set(fallen).isdisjoint(function.stands_on)}
    return frozenset(standing or plan.functions)


def _watching(scenario: Scenario) -> frozenset[str]:
    """Steps of phases without a planned end, where others have one."""
    unended = [phase for phase in scenario.phases if math.isinf(phase.window[1])]
    return frozenset(step.id for phase in unended for step in phase.steps) if len(unended) < len(scenario.phases) else frozenset()


def _moments(
    plan: Plan, steps: tuple[PlannedStep, ...], forget: Mapping[str, Node], hit: frozenset[str], watching: frozenset[str]
) -> tuple[list[Node], dict[str, str]]:
    """The moments at which components and functions are back, and function → its moment."""
    parts = _components(plan, steps, forget)
    moving = [step.id for step in steps if step.block.moves_traffic]
    proving = [step.id for step in steps if step.block.name == "smoke.test"]
    done = [step.id for step in steps if step.block.name != "notify"]
    working = [step for step in done if step not in watching] or done
    traffic = Node("(traffic)", "moment", (*moving, *(node.id for node in forget.values())))
    nodes = [part.node for part in parts.values()] + ([traffic] if moving else [])
    functions: dict[str, str] = {}
    for name, function in plan.functions.items():
        if name not in hit:
            continue
        own = [parts[component] for component in function.stands_on if component in parts]
        after = [part.node.id for part in own]
        if moving:
            after += [] if any(part.moves for part in own) else [traffic.id]
        else:
            after += proving or ([] if own else working)
        functions[name] = f"(function) {name}"
        nodes.append(Node(functions[name], "moment", tuple(after) or (DETECTION,)))
    return nodes, functions


@dataclass(frozen=True, slots=True)
class _Part:
    """A component's moment, and whether traffic moves with it or with what it needs."""

    node: Node
    moves: bool


def _components(plan: Plan, steps: tuple[PlannedStep, ...], forget: Mapping[str, Node]) -> dict[str, _Part]:
    """The moments of those components that a step brings back, or that need such a one; each after what it needs."""
    own: dict[str, list[PlannedStep]] = {}
    for step in steps:
        if step.component is not None and not step.block.overwrites_source and not step.block.stops_traffic:
            own.setdefault(step.component, []).append(step)
    found: dict[str, _Part] = {}
    for name in _after_their_needs(plan):
        needed = [found[need] for need in plan.components[name].needs if need in found]
        mine = own.get(name, [])
        if mine or needed:
            done = [step.id for step in mine] + [forget[step.id].id for step in mine if step.id in forget]
            node = Node(f"(component) {name}", "moment", (*done, *(part.node.id for part in needed)))
            found[name] = _Part(node, any(step.block.moves_traffic for step in mine) or any(part.moves for part in needed))
    return found


def _after_their_needs(plan: Plan) -> list[str]:
    """Components, each after those that it needs (a plan with a circle does not load)."""
    waiting = {name: len(set(component.needs)) for name, component in plan.components.items()}
    behind: dict[str, list[str]] = {}
    for name, component in plan.components.items():
        for need in set(component.needs):
            behind.setdefault(need, []).append(name)
    ordered = [name for name, count in waiting.items() if not count]
    for name in ordered:  # grows while it is walked
        for later in behind.get(name, ()):
            waiting[later] -= 1
            if not waiting[later]:
                ordered.append(later)
    return ordered
