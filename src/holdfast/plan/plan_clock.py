"""The plan's clock of one incident: how much plan time passes in a second of wall time.

In a real incident both are the same. An exercise may run the plan's clock faster (a scale of 60 makes a plan's minute a second), so that an
hour of messages, escalation and answers is practised in a minute. Leases, holds, probes and recovery times never follow it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlanClock:
    """`scale`: plan seconds in one wall second; 1 in every real incident."""

    scale: float = 1.0

    def wall_seconds(self, plan_seconds: float) -> float:
        """How long a length of time of the plan takes on the wall."""
        return plan_seconds / self.scale

    def plan_seconds(self, wall_seconds: float) -> float:
        """How long a length of wall time is for the plan."""
        return wall_seconds * self.scale

    def plan_moment(self, start_seconds: float, at_seconds: float) -> float:
        """A wall moment as the plan's clock shows it, which agreed with the wall at `start_seconds`."""
        return start_seconds + (at_seconds - start_seconds) * self.scale

    def wall_moment(self, start_seconds: float, plan_moment: float) -> float:
        """Inverse of `plan_moment`."""
        return start_seconds + (plan_moment - start_seconds) / self.scale


AS_ON_THE_WALL = PlanClock()
"""The clock of every real incident."""
