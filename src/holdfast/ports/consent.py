"""The controller's own promise not to consent to a promotion: half of the lease (the target's agent holds the other half)."""

from collections.abc import Mapping
from typing import Any, Protocol

from holdfast.fencing.order import Order


class NoConsent(Exception):
    """The activation that was to be prepared is not one that this controller may consent to; the text says why."""


class Consent(Protocol):
    """What the controller itself has promised to the region that writes. Every change is durable when a method returns."""

    def prepare(self, order: Order) -> None:
        """From now on renew no promise: the activation that this order opens was decided. Idempotent."""

    def remaining_seconds(self) -> float:
        """How long the promise still runs, drift and margin included; 0.0 when this controller has consented to the prepared activation.

        Raises NoConsent when preparing it was refused: then no time that passes makes it safe.
        """

    def bar(self, order: Order) -> None:
        """Turning back: never consent to the activation that this order's epoch names, if that has not happened yet. Idempotent."""

    def has_consented(self) -> bool:
        """Whether it consented to the activation that is under way: then only the target can say that it never takes effect."""

    def withdraw(self, order: Order) -> None:
        """The target stated that the activation never takes effect: promise again. Idempotent."""

    def stray(self) -> tuple[int, int] | None:
        """(era, epoch) of an activation that is under way here, or None."""

    def promise_ends_in_seconds(self) -> float:
        """When the latest promise ends (negative: ended so long ago), without consenting to anything."""

    def fenced(self, certificate: Mapping[str, Any]) -> None:
        """The source's agent certifies its fence: the promise to it is void."""

    def serve(self, era: int, epoch: int, holder: str) -> None:
        """From now on promise to `holder` under this epoch, and to nobody else. Idempotent; never goes back to a lower epoch."""


class PromiseStore(Protocol):
    """Durable values by key: what is put survives a power cut when `put` returns."""

    def get(self, key: str) -> Any | None:
        """The value last put, or None."""

    def put(self, key: str, value: Any) -> None:
        """Keep one value. Raises JournalFull when it can't be made durable."""
