"""How long clients lacked a function, as observers saw it."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FunctionOutage:
    """What observers saw of one function in an incident: the outage that is on, or the longest one that ended."""

    since_seconds: float
    back_seconds: float | None = None
    before: "FunctionOutage | None" = None
    """The longest that ended before the one that is on."""

    @property
    def seconds(self) -> float:
        """Its length; endless while it is on."""
        return math.inf if self.back_seconds is None else self.back_seconds - self.since_seconds
