"""What people say in the middle of a run, typed at a real controller over real servers: pause, resume, abort, go-on, choose, attest.

The default profile: its lease of 15 s leaves time to type between a fence that is ordered and the promotion.
"""

import json
import os
import shlex
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from holdfast.plan.bindings import Bindings, ClusterBinding
from lab.drill_rig import impatient_plan
from lab.lab_rig import folder
from lab.person import Person, asks, is_in, is_well, served_from

pytestmark = [pytest.mark.alone, pytest.mark.prove, pytest.mark.timeout(900)]

HOME, AWAY = "eu-west-1", "eu-central-1"
INCIDENT_COMMANDER, MANAGER, ADMINISTRATOR = "aoife-brennan", "matteo-ricci", "katalin-szabo"


@contextmanager
def on_duty(home: Path, plan: Path | None = None) -> Iterator[Person]:
    """A person with a lab and a controller that runs on it, and all is well."""
    person = Person(home) if plan is None else Person(home, plan)
    with person.has_lab(), person.keeps("controller", "run", person.plan):
        person.sees(is_well, "all is well", 120.0)
        yield person


def test_a_pause_keeps_a_decision_back_and_an_abort_before_the_promotion_turns_back() -> None:
    with folder() as home, on_duty(home) as person:
        turns_back(person)
        moves_without_its_source(person)


def turns_back(person: Person) -> None:
    """Declared, paused, approved, resumed, aborted: home writes again under its old epoch."""
    person.insists("lab", "cut", HOME)
    person.does("declare", "--as", ADMINISTRATOR)
    asked = person.sees(asks, "people are asked", 60.0)
    incident = asked["incident"]["incident"]
    person.does("pause", "--as", INCIDENT_COMMANDER, "--because", "the network team works on the links")
    assert "paused" in person.does("status").splitlines()[0].lower()
    given = person.approves(asked)
    waits = person.reads("status")
    assert len(given) == len(waits["incident"]["proposal"]["approvals"]) == 2, "they are counted, and the decision waits"
    assert waits["incident"]["state"] == "awaiting-approval"
    assert waits["incident"]["decided"] == {}
    person.does("resume", "--as", INCIDENT_COMMANDER)
    person.sees(is_in("activating"), "what was approved is decided now", 30.0)
    refused = person.types("abort", incident, "--as", INCIDENT_COMMANDER)
    assert refused.returncode != 0
    assert "add --yes to go ahead" in refused.stdout + refused.stderr
    said = person.does("abort", incident, "--as", INCIDENT_COMMANDER, "--because", "the provider is back", "--yes")
    assert "turns back" in said
    person.insists("lab", "heal")
    turned = person.sees(is_in("turned-back"), "it has turned back", 120.0)
    assert (turned["serving"], turned["epoch"]) == (HOME, 1)
    assert set(turned["incident"]["turned_back"]) >= {"database", "cache"}
    person.sees(is_well, "home serves", 120.0)


def moves_without_its_source(person: Person) -> None:
    """A planned move whose source dies: two people attest that it can't write, and all are asked again about what may be lost."""
    person.does("switchover", "--as", ADMINISTRATOR)
    asked = person.sees(asks, "a planned move is proposed", 60.0)
    assert asked["incident"]["proposal"]["loss_bound_seconds"] == 0.0
    person.pastes(asked["acting"][0]["command"], "--yes")
    second = person.reads("status")["acting"][0]["command"]
    person.insists("lab", "cut", HOME)
    person.pastes(second, "--yes")  # soon after the cut: later the copies count as too far behind, and nothing would begin
    person.sees(is_in("activating"), "it is decided", 30.0)
    because = "the data centre has no power, the operator says"
    person.does("attest", HOME, "--as", INCIDENT_COMMANDER, "--because", because)
    again = person.types("attest", HOME, "--as", INCIDENT_COMMANDER, "--because", because)
    assert (again.returncode, "another person is needed" in again.stdout + again.stderr) == (1, True)
    stranger = person.types("attest", HOME, "--as", ADMINISTRATOR, "--because", because)
    assert (stranger.returncode, "fills none of the roles" in stranger.stdout + stranger.stderr) == (1, True)
    person.does("attest", HOME, "--as", MANAGER, "--because", because)
    asked = person.sees(asks, "people are asked again", 60.0)
    assert asked["incident"]["proposal"]["loss_bound_seconds"] != 0.0
    person.approves(asked)
    done = person.follows(is_in("recovered"), "the other region has taken over", 240.0)
    assert (done["serving"], [word["purpose"] for word in done["attested"]]) == (AWAY, ["fence", "fence"])


