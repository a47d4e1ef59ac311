"""application.scale, application.deploy and settings.update against the lab's cluster, which really runs the instances."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contract.action_suite import LATER, ORDER, ActionSuite, Opens, acted, ordered, proved
from contract.cluster_rig import OWN_STORES, PRIMARY_STORES, LabCluster, lab_cluster
from contract.server_rig import CENTRAL, FUNCTIONS, WEST, place
from holdfast.fencing.order import Order
from holdfast.ports.action import Answer, Mode, Result, Task
from holdfast.providers.kubernetes.cluster import annotation_of
from holdfast.providers.kubernetes.settings import SettingsAction
from holdfast.providers.kubernetes.workloads import DeployAction, ScaleAction

SCALE = Task("scale-up", "application.scale", "application", WEST, CENTRAL, Mode.UNGRACEFUL, ORDER, {"replicas": 2})
DEPLOY = Task("deploy", "application.deploy", "application", WEST, CENTRAL, Mode.UNGRACEFUL, ORDER, {"version": "2"})
UPDATE = Task("settings", "settings.update", "application", WEST, CENTRAL, Mode.UNGRACEFUL, ORDER)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabCluster]:
    with lab_cluster(tmp_path_factory.mktemp("cluster")) as found:
        yield found


@pytest.fixture
def cluster(running: LabCluster) -> LabCluster:
    running.reset()
    return running


class TestScale(ActionSuite):
    implementations = (ScaleAction,)
    blocks = ("application.scale",)

    @pytest.fixture
    def opens(self, cluster: LabCluster) -> Opens:
        return cluster.ground(ScaleAction(cluster.bindings, timeout_seconds=1.0), SCALE)


class TestDeploy(ActionSuite):
    implementations = (DeployAction,)
    blocks = ("application.deploy",)

    @pytest.fixture
    def opens(self, cluster: LabCluster) -> Opens:
        return cluster.ground(DeployAction(cluster.bindings, timeout_seconds=1.0), DEPLOY)


class TestSettings(ActionSuite):
    implementations = (SettingsAction,)
    blocks = ("settings.update",)

    @pytest.fixture
    def opens(self, cluster: LabCluster) -> Opens:
        return cluster.ground(SettingsAction(cluster.bindings, timeout_seconds=1.0), UPDATE)


def test_scale_and_deploy_at_once_in_either_order_of_steps(cluster: LabCluster) -> None:
    async def story() -> None:
        for first, second in ((49, 50), (52, 51)):
            scale, deploy = ordered(SCALE, Order(0, 2, 2, first)), ordered(DEPLOY, Order(0, 2, 2, second))
            outcomes = await asyncio.gather(ScaleAction(cluster.bindings).act(scale), DeployAction(cluster.bindings).act(deploy))
            assert [outcome.result for outcome in outcomes] == [Result.SUCCEEDED, Result.SUCCEEDED], outcomes
        async with cluster.ground(DeployAction(cluster.bindings), DEPLOY)() as ground:
            await proved(ground, DEPLOY)
        for function in FUNCTIONS:
            found = cluster.get(cluster.path(function))
            assert found["spec"]["replicas"] == 2
            assert found["spec"]["template"]["spec"]["containers"][0]["image"] == f"registry.test:5000/voicehive/{function}:2"
            assert found["metadata"]["annotations"] == {
                annotation_of("application.scale"): "0.2.2.52",
                annotation_of("application.deploy"): "0.2.2.51",
            }

    asyncio.run(story())


def test_an_older_activation_is_refused_by_what_a_later_one_left_on_the_object(cluster: LabCluster) -> None:
    async def story() -> None:
        assert (await DeployAction(cluster.bindings).act(ordered(DEPLOY, Order(0, 3, 1, 1)))).result is Result.SUCCEEDED
        outcome = await ScaleAction(cluster.bindings).act(SCALE)
        assert outcome.result is Result.REFUSED
        assert outcome.facts["highest_order"] == [0, 3, 1, 1]

    asyncio.run(story())


def test_each_function_may_have_its_own_count_and_the_source_may_be_meant(cluster: LabCluster) -> None:
    async def story() -> None:
        task = replace(SCALE, source=CENTRAL, target=WEST, parameters={"replicas": {"voice": 3, "pms": 0}, "region": "source"})
        async with cluster.ground(ScaleAction(cluster.bindings), task)() as ground:
            assert (await acted(ground, task)).result is Result.SUCCEEDED
            finding = await proved(ground, task)
        assert {name: entry["ready"] for name, entry in finding.facts["deployments"].items()} == {"voice": 3, "pms": 0}

    asyncio.run(story())


def test_a_conflict_is_read_again_and_compared_again(cluster: LabCluster) -> None:
    async def story() -> None:
        async def disturb() -> None:
            for number in range(10):
                await asyncio.to_thread(cluster.patch, cluster.path("voice"), {"metadata": {"labels": {"touched": str(number)}}})

        action = ScaleAction(cluster.bindings)
        outcomes = await asyncio.gather(disturb(), *(action.act(ordered(SCALE, Order(0, 2, 2, step))) for step in (60, 60, 60)))
        assert [outcome.result for outcome in outcomes[1:] if outcome is not None] == [Result.SUCCEEDED] * 3

    asyncio.run(story())


@pytest.mark.parametrize("replicas", [None, "3", True, {}, {"voice": -1}, {"voice": "3"}])
def test_counts_that_say_nothing_are_refused_before_anything_is_sent(cluster: LabCluster, replicas: Any) -> None:
    outcome = asyncio.run(ScaleAction(cluster.bindings).act(replace(SCALE, parameters={"replicas": replicas})))
    assert outcome.result is Result.FAILED
    assert "replicas" in outcome.detail
    assert cluster.get(cluster.path("voice"))["spec"]["replicas"] == 1


def test_a_wrong_token_and_a_missing_deployment_are_said_with_what_to_do(cluster: LabCluster, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("wrong")
    wrong = {CENTRAL: cluster.binding.model_copy(update={"token_file": tmp_path / "token"})}
    assert "valid token" in asyncio.run(SettingsAction(wrong).act(UPDATE)).detail
    absent = {CENTRAL: cluster.binding.model_copy(update={"deployments": {"voice": "absent"}})}
    outcome = asyncio.run(DeployAction(absent).act(DEPLOY))
    assert outcome.result is Result.FAILED
    assert "correct the bindings" in outcome.detail
    assert asyncio.run(DeployAction({}).act(DEPLOY)).result is Result.FAILED


def test_settings_are_proved_by_the_application_where_it_can_be_asked(cluster: LabCluster) -> None:
    async def story() -> None:
        used: Mapping[str, str] | None = {"database": "127.9.9.9:25432"}

        async def stores_in_use(_region: str) -> Mapping[str, str] | None:
            return used

        action = SettingsAction(cluster.bindings, stores_in_use)
        assert (await action.act(UPDATE)).result is Result.SUCCEEDED
        assert cluster.get(cluster.settings_path)["data"]["partner"] == "127.9.9.9:28090", "what is not ours stays"
        finding = await action.verify(UPDATE)
        assert finding.answer is Answer.NO
        assert "has not taken the settings up" in finding.detail
        used = {"database": "127.8.8.8:25432"}
        assert (await action.verify(UPDATE)).answer is Answer.YES
        used = None
        assert (await action.verify(UPDATE)).answer is Answer.YES

    asyncio.run(story())


def test_an_application_is_pointed_at_another_regions_stores_one_by_one(cluster: LabCluster) -> None:
    """A component that moves alone: the application stays, and what moved is reached across the link."""
    apart = {CENTRAL: cluster.binding.model_copy(update={"other_stores": {WEST: PRIMARY_STORES}})}
    action = SettingsAction(apart)
    mixed = replace(UPDATE, parameters={"stores": {"database": "source", "cache": "source", "storage": "target"}}, order=LATER)
    back = ordered(replace(UPDATE, source=CENTRAL, target=WEST, parameters={"region": "source", "stores": "source"}), LATER)

    async def story() -> None:
        assert (await action.act(mixed)).result is Result.SUCCEEDED
        found = cluster.get(cluster.settings_path)["data"]
        stores = (found["database"], found["cache"], found["storage"])
        assert stores == (PRIMARY_STORES["database"], PRIMARY_STORES["cache"], OWN_STORES["storage"])
        assert (await action.verify(mixed)).answer is Answer.YES
        assert (await action.check(UPDATE)).answer is Answer.NO
        again = replace(back, order=replace(LATER, step=LATER.step + 1))
        assert (await action.act(again)).result is Result.SUCCEEDED
        assert (await action.check(UPDATE)).answer is Answer.YES

    asyncio.run(story())


def test_stores_that_the_bindings_do_not_name_are_refused_before_anything_is_sent(cluster: LabCluster) -> None:
    task = replace(UPDATE, parameters={"stores": "source"})
    outcome = asyncio.run(SettingsAction(cluster.bindings).act(task))
    assert outcome.result is Result.FAILED
    assert "`other_stores`" in outcome.detail


def test_a_cluster_that_is_gone_is_unknown(cluster: LabCluster) -> None:
    gone = {CENTRAL: cluster.binding.model_copy(update={"url": "http://{}:{}".format(*place())})}
    assert asyncio.run(SettingsAction(gone).act(ordered(UPDATE, LATER))).result is Result.UNKNOWN
    assert asyncio.run(ScaleAction(gone).verify(SCALE)).answer is Answer.UNKNOWN
