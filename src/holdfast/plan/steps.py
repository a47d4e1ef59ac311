"""What the steps of a scenario must name: known blocks, components of the right kind, steps of the same run, known parameters.

A scenario holds three runs: `phases` (there), `reprotect` and `way_back`. Step names are unique in the scenario; `after` names
steps of the same run, of the same phase or an earlier one, and never goes in a circle. Nothing waits for a step of another way: it
waits for the step that the way stands in for. Like `references`, this looks at the values as read.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.plan.blocks import BLOCKS, Actor, BlockSpecification
from holdfast.plan.findings import Findings, circles, entries, items, names
from holdfast.plan.parameters import READERS, Known
from holdfast.plan.problems import Place, did_you_mean

RUNS = ("phases", "reprotect", "way_back")
_PROOFS = frozenset({"postgres.verify", "smoke.test", "performance.watch"})
_NEVER_ON_A_WAY = frozenset({"approve", "fence", "assess", "confirm"})


@dataclass(frozen=True, slots=True)
class _Step:
    place: Place
    phase: int
    value: dict[str, Any]

    @property
    def name(self) -> str | None:
        name = self.value.get("id")
        return name if isinstance(name, str) else None


def check_steps(findings: Findings) -> None:
    """Everything that steps name, in every scenario."""
    data = findings.document.data
    known: Known = {"functions": names(data, "functions"), "messages": names(data, "messages"), "components": names(data, "components")}
    kinds: dict[str, list[str]] = {}
    for name, component in entries(data, "components").items():
        kinds.setdefault(str(component.get("kind")), []).append(name)
    for name, scenario in entries(data, "scenarios").items():
        first: dict[str, Place] = {}
        for run in RUNS:
            steps = list(_steps(("scenarios", name, run), scenario.get(run)))
            for step in steps:
                _unique(findings, step, first)
                _block(findings, step, kinds, known)
                for one in _other_way(findings, step):
                    _unique(findings, one, first)
                    _block(findings, one, kinds, known)
            _order(findings, steps)


def _steps(place: Place, phases: Any) -> Iterator[_Step]:
    for number, phase in items(phases):
        for index, step in items(phase.get("steps")) if isinstance(phase, dict) else ():
            if isinstance(step, dict):
                yield _Step((*place, number, "steps", index), number, step)


def _other_way(findings: Findings, step: _Step) -> Iterator[_Step]:
    """Steps of a step's other way, and what is wrong with there being one."""
    way = step.value.get("other_way")
    if not isinstance(way, dict):
        return
    place: Place = (*step.place, "other_way")
    block = BLOCKS.get(str(step.value.get("block")))
    if block is not None and block.name in _PROOFS:
        findings.at_key(place, f"'{block.name}' only proves; there is no other way to it", step.name, "bind it to the step that is proved")
    elif block is not None and (block.actor is not Actor.PROVIDER or block.removes_write):
        message = f"the block '{block.name}' knows no other way"
        findings.at_key(place, message, step.name, "a fence waits for the lease by itself; people's and bookkeeping steps have no strategy")
    for index, one in items(way.get("steps")):
        if not isinstance(one, dict):
            continue
        if str(one.get("block")) in _NEVER_ON_A_WAY:
            message = f"the block '{one['block']}' can't stand on another way"
            findings.at((*place, "steps", index, "block"), message, one.get("id"), "it belongs to the run itself; put it among its steps")
        yield _Step((*place, "steps", index), step.phase, one)


def _unique(findings: Findings, step: _Step, first: dict[str, Place]) -> None:
    if step.name is None:
        return
    if step.name in first:
        line = findings.document.positions.nearest(first[step.name]).line
        findings.at(
            (*step.place, "id"),
            f"a step has this name already, on line {line}",
            step.name,
            "names are unique in a scenario, the way back included",
        )
    else:
        first[step.name] = (*step.place, "id")


def _block(findings: Findings, step: _Step, kinds: Mapping[str, list[str]], known: Known) -> None:
    name = step.value.get("block")
    if not isinstance(name, str):
        return
    block = BLOCKS.get(name)
    if block is None or not block.of_the_plan:
        known_blocks = [known for known, specification in BLOCKS.items() if specification.of_the_plan]
        findings.at((*step.place, "block"), "unknown block", name, did_you_mean(name, known_blocks))
        return
    _component(findings, step, block, kinds.get(block.component_kind or "", []), known["components"])
    _parameters(findings, step, block, known)


def _component(findings: Findings, step: _Step, block: BlockSpecification, of_kind: list[str], components: frozenset[str]) -> None:
    place: Place = (*step.place, "component")
    component = step.value.get("component")
    if block.component_kind is None:
        if component is not None:
            findings.at(place, f"the block '{block.name}' acts on no component", component, "remove it")
    elif component is None:
        findings.at(step.place, f"the step names no component, and '{block.name}' acts on one", step.name, did_you_mean(None, of_kind))
    elif isinstance(component, str) and component not in components:
        findings.at(place, "the plan has no component of this name", component, did_you_mean(component, components))
    elif isinstance(component, str) and component not in of_kind:
        message = f"the block '{block.name}' acts on a component of kind '{block.component_kind}'"
        findings.at(place, message, component, did_you_mean(None, of_kind))


def _parameters(findings: Findings, step: _Step, block: BlockSpecification, known: Known) -> None:
    place: Place = (*step.place, "parameters")
    given = step.value.get("parameters", {})
    if not isinstance(given, dict):
        return
    for name in sorted(block.required - given.keys()):
        findings.at(step.place, f"the block '{block.name}' needs the parameter '{name}'", step.name, f"add 'parameters: {{ {name}: … }}'")
    for name, value in given.items():
        if name not in block.parameters:
            known_here = did_you_mean(name, block.parameters) if block.parameters else "it takes none"
            findings.at_key((*place, name), f"the block '{block.name}' doesn't know this parameter", name, known_here)
            continue
        wrong = READERS[name](value, known)
        if wrong is not None:
            hint = did_you_mean(value, known["messages"]) if name == "message" else None
            findings.at((*place, name), f"the parameter '{name}' can't hold this: {wrong}", value, hint)


def _order(findings: Findings, steps: list[_Step]) -> None:
    phase_of = {step.name: step.phase for step in steps if step.name is not None}
    edges: dict[str, set[str]] = {}
    for step in steps:
        waits = edges.setdefault(step.name or "", set())
        for index, target in items(step.value.get("after")):
            place: Place = (*step.place, "after", index)
            if not isinstance(target, str):
                continue
            if target not in phase_of:
                findings.at(place, "this run has no step of this name", target, did_you_mean(target, phase_of))
            elif phase_of[target] > step.phase:
                findings.at(place, "this step stands in a later phase", target, "a step waits for steps of its own phase or an earlier one")
            else:
                waits.add(target)
    places = {step.name: step.place for step in steps}
    for circle in circles(edges):
        findings.at((*places[circle[0]], "after"), "steps wait for each other in a circle", " → ".join(circle), "break the circle")
