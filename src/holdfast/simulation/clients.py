"""Simulated clients: one for each function, always on, found through DNS, each with a ledger."""

import asyncio

from holdfast.ledger.entry import LedgerEntry, RequestResult
from holdfast.simulation.world import Served, SimulatedWorld

EVERY_SECONDS = 0.2


class SimulatedClients:
    """The clients of all functions. Ledgers grow in memory, by function."""

    def __init__(self, world: SimulatedWorld, *, site: str = "outside", every_seconds: float = EVERY_SECONDS) -> None:
        self.ledgers: dict[str, list[LedgerEntry]] = {function: [] for function in world.plan.functions}
        self._world = world
        self._site = site
        self._every_seconds = every_seconds

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as group:
            for function in self.ledgers:
                group.create_task(self._client(function))

    async def _client(self, function: str) -> None:
        clock, number = self._world.clock, 0
        while True:
            number += 1
            request = f"{function}-{number}"
            sent = clock.wall_seconds()
            served = self._world.request(self._site, function, request)
            await clock.sleep(served.latency_seconds)
            self.ledgers[function] += _entries(function, request, sent, clock.wall_seconds(), served)
            await clock.sleep(max(0.0, self._every_seconds - served.latency_seconds))


def _entries(function: str, request: str, sent: float, answered: float, served: Served) -> list[LedgerEntry]:
    if served.result is not RequestResult.ACKNOWLEDGED:
        return [LedgerEntry(function, request, sent, answered, served.result, None, None, None, None, None, served.detail)]
    return [
        LedgerEntry(function, request, sent, answered, served.result, component, write.key, write.region, write.epoch, write.at_seconds)
        for component, write in served.writes
    ]
