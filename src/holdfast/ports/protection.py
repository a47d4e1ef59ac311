"""Whether what a writer acknowledges waits for its replica: the port behind dropping protection and protecting again."""

from dataclasses import dataclass
from typing import Literal, Protocol

from holdfast.fencing.order import Order
from holdfast.ports.action import Outcome


@dataclass(frozen=True, slots=True)
class ModeWish:
    """What one store of the region that writes is to do from now on. `kind`: the component's (postgres, redis)."""

    region: str
    kind: str
    mode: Literal["asynchronous", "synchronous"]
    order: Order


class Protector(Protocol):
    """Sets how writers replicate."""

    async def set_mode(self, wish: ModeWish) -> Outcome:
        """What became of it. Repeatable under the same order; a lower one, or a region that isn't the writer, is *refused*.

        Who obeys has recorded the change before it takes effect: relaxing acknowledges whoever waits. Silence is *unknown*.
        """
