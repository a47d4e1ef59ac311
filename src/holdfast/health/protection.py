"""Whether what each store of a region acknowledges waits for its replica, as the region's agent was last heard to say.

An agent that nobody heard of late says nothing: then it is unknown, never protected.
"""

from collections.abc import Mapping

from holdfast.health.history import History, fresh_seconds
from holdfast.health.observation import Subject
from holdfast.plan.model import Plan, Profile

KINDS = ("postgres", "redis")
"""Kinds of component whose writers can wait for a replica. No bucket copies before it acknowledges."""
FACT = "synchronous"
"""The fact of an agent's observation: kind → whether each write waits (null: it can't say)."""


def protected(plan: Plan, profile: Profile, history: History, region: str, now: float) -> Mapping[str, bool | None]:
    """Component → whether each write there waits for its replica; None: unknown.

    An agent speaks of the one store of a kind that it stands beside: of two components of that kind nobody knows which it means.
    """
    fresh = [
        (track.answered_at_seconds, track.answered.facts[FACT])
        for (_, seen_region, subject, _), track in history.tracks.items()
        if seen_region == region
        and subject is Subject.AGENT
        and track.answered is not None
        and track.answered_at_seconds is not None
        and now - track.answered_at_seconds <= fresh_seconds(profile)
        and isinstance(track.answered.facts.get(FACT), Mapping)
    ]
    said = max(fresh, key=lambda one: one[0])[1] if fresh else {}
    return {
        name: _flag(said.get(kind)) if len(plan.components_of(kind)) == 1 else None for kind in KINDS for name in plan.components_of(kind)
    }


def _flag(said: object) -> bool | None:
    return said if isinstance(said, bool) else None
