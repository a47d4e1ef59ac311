"""Where a controller gets what observers saw: over HTTP from a real observer behind a link that can fall silent, and in the simulation."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from contract.observation_suite import ObservationSuite, Post, Posts
from free_ports import free_port
from holdfast.console.observer import Observer, Rhythm, application
from holdfast.health.observation import Observation, Seen, Subject
from holdfast.lab.application.web import Call, Reply, Server
from holdfast.plan.loader import load
from holdfast.providers.clock.system import SystemClock
from holdfast.providers.http.observations import HttpObservationSource
from holdfast.simulation.clock import VirtualClock, run_virtual
from holdfast.simulation.observations import SimulatedObserver
from holdfast.simulation.world import SimulatedWorld
from lab.postgres_store_rig import SilentRelay

CLOCK = SystemClock()
HOST = "127.0.0.1"
START_SECONDS = 20.0
PLAN = load(Path(__file__).resolve().parents[2] / "examples/voicehive/plan.yaml").plan


class Fact:
    """A probe that sees something new each time, with facts of every kind that JSON has."""

    def __init__(self) -> None:
        self.looks = 0

    async def observe(self) -> Observation:
        self.looks += 1
        facts = {"look": self.looks, "lag_seconds": 0.25, "writer": "größer → 1", "instances": {"voice": [1, 2, None, True]}}
        return Observation("witness", 0, CLOCK.wall_seconds(), "eu-west-1", Subject.ZONE, "eu-west-1a", Seen.UP, 0.001, "", facts)


class Program:
    """An observer's program: it looks, and serves what it saw."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def start(self) -> None:
        observer = Observer("witness", [Rhythm(Fact())], 0.03, CLOCK)
        self._looking = asyncio.create_task(observer.run())
        self._server = uvicorn.Server(uvicorn.Config(application(observer), host=HOST, port=self.port, log_level="error", lifespan="off"))
        self._serving = asyncio.create_task(self._server.serve())
        async with asyncio.timeout(START_SECONDS):
            while not self._server.started:
                await asyncio.sleep(0.01)

    async def end(self) -> None:
        self._looking.cancel()
        self._server.force_exit = self._server.should_exit = True
        await asyncio.gather(self._looking, self._serving, return_exceptions=True)

    async def restart(self) -> None:
        await self.end()
        await self.start()


class TestHttpObservationSource(ObservationSuite):
    implementations = (HttpObservationSource,)

    @pytest.fixture
    def posts(self) -> Posts:
        @asynccontextmanager
        async def opened() -> AsyncIterator[Post]:
            program = Program(free_port(HOST))
            await program.start()
            async with SilentRelay(HOST, program.port) as link:
                source = HttpObservationSource("witness", f"http://{HOST}:{link.port}", timeout_seconds=1.0)

                def silent(value: bool) -> None:
                    link.silent = value

                try:
                    yield Post(source, CLOCK, lambda: silent(True), lambda: silent(False), program.restart)
                finally:
                    source.close()
                    await program.end()

        return opened


class TestSimulatedObserver(ObservationSuite):
    implementations = (SimulatedObserver,)

    def run(self, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        run_virtual(main)

    @pytest.fixture
    def posts(self) -> Posts:
        @asynccontextmanager
        async def opened() -> AsyncIterator[Post]:
            clock = VirtualClock()
            world = SimulatedWorld(PLAN, "fast", clock)
            observer = SimulatedObserver(world, "outside")
            running = [asyncio.create_task(world.run()), asyncio.create_task(observer.run())]

            async def restart() -> None:
                observer.alive = False
                await clock.sleep(2.0)
                observer.alive = True

            try:
                yield Post(observer, clock, lambda: world.links.cut("outside"), lambda: world.links.heal("outside"), restart)
            finally:
                for task in running:
                    task.cancel()

        return opened


@pytest.mark.parametrize(
    "body",
    [
        "no json",
        json.dumps([]),
        json.dumps({}),
        json.dumps({"observations": 7}),
        json.dumps({"observations": [{"observer": "witness"}]}),
        json.dumps({"observations": ["one"]}),
        "[" * 100_000,
    ],
)
def test_an_answer_that_is_none_is_nobodys_word(body: str) -> None:
    async def story() -> None:
        async def answer(call: Call) -> Reply:
            del call
            return Reply(200, body)

        port, server = free_port(HOST), Server(answer)
        await server.start(HOST, port)
        source = HttpObservationSource("witness", f"http://{HOST}:{port}", timeout_seconds=5.0)
        try:
            with pytest.raises(ConnectionError, match="can't be read"):
                await source.since(0)
        finally:
            source.close()
            await server.stop(within_seconds=0.1)

    asyncio.run(story())
