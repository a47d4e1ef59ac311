"""Synchronous mode on real servers: what lacks its replica is not acknowledged, until it has it or a person drops that."""

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from holdfast.canary.archive import entries
from holdfast.canary.files import CanaryFiles
from holdfast.drill.parts import wait_until
from holdfast.lab.faults import Faults
from holdfast.ledger.entry import RequestResult
from holdfast.plan.people import Occasion, approvers
from lab.lab_rig import folder, left_of, running
from lab.test_canary import Incident, acknowledged, holdfast, ready

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


def of_cache(state: dict[str, Any]) -> Any:
    """Whether the cache's writes wait for its replica, as the console has it."""
    components = state.get("protection", {}).get("components", ())
    return next((one["protected"] for one in components if one["component"] == "cache"), None)


def go_on(ledgers: Path, since_seconds: float) -> bool:
    """Whether clients of both functions that write to the cache were acknowledged something since."""
    return all(RequestResult.ACKNOWLEDGED in results(ledgers, function, since_seconds) for function in ("voice", "authentication"))


@pytest.mark.timeout(300)
def test_a_person_drops_protection_and_the_cache_goes_on_alone_until_it_is_protected_again() -> None:
    with folder() as directory, ExitStack() as stack:
        story = Incident(directory)
        lab = stack.enter_context(running(directory / "lab", only=None, replication="synchronous"))
        witness = lab.bindings("witness")
        person = next(iter(approvers(story.plan, story.plan.approval.activation, Occasion.INCIDENT)))

        def say(verb: str, **arguments: str) -> str:
            return story.client(witness).command(verb, person, {"component": "cache", **arguments})

        parts = story.begun(stack, lab)
        wait_until(lambda: ready(story.state(witness)) and acknowledged(story.ledgers) > 10, 90.0, "all is well", parts)
        wait_until(lambda: of_cache(story.state(witness)) is True, 20.0, "the cache is seen to be protected", parts)
        faults = Faults(lab)
        stack.callback(faults.thaw)
        faults.hang_cache_host("eu-central-1")
        alone = time.time() + 1.0
        wait_until(lambda: RequestResult.UNKNOWN in results(story.ledgers, "voice", alone), 30.0, "nothing is acknowledged", parts)

        assert say("unprotect", reason="the host in eu-central-1 hangs").startswith("accepted")
        wait_until(lambda: of_cache(story.state(witness)) is False, 20.0, "it is seen to be unprotected", parts)
        dropped = time.time()
        wait_until(lambda: go_on(story.ledgers, dropped), 30.0, "both functions go on", parts)
        assert "UNPROTECTED: " in holdfast("status", "--lab", str(lab.directory)).stdout
        assert say("protect").startswith("refused"), "its copy does not follow"

        faults.thaw()
        wait_until(lambda: say("protect").startswith("accepted"), 60.0, "the copy is near, so it may be protected", parts)
        wait_until(lambda: of_cache(story.state(witness)) is True, 20.0, "it is protected again", parts)
        wait_until(lambda: ready(story.state(witness)), 60.0, "all is well again", parts)
        told = "\n".join(part.log.read_text() for part in parts if part.name == "controller")
        assert f"PROTECTION DROPPED by {person}" in told
    assert left_of(lab) == []
