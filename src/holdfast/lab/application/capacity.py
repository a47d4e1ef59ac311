"""What one instance can take, so that a region scaled down really is too small for the load.

An instance has places; a request holds one for as long as it takes and at least for `at_once / per_second` seconds, so that no
more than `per_second` get through in the long run. Who finds no place free is told so at once: a full instance must not look dead.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Capacity:
    """`at_once` requests may be inside; about `per_second` get through in the long run."""

    at_once: int
    per_second: float

    @property
    def hold_seconds(self) -> float:
        """How long a request holds its place at least."""
        return self.at_once / self.per_second


# One instance is too small for the clients' default load (15, 15, 8, 6 and 6 a second, see `lab.clients.rates`) with what three observers
# ask besides. Half of the plan's size takes both, in the fast profile too: that is what is left when one of two zones is lost.
CAPACITIES = {
    "voice": Capacity(9, 13.0),
    "authentication": Capacity(9, 13.0),
    "pms": Capacity(8, 6.6),
    "analytics": Capacity(8, 5.3),
    "configuration": Capacity(8, 5.3),
}
_OTHER = Capacity(8, 8.0)


def capacity_of(function: str) -> Capacity:
    """The default capacity of one instance of a function."""
    return CAPACITIES.get(function, _OTHER)


class FullError(Exception):
    """No place is free."""


class Places:
    """The places of one instance."""

    def __init__(self, capacity: Capacity) -> None:
        self._capacity = capacity
        self._taken = 0

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Hold a place; it is given back when the work is done and its least time is over. Raises FullError."""
        if self._taken >= self._capacity.at_once:
            raise FullError(f"all {self._capacity.at_once} places are taken; scale the function up or send less")
        self._taken += 1
        loop = asyncio.get_running_loop()
        free_at = loop.time() + self._capacity.hold_seconds
        try:
            yield
        finally:
            loop.call_at(max(free_at, loop.time()), self._give_back)

    def _give_back(self) -> None:
        self._taken -= 1
