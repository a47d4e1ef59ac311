"""What can become of a write, in the words of every store of the application."""

from dataclasses import dataclass
from typing import Any

CONNECT_SECONDS = 0.4
ANSWER_SECONDS = 0.6
"""Longest wait for one store: short, so that a lost store gives an honest answer before the client gives up."""


class RefusedError(Exception):
    """The store said no, or was never asked: nothing happened."""


class UnknownError(Exception):
    """No answer in time, or the connection broke after the request left: it may or may not have happened."""


@dataclass(frozen=True, slots=True)
class Written:
    """One acknowledged write, with what the store itself said about its writer in the same transaction."""

    key: str
    region: str
    epoch: int
    written_seconds: float

    def as_json(self) -> dict[str, Any]:
        """As it stands in answers."""
        return {"key": self.key, "region": self.region, "epoch": self.epoch, "written_seconds": self.written_seconds}
