"""A clock that a story sets: the simulation's, over a number instead of a loop."""

from holdfast.simulation.clock import VirtualClock


class SetClock(VirtualClock):
    """Stands still until `seconds` is changed."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        super().__init__(now=lambda: self.seconds)
