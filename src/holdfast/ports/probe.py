"""Looking at the world: the port behind watching."""

from collections.abc import Sequence
from typing import Protocol

from holdfast.health.observation import Observation


class Probe(Protocol):
    """One thing to look at, from one vantage point."""

    async def observe(self) -> Observation:
        """One look, bounded by the profile's time-out, with the number 0: who keeps the looks of many probes numbers them.

        Never raises for what it sees; OSError for a fault of its own (a secret that can't be read), which says nothing of the world.
        """


class ObservationSource(Protocol):
    """Where the controller gets what one observer saw."""

    site: str

    async def since(self, sequence: int) -> Sequence[Observation]:
        """Observations with a higher sequence, oldest first. Raises ConnectionError or TimeoutError when the observer is silent."""
