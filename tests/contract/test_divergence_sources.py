"""What only a lost region holds, written down by real agents and out of real buckets, and by the stand-in of the unit tests."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest
import redis

from contract.action_suite import LATER, ORDER
from contract.agents_rig import CLOCK, HOST, agents
from contract.bucket_rig import make_buckets
from contract.divergence_suite import DivergenceSourceSuite, Losses, Lost
from contract.scene_rig import REDIS_PASSWORD, held, taken_over
from contract.server_rig import CENTRAL, SECRET_KEY, storage, thaw
from contract.server_rig import freeze as frozen
from holdfast.fencing.order import Order
from holdfast.ports.action import Answer, Mode, Result, Task
from holdfast.ports.divergence import NotExported
from holdfast.providers.agents.exports import AgentExport
from holdfast.providers.file.divergence import DivergenceExportAction
from holdfast.providers.s3.divergence import BucketExport
from lab.postgres_store_rig import EAST, WEST
from unit.divergence_stand_ins import StandInSource

TASK = Task("export", "divergence.export", None, WEST, EAST, Mode.UNGRACEFUL, ORDER, incident="inc-1", run="reprotect")
ONLY_HERE = {"postgres": {"call/100", "call/102", "note/1"}, "redis": {"only", "more", "alike"}}


class TestAgentExport(DivergenceSourceSuite):
    implementations = (AgentExport,)
    looks_at_what_was_handed_over = True

    @pytest.fixture(params=sorted(ONLY_HERE))
    def losses(self, request: pytest.FixtureRequest) -> Losses:
        scene, store = taken_over(), request.param

        @asynccontextmanager
        async def opened() -> AsyncIterator[Lost]:
            async with scene.opened(east="writer", west="barred") as both:

                async def contents() -> Any:
                    return held(both, EAST)

                def refusing() -> Task:
                    """To who holds the right to write: nothing of its is lost."""
                    return replace(TASK, source=EAST, target=WEST, order=Order(LATER.era, LATER.epoch, LATER.term, LATER.step + 1))

                source = AgentExport(both.clients, store, CLOCK)
                impatient = AgentExport(both.clients, store, CLOCK, timeout_seconds=1.0)
                yield Lost(source, TASK, frozenset(ONLY_HERE[store]), contents, lambda: both.freeze(WEST), refusing, impatient)

        return opened


class TestBucketExport(DivergenceSourceSuite):
    implementations = (BucketExport,)

    @pytest.fixture
    def storing(self, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Popen[bytes]]]:
        with storage(tmp_path_factory.mktemp("storage")) as found:
            yield found

    @pytest.fixture
    def losses(self, storing: tuple[str, Popen[bytes]], tmp_path_factory: pytest.TempPathFactory) -> Losses:
        endpoint, process = storing
        secret = tmp_path_factory.mktemp("secrets") / "secret"
        secret.write_text(SECRET_KEY)

        @asynccontextmanager
        async def opened() -> AsyncIterator[Lost]:
            buckets = make_buckets(endpoint, process, secret, locked=False)
            for key in ("recordings/1", "recordings/größer"):
                buckets.put(WEST, key, b"of the west", epoch="1")
            buckets.put(WEST, "recordings/both", b"same")
            buckets.put(CENTRAL, "recordings/both", b"same")
            buckets.put(WEST, "recordings/clash", b"old")
            buckets.put(CENTRAL, "recordings/clash", b"new")
            buckets.put(CENTRAL, "recordings/new", b"of the target")
            source = BucketExport(buckets.bindings, timeout_seconds=3.0)
            held_alone = frozenset({"recordings/1", "recordings/größer"})
            try:
                yield Lost(source, TASK, held_alone, buckets.snapshot, lambda: frozen(process), lambda: replace(TASK, source="mars"))
            finally:
                thaw(process)

        return opened


class TestStandInSource(DivergenceSourceSuite):
    implementations = (StandInSource,)

    @pytest.fixture
    def losses(self) -> Losses:
        @asynccontextmanager
        async def opened() -> AsyncIterator[Lost]:
            held = {"call/1": {"n": 1}, "call/2": {"n": 2}}
            source = StandInSource(held, looks_at_what_was_handed_over=self.looks_at_what_was_handed_over)

            async def contents() -> Any:
                return None

            def cut() -> None:
                source.fault = TimeoutError("no answer")

            def refusing() -> Task:
                source.fault = NotExported("the disk under the export is full: make room and try again")
                return TASK

            yield Lost(source, TASK, frozenset(source.held), contents, cut, refusing)

        return opened


class TestStandInSourceThatLooksAtWhatWasHandedOver(TestStandInSource):
    looks_at_what_was_handed_over = True


def test_an_export_that_was_changed_on_the_agents_disk_is_not_taken(tmp_path: Path) -> None:
    scene = taken_over()

    async def story() -> None:
        async with scene.opened(east="writer", west="barred") as both:
            source = AgentExport(both.clients, "redis", CLOCK)
            (tmp_path / "first").mkdir()
            exported = await source.collect(TASK, tmp_path / "first")
            (directory,) = (both.root / WEST / "state" / "exports").iterdir()
            with (directory / exported.parts[0].file).open("ab") as file:
                file.write(b'{"id": "forged", "change": "only-here", "here": "x"}\n')
            (tmp_path / "again").mkdir()
            with pytest.raises(NotExported, match="changed on its disk"):
                await source.collect(replace(TASK, order=LATER), tmp_path / "again")
            (tmp_path / "orderly").mkdir()
            orderly = replace(TASK, order=LATER, parameters={"source_position": {"redis_offset": 1}})
            found = await source.collect(orderly, tmp_path / "orderly")
            assert (found.how, found.looked_at, found.parts) == ("handed-over", False, ())
            assert "changed on its disk" in found.unexamined[0]
            assert not list((tmp_path / "orderly").iterdir()), "and nothing of what was fetched stays"

    asyncio.run(story())


def test_what_a_store_cannot_look_at_holds_the_step_up_until_a_person_says_that_it_may_be_overwritten(tmp_path: Path) -> None:
    async def story() -> None:
        async with agents("redis") as both:
            redis.Redis(HOST, both.ports[WEST, "redis"], password=REDIS_PASSWORD, db=3).set("kept", "by another application")
            await both.consented(2, WEST, EAST, term=1)
            promoted = await both.clients[EAST].order(Order(0, 2, 1, 3), "redis.promote", {}, 20)
            assert promoted.result == "succeeded", promoted
            step = DivergenceExportAction(tmp_path, {"cache": ("redis", AgentExport(both.clients, "redis", CLOCK))}, CLOCK)
            task = replace(TASK, order=Order(0, 2, 1, 4))
            for attempt in (task, replace(task, order=Order(0, 2, 1, 5))):  # trying again does not make it seen
                outcome = await step.act(attempt)
                assert outcome.result is Result.REFUSED, outcome
                assert "other databases of this Redis hold keys (db3)" in outcome.detail
                assert (outcome.facts["complete"], outcome.facts["unexamined"]) == (True, 1)
                assert (await step.check(attempt)).answer is Answer.NO

    asyncio.run(story())
