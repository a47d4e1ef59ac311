"""Entries that only a lost region held, given to the stores of the region that serves: real ones, and the stand-in of the unit tests."""

import asyncio
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from contract.action_suite import ORDER
from contract.agents_rig import CLOCK, Agents
from contract.giving_suite import Desk, GiverSuite, Offer, Offers, StoreGiverSuite
from contract.scene_rig import cache_of, held, rows, silence, taken_over
from holdfast.ports.action import Mode, Result, Task
from holdfast.ports.divergence import StoreGiver, Wish
from holdfast.providers.agents.exports import AgentExport
from holdfast.providers.file.divergence import DivergenceExportAction
from holdfast.providers.file.give_back import ExportGiver
from holdfast.providers.postgres.give_back import PostgresGiver
from holdfast.providers.redis.give_back import RedisGiver
from lab.postgres_store_rig import EAST, WEST
from unit.divergence_stand_ins import StandInSource, StandInStore

TASK = Task("export", "divergence.export", None, WEST, EAST, Mode.UNGRACEFUL, ORDER, incident="inc-1", run="reprotect")
EPOCH = (0, 2)
Entries = Mapping[str, tuple[Mapping[str, Any], str]]


@cache
def exported(store: str) -> Entries:
    """What the agent of the lost side wrote down of a store."""
    scene = taken_over()

    async def story() -> Entries:
        with tempfile.TemporaryDirectory() as into:
            async with scene.opened(east="writer", west="barred") as both:
                found = await AgentExport(both.clients, store, CLOCK).collect(TASK, Path(into))
            lines = [line for part in found.parts for line in (Path(into) / part.file).read_text().splitlines()]
            return {json.loads(line)["id"]: (json.loads(line), line) for line in lines}

    return asyncio.run(story())


@contextmanager
def opened(store: str, make: Callable[[Agents], StoreGiver], absent: tuple[str, str], alike: str, other: str) -> Iterator[Offer]:
    """The east alone, as the writer of epoch 2."""
    entries, scene = exported(store), taken_over()
    with asyncio.Runner() as runner:
        opening = scene.opened(east="writer")
        both = runner.run(opening.__aenter__())
        try:
            rows(both, EAST, "INSERT INTO call (id, epoch) VALUES (102, 1)")
            cache_of(both, EAST).set("alike", "the same")
            yield Offer(
                make(both), entries, absent, alike, other, EAST, EPOCH, lambda: held(both, EAST), lambda: silence(both, EAST, store)
            )
        finally:
            runner.run(opening.__aexit__(None, None, None))


class TestPostgresGiver(StoreGiverSuite):
    implementations = (PostgresGiver,)

    @pytest.fixture
    def offers(self) -> Offers:
        return lambda: opened(
            "postgres", lambda both: PostgresGiver({EAST: both.databases[EAST]}), ("call/100", "note/1"), "call/102", "call/101"
        )


class TestRedisGiver(StoreGiverSuite):
    implementations = (RedisGiver,)

    @pytest.fixture
    def offers(self) -> Offers:
        return lambda: opened("redis", lambda both: RedisGiver({EAST: both.caches[EAST]}), ("only", "more"), "alike", "common")


class TestStandInStore(StoreGiverSuite):
    implementations = (StandInStore,)

    @pytest.fixture
    def offers(self) -> Offers:
        @contextmanager
        def offer() -> Iterator[Offer]:
            store = StandInStore(EAST, EPOCH, {"call/3": {"n": 3}, "call/4": {"n": 9}})
            lines = {f"call/{number}": json.dumps({"id": f"call/{number}", "here": {"n": number}}) for number in range(1, 5)}
            entries = {name: (json.loads(line), line) for name, line in lines.items()}

            def cut() -> None:
                store.silent = True

            yield Offer(store, entries, ("call/1", "call/2"), "call/3", "call/4", EAST, EPOCH, lambda: dict(store.has), cut)

        return offer


class TestExportGiver(GiverSuite):
    implementations = (ExportGiver,)

    @pytest.fixture
    def desk(self, tmp_path: Path) -> Desk:
        sources = {
            "database": ("postgres", StandInSource({f"call/{number}": {"n": number} for number in range(1, 4)})),
            "cache": ("redis", StandInSource({"house": {"text": "grüße"}})),
        }
        export = DivergenceExportAction(tmp_path, sources, CLOCK)
        assert asyncio.run(export.act(TASK)).result is Result.SUCCEEDED
        stores = {"postgres": StandInStore(EAST, EPOCH, {"call/3": {"n": 9}}), "redis": StandInStore(EAST, EPOCH)}

        def silenced() -> None:
            stores["redis"].silent = True

        return Desk(
            ExportGiver(tmp_path, stores),
            Wish("inc-1", "reprotect", ("call/1", "call/2", "house"), "stop", EAST, EPOCH),
            "call/3",
            lambda: {kind: dict(store.has) for kind, store in stores.items()},
            silenced,
            lambda: _overwritten(tmp_path / "inc-1" / "divergence.json"),
        )


def _overwritten(path: Path) -> None:
    path.write_text("no export")