def test_a_plan_kept_in_a_file_is_refused_when_something_changed_since_and_accepted_when_it_is_made_anew() -> None:
    with folder() as home, on_duty(home) as person:
        kept = "var/move.json"
        looks = ("plan", "regional-outage", "--mode", "graceful", "--file", person.plan, "-o", kept)
        shown = person.does(*looks)
        assert f"instances in {AWAY}" in shown
        assert shown.rstrip().endswith(f"next: holdfast run --plan {kept} --as NAME")
        before = json.loads((home / kept).read_text(encoding="utf-8"))["world"]["instances"][f"{AWAY}/voice"]
        scaled(home, AWAY, "voice", before + 1)
        refused = person.types("run", "--plan", kept, "--as", ADMINISTRATOR)
        assert refused.returncode == 1, refused.stdout
        assert f"{AWAY}/voice has {before + 1} instances, it had {before}" in refused.stderr
        assert person.reads("status")["incident"] is None, "nothing was begun"
        person.does(*looks)
        assert "accepted" in person.does("run", "--plan", kept, "--as", ADMINISTRATOR)
        asked = person.sees(asks, "the planned move is proposed", 60.0)
        assert (asked["incident"]["mode"], asked["incident"]["proposal"]["loss_bound_seconds"]) == ("graceful", 0.0)
        opened = next(one for one in json.loads(person.does("journal", "show", "-o", "json")) if one["kind"] == "incident.opened")
        assert opened["body"]["foreseen"] == json.loads((home / kept).read_text(encoding="utf-8"))["digest"]


def scaled(home: Path, region: str, function: str, replicas: int) -> None:
    """Somebody scales a Deployment past Holdfast, as `kubectl scale` does."""
    bindings = Bindings.model_validate_json((home / "var/lab/bindings.witness.json").read_text(encoding="utf-8"))
    cluster = next(each[region] for each in bindings.components.values() if isinstance(each[region], ClusterBinding))
    assert isinstance(cluster, ClusterBinding)
    place = f"{cluster.url}/apis/apps/v1/namespaces/{cluster.namespace}/deployments/{cluster.deployments[function]}/scale"
    headers = {"authorization": f"Bearer {(home / cluster.token_file).read_text().strip()}", "content-type": "application/merge-patch+json"}
    wish = json.dumps({"spec": {"replicas": replicas}}).encode()
    with urllib.request.urlopen(urllib.request.Request(place, wish, headers, method="PATCH"), timeout=10) as answer:
        assert answer.status == 200


def test_steps_that_wait_for_a_person_an_abort_after_the_promotion_and_a_load_balancer_that_dies_twice() -> None:
    with folder() as home:
        plan = impatient_plan(home, "performance.watch", 1.0)  # it watches for three seconds, so it never gets there in one
        with on_duty(home, plan) as person:
            balancer = LoadBalancer(person)
            balancer.dies()
            incident = halted_and_gone_on(person)
            with balancer.built_anew():
                person.pastes(spelt_out(person, "build-load-balancer", "done", "a fresh one is up, from the infrastructure definitions"))
                goes_past_a_watch(person)
                done = person.follows(is_in("recovered"), "the other region has taken over", 240.0)
                assert done["incident"]["incident"] == incident
                person.sees(served_from(AWAY), "every function is served from there", 120.0)
            balancer.is_let_in_again_after_it_died(person)


