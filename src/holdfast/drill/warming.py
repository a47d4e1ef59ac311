"""Before the cut: all must have been well for a while, because an exercise that begins in trouble measures that trouble.

Pure: what the controller's read model says → what is not well yet, and when that is said again. Never here: waiting.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

AGAIN_SECONDS = 10.0
"""The same words are said again no sooner than this."""


Needs = Literal["well", "bounded"]
"""What must be so before the cut: all is well; or only that no incident is on and what a failover may lose is known. (Then the drill also
sees to it that clients' writes are acknowledged at that moment.)"""


def lacking(state: Mapping[str, Any], needs: Needs = "well") -> str | None:
    """What is not as it must be before the cut."""
    incident = state.get("incident")
    if incident is not None and incident["state"] not in ("closed", "stood-down"):
        return f"{incident['incident']} is {incident['state'].replace('-', ' ')}, and nothing was cut yet: {incident.get('reason', '')}"
    ill = _ill(state) if needs == "well" else None
    if ill is not None:
        return ill
    if state.get("loss", {}).get("bound_seconds") is None:
        return "what a failover would lose can't be bounded yet"
    return None


def _ill(state: Mapping[str, Any]) -> str | None:
    """Which functions and regions are not well, or None."""
    watching: Mapping[str, Any] = state.get("watching", {})
    functions, regions = watching.get("functions", {}), watching.get("scores", {})
    if not functions:
        return "no observer has said anything about the functions yet"
    ill = [f"{name} is {word}" for name, word in functions.items() if word != "up"]
    ill += [
        f"{region} scores {'nothing yet' if score is None else f'{score:.0f} of 100'}" for region, score in regions.items() if score != 100
    ]
    return ", ".join(ill) or None


@dataclass
class Warming:
    """Since when all is well, and what was said about it. `lease_seconds`: the profile's; `cores`: of this machine."""

    needed_seconds: float
    lease_seconds: float
    cores: int
    begun_seconds: float
    needs: Needs = "well"
    _well_since: float | None = None
    _said: str = ""
    _said_seconds: float = 0.0

    def look(self, state: Mapping[str, Any], now: float, load: float) -> str | None:
        """A sentence to say now, or None. `load`: how many processes wanted a processor in the last minute."""
        why = lacking(state, self.needs)
        if why is None:
            self._well_since = now if self._well_since is None else self._well_since
            return None
        self._well_since = None
        if now - self.begun_seconds < AGAIN_SECONDS or (self._said and now - self._said_seconds < AGAIN_SECONDS):
            return None  # starting takes a while everywhere
        self._said, self._said_seconds = why, now
        busy = ""
        if load > self.cores:
            crowd = f"{load:.1f} processes want {self.cores} cores"
            busy = f"; this machine is busy ({crowd}), and a lease of {self.lease_seconds:g} s may be too short for it"
        waited = f"warming up for {now - self.begun_seconds:.0f} s; the cut waits until all has been well for {self.needed_seconds:g} s"
        return f"{waited}: {why}{busy}"

    def done(self, now: float) -> bool:
        """Whether all has been well for long enough, without a break."""
        return self._well_since is not None and now - self._well_since >= self.needed_seconds
