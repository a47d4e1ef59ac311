"""A planned move in a simulated world: never begun while a copy is far behind; and the bound that `holdfast plan` tells."""

import pytest

from holdfast.conduct.world import swing_seconds, top_of
from holdfast.journal.kinds import Kind
from holdfast.simulation.exercise import last_incident
from holdfast.simulation.stage import Stage
from simulation.playing import PLAN, after_calm, until

PEOPLE = sorted({person for role in PLAN.approval.activation.of for person in PLAN.roles[role].stand_ins})
FAR_SECONDS = 1200.0
_USUAL_SECONDS = 0.1


def replay_stalls(stage: Stage, lag_seconds: float) -> None:
    stage.world.regions[stage.world.dr].postgres.lag_seconds = lag_seconds


def recorded(stage: Stage, kind: Kind) -> bool:
    return any(record.kind == kind for record in stage.disk.records)


def test_it_is_refused_then_proposed_then_kept_back_and_begins_when_the_copy_is_near_again() -> None:
    async def story(stage: Stage) -> None:
        replay_stalls(stage, FAR_SECONDS)
        await stage.clock.sleep(30.0)
        assert "behind, and an orderly stop can wait 2.2 s" in stage.command("first", "switchover", PEOPLE[0], {})
        assert last_incident(stage) is None
        replay_stalls(stage, _USUAL_SECONDS)
        await stage.clock.sleep(5.0)
        assert stage.command("second", "switchover", "ines-carvalho", {}).startswith("accepted")
        await until(stage, lambda: recorded(stage, Kind.PROPOSED), "people are asked")
        replay_stalls(stage, FAR_SECONDS)
        await stage.clock.sleep(30.0)
        incident = last_incident(stage)
        assert incident is not None and incident.proposal is not None
        for person in PEOPLE[:2]:
            said = stage.command(f"yes-{person}", "approve", person, {"hash": incident.proposal.hash})
            assert "nothing begins while that is so" in said
        await stage.clock.sleep(120.0)
        assert not recorded(stage, Kind.DECIDED)
        assert stage.world.writes_here(stage.world.home), "service goes on"
        replay_stalls(stage, _USUAL_SECONDS)
        await until(stage, lambda: recorded(stage, Kind.FENCE_CONFIRMED), "it goes on with what people approved")

    after_calm(story)


@pytest.mark.parametrize("profile", ["fast", "default"])
def test_while_nothing_changes_no_bound_is_above_the_one_that_a_file_holds(profile: str) -> None:
    async def story(stage: Stage) -> None:
        bounds: list[float] = []
        for _ in range(600):
            assert stage.controller is not None
            bound = stage.controller.situation().loss.bound_seconds
            assert bound is not None
            bounds.append(bound)
            await stage.clock.sleep(0.07)
            stage.check()
        told = top_of(min(bounds), swing_seconds(PLAN.profiles[profile]))
        assert told is not None
        assert max(bounds) > min(bounds), "it does come and go"
        assert max(bounds) <= told

    after_calm(story, profile=profile)
