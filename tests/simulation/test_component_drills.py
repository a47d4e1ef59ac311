"""Drills of one component in the simulated world, by the production controller, with the invariants looked at after every event."""

import asyncio

import pytest

from holdfast.simulation.clock import VirtualTimeLoop, run_virtual
from holdfast.simulation.exercise import Exercise, Exercised
from holdfast.simulation.invariants import Invariants
from holdfast.simulation.stage import Stage, StageSettings
from simulation.playing import LOADED, PLAN, told

HOME, DR = PLAN.primary_region(), PLAN.dr_region()
DRILLS = ("database-failover", "application-failover", "storage-failover")


def drilled(scenario: str, seed: int = 1) -> tuple[Stage, Exercised]:
    invariants = Invariants()

    async def play() -> tuple[Stage, Exercised]:
        stage = Stage(StageSettings(LOADED, scenario=scenario, seed=seed), invariants.wrap)
        invariants.watch(stage)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        loop.look_after_every_event(invariants.look)
        return stage, await Exercise(stage).play()

    return run_virtual(play)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("scenario", DRILLS)
def test_the_drill_of_a_component_passes_there_and_back(scenario: str, seed: int) -> None:
    _, exercised = drilled(scenario, seed)
    report = exercised.report()
    assert report.verdict == "pass", told(exercised, report)
    assert report.failback.done and report.failback.lost_acknowledged_writes == 0