class LoadBalancer:
    """HAProxy of the other region, as the lab runs it."""

    def __init__(self, person: Person) -> None:
        part = next(part for part in person.reads("lab", "status")["parts"] if part["name"] == f"loadbalancer.{AWAY}")
        process = Path(f"/proc/{part['pid']}")
        self.pid = int(part["pid"])
        self.command = [word for word in (process / "cmdline").read_bytes().decode().split("\0") if word]
        pairs = (pair.partition("=") for pair in (process / "environ").read_bytes().decode().split("\0") if pair)
        self.environment = {name: value for name, _, value in pairs}

    def dies(self) -> None:
        """Kill -9: whatever it was told is gone with it."""
        os.kill(self.pid, signal.SIGKILL)

    @contextmanager
    def built_anew(self) -> Iterator["subprocess.Popen[bytes]"]:
        """Another process on the same configuration, which lets nobody in. It carries the lab's mark."""
        with subprocess.Popen(
            self.command, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def is_let_in_again_after_it_died(self, person: Person) -> None:
        """It was killed, and comes up as its configuration says: the controller says to it again what was ordered."""
        person.sees(lambda now: not served_from(AWAY)(now), "nobody is served without it", 60.0)
        with self.built_anew():
            person.sees(served_from(AWAY), "every function is served again", 60.0)
            records = json.loads(person.does("journal", "show", "-o", "json"))
            assert {"order.forgotten", "order.repeated"} <= {record["kind"] for record in records}


def waits(person: Person, step: str) -> dict[str, Any]:
    """The step as status shows it, as soon as it waits for a person."""

    def found(now: dict[str, Any]) -> list[dict[str, Any]]:
        steps = [] if now["incident"] is None else now["incident"]["steps"]
        return [one for one in steps if one["id"] == step and one["state"] == "needs-person" and one["choices"]]

    return found(person.follows(found, f"{step} waits for a person", 240.0))[0]


def spelt_out(person: Person, step: str, choice: str, because: str = "") -> str:
    """The command of a choice as status spells it out, with a name and a reason."""
    offered = {one["choice"]: one["command"] for one in waits(person, step)["choices"]}
    command = str(offered[choice]).replace("NAME", "ines-carvalho").replace('"…"', shlex.quote(because))
    assert ("--because" in command) is bool(because), command
    return command


def halted_and_gone_on(person: Person) -> str:
    """After the promotion nothing can be turned back: it stops, is named so, and goes on when people say so. Returns the incident."""
    person.does("declare", "--as", ADMINISTRATOR)
    person.approves(person.sees(asks, "people are asked", 60.0))
    waits(person, "build-load-balancer")
    incident = str(person.reads("status")["incident"]["incident"])
    said = person.does("abort", incident, "--as", INCIDENT_COMMANDER, "--because", "let us look first", "--yes")
    assert "can't turn back any more" in said
    halted = person.sees(is_in("halted"), "it is halted", 60.0)
    assert halted["serving"] == AWAY, "the target stays the writer"
    assert halted["acting"][0]["command"].startswith(f"holdfast go-on {incident} --as ")
    person.pastes(halted["acting"][0]["command"])
    person.sees(lambda now: not is_in("halted")(now), "it goes on", 60.0)
    return incident


def goes_past_a_watch(person: Person) -> None:
    """What can't succeed is tried once more when a person says so, and left out when one says why."""
    before = waits(person, "watch-performance")
    person.pastes(spelt_out(person, "watch-performance", "retry"))
    person.sees(lambda now: attempts(now, "watch-performance") > before["attempts"], "it is tried once more", 60.0)
    person.pastes(spelt_out(person, "watch-performance", "skip", "the dashboards of the partner show it"))


def attempts(now: dict[str, Any], step: str) -> int:
    return next(int(one["attempts"]) for one in now["incident"]["steps"] if one["id"] == step)
