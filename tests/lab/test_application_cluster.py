"""The cluster of a region: real instances behind a Kubernetes API, scaled, updated, reconfigured, and never left behind."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from holdfast.fencing.order import Order
from holdfast.plan.bindings import ClusterBinding, FunctionBinding
from holdfast.ports.action import Answer, Mode, Result, Task
from holdfast.providers.clock.system import SystemClock
from holdfast.providers.kubernetes.fresh import FreshAction
from lab.application_rig import FUNCTIONS, PATHS, TOKEN, Rig, eventually, running_rig

STRATEGIC = "application/strategic-merge-patch+json"
SETTINGS = "/api/v1/namespaces/voicehive/configmaps/voicehive-settings"


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with running_rig(image_tag="1") as running:
        yield running


def status_of(rig: Rig, name: str) -> dict[str, Any]:
    deployment = rig.api("GET", rig.deployment(name))[1]
    status: dict[str, Any] = deployment["status"]
    settled = status["observedGeneration"] == deployment["metadata"]["generation"]
    return {**status, "wanted": deployment["spec"]["replicas"], "settled": settled}


def is_complete(rig: Rig, name: str) -> bool:
    status = status_of(rig, name)
    counts = {status[field] for field in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")}
    return bool(status["settled"]) and counts == {status["wanted"]}


def scale(rig: Rig, name: str, replicas: int) -> None:
    assert rig.api("PATCH", rig.deployment(name, "/scale"), {"spec": {"replicas": replicas}})[0] == 200
    eventually(lambda: is_complete(rig, name), f"{name} has {replicas} instances")


def image(name: str, version: str) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": [{"name": name, "image": f"voicehive/{name}:{version}"}]}}}}


def longest_row(outcomes: list[bool]) -> int:
    longest = row = 0
    for outcome in outcomes:
        row = row + 1 if outcome else 0
        longest = max(longest, row)
    return longest


def load(rig: Rig, function: str, rate: float, seconds: float, ports: list[int]) -> list[bool]:
    """Requests at a steady rate, in turn to each port, whatever the answers are."""
    count = int(rate * seconds)
    outcomes = [False] * count
    started = time.monotonic()

    def one(number: int) -> None:
        outcomes[number] = rig.post(function, {"request": f"load-{time.time_ns()}-{number}"}, ports[number % len(ports)])[0] == 200

    threads = []
    for number in range(count):
        time.sleep(max(0.0, started + number / rate - time.monotonic()))
        threads.append(threading.Thread(target=one, args=(number,)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    return outcomes


def test_one_instance_is_too_small_for_the_load_and_three_are_enough(rig: Rig) -> None:
    alone = load(rig, "analytics", 6.0, 6.0, [28100])
    assert not all(alone)
    assert longest_row(alone) < 10
    scale(rig, "analytics", 3)
    assert all(load(rig, "analytics", 6.0, 4.0, [28100, 28101, 28102]))
    scale(rig, "analytics", 1)


def test_an_older_version_refuses_what_needs_a_newer_one_until_it_is_deployed(rig: Rig) -> None:
    status, body = rig.post("voice", {"request": "new-caller", "needs_version": "2"})
    assert status == 400
    assert "version 1" in body["error"]
    scale(rig, "voice", 2)
    refusals = []
    ended = threading.Event()

    def keep_asking() -> None:
        while not ended.is_set():
            pods = rig.api("GET", "/api/v1/namespaces/voicehive/pods?labelSelector=app=voice")[1]["items"]
            ready = [pod for pod in pods if pod["status"]["conditions"][0]["status"] == "True"]
            if len(ready) < 2:
                refusals.append(len(ready))
            time.sleep(0.02)

    asking = threading.Thread(target=keep_asking)
    asking.start()
    assert rig.api("PATCH", rig.deployment("voice"), image("voice", "2"), STRATEGIC)[0] == 200
    eventually(lambda: is_complete(rig, "voice"), "voice runs version 2")
    ended.set()
    asking.join()
    assert refusals == [], "a rolling update went below the wanted number of ready instances"
    ports = [
        pod["spec"]["containers"][0]["ports"][0]["containerPort"]
        for pod in rig.api("GET", "/api/v1/namespaces/voicehive/pods?labelSelector=app=voice")[1]["items"]
        if pod["spec"]["containers"][0]["image"].endswith(":2")
    ]
    answers = [rig.post("voice", {"request": f"new-caller-{port}", "needs_version": "2"}, port) for port in ports]
    assert [status for status, _ in answers] == [200, 200]


def test_a_changed_config_map_is_in_force_within_a_second(rig: Rig) -> None:
    address = rig.settings["database"]
    assert rig.post("pms", {"request": "before"})[0] == 200
    assert rig.api("PATCH", SETTINGS, {"data": {"database": f"{rig.host(10)}:1"}})[0] == 200
    eventually(lambda: rig.get("pms", "/version")[1]["stores"]["database"].endswith(":1"), "the instance uses the new address", 1.5)
    status, body = rig.post("pms", {"request": "lost"})
    assert (status, body["outcome"]) == (503, "refused")
    assert rig.api("PATCH", SETTINGS, {"data": {"database": "nonsense"}})[0] == 200
    time.sleep(0.5)
    assert rig.get("pms", "/healthz")[0] == 200, "bad settings leave the old ones in force"
    assert rig.api("PATCH", SETTINGS, {"data": {"database": address}})[0] == 200
    eventually(lambda: rig.post("pms", {"request": "after"})[0] == 200, "the instance uses the old address again", 1.5)


def test_writes_to_the_api_are_checked_whole_and_compared(rig: Rig) -> None:
    path = rig.deployment("configuration")
    assert rig.api("GET", path, token="guessed")[0] == 401
    assert rig.api("GET", path.replace("voicehive", "default"))[0] == 404
    assert rig.api("GET", rig.deployment("no-such"))[0] == 404
    deployment = rig.api("GET", path)[1]
    stale = deployment["metadata"]["resourceVersion"]
    note = {"metadata": {"annotations": {"holdfast/order": "0.2.1.3"}, "resourceVersion": stale}}
    status, changed = rig.api("PATCH", path, note)
    assert (status, changed["metadata"]["annotations"]) == (200, {"holdfast/order": "0.2.1.3"})
    assert changed["metadata"]["generation"] == deployment["metadata"]["generation"], "an annotation is no change of the specification"
    status, refusal = rig.api("PATCH", path, note)
    assert (status, refusal["kind"], refusal["reason"]) == (409, "Status", "Conflict")
    assert rig.api("PATCH", path, {"spec": {"replicas": -1}})[0] == 422
    assert rig.api("PATCH", path, image("configuration", ""), STRATEGIC)[0] == 422
    assert rig.api("PATCH", path, {"metadata": {"name": "other"}})[0] == 422
    assert rig.api("PATCH", path, {"spec": {"replicas": 2}}, "application/json-patch+json")[0] == 415
    assert rig.api("PATCH", SETTINGS, {"data": {"database": 5}})[0] == 422
    assert rig.api("GET", path)[1]["spec"] == deployment["spec"]
    current = rig.api("GET", path)[1]
    current["metadata"]["annotations"] = {}
    assert rig.api("PUT", path, current)[0] == 200
    assert rig.api("PUT", path, current)[0] == 409
    assert rig.api("GET", "/version")[0] == 200
    assert len(rig.api("GET", rig.deployment("").rstrip("/"))[1]["items"]) == 5


def test_a_fresh_set_answers_real_transactions_before_it_serves_and_waits_for_the_stores_as_long_as_they_are_away(rig: Rig) -> None:
    (rig.directory / "shown").write_text(TOKEN)
    binding = ClusterBinding(
        url=f"http://{rig.host(14)}:26443",
        token_file=rig.directory / "shown",
        namespace="voicehive",
        deployments={function: function for function in FUNCTIONS},
        services={function: function for function in FUNCTIONS},
        settings_config_map="voicehive-settings",
        stores={},
    )
    functions = {function: FunctionBinding(dns_name=function, port=80, path=PATHS[function]) for function in FUNCTIONS}
    parameters = {"version": "3", "replicas": 1}
    task = Task("fresh", "application.fresh", "application", "a", "b", Mode.UNGRACEFUL, Order(0, 2, 1, 1), parameters)
    action = FreshAction({"b": binding}, functions, SystemClock(), patience_seconds=30.0)

    def rows() -> list[Any]:
        return rig.sql("SELECT count(*) FROM calls WHERE request LIKE 'holdfast-%'")

    address = rig.settings["database"]
    assert rig.api("PATCH", SETTINGS, {"data": {"database": f"{rig.host(10)}:1"}})[0] == 200
    before = rows()
    with ThreadPoolExecutor(1) as aside:
        acting = aside.submit(lambda: asyncio.run(action.act(task)))
        eventually(lambda: rig.api("GET", rig.deployment("voice-fresh"))[0] == 200, "the fresh set is made")
        eventually(lambda: all(is_complete(rig, f"{function}-fresh") for function in FUNCTIONS), "the fresh set is ready")
        assert not acting.done()
        selector = rig.api("GET", "/api/v1/namespaces/voicehive/services/voice")[1]["spec"]["selector"]
        assert selector["holdfast/set"] == "first", "ready, and the stores away: nothing serves from it"
        assert rig.api("PATCH", SETTINGS, {"data": {"database": address}})[0] == 200
        outcome = acting.result(40)
    assert outcome.result is Result.SUCCEEDED, outcome.detail
    assert asyncio.run(action.verify(task)).answer is Answer.YES
    assert rows() > before, "a call was really written"
    assert rig.get("voice", "/version", 28108)[1]["version"] == "3"
    for function in FUNCTIONS:
        assert (
            rig.api("PATCH", f"/api/v1/namespaces/voicehive/services/{function}", {"spec": {"selector": {"holdfast/set": "first"}}})[0]
            == 200
        )
        assert rig.api("DELETE", rig.deployment(f"{function}-fresh"))[0] == 200
    pods = "/api/v1/namespaces/voicehive/pods?labelSelector=holdfast/set="
    assert len(rig.api("GET", f"{pods}first")[1]["items"]) >= len(FUNCTIONS)
    eventually(lambda: rig.api("GET", f"{pods}fresh")[1]["items"] == [], "the fresh set is gone")


def test_a_killed_instance_is_replaced(rig: Rig) -> None:
    name = rig.get("analytics", "/version")[1]["instance"]
    os.kill(instance_process(rig, "analytics"), signal.SIGKILL)
    eventually(lambda: not is_complete(rig, "analytics"), "the loss is seen", 5)
    eventually(lambda: is_complete(rig, "analytics"), "a new instance is ready")
    assert rig.get("analytics", "/version")[1]["instance"] != name


def children_of(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def instance_process(rig: Rig, function: str) -> int:
    """The process that listens for a function, found by its socket."""
    host = rig.host(20 + ["voice", "authentication", "pms", "analytics", "configuration"].index(function))
    wanted = "".join(f"{int(part):02X}" for part in reversed(host.split(".")))
    [zygote] = children_of(rig.cluster.pid)
    for child in children_of(zygote):
        sockets = {str(link.readlink()) for link in Path(f"/proc/{child}/fd").iterdir()}
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[1].startswith(wanted) and fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                return child
    raise AssertionError(f"nobody listens on {host}")


def test_a_killed_cluster_leaves_no_instance_behind() -> None:
    with running_rig() as rig:
        [zygote] = children_of(rig.cluster.pid)
        family = [zygote, *children_of(zygote)]
        assert len(family) == 6
        rig.cluster.kill()
        eventually(lambda: not any(is_alive(process) for process in family), "zygote and instances are gone", 5)


def is_alive(process: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False
