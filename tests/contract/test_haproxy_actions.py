"""loadbalancer.switch and loadbalancer.drain against a real HAProxy."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contract.action_suite import LATER, ORDER, ActionSuite, Ground, Opens, acted, ordered, proved
from contract.server_rig import CENTRAL, FUNCTIONS, WEST, freeze, haproxy, started_anew
from holdfast.conduct.situation import Write
from holdfast.controller.chronicle import Chronicle
from holdfast.controller.reminding import Reminding
from holdfast.controller.room import JournalRoom
from holdfast.journal.kinds import Kind
from holdfast.lab.cluster.deployment import Slot
from holdfast.lab.cluster.endpoints import Endpoints
from holdfast.plan.bindings import LoadBalancerBinding
from holdfast.ports.action import Answer, Mode, Result, Task
from holdfast.ports.forgetful import Forgetful
from holdfast.providers.clock.system import SystemClock
from holdfast.providers.haproxy.runtime import RuntimeApi
from holdfast.providers.haproxy.traffic import LoadBalancerDrainAction, LoadBalancerSwitchAction, Turns
from holdfast.simulation.journal import MemoryDisk, MemoryJournal

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


# -- what was ordered outlives HAProxy's process -------------------------------------------------------------------------------


class Told:
    """A journal that says who serves, and one region's reminding over it."""

    def __init__(self, binding: LoadBalancerBinding, clock: SystemClock) -> None:
        turns = Turns()
        bindings = {CENTRAL: binding}
        self.effectors: dict[str, Forgetful] = {
            "loadbalancer.switch": LoadBalancerSwitchAction(bindings, timeout_seconds=1.0, turns=turns),
            "loadbalancer.drain": LoadBalancerDrainAction(bindings, timeout_seconds=1.0, turns=turns),
        }
        self.journal = MemoryJournal(MemoryDisk())
        self.chronicle = Chronicle(self.journal, clock, WEST)
        self.reminding = Reminding(CENTRAL, self.effectors, self.chronicle, clock, JournalRoom(clock))

    def serves(self, region: str, epoch: int) -> None:
        other = WEST if region == CENTRAL else CENTRAL
        body = {"run": "failover", "era": 0, "epoch": epoch, "source": other, "target": region}
        self.chronicle.append([Write(Kind.EPOCH_OPENED, "", body)])

    async def ordered(self, task: Task) -> None:
        """The step as the controller carries it out: intent, act, outcome."""
        body = {name: getattr(task, name) for name in ("step", "block", "component", "source", "target", "run", "parameters")}
        intent = {**body, "mode": task.mode.value, "attempt": 1, "order": task.order.as_list()}
        self.chronicle.append([Write(Kind.STEP_INTENDED, "", intent)])
        outcome = (await self.effectors[task.block].act(task)).result.value
        named = {name: body[name] for name in ("step", "block", "run")}
        self.chronicle.append([Write(Kind.STEP_FINISHED, "", {**named, "attempt": 1, "outcome": outcome})])

    def said(self) -> list[str]:
        return [f"{body['step']} {body['outcome']}" for body in self._bodies(Kind.ORDER_REPEATED)]

    def _bodies(self, kind: Kind) -> list[Any]:
        return [record.body for record in self.journal.read() if record.kind == kind]


@pytest.mark.parametrize("task", [SWITCH, DRAIN], ids=["let in", "held back"])
def test_what_was_ordered_is_so_again_after_haproxy_was_killed_and_started(task: Task, tmp_path: Path) -> None:
    """Its configuration says the other thing each time: closed where it was opened, and open where it was closed."""
    lets_in = task is SWITCH

    async def story(balancer: Balancer) -> None:
        told = Told(balancer.binding, SystemClock())
        told.serves(CENTRAL if lets_in else WEST, task.order.epoch)
        await told.ordered(task)
        await told.reminding.look()
        assert told.said() == [], "nothing was forgotten"
        with started_anew(balancer.process, tmp_path, balancer.binding.admin_host, balancer.binding.admin_port):
            assert set((await balancer.held_back()).values()) == {lets_in}
            await told.reminding.look()
            assert set((await balancer.held_back()).values()) == {not lets_in}
            assert await balancer.api.order() == task.order
            await told.reminding.look()
            assert told.said() == [f"{task.step} succeeded"], "said once"

    with haproxy(tmp_path, closed=lets_in) as found:
        asyncio.run(story(Balancer(*found)))


def test_a_region_that_lost_the_epoch_since_is_never_let_in_again(closed: Balancer, tmp_path: Path) -> None:
    async def story() -> None:
        told = Told(closed.binding, SystemClock())
        told.serves(CENTRAL, 2)
        await told.ordered(SWITCH)
        told.serves(WEST, 3)
        with started_anew(closed.process, tmp_path, closed.binding.admin_host, closed.binding.admin_port):
            await told.reminding.look()
            assert all((await closed.held_back()).values())
            assert told.said() == []

    asyncio.run(story())


def test_a_server_that_people_took_out_stays_out_while_haproxy_lives(closed: Balancer) -> None:
    async def story() -> None:
        told = Told(closed.binding, SystemClock())
        told.serves(CENTRAL, 2)
        await told.ordered(SWITCH)
        await closed.api.command("set server voice/voice-1 state maint")
        await told.reminding.look()
        assert (await closed.held_back())["voice-1"]
        assert told.said() == []

    asyncio.run(story())


def test_a_load_balancer_that_does_not_answer_has_forgotten_nothing(closed: Balancer) -> None:
    async def story() -> None:
        told = Told(closed.binding, SystemClock())
        told.serves(CENTRAL, 2)
        await told.ordered(SWITCH)
        freeze(closed.process)
        await told.reminding.look()
        assert told.said() == []

    asyncio.run(story())


def test_the_labs_load_balancer_is_led_to_the_set_again_after_it_was_started_anew(tmp_path: Path) -> None:
    named = [Slot("voice", "127.0.0.1", "127.0.0.1", port) for port in (28100, 28101)]
    fresh = [Slot("voice", "127.0.0.1", "127.0.0.2", port) for port in (28104, 28105)]

    async def led(api: RuntimeApi) -> None:
        async with asyncio.timeout(10.0):
            while "28104" not in await api.command("show servers state voice"):
                await asyncio.sleep(0.05)

    async def story(api: RuntimeApi, host: str, port: int, process: Any) -> None:
        endpoints = Endpoints(host, port)
        telling = asyncio.create_task(endpoints.run())
        endpoints.lead("voice", named, fresh)
        await led(api)
        with started_anew(process, tmp_path, host, port):
            await led(api)
        telling.cancel()

    with haproxy(tmp_path, closed=False) as (host, port, process):
        binding = LoadBalancerBinding(admin_host=host, admin_port=port, entry_host="", entry_port=0, backends={})
        asyncio.run(story(RuntimeApi(binding, timeout_seconds=2.0), host, port, process))
