"""Synchronous mode on real servers: what lacks its replica is not acknowledged, for as long as it lacks it."""

import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from holdfast.canary.archive import entries
from holdfast.canary.files import CanaryFiles
from holdfast.drill.parts import wait_until
from holdfast.lab.faults import Faults
from holdfast.ledger.entry import RequestResult
from lab.lab_rig import folder, left_of, running
from lab.test_canary import Incident, acknowledged, ready

pytestmark = [pytest.mark.alone, pytest.mark.root, pytest.mark.prove]

LONGER_THAN_REPL_TIMEOUT_SECONDS = 15.0
"""The fast profile's lease of 3 s makes it 9 s."""


def results(ledgers: Path, function: str, since_seconds: float) -> set[RequestResult]:
    return {entry.result for entry in entries(CanaryFiles(ledgers), function, since_seconds, time.time()).entries}


@pytest.mark.timeout(300)
def test_with_the_dr_regions_redis_dead_no_session_is_acknowledged_however_long_it_lasts() -> None:
    with folder() as directory, ExitStack() as stack:
        story = Incident(directory)
        lab = stack.enter_context(running(directory / "lab", only=None, replication="synchronous"))
        witness = lab.bindings("witness")

        parts = story.begun(stack, lab)
        wait_until(lambda: ready(story.state(witness)) and acknowledged(story.ledgers) > 10, 90.0, "all is well", parts)
        faults = Faults(lab)
        stack.callback(faults.thaw)
        faults.hang_cache_host("eu-central-1")
        killed = time.time() + 1.0  # what was on its way when the replica died may have reached it

        def outlasted() -> bool:
            return time.time() > killed + LONGER_THAN_REPL_TIMEOUT_SECONDS

        wait_until(outlasted, 2 * LONGER_THAN_REPL_TIMEOUT_SECONDS, "Redis has given its replica up", parts)
        for function in ("voice", "authentication"):
            assert results(story.ledgers, function, killed) == {RequestResult.UNKNOWN}, function
        for function in ("pms", "configuration"):
            assert RequestResult.ACKNOWLEDGED in results(story.ledgers, function, killed), "PostgreSQL has its standby"
        faults.thaw()
        back = acknowledged(story.ledgers)
        wait_until(lambda: acknowledged(story.ledgers) > back + 10, 60.0, "the replica follows again", parts)
    assert left_of(lab) == []
