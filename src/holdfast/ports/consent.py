"""The controller's own promise not to consent to a promotion: half of the lease (the target's agent holds the other half)."""

from typing import Protocol

from holdfast.fencing.order import Order


class Consent(Protocol):
    """What the controller itself has promised to the region that writes."""

    def stop_promising(self, order: Order, target: str) -> None:
        """From now on, durably, renew no promise: an activation of `target` was decided. Idempotent."""

    def remaining_seconds(self) -> float:
        """How long the longest promise still runs, drift and margin included; 0.0 when this controller may consent."""

    def serve(self, era: int, epoch: int, holder: str) -> None:
        """From now on promise to `holder` under this epoch, and to nobody else. Idempotent; never goes back to a lower epoch."""
