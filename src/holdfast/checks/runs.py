"""The three runs of a scenario as rules look at them: each step with its place and everything that happens before it."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from holdfast.plan.blocks import BlockSpecification
from holdfast.plan.model import Phase, Plan, Scenario
from holdfast.plan.problems import Place
from holdfast.runbook.graph import PlannedStep, Runbook, runbook


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a scenario. `before`: all steps that are surely finished when a step starts."""

    scenario: str
    name: str
    place: Place
    phases: tuple[Phase, ...]
    book: Runbook
    places: dict[str, Place]
    before: dict[str, frozenset[str]]

    def block(self, step: str) -> BlockSpecification:
        """The block that a step carries out."""
        return self.book.step(step).block

    def repeats(self, step: str, property_of: Callable[[BlockSpecification], bool]) -> bool:
        """Whether a step of another way only has the property of the step that it stands in for: that one's finding says it all."""
        first = self.book.stand_ins.get(step)
        return first is not None and property_of(self.block(first))

    def phase_place(self, phase: int) -> Place:
        """Where a phase stands."""
        return (*self.place, phase)

    def last_of(self, numbers: Iterable[int]) -> int:
        """The phase among these that ends last. One without a planned end counts only where all are so: it watches what is back already."""
        ends = [(number, self.phases[number].window[1]) for number in numbers]
        planned = [(number, end) for number, end in ends if not math.isinf(end)]
        return max(planned or ends, key=lambda entry: entry[1])[0]

    def planned_end(self) -> tuple[float, Place] | None:
        """When its last phase is planned to end, in seconds, and where that stands; None where no phase has a planned end."""
        last = self.last_of(range(len(self.phases)))
        end = self.phases[last].window[1]
        return None if math.isinf(end) else (end, (*self.phase_place(last), "window"))


def runs_of(plan: Plan) -> Iterator[Run]:
    """Every run of every scenario that has steps."""
    for identifier, scenario in plan.scenarios.items():
        yield from _runs(identifier, scenario)


def _runs(identifier: str, scenario: Scenario) -> Iterator[Run]:
    for name, phases in (("phases", scenario.phases), ("reprotect", scenario.reprotect), ("way_back", scenario.way_back)):
        if phases:
            yield run(identifier, name, phases)


def run(scenario: str, name: str, phases: tuple[Phase, ...]) -> Run:
    """One run, made ready for looking at."""
    place: Place = ("scenarios", scenario, name)
    book = runbook(phases)
    places: dict[str, Place] = {
        step.id: (*place, number, "steps", index) for number, phase in enumerate(phases) for index, step in enumerate(phase.steps)
    }
    for first, way in book.ways.items():
        places |= {step.id: (*places[first], "other_way", "steps", index) for index, step in enumerate(way.steps)}
    return Run(scenario, name, place, phases, book, places, _all_before(book.all_steps))


def _all_before(steps: tuple[PlannedStep, ...]) -> dict[str, frozenset[str]]:
    known: dict[str, frozenset[str]] = {}
    remaining = list(steps)
    while remaining:
        ready = [step for step in remaining if all(name in known for name in step.after)]
        if not ready:
            raise ValueError(f"steps wait for each other in a circle: {', '.join(step.id for step in remaining)}")
        for step in ready:
            known[step.id] = frozenset(step.after).union(*(known[name] for name in step.after))
        remaining = [step for step in remaining if step.id not in known]
    return known
