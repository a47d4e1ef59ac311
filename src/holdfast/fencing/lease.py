"""The holder's side of the lease: until when may this region write?

Argument. A grantor that grants at its time r promises not to consent before r + ttl × (1 + drift) + margin. The holder sent its
request before the grantor received it, and counts ttl from the *sending*; its clock and the grantor's differ in rate by at most
`drift`. So when the grantor's wait is over, the holder's deadline has passed by at least the margin. A promotion needs the consent of
both grantors, so a promise of *either* is enough: the deadline is the later of the two. A guard that does not tick could not
fence at the deadline, so without its tick the lease does not grow.

No clock here: `now_seconds` is the holder's steady clock (CLOCK_BOOTTIME), passed in. Never here: asking, fencing.
"""

from dataclasses import dataclass, field, replace
from types import MappingProxyType

from holdfast.fencing.promise import Epoch

RENEWALS = 5
"""How often a holder asks again within the length of its lease."""
HEARTBEAT_SECONDS = 0.2
"""How often whoever holds it writes that it does."""
ORDERLY_STOP_SECONDS = 15.0
"""What a source gets for stopping its stores orderly, before it is fenced."""


def reserve_seconds(ttl_seconds: float) -> float:
    """How long before its end a lease is treated as over, so that the fence is done in time."""
    return min(0.2, ttl_seconds / 15)


def orderly_stop_seconds(ttl_seconds: float) -> float:
    """How long a source surely has for an orderly stop, in which its stores wait for their copies.

    By then both grantors have stopped promising, so all that it has is what is left of its lease: a whole one, less the pause since it
    asked last, less the reserve for the fence. Never more than it is given for stopping.
    """
    return min(ORDERLY_STOP_SECONDS, ttl_seconds - ttl_seconds / RENEWALS - reserve_seconds(ttl_seconds))


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write under one epoch, as far as this holder knows."""

    epoch: Epoch
    deadlines: MappingProxyType[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """Grantor → deadline in the holder's steady seconds."""

    def granted(self, grantor: str, epoch: Epoch, sent_seconds: float, ttl_seconds: float) -> "Lease":
        """After a grantor granted what was asked at `sent_seconds`. Answers may come late and out of order: only the latest counts.
        An answer for another epoch changes nothing."""
        if epoch != self.epoch:
            return self
        deadline = max(sent_seconds + ttl_seconds, self.deadlines.get(grantor, sent_seconds + ttl_seconds))
        return replace(self, deadlines=MappingProxyType({**self.deadlines, grantor: deadline}))

    @property
    def deadline_seconds(self) -> float | None:
        """The last moment at which this region may write; None while nobody ever granted."""
        return max(self.deadlines.values(), default=None)

    def remaining_seconds(self, now_seconds: float) -> float:
        """How long the lease still lasts; 0 when it is lost or was never had."""
        deadline = self.deadline_seconds
        return 0.0 if deadline is None else max(0.0, deadline - now_seconds)

    def may_write(self, now_seconds: float) -> bool:
        """Whether a writer may run at this moment."""
        return self.remaining_seconds(now_seconds) > 0
