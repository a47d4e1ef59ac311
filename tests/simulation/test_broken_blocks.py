"""Each block of the plan is broken in turn. A block that only says that it worked is found out; one that fails once is tried again."""

from collections import deque

import pytest

from holdfast.journal.kinds import Kind
from holdfast.plan.blocks import BLOCKS, Actor
from holdfast.plan.steps import RUNS
from holdfast.simulation.exercise import Exercised
from holdfast.simulation.stage import Stage
from holdfast.simulation.world import BlockFault
from simulation.playing import IMPATIENT_SECONDS, PLAN, impatient, on_first_ways_only, play, told

FIRST_WAY = {step.block for scenario in PLAN.scenarios.values() for run in RUNS for phase in getattr(scenario, run) for step in phase.steps}
"""What only another way does, its own stories break (see `test_other_way`). Here every step has but its first way."""
PROVIDED = sorted(name for name, block in BLOCKS.items() if block.actor is Actor.PROVIDER and name in FIRST_WAY)
BOUND_SECONDS = 100.0 + 2 * 2 * IMPATIENT_SECONDS
"""What the exercise takes undisturbed, and two attempts at the broken step in each of the runs that it may stand in."""


def _waits_for_a_named_person(exercised: Exercised) -> bool:
    waiting = [record for record in exercised.facts.records if record.kind == Kind.STEP_WAITING]
    return bool(waiting) and bool(waiting[-1].body["needs"]) and exercised.virtual_seconds < BOUND_SECONDS


@pytest.mark.parametrize("block", PROVIDED)
def test_a_block_that_does_nothing_and_says_it_did_never_passes(block: str) -> None:
    def numb(stage: Stage) -> None:
        stage.world.faults.always[block] = BlockFault.NO_OP

    exercised = play(numb, loaded=on_first_ways_only(impatient()))
    report = exercised.report()
    assert report.verdict != "pass", f"{block}: {told(exercised, report)}"
    assert _waits_for_a_named_person(exercised), f"{block}: {told(exercised, report)}"
    named = [finding for finding in report.findings if finding.about == "the drill"]
    assert named and "person" in named[0].sentence


@pytest.mark.parametrize("fault", [BlockFault.FAIL, BlockFault.SILENT_BEFORE, BlockFault.SILENT_AFTER])
@pytest.mark.parametrize("block", PROVIDED)
def test_a_block_that_fails_or_falls_silent_once_is_tried_again(block: str, fault: BlockFault) -> None:
    def stumble(stage: Stage) -> None:
        stage.world.faults.once[block] = deque([fault])

    exercised = play(stumble, loaded=on_first_ways_only(impatient()))
    report = exercised.report()
    assert report.verdict == "pass", f"{block} {fault}: {told(exercised, report)}"
    assert fault is BlockFault.SILENT_AFTER or any(step.attempts > 1 for step in report.steps if step.block == block)


@pytest.mark.parametrize("block", PROVIDED)
def test_a_block_whose_effector_refuses_is_never_tried_again_but_waits_for_a_named_person(block: str) -> None:
    def refuse(stage: Stage) -> None:
        stage.world.faults.once[block] = deque([BlockFault.REFUSE])

    exercised = play(refuse, loaded=on_first_ways_only(impatient()))
    report = exercised.report()
    assert report.verdict != "pass"
    assert _waits_for_a_named_person(exercised), f"{block}: {told(exercised, report)}"
    acted = [record for record in exercised.facts.records if record.kind == Kind.STEP_INTENDED and record.body["block"] == block]
    assert len(acted) == 1
