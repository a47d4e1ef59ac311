"""What agents did by themselves while nobody could be asked: signed where it happened, imported into the journal later (invariant 7)."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class LocalRecords(Protocol):
    """The local records of one region's agent. Each holds `n`, `at_seconds`, `what`, `detail`, `facts` and `signature`."""

    region: str

    async def after(self, number: int) -> Sequence[Mapping[str, Any]]:
        """Records with a higher number, oldest first, each genuine. Raises ConnectionError or TimeoutError when the agent is silent."""
