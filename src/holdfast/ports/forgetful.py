"""An effector whose memory of orders ends with its process: after a restart it stands as its configuration says, not as it was ordered."""

from typing import Protocol, runtime_checkable

from holdfast.ports.action import Action, Finding, Task


@runtime_checkable
class Forgetful(Action, Protocol):
    """An Action on such an effector. To say an order again is to `act` on the same task: the effector compares orders as always."""

    async def recalls(self, task: Task) -> Finding:
        """YES: it keeps this order or a later one. NO: it keeps none, since it was started anew, and is not as the task orders.

        One that keeps none and is as ordered is given the order to keep; that changes nothing but its memory. Silence is UNKNOWN.
        """
