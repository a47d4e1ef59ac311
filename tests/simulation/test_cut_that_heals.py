"""A short cut on the default profile moves nothing and loses nothing."""

import asyncio
from collections.abc import Sequence

from holdfast.journal.kinds import Kind
from holdfast.ledger.contents import StoreContents
from holdfast.ledger.measure import loss
from holdfast.simulation.clock import run_virtual
from holdfast.simulation.stage import Stage, StageSettings
from simulation.playing import LOADED


def test_a_cut_of_43_seconds_moves_nothing_and_loses_nothing() -> None:
    async def story() -> tuple[Stage, Sequence[StoreContents]]:
        stage = Stage(StageSettings(LOADED, profile="default"))
        stage.begin()
        await stage.clock.sleep(40.0)
        stage.world.links.cut(stage.world.home)
        await stage.clock.sleep(43.0)
        stage.world.links.heal_all()
        await asyncio.sleep(120.0)
        stage.check()
        await stage.end()
        return stage, stage.world.contents(stage.world.home)

    stage, contents = run_virtual(story)
    kinds = {record.kind for record in stage.disk.records}
    assert Kind.SUSPICION_RAISED in kinds and Kind.SUSPICION_CLEARED in kinds
    assert not kinds & {Kind.INCIDENT_OPENED, Kind.PROPOSED, Kind.EPOCH_OPENED, Kind.STEP_INTENDED, Kind.NOTIFICATION_DUE}
    home = stage.world.regions[stage.world.home]
    assert (home.agent.holder, home.postgres.epoch, stage.world.dns["voice"]) == (stage.world.home, 1, stage.world.home)
    ledgers = [entry for ledger in stage.clients.ledgers.values() for entry in ledger]
    assert loss(ledgers, contents).lost == ()
    assert ledgers[-1].result.value == "acknowledged"
