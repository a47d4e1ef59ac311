"""Scenarios as runbooks: triggers, phases with their windows, steps to tick, the way back, each under a heading of its own."""

from holdfast.document.exact.shapes import Shape, fields_of, shape_at
from holdfast.document.writing.blocks import Block, Heading, Literal, NewPage
from holdfast.document.writing.steps import StepWords
from holdfast.document.writing.values import collection_blocks, field_blocks, settings_table, values_of
from holdfast.plan.model import Plan, Scenario
from holdfast.plan.problems import Place
from holdfast.plan.response import Phase
from holdfast.plan.steps import RUNS
from holdfast.plan.values import spoken_duration

_TITLES = {
    "phases": "Runbook",
    "reprotect": "Afterwards, the lost side follows again",
    "way_back": "The way back",
}


def scenario_blocks(plan: Plan, words: StepWords) -> list[Block]:
    """Every scenario."""
    blocks: list[Block] = []
    for name, scenario in plan.scenarios.items():
        if blocks:
            blocks.append(NewPage())
        blocks += [Heading(3, scenario.name), *_scenario(("scenarios", name), scenario, words)]
    return blocks


def _scenario(place: Place, scenario: Scenario, words: StepWords) -> list[Block]:
    held = list(values_of(scenario))
    blocks: list[Block] = [settings_table(place, [((*place, key), shape, value) for key, shape, value in held if shape.is_leaf])]
    for key, shape, value in held:
        if key in RUNS or shape.is_leaf:
            continue
        blocks += field_blocks((*place, key), shape, value, 5, words)
    for run in RUNS:
        phases: tuple[Phase, ...] = getattr(scenario, run)
        if phases:
            blocks += [Heading(4, f"{scenario.name}: {_TITLES[run][:1].lower()}{_TITLES[run][1:]}"), *_phases((*place, run), phases, words)]
    return blocks


def _phases(place: Place, phases: tuple[Phase, ...], words: StepWords) -> list[Block]:
    """The table of windows, then each phase with its steps."""
    shape = shape_at(place)
    steps = fields_of(Phase)["steps"]
    assert shape is not None
    windows, *deeper = collection_blocks(place, shape, phases, 5, words)
    long_names = [block for block in deeper if isinstance(block, Literal) and len(block.place) == len(place) + 2]
    blocks: list[Block] = [windows, *long_names]
    for number, phase in enumerate(phases):
        start, end = phase.window
        blocks.append(Heading(5, f"{number + 1}. {phase.name}, from {spoken_duration(start)} to {spoken_duration(end)}"))
        blocks += _steps((*place, number, "steps"), steps, phase, words)
    return blocks


def _steps(place: Place, shape: Shape, phase: Phase, words: StepWords) -> list[Block]:
    if not phase.steps:
        return [settings_table(place[:-1], [(place, shape, ())])]
    return collection_blocks(place, shape, phase.steps, 6, words)
