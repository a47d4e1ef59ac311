"""Dropping protection and taking it up again, through real agents over a real PostgreSQL and a real Redis."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from contract.agents_rig import agents
from contract.protection_suite import ProtectorSuite, Writer, Writers
from holdfast.fencing.order import Order
from holdfast.ports.protection import ModeWish
from holdfast.providers.agents.protection import AgentProtector
from holdfast.providers.clock.system import SystemClock
from lab.postgres_store_rig import EAST, WEST


def writers_of(store: str) -> Writers:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Writer]:
        async with agents(store, replication="synchronous") as both:

            async def protected() -> bool | None:
                found = (await both.status(WEST))["stores"][store]["synchronous"]
                assert found is None or isinstance(found, bool)
                return found

            async def recorded() -> list[str]:
                records = (await both.clients[WEST].records(0))["records"]
                return [record["facts"]["mode"] for record in records if record["what"] == "replication-mode"]

            async def cut() -> None:
                both.freeze(WEST)

            wish = ModeWish(WEST, store, "asynchronous", Order(0, 1, 1, 1))
            yield Writer(AgentProtector(both.clients, SystemClock(), timeout_seconds=5.0), wish, EAST, protected, recorded, cut)

    return opened


@pytest.mark.parametrize("writers", [pytest.param(writers_of(store), id=store) for store in ("postgres", "redis")])
class TestAgentProtector(ProtectorSuite):
    implementations = (AgentProtector,)
