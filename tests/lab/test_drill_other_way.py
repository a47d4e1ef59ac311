"""Drills in which a primary step does not succeed: the plan's other way is gone instead, and everything after it is as ever."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from holdfast.drill.drilling import RunningDrill
from holdfast.plan.bindings import ClusterBinding
from lab.drill_rig import automatic_plan, drilled, finished, hurried_plan, place

pytestmark = pytest.mark.alone


@pytest.mark.prove
def test_a_refused_promotion_goes_the_way_of_the_restore_and_the_drill_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    with place() as aside, place() as directory:
        plan = automatic_plan(aside)
        looks: list[subprocess.Popen[bytes]] = []

        def look_ahead(drill: RunningDrill) -> None:
            if drill.records and not looks:
                looks.append(_foreseen(plan, directory / "lab", aside / "foreseen.json"))

        over = drilled(directory, monkeypatch, plan=plan, broken="refuse:promote-database", interfere=look_ahead)
        assert over.report.verdict == "pass", over.said()
        steps = {step.step: step for step in over.report.steps}
        assert (steps["restore-database"].verified, steps["promote-database"].verified) == ("yes", "yes")
        assert (steps["promote-database"].other_way or "").startswith("by itself, as the plan says: refused")
        assert steps["restore-database"].instead_of == "promote-database"
        assert any("restore-database" in finding.sentence for finding in over.report.findings), over.said()
        looks[0].wait(30)
        made = json.loads((aside / "foreseen.json").read_text())
        assert made["world"]["sizes"]["eu-central-1/database bytes"] > 1_000_000
        assert made["world"]["versions"]["eu-west-1/voice"]


def _foreseen(plan: Path, lab: Path, out: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "holdfast", "plan", "regional-outage", "--file", str(plan), "--lab", str(lab), "--out", str(out)]
    with out.with_suffix(".txt").open("wb") as shown:
        return subprocess.Popen(command, stdout=shown, stderr=subprocess.STDOUT)


@pytest.mark.prove
def test_a_roll_out_that_is_stuck_is_got_round_by_a_fresh_set_and_the_drill_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody paused the roll-out of every Deployment in the DR region and forgot it: the API takes the version, and nothing comes."""
    served: dict[str, Any] = {}

    def forget(drill: RunningDrill) -> None:
        if "paused" not in served:
            served["paused"] = _each_deployment(drill, "PATCH", {"spec": {"paused": True}})
        if "fresh" not in served and finished(drill, "dns.switch") is not None:
            served["fresh"] = _each_deployment(drill, "GET")

    with place() as aside, place() as directory:
        over = drilled(directory, monkeypatch, plan=hurried_plan(aside, "application.deploy", 6.0), interfere=forget)
        assert over.report.verdict == "pass", over.said()
        steps = {step.step: step for step in over.report.steps}
        assert (steps["start-fresh-set"].verified, steps["deploy"].verified) == ("yes", "yes")
        assert (steps["deploy"].other_way or "").startswith("by itself, as the plan says")
        assert steps["start-fresh-set"].instead_of == "deploy"
        assert steps["scale-down-dr"].verified == "yes"
        images = {name: found["spec"]["template"]["spec"]["containers"][0]["image"] for name, found in served["fresh"].items()}
        ready = {name: found["status"]["updatedReplicas"] for name, found in served["fresh"].items()}
        assert images["voice-fresh"] == "voicehive/voice:2"
        assert (ready["voice"], ready["voice-fresh"]) == (0, 4), "what served before is left as it is, stuck"


def _each_deployment(drill: RunningDrill, method: str, patch: Any = None) -> dict[str, Any]:
    """Every Deployment of the DR region, after this was done to each."""
    binding = drill.lab.bindings("witness").components["application"][drill.loaded.plan.dr_region()]
    assert isinstance(binding, ClusterBinding)
    headers = {"authorization": f"Bearer {binding.token_file.read_text()}", "content-type": "application/merge-patch+json"}
    path = f"/apis/apps/v1/namespaces/{binding.namespace}/deployments"
    with httpx.Client(base_url=binding.url, headers=headers, trust_env=False, timeout=10) as client:
        names = [found["metadata"]["name"] for found in client.get(path).raise_for_status().json()["items"]]
        return {name: client.request(method, f"{path}/{name}", json=patch).raise_for_status().json() for name in names}
