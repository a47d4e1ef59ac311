"""The canary against real servers: marked records, a ledger that a kill can't hurt, and a real incident measured like a drill."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from holdfast.canary.archive import entries, measured
from holdfast.canary.files import CanaryFiles, What, read_marks
from holdfast.canary.naming import request_sent_at
from holdfast.canary.records import canary_records, every_record
from holdfast.drill.parts import Part, start, wait_until
from holdfast.lab.running import Lab
from holdfast.ledger.availability import availability
from holdfast.ledger.entry import RequestResult
from holdfast.ledger.measure import acknowledged_writes, loss, outages, requests, single_writer
from holdfast.plan.bindings import Bindings
from holdfast.plan.loader import load
from holdfast.plan.people import Occasion, approvers
from holdfast.providers.controller.client import ControllerClient, ControllerRefused, ControllerSilent
from lab.application_rig import FUNCTIONS, PATHS, Rig, eventually, process, running_rig
from lab.lab_rig import PLAN, folder, left_of, running
from lab.test_application import bindings_of
from lab.test_clients import knot

QUARTER = re.compile(r"every: [12]s")


def quick_plan(directory: Path) -> Path:
    """The reference plan with four transactions a second, so that ten successes in a row are soon seen."""
    found = directory / "plan.yaml"
    found.write_text(QUARTER.sub("every: 250ms", PLAN.read_text(encoding="utf-8")), encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with running_rig() as started, knot(started):
        yield started


def outside(rig: Rig) -> Path:
    document: dict[str, Any] = bindings_of(rig).model_dump(mode="json", by_alias=True)
    document["source_address"] = rig.host(51)
    document["functions"] = {name: {"dns_name": f"{name}.voicehive.test", "port": 28100, "path": PATHS[name]} for name in FUNCTIONS}
    file = rig.directory / "bindings.canary.json"
    file.write_text(json.dumps(document))
    return file


@contextmanager
def canary(rig: Rig, ledgers: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    plan = quick_plan(rig.directory)
    command = [sys.executable, "-m", "holdfast", "canary", str(plan), "--bindings", str(outside(rig)), "--ledgers", str(ledgers)]
    with process([*command, "-o", "json", *options], stdout=subprocess.PIPE) as child:
        yield child


def acknowledged(ledgers: Path) -> int:
    """Of the function that has the fewest."""
    try:
        status = json.loads((ledgers / "status.json").read_text())
    except (FileNotFoundError, ValueError):
        return 0
    return min(int(function["total"]["acknowledged"]) for function in status["functions"].values())


def pid_of(ledgers: Path) -> int:
    return int(json.loads((ledgers / "status.json").read_text())["pid"])


def test_every_transaction_is_marked_and_stands_in_the_stores_that_its_ledger_names(rig: Rig, tmp_path: Path) -> None:
    before = time.time()
    with canary(rig, tmp_path) as child:
        eventually(lambda: acknowledged(tmp_path) >= 10, "load", 20)
        child.send_signal(signal.SIGTERM)
        assert child.wait(5) == 0
    rig.post("voice", {"request": "a-customers-call"})
    found = [entry for name in FUNCTIONS for entry in entries(CanaryFiles(tmp_path), name, before, time.time()).entries]
    assert {entry.function for entry in found} == set(FUNCTIONS)
    assert all(entry.request.startswith("canary-") for entry in found)
    stored = canary_records(bindings_of(rig), "eu-west-1", before)
    result = loss(found, stored)
    assert (result.lost, result.unknown) == ((), ())
    assert result.checked == len(acknowledged_writes(found)) > 50
    assert single_writer(found, stored).violations == ()
    names = [key for store in stored for key in store.records or ()]
    assert all("canary-" in name for name in names), "a customer's records are never read"
    everything = [key for store in every_record(bindings_of(rig), "eu-west-1") for key in store.records or ()]
    assert "calls/a-customers-call" in everything
    hotels = rig.sql("SELECT DISTINCT hotel FROM calls WHERE request LIKE 'canary-%'")
    assert hotels == [("canary",)], "the plan's values say whose account it is on"
    settings = rig.sql("SELECT count(*) FROM setting_changes WHERE request LIKE 'canary-%' AND name <> 'canary'")
    assert settings == [(0,)]


def test_a_killed_canary_has_lost_nothing_that_it_counted_and_the_gap_is_unknown(rig: Rig, tmp_path: Path) -> None:
    begun = time.time()
    with canary(rig, tmp_path, "--function", "pms") as child:
        eventually(lambda: acknowledged(tmp_path) >= 8, "load", 20)
        counted = acknowledged(tmp_path)
        child.kill()
        child.wait()
    killed = time.time()
    files = CanaryFiles(tmp_path)
    assert sum(r.result is RequestResult.ACKNOWLEDGED for r in requests(entries(files, "pms", begun, killed).entries)) >= counted
    time.sleep(2.0)
    with canary(rig, tmp_path, "--function", "pms") as child:
        eventually(lambda: pid_of(tmp_path) == child.pid and acknowledged(tmp_path) >= 8, "load again", 20)
        words = ("canary", str(rig.directory / "plan.yaml"), "--bindings", str(outside(rig)), "--ledgers", str(tmp_path))
        second = holdfast(*words)
        assert (second.returncode, "another canary writes to" in second.stderr) == (2, True)
        now = time.time()
    plan = load(rig.directory / "plan.yaml").plan
    settings = plan.functions["pms"].canary
    assert settings is not None
    found = availability(measured(files, "pms", settings, begun, now))
    assert found.unavailable_seconds == 0.0
    assert found.unknown_seconds >= 2.0
    assert [mark.what for mark in read_marks(files)] == [What.STARTED, What.STARTED, What.ENDED]
    assert loss(entries(files, "pms", begun, now).entries, canary_records(bindings_of(rig), "eu-west-1", begun)).lost == ()


def test_a_frozen_canary_blames_nobody(rig: Rig, tmp_path: Path) -> None:
    with canary(rig, tmp_path, "--function", "voice") as child:
        eventually(lambda: acknowledged(tmp_path) >= 4, "load", 20)
        os.kill(child.pid, signal.SIGSTOP)
        time.sleep(3.0)
        os.kill(child.pid, signal.SIGCONT)
        count = acknowledged(tmp_path)
        eventually(lambda: acknowledged(tmp_path) >= count + 6, "load again", 20)
    found = entries(CanaryFiles(tmp_path), "voice", 0.0, time.time()).entries
    assert outages(found) == ()
    settings = load(rig.directory / "plan.yaml").plan.functions["voice"].canary
    assert settings is not None
    over = availability(measured(CanaryFiles(tmp_path), "voice", settings, found[0].sent_seconds, found[-1].sent_seconds))
    assert over.unavailable_seconds == 0.0
    assert 2.0 < over.unknown_seconds < 3.5


def test_an_identifier_sorts_by_time_in_the_database_too(rig: Rig) -> None:
    assert request_sent_at(1_790_000_000.0) == "canary-20260921t141320"
    order = rig.sql("SELECT 'canary-20260921t141320-a' < 'canary-20261123t000000', 'canary-2026' < 'canary-99991231t235959'")
    assert order == [(True, True)]


class Incident:
    """A controller that conducts no exercise, people who approve, and a canary."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.plan_file = quick_plan(directory)
        self.plan = load(self.plan_file).plan
        self.ledgers = directory / "canary"

    def begun(self, stack: ExitStack, lab: Lab, profile: str = "fast") -> list[Part]:
        """A controller over the lab and a canary outside, until the stack is left."""
        plan, outside = str(self.plan_file), str(lab.layout.bindings("outside"))
        commands = {
            "controller": ["run", plan, "--profile", profile, "--lab", str(lab.directory), "-o", "json"],
            "canary": ["canary", plan, "--bindings", outside, "--ledgers", str(self.ledgers), "-o", "json"],
        }
        parts = []
        for name, words in commands.items():
            parts.append(start(name, ["holdfast", *words], self.directory / f"{name}.log", lab.environment()))
            stack.callback(parts[-1].stop)
        return parts

    def client(self, bindings: Bindings) -> ControllerClient:
        binding = bindings.controller
        return ControllerClient(f"http://{binding.host}:{binding.port}", binding.token_file)

    def state(self, bindings: Bindings) -> dict[str, Any]:
        try:
            return self.client(bindings).state()
        except (ControllerSilent, ControllerRefused):
            return {}

    def approve(self, bindings: Bindings) -> bool:
        """People approve what is proposed; whether the incident is recovered."""
        incident = self.state(bindings).get("incident")
        if incident is not None and incident["proposal"]:
            proposal = incident["proposal"]
            for person in list(approvers(self.plan, self.plan.approval.activation, Occasion.INCIDENT))[: proposal["count"]]:
                self.client(bindings).command("approve", person, {"hash": proposal["hash"], "accepts_loss": True})
        return incident is not None and incident["state"] == "recovered"


