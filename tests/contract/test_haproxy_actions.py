"""loadbalancer.switch and loadbalancer.drain against a real HAProxy."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contract.action_suite import LATER, ORDER, ActionSuite, Ground, Opens, acted, ordered, proved
from contract.server_rig import CENTRAL, FUNCTIONS, WEST, freeze, haproxy
from holdfast.lab.cluster.deployment import Slot
from holdfast.lab.cluster.endpoints import Endpoints
from holdfast.plan.bindings import LoadBalancerBinding
from holdfast.ports.action import Answer, Mode, Result, Task
from holdfast.providers.haproxy.runtime import RuntimeApi
from holdfast.providers.haproxy.traffic import LoadBalancerDrainAction, LoadBalancerSwitchAction

SWITCH = Task("switch", "loadbalancer.switch", "loadbalancer", WEST, CENTRAL, Mode.UNGRACEFUL, ORDER)
DRAIN = Task("drain", "loadbalancer.drain", "loadbalancer", CENTRAL, WEST, Mode.GRACEFUL, ORDER)


class Balancer:
    """HAProxy of eu-central-1."""

    def __init__(self, host: str, port: int, process: Any) -> None:
        self.binding = LoadBalancerBinding(
            admin_host=host, admin_port=port, entry_host=host, entry_port=1, backends={name: name for name in FUNCTIONS}
        )
        self.process = process
        self.api = RuntimeApi(self.binding, timeout_seconds=2.0)

    async def held_back(self) -> dict[str, bool]:
        return {server.name: server.in_maintenance for server in await self.api.servers(set(FUNCTIONS))}

    async def snapshot(self) -> Any:
        return await self.held_back(), await self.api.order()

    async def cut(self) -> None:
        freeze(self.process)

    def ground(self, action: Any, task: Task) -> Opens:
        @asynccontextmanager
        async def opened() -> AsyncIterator[Ground]:
            yield Ground(action, task, self.snapshot, self.cut)

        return opened


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Balancer]:
    with haproxy(tmp_path, closed=True) as found:
        yield Balancer(*found)


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Balancer]:
    with haproxy(tmp_path, closed=False) as found:
        yield Balancer(*found)


class TestLoadBalancerSwitch(ActionSuite):
    implementations = (LoadBalancerSwitchAction,)
    blocks = ("loadbalancer.switch",)

    @pytest.fixture
    def opens(self, closed: Balancer) -> Opens:
        return closed.ground(LoadBalancerSwitchAction({CENTRAL: closed.binding}, timeout_seconds=1.0), SWITCH)


class TestLoadBalancerDrain(ActionSuite):
    implementations = (LoadBalancerDrainAction,)
    blocks = ("loadbalancer.drain",)

    @pytest.fixture
    def opens(self, serving: Balancer) -> Opens:
        return serving.ground(LoadBalancerDrainAction({CENTRAL: serving.binding}, timeout_seconds=1.0), DRAIN)


def test_every_server_is_let_in_and_verify_waits_for_one_that_is_up_for_each_function(closed: Balancer) -> None:
    async def story() -> None:
        action = LoadBalancerSwitchAction({CENTRAL: closed.binding})
        async with closed.ground(action, SWITCH)() as ground:
            assert (await acted(ground, SWITCH)).result is Result.SUCCEEDED
            finding = await proved(ground, SWITCH)
            states = finding.facts["servers"]
            assert states["voice/voice-1"].startswith("UP")
            assert not any((await closed.held_back()).values())

    asyncio.run(story())


def test_a_function_whose_servers_are_all_down_is_not_proved(closed: Balancer) -> None:
    async def story() -> None:
        action = LoadBalancerSwitchAction({CENTRAL: closed.binding})
        await action.act(SWITCH)
        await closed.api.command("set server voice/voice-1 state maint")
        async with asyncio.timeout(10):
            while "UP" in (await action.verify(SWITCH)).facts["servers"]["voice/voice-2"]:
                await asyncio.sleep(0.05)
        finding = await action.verify(SWITCH)
        assert finding.answer is Answer.NO
        assert "voice" in finding.detail

    asyncio.run(story())


def test_drain_and_switch_of_one_load_balancer_obey_one_order(closed: Balancer) -> None:
    async def story() -> None:
        bindings = {CENTRAL: closed.binding}
        switch, drain = LoadBalancerSwitchAction(bindings), LoadBalancerDrainAction(bindings)
        assert (await switch.act(SWITCH)).result is Result.SUCCEEDED
        assert (await drain.act(ordered(DRAIN, LATER))).result is Result.SUCCEEDED
        assert (await switch.act(SWITCH)).result is Result.REFUSED
        assert all((await closed.held_back()).values())

    asyncio.run(story())


def test_a_backend_that_is_not_there_and_a_region_without_a_load_balancer_are_said(closed: Balancer) -> None:
    async def story() -> None:
        wrong = closed.binding.model_copy(update={"backends": {"voice": "absent"}})
        outcome = await LoadBalancerSwitchAction({CENTRAL: wrong}).act(SWITCH)
        assert outcome.result is Result.FAILED
        assert "correct the bindings" in outcome.detail
        outcome = await LoadBalancerSwitchAction({CENTRAL: closed.binding}).act(replace(SWITCH, target=WEST))
        assert outcome.result is Result.FAILED
        assert all((await closed.held_back()).values())

    asyncio.run(story())


def test_a_lost_source_is_unknown(serving: Balancer) -> None:
    serving.process.terminate()
    serving.process.wait(5)
    task = replace(DRAIN, mode=Mode.UNGRACEFUL)
    action = LoadBalancerDrainAction({CENTRAL: serving.binding})
    assert asyncio.run(action.act(task)).result is Result.UNKNOWN
    assert asyncio.run(action.verify(task)).answer is Answer.UNKNOWN


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "admitting"])
def test_the_labs_load_balancer_follows_a_service_that_selects_another_set(tmp_path: Path, closed: bool) -> None:
    """A server keeps whether it admits traffic: only where it leads changes."""
    named = [Slot("voice", "127.0.0.1", "127.0.0.1", port) for port in (28100, 28101)]
    fresh = [Slot("voice", "127.0.0.1", "127.0.0.2", port) for port in (28104, 28105)]

    async def leads_to(api: RuntimeApi) -> dict[str, str]:
        rows = (await api.command("show servers state voice")).splitlines()[2:]
        return {row.split()[3]: f"{row.split()[4]}:{row.split()[18]}" for row in rows}

    async def story(api: RuntimeApi, host: str, port: int) -> None:
        endpoints = Endpoints(host, port)
        telling = asyncio.create_task(endpoints.run())
        before = {server.name: server.in_maintenance for server in await api.servers({"voice"})}
        for there, wanted in ((fresh, "127.0.0.2:28104"), ([], "127.0.0.1:1"), (named, "127.0.0.1:28100")):
            endpoints.lead("voice", named, there)
            async with asyncio.timeout(5.0):
                while (await leads_to(api))["voice-1"] != wanted:
                    await asyncio.sleep(0.02)
        assert {server.name: server.in_maintenance for server in await api.servers({"voice"})} == before
        telling.cancel()

    with haproxy(tmp_path, closed=closed) as (host, port, _):
        binding = LoadBalancerBinding(admin_host=host, admin_port=port, entry_host="", entry_port=0, backends={})
        asyncio.run(story(RuntimeApi(binding, timeout_seconds=2.0), host, port))
