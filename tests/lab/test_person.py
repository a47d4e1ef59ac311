"""The main job by hand, in the default profile: everything is typed, and everything is read, as a person would."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from holdfast.lab import processes
from lab.lab_rig import folder
from lab.person import Person, Terminal, asks, is_in, is_well, served_from

pytestmark = [pytest.mark.alone, pytest.mark.prove, pytest.mark.timeout(900)]

HOME, AWAY = "eu-west-1", "eu-central-1"


def left(lab: dict[str, Any], directory: Path) -> list[str]:
    """Processes and control groups that a lab has left."""
    living = [process.command for process in processes.find(lab["identity"], directory)]
    return living + [str(group) for group in processes.control_groups(directory)]


def test_a_region_is_lost_and_comes_home_by_what_a_person_types() -> None:
    with folder() as home:
        person = Person(home)
        with person.has_lab() as lab:
            with person.keeps("controller", "run", person.plan) as controller, canary(person) as clients:
                person.sees(is_well, "all is well", 90.0)
                person.insists("lab", "cut", HOME)
                asked = person.sees(asks, "people are asked", 240.0)
                assert asked["incident"]["kind"] == "incident"
                given = person.approves(asked)
                assert len({command.split("--as ")[1] for command in given}) == 2, given
                person.follows(is_in("recovered"), "the other region has taken over", 240.0)
                person.sees(served_from(AWAY), "every function is served from there", 60.0)
                back(clients)
                assert reported(person)["outage_seconds"] > 60.0, "ten requests in a row were served before anybody thinks of the way home"
                person.insists("lab", "heal")
                goes_home(person)
                assert served_from(HOME)(person.sees(served_from(HOME), "every function is served at home", 60.0))
                written = reported(person, lambda found: found["failback"]["outage_seconds"] is not None)
                assert clients.ends() == 0
                assert controller.ends() == 0, controller.text()
            said = person.does("lab", "down")
            assert "down in" in said, said
        assert left(lab, home / "var" / "lab") == []
        assert "no lab runs" in person.does("lab", "down"), "what was taken down is gone"
        assert (written["kind"], written["execution"], written["failback"]["done"]) == ("incident", "ungraceful", True)
        for function in written["functions"]:
            assert function["met"] is True, json.dumps(function)
            assert 60.0 < function["rto_actual_seconds"] < function["rto_target_seconds"], json.dumps(function)
        # What only the lost side held was written down before it was overwritten: with that, a real incident is proved as a drill is.
        assert (written["single_writer"]["checked"], written["single_writer"]["violations"]) == (True, 0), written["single_writer"]
        assert written["failback"]["lost_acknowledged_writes"] == 0
        assert written["verdict"] == "pass", [rule for rule in written["rules"] if rule["result"] != "pass"] + written["findings"]


def canary(person: Person) -> Any:
    """Clients that find every function through DNS, in a terminal of their own."""
    return person.keeps("canary", "canary", person.plan, "--bindings", "var/lab/bindings.outside.json", "--ledgers", "var/canary")


def back(clients: Terminal) -> None:
    """As clients through DNS saw it: every function was away, and serves again."""
    said = clients.text()
    for function in ("voice", "pms", "authentication", "analytics", "configuration"):
        assert f"{function} does not serve" in said, said
        assert said.rindex(f"{function} serves again") > said.rindex(f"{function} does not serve"), said


def goes_home(person: Person) -> None:
    """The next command that Holdfast names, pasted, until the incident is closed."""
    wish = person.sees(lambda now: now["acting"] and "failback" in now["acting"][0]["command"], "the way home is named", 60.0)
    person.pastes(wish["acting"][0]["command"])
    person.approves(person.sees(asks, "the way home is proposed", 240.0))
    closed = person.follows(is_in("closed"), "home again", 240.0)
    assert closed["serving"] == HOME


def reported(person: Person, is_over: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
    """The report of the last incident so far, from its journal and the canary's ledgers: again, until ten requests in a row were served."""
    end = time.monotonic() + 60.0
    while True:
        found = person.reads("report", "var/report", "--incident", "last", "--plan", person.plan, "--ledgers", "var/canary")
        assert (person.home / "var" / "report" / "report.html").is_file()
        if (
            all(function["rto_actual_seconds"] is not None for function in found["functions"]) and is_over(found)
        ) or time.monotonic() > end:
            return found
        time.sleep(1.0)
