"""The default profile on real servers: a cut of 43 seconds moves nothing and loses nothing."""

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from holdfast.canary.archive import entries
from holdfast.canary.files import CanaryFiles
from holdfast.canary.records import canary_records
from holdfast.drill.parts import wait_until
from holdfast.ledger.measure import acknowledged_writes, loss, single_writer
from lab.application_rig import FUNCTIONS
from lab.lab_rig import folder, left_of, running
from lab.test_canary import Incident, acknowledged, ready

pytestmark = [pytest.mark.alone, pytest.mark.root, pytest.mark.prove]

CUT_SECONDS = 43.0


def kinds(story: Incident, bindings: Any) -> list[str]:
    return [record["kind"] for record in story.client(bindings).records(0)]


def test_a_cut_of_43_seconds_moves_nothing_and_loses_nothing() -> None:
    with folder() as directory, ExitStack() as stack:
        story = Incident(directory)
        lab = stack.enter_context(running(directory / "lab", only=None, profile="default"))
        witness, ledgers = lab.bindings("witness"), str(story.ledgers)

        parts = story.begun(stack, lab, "default")
        began = time.time()
        wait_until(lambda: well(story, witness) and acknowledged(story.ledgers) > 20, 90.0, "all is well", parts)
        lab.cut("eu-west-1")
        cut = time.time()
        wait_until(lambda: bool(story.state(witness).get("alarms")), CUT_SECONDS, "the cut is seen", parts)
        wait_until(lambda: time.time() >= cut + CUT_SECONDS, CUT_SECONDS, "the cut has lasted", parts)
        lab.heal("eu-west-1")
        before = acknowledged(story.ledgers)
        wait_until(lambda: acknowledged(story.ledgers) > before + 20, 90.0, "clients are served again", parts)
        wait_until(lambda: well(story, witness), 90.0, "the suspicion is over", parts)
        happened = kinds(story, witness)
        assert "suspicion.raised" in happened and "suspicion.cleared" in happened
        moving = {"incident.opened", "proposal.made", "epoch.opened", "step.intended"}
        assert not moving & set(happened), happened
        assert story.state(witness)["serving"] == "eu-west-1"
        parts[1].stop()
        found = [entry for name in FUNCTIONS for entry in entries(CanaryFiles(Path(ledgers)), name, began, time.time()).entries]
        stored = canary_records(lab.bindings("eu-west-1"), "eu-west-1", began)
        result = loss(found, stored)
        assert (result.lost, result.unknown) == ((), ())
        assert result.checked == len(acknowledged_writes(found)) > 200
        assert single_writer(found, stored).violations == ()
        assert [entry for entry in found if entry.sent_seconds > cut + 20 and entry.sent_seconds < cut + 40] != []
    assert left_of(lab) == []


def well(story: Incident, bindings: Any) -> bool:
    state = story.state(bindings)
    return bool(state) and not state["alarms"] and ready({**state, "promise_ends_in_seconds": 0.0})
