"""A region that comes back while people decide: an approval that arrives just then moves nothing, unless it fails again."""

from holdfast.conduct.suspicion import CALM_SECONDS
from holdfast.decision.approval import Proposal
from holdfast.decision.table import State
from holdfast.journal.kinds import Kind
from holdfast.simulation.exercise import last_incident
from holdfast.simulation.stage import Stage
from simulation.playing import PLAN, after_calm, until

DECIDING = sorted({person for role in PLAN.approval.activation.of for person in PLAN.roles[role].stand_ins})[:2]
MOVED = {Kind.DECIDED, Kind.EPOCH_OPENED}
ASKED_AT_MOST = 5
"""What may be lost grows only until the fence's time is known: people are not asked for ever."""


def kinds(stage: Stage) -> set[str]:
    return {record.kind for record in stage.disk.records}


def asked(stage: Stage) -> Proposal | None:
    incident = last_incident(stage)
    return incident.proposal if incident is not None else None


async def approved(stage: Stage) -> list[str]:
    """By as many people as must, of what they are asked now; what each was answered."""
    await until(stage, lambda: asked(stage) is not None, "people are asked", 3.0)
    proposal = asked(stage)
    assert proposal is not None
    arguments = {"hash": proposal.hash, "accepts_loss": True}
    return [stage.command(f"yes-{proposal.proposal}-{person}", "approve", person, arguments) for person in DECIDING]


async def come_back(stage: Stage) -> list[str]:
    """Cut, proposed, healed, and approved by two people once nothing speaks for it any more; what they were answered."""
    home = stage.world.home
    stage.world.links.cut(home)
    await until(stage, lambda: Kind.PROPOSED in kinds(stage), "people are asked")
    stage.world.links.heal_all()
    await until(stage, lambda: Kind.SUSPICION_CLEARED in kinds(stage) and not open_suspicion(stage), "it has come back")
    await stage.clock.sleep(1.0)
    return await approved(stage)


def open_suspicion(stage: Stage) -> bool:
    return stage.installation is not None and any(region == stage.world.home for region, _ in stage.installation.suspicions)


def test_an_approval_just_after_the_region_came_back_moves_nothing_and_says_so() -> None:
    async def story(stage: Stage) -> None:
        answers = await come_back(stage)
        assert all(answer.startswith("accepted") for answer in answers)
        assert "has come back: nothing is moved unless it fails again" in answers[-1]
        await until(stage, lambda: Kind.INCIDENT_CLOSED in kinds(stage), "it stands down", CALM_SECONDS + 5.0)

    stage = after_calm(story, people_accept_loss=True)
    assert not kinds(stage) & MOVED
    moved_to = [record.body["to"] for record in stage.disk.records if record.kind == Kind.TRANSITION]
    assert moved_to[-1] == State.STOOD_DOWN
    assert stage.world.dns["voice"] == stage.world.home


def test_a_region_that_fails_again_before_it_was_over_is_left_in_the_same_incident() -> None:
    async def story(stage: Stage) -> None:
        await come_back(stage)
        await stage.clock.sleep(CALM_SECONDS / 2)
        assert not kinds(stage) & MOVED
        stage.world.links.cut(stage.world.home)
        await until(stage, lambda: open_suspicion(stage), "it is seen to fail again")
        for _ in range(ASKED_AT_MOST):  # where it may lose more now than they saw, they are asked again
            if asked(stage) is not None:
                await approved(stage)
            await until(stage, lambda: asked(stage) is None or Kind.DECIDED in kinds(stage), "what was approved is begun", 3.0)
            if Kind.DECIDED in kinds(stage):
                return
        raise AssertionError(f"asked {ASKED_AT_MOST} times, and nothing was decided")

    stage = after_calm(story, people_accept_loss=True)
    assert sum(record.kind == Kind.INCIDENT_OPENED for record in stage.disk.records) == 1
