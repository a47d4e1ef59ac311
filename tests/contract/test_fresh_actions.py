"""application.fresh against the lab's cluster: a second set of instances, waited for, and only then served from."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from contract.action_suite import ORDER, ActionSuite, Opens, acted, ordered, proved
from contract.cluster_rig import LabCluster, lab_cluster
from contract.server_rig import CENTRAL, FUNCTIONS, WEST
from holdfast.fencing.order import Order
from holdfast.plan.bindings import FunctionBinding
from holdfast.ports.action import Answer, Mode, Outcome, Result, Task
from holdfast.providers.clock.system import SystemClock
from holdfast.providers.kubernetes.cluster import annotation_of
from holdfast.providers.kubernetes.fresh import FreshAction
from holdfast.providers.kubernetes.sets import FIRST, FRESH, LABEL
from holdfast.providers.kubernetes.workloads import DeployAction, ScaleAction

TASK = Task("start-fresh-set", "application.fresh", "application", WEST, CENTRAL, Mode.UNGRACEFUL, ORDER, {"version": "2", "replicas": 2})
DEPLOY = Task("deploy", "application.deploy", "application", WEST, CENTRAL, Mode.UNGRACEFUL, Order(0, 2, 2, 40), {"version": "2"})
NEXT = Order(0, 4, 3, 1)
"""Of a later activation."""
ANSWERING = {function: FunctionBinding(dns_name=f"{function}.test", port=80, path="/version") for function in FUNCTIONS}
"""There are no stores here, so what an instance says about itself stands in for its transaction (the lab's tests carry out real ones)."""
REAL = {
    function: FunctionBinding(dns_name=f"{function}.test", port=80, path=path)
    for function, path in zip(FUNCTIONS, ("/voice/calls", "/pms/reservations"), strict=True)
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabCluster]:
    with lab_cluster(tmp_path_factory.mktemp("cluster")) as found:
        yield found


@pytest.fixture
def cluster(running: LabCluster) -> LabCluster:
    running.reset()
    return running


def fresh_action(cluster: LabCluster, functions: dict[str, FunctionBinding] = ANSWERING, patience_seconds: float = 20.0) -> FreshAction:
    return FreshAction(cluster.bindings, functions, SystemClock(), patience_seconds=patience_seconds, timeout_seconds=1.0)


def selected(cluster: LabCluster) -> set[str]:
    return {cluster.get(cluster.service(function))["spec"]["selector"][LABEL] for function in FUNCTIONS}


async def carried_out(cluster: LabCluster, task: Task) -> Outcome:
    outcome = await fresh_action(cluster).act(task)
    assert outcome.result is Result.SUCCEEDED, outcome.detail
    return outcome


class TestFresh(ActionSuite):
    implementations = (FreshAction,)
    blocks = ("application.fresh",)

    @pytest.fixture
    def opens(self, cluster: LabCluster) -> Opens:
        return cluster.ground(fresh_action(cluster), TASK)


def test_a_stuck_roll_out_is_got_round_and_the_deployment_is_proved_by_its_own_proof(cluster: LabCluster) -> None:
    async def story() -> None:
        for function in FUNCTIONS:
            cluster.patch(cluster.path(function), {"spec": {"paused": True}})
        deploy = DeployAction(cluster.bindings)
        assert (await deploy.act(DEPLOY)).result is Result.SUCCEEDED, "the API takes the wish"
        await asyncio.sleep(1.0)  # nothing comes that could be awaited: that is the fault
        stuck = await deploy.verify(DEPLOY)
        assert (stuck.answer, "0 of 1 instances are of the new version" in stuck.detail) == (Answer.NO, True), stuck.detail
        before = {name: found["spec"] for name, found in cluster.deployments().items()}
        await carried_out(cluster, TASK)
        assert (await deploy.verify(DEPLOY)).answer is Answer.YES
        scaled = replace(DEPLOY, step="scale", block="application.scale", parameters={"replicas": 2})
        assert (await ScaleAction(cluster.bindings).verify(scaled)).answer is Answer.YES, "the application is the set that serves"
        after = cluster.deployments()
        assert {name: after[name]["spec"] for name in before} == before, "what served before is left as it is"

    asyncio.run(story())


def test_a_set_that_does_not_answer_a_real_transaction_gets_no_traffic(cluster: LabCluster) -> None:
    async def story() -> None:
        outcome = await fresh_action(cluster, REAL, patience_seconds=6.0).act(TASK)
        assert outcome.result is Result.FAILED
        assert "does not acknowledge a transaction: status 50" in outcome.detail
        assert "no traffic was moved" in outcome.detail
        assert selected(cluster) == {FIRST}
        assert {found["metadata"]["annotations"][annotation_of(TASK.block)] for found in fresh_of(cluster)} == {ORDER.as_text()}

    asyncio.run(story())


def fresh_of(cluster: LabCluster) -> list[Any]:
    return [found for name, found in cluster.deployments().items() if name.endswith("-fresh")]


@pytest.mark.parametrize("sent", range(1, 6))
def test_broken_off_after_any_change_it_is_gone_on_with_by_doing_it_again(
    cluster: LabCluster, monkeypatch: pytest.MonkeyPatch, sent: int
) -> None:
    """Two Deployments, a transaction of each function, a Service of each: whichever was the last that went out."""
    left = [sent]
    send = httpx.AsyncClient.request

    async def cut(client: httpx.AsyncClient, method: str, path: str, **options: Any) -> httpx.Response:
        if method != "GET" and left[0] == 0:
            raise asyncio.CancelledError
        if method != "GET":
            left[0] -= 1
        return await send(client, method, path, **options)

    async def story() -> None:
        action = fresh_action(cluster)
        monkeypatch.setattr(httpx.AsyncClient, "request", cut)
        with pytest.raises(asyncio.CancelledError):
            await action.act(TASK)
        assert sent > 4 or selected(cluster) == {FIRST}
        monkeypatch.setattr(httpx.AsyncClient, "request", send)
        again = ordered(TASK, Order(0, 2, 3, 7))  # as another controller does, after the first one died
        await carried_out(cluster, again)
        async with cluster.ground(action, again)() as ground:
            await proved(ground, again)
        assert set(cluster.deployments()) == {*FUNCTIONS, *(f"{function}-fresh" for function in FUNCTIONS)}
        assert selected(cluster) == {FRESH}

    asyncio.run(story())


def test_the_next_activation_makes_a_fresh_set_again_out_of_the_one_that_rests(cluster: LabCluster) -> None:
    async def story() -> None:
        await carried_out(cluster, TASK)
        task = replace(ordered(TASK, NEXT), parameters={"version": "3", "replicas": {"voice": 1, "pms": 2}})
        assert (await fresh_action(cluster).check(task)).answer is Answer.NO
        for function in FUNCTIONS:
            cluster.patch(cluster.path(function), {"spec": {"paused": True}})
        await carried_out(cluster, task)
        assert selected(cluster) == {FIRST}
        told = cluster.get(cluster.path("voice"))["spec"]
        assert (told["replicas"], told["template"]["spec"]["containers"][0]["image"].rpartition(":")[2]) == (1, "3")
        refused = await fresh_action(cluster).act(TASK)
        assert (refused.result, refused.facts["highest_order"]) == (Result.REFUSED, NEXT.as_list())

    asyncio.run(story())


def test_two_runs_without_an_epoch_of_their_own_are_two_activations(cluster: LabCluster) -> None:
    async def story() -> None:
        first = replace(TASK, incident="inc-1", run="failover")
        second = replace(ordered(TASK, Order(0, 2, 2, 90)), incident="inc-2", run="failover")
        await carried_out(cluster, first)
        assert (await fresh_action(cluster).check(second)).answer is Answer.NO
        await carried_out(cluster, second)
        assert selected(cluster) == {FIRST}

    asyncio.run(story())


def test_where_a_region_is_left_the_set_that_does_not_serve_goes_to_zero(cluster: LabCluster) -> None:
    async def story() -> None:
        await carried_out(cluster, TASK)
        home = Task("shrink", "application.scale", "application", CENTRAL, WEST, Mode.GRACEFUL, NEXT, {"replicas": 1, "region": "source"})
        async with cluster.ground(ScaleAction(cluster.bindings), home)() as ground:
            assert "voice, the set that does not serve: 1 instances wished for, not 0" in (await ground.action.check(home)).detail
            assert (await acted(ground, home)).result is Result.SUCCEEDED
            await proved(ground, home)
        assert {name: found["spec"]["replicas"] for name, found in cluster.deployments().items()} == {
            "voice": 0,
            "pms": 0,
            "voice-fresh": 1,
            "pms-fresh": 1,
        }

    asyncio.run(story())


def test_sets_that_nothing_tells_apart_are_refused_before_anything_is_made(cluster: LabCluster) -> None:
    cluster.patch(cluster.service("voice"), {"spec": {"selector": {LABEL: None}}})
    outcome = asyncio.run(fresh_action(cluster).act(TASK))
    assert outcome.result is Result.FAILED
    assert f"lacks the label {LABEL}=first" in outcome.detail
    assert "voice-fresh" not in cluster.deployments()


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"version": "2", "replicas": {"voice": 2}}, "says nothing about pms"),
        ({"version": "2"}, "`replicas` must be"),
        ({"version": 2, "replicas": 2}, "`version` must be"),
    ],
)
def test_wishes_that_say_nothing_are_refused_before_anything_is_sent(cluster: LabCluster, parameters: dict[str, Any], says: str) -> None:
    outcome = asyncio.run(fresh_action(cluster).act(replace(TASK, parameters=parameters)))
    assert (outcome.result, says in outcome.detail) == (Result.FAILED, True), outcome.detail
    assert not fresh_of(cluster)


def test_without_services_in_the_bindings_there_is_one_set_and_it_says_so(cluster: LabCluster) -> None:
    alone = {CENTRAL: cluster.binding.model_copy(update={"services": {}})}
    outcome = asyncio.run(FreshAction(alone, ANSWERING, SystemClock()).act(TASK))
    assert outcome.result is Result.FAILED
    assert "add it to `services`" in outcome.detail
    assert asyncio.run(DeployAction(alone).act(DEPLOY)).result is Result.SUCCEEDED
