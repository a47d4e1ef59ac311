"""Zones of the real lab are lost, one after the other, and one way of a link: what is served, what is told, what is opened."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from holdfast.lab.running import Lab
from holdfast.providers.controller.client import ControllerClient, ControllerSilent
from lab.lab_rig import PLAN, folder, running, until
from lab.test_lab_up_and_down import call

pytestmark = pytest.mark.alone

FIRST, SECOND = "eu-west-1a", "eu-west-1b"


@contextmanager
def controller(lab: Lab, log: Path) -> Iterator[ControllerClient]:
    """A real controller over the lab, until the test is over."""
    command = [sys.executable, "-m", "holdfast", "run", str(PLAN), "--profile", "fast", "--lab", str(lab.directory)]
    binding = lab.bindings("witness").controller
    with log.open("w") as said, subprocess.Popen(command, stdout=said, stderr=said, env=lab.environment()) as process:
        try:
            yield ControllerClient(f"http://{binding.host}:{binding.port}", binding.token_file)
        finally:
            process.terminate()
            process.wait()


def state(client: ControllerClient) -> dict[str, Any]:
    try:
        return dict(client.state())
    except ControllerSilent:
        return {"watching": {"zones": [], "functions": {}}, "incident": None, "alarms": []}


def zone(client: ControllerClient, name: str) -> dict[str, Any]:
    return next((found for found in state(client)["watching"]["zones"] if found["zone"] == name), {"health": "not yet"})


def is_well(client: ControllerClient) -> bool:
    """Every zone is up and every function answers, though it may count as degraded until its bad looks have left the window."""
    watching = state(client)["watching"]
    zones, functions = {zone["health"] for zone in watching["zones"]}, set(watching["functions"].values())
    return zones == {"up"} and bool(functions) and functions <= {"up", "degraded"}


def changes(client: ControllerClient) -> list[dict[str, Any]]:
    return [record["body"] for record in client.records(0) if record["kind"] == "zone.changed"]


def served(lab: Lab, times: int) -> list[int]:
    outside = lab.bindings("outside")
    return [call(outside, function)[0] for _ in range(times) for function in outside.functions]


def a_lost_zone_is_survived_and_told(lab: Lab, client: ControllerClient) -> None:
    lab.cut(SECOND)
    until(lambda: zone(client, SECOND)["health"] == "down")
    until(lambda: bool(changes(client)))
    lost = changes(client)[0]
    assert (lost["zone"], lost["health"], lost["components_down"]) == (SECOND, "down", [])
    assert lost["left"] == {"voice": 2, "pms": 3, "authentication": 2, "analytics": 3, "configuration": 3}
    assert set(served(lab, 4)) == {200}, "the load balancer has left out the instances of the lost zone"
    lab.heal(SECOND)
    until(lambda: len(changes(client)) == 2)
    assert changes(client)[1]["health"] == "up"
    until(lambda: is_well(client))


def a_one_way_link_to_the_witness_moves_nothing(lab: Lab, client: ControllerClient, still: Callable[[], bool]) -> None:
    """What the source sends to the witness is lost: the controller hears neither its agent nor any answer, two observers do."""
    lab.cut_link("eu-west-1", "witness")
    lease_seconds = 3.0
    until(still_for(still, 2.5 * lease_seconds))
    assert set(served(lab, 1)) == {200}, "the other grantor's promise keeps the writer"
    lab.heal_link("eu-west-1", "witness")
    until(lambda: is_well(client))


def still_for(condition: Callable[[], bool], seconds: float) -> Callable[[], bool]:
    """Holds when the condition has held all the time for so long; a break is an error."""
    begun = time.monotonic()

    def look() -> bool:
        assert condition()
        return time.monotonic() - begun > seconds

    return look


def the_zone_with_the_database_follows_the_triggers(lab: Lab, client: ControllerClient) -> None:
    lab.cut(FIRST)
    until(lambda: state(client)["incident"] is not None)
    incident = state(client)["incident"]
    assert (incident["source"], incident["trigger"]) == ("eu-west-1", "region-score")
    until(lambda: len(changes(client)) == 3)
    assert changes(client)[2]["zone"] == FIRST
    assert set(changes(client)[2]["components_down"]) == {"database", "cache"}
    assert zone(client, SECOND)["health"] == "up"


def several_zones_down_are_a_trigger_and_what_comes_back_in_time_is_not_moved(lab: Lab, client: ControllerClient) -> None:
    lab.cut(SECOND)
    until(lambda: "zones-down" in {alarm["trigger"] for alarm in state(client)["alarms"]})
    assert {zone["health"] for zone in state(client)["watching"]["zones"] if zone["zone"] in (FIRST, SECOND)} == {"down"}
    lab.heal(FIRST)
    lab.heal(SECOND)
    until(lambda: (state(client)["incident"] or {}).get("state") == "stood-down", 60)
    kinds = {record["kind"] for record in client.records(0)}
    assert "epoch.opened" not in kinds and state(client)["serving"] == "eu-west-1"


def test_zones_and_one_way_links_on_real_servers() -> None:
    with folder() as directory, running(directory, only=None) as lab, controller(lab, directory / "controller.log") as client:
        until(lambda: is_well(client), 20)

        def nothing_moves() -> bool:
            seen = state(client)
            return seen["incident"] is None and seen["alarms"] == [] and seen["serving"] == "eu-west-1"

        a_lost_zone_is_survived_and_told(lab, client)
        assert nothing_moves()
        a_one_way_link_to_the_witness_moves_nothing(lab, client, nothing_moves)
        the_zone_with_the_database_follows_the_triggers(lab, client)
        several_zones_down_are_a_trigger_and_what_comes_back_in_time_is_not_moved(lab, client)
