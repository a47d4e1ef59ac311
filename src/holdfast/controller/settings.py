"""What one controller is started with."""

from dataclasses import dataclass
from typing import Literal

from holdfast.conduct.pagers import Pager
from holdfast.plan.model import Plan, Profile


@dataclass(frozen=True, slots=True)
class Settings:
    """What one controller is started with."""

    plan: Plan
    plan_digest: str
    scenario: str
    profile_name: str
    environment: str
    version: str
    exercise: str | None = None
    scale: float = 1.0
    """How fast the plan's clock runs in an exercise's incidents."""
    replication: Literal["asynchronous", "synchronous"] = "asynchronous"
    """How databases and caches replicate here."""
    pagers: frozenset[Pager] = frozenset()
    """Ways of channels that are bound to a pager here."""

    @property
    def profile(self) -> Profile:
        """The timing in force."""
        return self.plan.profiles[self.profile_name]
