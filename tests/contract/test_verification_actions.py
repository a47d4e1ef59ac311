"""smoke.test and performance.watch against a small region that really answers over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from contract.action_suite import LATER, ORDER, ActionSuite, Ground, Opens, ordered
from contract.server_rig import CENTRAL, WEST
from holdfast.lab.application.web import Call, Reply, Server
from holdfast.plan.bindings import FunctionBinding
from holdfast.plan.model import Degraded, Function
from holdfast.ports.action import Answer, Mode, Result, Task
from holdfast.providers.clock.system import SystemClock
from holdfast.providers.http.client import request
from holdfast.providers.verification.performance import PerformanceWatchAction
from holdfast.providers.verification.smoke import SmokeTestAction
from holdfast.providers.verification.transaction import Entries, Entry

FUNCTIONS = ("voice", "pms")
SMOKE = Task("smoke", "smoke.test", None, WEST, CENTRAL, Mode.UNGRACEFUL, ORDER)
WATCH = Task("watch", "performance.watch", None, WEST, CENTRAL, Mode.UNGRACEFUL, ORDER, {"for": "400ms"})


@dataclass
class Region:
    """What answers at the entry of eu-central-1, and how."""

    writer: str = CENTRAL
    status: dict[str, int] = field(default_factory=dict)
    slow_seconds: float = 0.0
    silent: bool = False
    bodies: list[dict[str, Any]] = field(default_factory=list)

    async def answer(self, call: Call) -> Reply:
        function = call.headers["host"].partition(".")[0]
        while self.silent:
            await asyncio.sleep(0.05)
        await asyncio.sleep(self.slow_seconds)
        self.bodies.append({**json.loads(call.body), "path": call.path, "host": call.headers["host"]})
        status = self.status.get(function, 200)
        if status != 200:
            return Reply(status, {"error": "not today"})
        return Reply(200, {"stores": {"database": {"region": self.writer, "epoch": 2}}})


@asynccontextmanager
async def served(region: Region) -> AsyncIterator[Entries]:
    server = Server(region.answer)
    await server.start("127.0.0.1", 0)
    assert server._server is not None
    port = server._server.sockets[0].getsockname()[1]
    functions = {name: FunctionBinding(dns_name=f"{name}.voicehive.test", port=28080, path=f"/{name}") for name in FUNCTIONS}
    try:
        yield Entries(functions, {CENTRAL: Entry("127.0.0.1", port)}, request, SystemClock())
    finally:
        region.silent = False
        await server.stop(0.1)


def function(success_percent_below: float = 95.0, p95_latency_above: float = 5.0) -> Function:
    degraded = Degraded.model_validate({"success_percent_below": success_percent_below, "p95_latency_above": f"{p95_latency_above}s"})
    return Function.model_validate(
        {"name": "x", "priority": "P1", "rto": "15m", "rpo": "5m", "impact": "x", "stands_on": [], "degraded": degraded}
    )


def watch(entries: Entries, **limits: float) -> PerformanceWatchAction:
    return PerformanceWatchAction(entries, {name: function(**limits) for name in FUNCTIONS}, every_seconds=0.1, timeout_seconds=0.5)


def ground_of(make: Any, task: Task) -> Opens:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Ground]:
        region = Region()
        async with served(region) as entries:

            async def snapshot() -> Any:
                return len(region.bodies)

            async def cut() -> None:
                region.silent = True

            yield Ground(make(entries), task, snapshot, cut)

    return opened


class TestSmokeTest(ActionSuite):
    implementations = (SmokeTestAction,)
    blocks = ("smoke.test",)

    @pytest.fixture
    def opens(self) -> Opens:
        return ground_of(lambda entries: SmokeTestAction(entries, timeout_seconds=0.5), SMOKE)


class TestPerformanceWatch(ActionSuite):
    implementations = (PerformanceWatchAction,)
    blocks = ("performance.watch",)

    @pytest.fixture
    def opens(self) -> Opens:
        return ground_of(watch, WATCH)


def test_each_function_gets_its_own_transaction_marked_as_holdfasts() -> None:
    async def story() -> None:
        region = Region()
        async with served(region) as entries:
            outcome = await SmokeTestAction(entries).act(SMOKE)
            assert outcome.result is Result.SUCCEEDED, outcome.detail
            assert sorted(outcome.facts["functions"]) == sorted(FUNCTIONS)
        assert sorted(body["path"] for body in region.bodies) == ["/pms", "/voice"]
        assert all(body["host"].startswith(body["path"][1:]) and body["request"].startswith("holdfast-") for body in region.bodies)
        assert len({body["request"] for body in region.bodies}) == 2

    asyncio.run(story())


@pytest.mark.parametrize(
    ("region", "result", "said"),
    [
        (Region(status={"pms": 503}), Result.FAILED, "pms: status 503: not today"),
        (Region(writer=WEST), Result.FAILED, "acknowledged for database by eu-west-1, not by eu-central-1"),
        (Region(status={"pms": 503}, slow_seconds=0.01), Result.FAILED, "not today"),
        (Region(silent=True), Result.UNKNOWN, "no answer"),
    ],
    ids=["refused", "served elsewhere", "slow and refused", "silent"],
)
def test_a_function_that_is_not_served_there_fails_the_smoke_test(region: Region, result: Result, said: str) -> None:
    async def story() -> None:
        async with served(region) as entries:
            action = SmokeTestAction(entries, timeout_seconds=0.5)
            outcome = await action.act(SMOKE)
            assert outcome.result is result
            assert said in outcome.detail
            assert (await action.verify(SMOKE)).answer is not Answer.YES

    asyncio.run(story())


def test_a_store_that_stayed_or_moved_alone_is_held_to_the_region_that_the_step_means() -> None:
    async def story() -> None:
        async with served(Region(writer=WEST)) as entries:
            action = SmokeTestAction(entries, timeout_seconds=0.5)
            stays = replace(SMOKE, parameters={"stores": {"database": "source"}})
            assert (await action.act(stays)).result is Result.SUCCEEDED
            elsewhere = replace(SMOKE, source=CENTRAL, target=WEST, parameters={"region": "source", "stores": "source"})
            outcome = await action.act(elsewhere)
            assert outcome.result is Result.FAILED
            assert f"by {WEST}, not by {CENTRAL}" in outcome.detail

    asyncio.run(story())


def test_a_test_under_another_order_proves_nothing() -> None:
    async def story() -> None:
        async with served(Region()) as entries:
            for action, task in ((SmokeTestAction(entries), SMOKE), (watch(entries), WATCH)):
                assert (await action.act(task)).result is Result.SUCCEEDED
                assert (await action.verify(ordered(task, LATER))).answer is Answer.NO

    asyncio.run(story())


@pytest.mark.parametrize(
    ("region", "limits", "result", "said"),
    [
        (Region(slow_seconds=0.2), {"p95_latency_above": 0.1}, Result.FAILED, "95th percentile"),
        (Region(status={"voice": 503}), {}, Result.FAILED, "voice: 0 % served, 95 % needed"),
        (Region(silent=True), {}, Result.UNKNOWN, "0 % served"),
    ],
    ids=["slow", "failing", "silent"],
)
def test_numbers_below_the_plan_fail_the_watch(region: Region, limits: dict[str, float], result: Result, said: str) -> None:
    async def story() -> None:
        async with served(region) as entries:
            outcome = await watch(entries, **limits).act(WATCH)
            assert outcome.result is result
            assert said in outcome.detail

    asyncio.run(story())


def test_a_region_that_the_bindings_do_not_name_is_unknown() -> None:
    async def story() -> None:
        async with served(Region()) as entries:
            assert (await SmokeTestAction(entries).act(replace(SMOKE, target="mars"))).result is Result.UNKNOWN

    asyncio.run(story())
