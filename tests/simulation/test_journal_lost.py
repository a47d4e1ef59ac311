"""A controller that starts without its journal uses no epoch again and orders nothing for the longest ttl, whatever the lost one did."""

import pytest

from holdfast.fencing.promise import Timing
from holdfast.journal.kinds import Kind
from holdfast.simulation.invariants import under_watch
from holdfast.simulation.nemesis import InsistentPeople, torment
from holdfast.simulation.stage import Stage, StageSettings
from simulation.playing import LOADED, PLAN

LONGEST_SECONDS = Timing(PLAN.profiles["fast"].drift, PLAN.profiles["fast"].margin).wait_seconds(
    max(profile.lease for profile in PLAN.profiles.values())
)


async def _until(stage: Stage, kind: Kind, people: InsistentPeople) -> None:
    while not any(record.kind == kind for record in stage.disk.records):
        await stage.clock.sleep(0.05)
        stage.check()
        people.answer()


@pytest.mark.parametrize("killed_while_it_hears", [False, True])
def test_without_its_journal_it_starts_above_every_epoch_and_waits_the_longest_ttl(killed_while_it_hears: bool) -> None:
    async def story(stage: Stage) -> tuple[float, list[int], float]:
        people, world = InsistentPeople(stage), stage.world
        await stage.clock.sleep(20.0)
        world.links.cut(world.home)
        await _until(stage, Kind.EPOCH_OPENED, people)
        await stage.clock.sleep(0.2)  # the target's agent has pledged epoch 2
        lost = stage.clock.wall_seconds()
        stage.lose_journal()
        await stage.clock.sleep(8.0)
        if killed_while_it_hears:
            stage.kill_controller()
            await stage.clock.sleep(5.0)
        assert not stage.disk.records, "home can't be heard: nothing is begun"
        world.links.heal_all()
        await _until(stage, Kind.CONTROLLER_STARTED, people)
        await _until(stage, Kind.INCIDENT_CLOSED, people)  # the pledge that nobody remembers is withdrawn first
        closed = [record.body["outcome"] for record in stage.disk.records if record.kind == Kind.INCIDENT_CLOSED]
        assert closed == ["turned-back"]
        await stage.clock.sleep(10.0)  # until home serves again and is no longer suspected
        world.links.cut(world.home)
        await _until(stage, Kind.EPOCH_OPENED, people)
        await stage.clock.sleep(60.0)
        epochs = [record.body["epoch"] for record in stage.disk.records if record.kind in (Kind.PROPOSED, Kind.EPOCH_OPENED)]
        promoted = [r.at_seconds for r in stage.disk.records if r.kind == Kind.STEP_INTENDED and r.body["block"] == "postgres.promote"]
        return lost, epochs, min(promoted, default=float("inf"))

    lost, epochs, promoted = under_watch(StageSettings(LOADED, people_accept_loss=True), story)
    assert epochs and min(epochs) > 2, "epoch 2 was pledged: it is never used again"
    assert promoted >= lost + LONGEST_SECONDS


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_no_invariant_breaks_when_journals_are_lost(seed: int) -> None:
    torment(StageSettings(LOADED, seed=seed, people_accept_loss=True), loses_journal=True)