def ready(state: dict[str, Any]) -> bool:
    functions = state.get("watching", {}).get("functions", {})
    return (
        bool(functions)
        and all(word == "up" for word in functions.values())
        and state.get("loss", {}).get("bound_seconds") is not None
        and state["promise_ends_in_seconds"] < 5.0
    )


def holdfast(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "holdfast", *words], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.alone
@pytest.mark.root
def test_the_report_of_a_real_incident_shows_the_outage_that_the_canary_measured() -> None:
    with folder() as directory, ExitStack() as stack:
        story = Incident(directory)
        lab = stack.enter_context(running(directory / "lab", only=None))
        witness = lab.bindings("witness")
        plan, ledgers = str(story.plan_file), str(story.ledgers)

        parts = story.begun(stack, lab)
        wait_until(lambda: ready(story.state(witness)) and acknowledged(story.ledgers) > 10, 60.0, "all is well", parts)
        cut = time.time()
        lab.cut("eu-west-1")
        wait_until(lambda: story.approve(witness), 60.0, "the region has failed over", parts)
        back = acknowledged(story.ledgers)
        wait_until(lambda: acknowledged(story.ledgers) >= back + 14, 30.0, "clients are served", parts)
        made = holdfast(
            *("report", str(directory / "report"), "--incident", "last", "--plan", plan, "--ledgers", ledgers, "-o", "json"),
            *("--bindings", str(lab.layout.bindings("eu-central-1")), "--journal", str(lab.layout.controller / "journal.db")),
        )
        assert made.returncode in (0, 3), made.stderr
        report = json.loads(made.stdout)
        assert (report["kind"], report["exercise"]) == ("incident", False)
        rules = {rule["name"]: rule for rule in report["rules"]}
        for function in report["functions"]:
            assert 0.5 < function["rto_actual_seconds"] < time.time() - cut, function["id"]
            assert function["met"] is True, function["id"]
            assert function["acknowledged_writes"] > 10
            assert function["lost_acknowledged_writes"] is not None
        for name in ("rto", "rpo", "loss-bound", "moments"):
            assert rules[name]["result"] == "pass", rules[name]
        assert list((story.ledgers / "contents").glob("*.eu-central-1.json")), "read when the new epoch acknowledged"
        longest = max(function["rto_actual_seconds"] for function in report["functions"])
        said = holdfast("availability", plan, "--ledgers", ledgers, "--from", moment(cut - 5), "-o", "json")
        assert said.returncode == 3, "a canary of one minute can't speak for 30 days"
        by_name = {function["id"]: function for function in json.loads(said.stdout)["functions"]}
        for function in report["functions"]:
            measured_here = by_name[function["id"]]
            assert measured_here["unavailable_seconds"] == pytest.approx(function["rto_actual_seconds"], abs=1.5)
            assert measured_here["unknown_seconds"] < 1.0
        assert longest < 60
        canary_said = (directory / "canary.log").read_text()
        assert "voice does not serve" in canary_said
        assert "voice serves again" in canary_said
        # The canary loses its own way: everything fails for it, and it blames itself.
        lab.cut("outside")
        blind = time.time()
        time.sleep(6.0)
        lab.heal()
        healed = acknowledged(story.ledgers)
        wait_until(lambda: acknowledged(story.ledgers) >= healed + 4, 30.0, "the canary sees again", parts)
        said = holdfast("availability", plan, "--ledgers", ledgers, "--from", moment(blind), "--to", moment(blind + 5), "-o", "json")
        for function in json.loads(said.stdout)["functions"]:
            assert function["unavailable_seconds"] < 1.0, function
            assert function["unknown_reasons"].get("the canary reached nothing outside its own site", 0) > 3.0, function
    assert left_of(lab) == []


def moment(at_seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at_seconds)) + f".{int(at_seconds % 1 * 1000):03d}+00:00"
