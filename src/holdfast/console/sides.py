"""The two regions and the links between them, as the read model shows them: the plan's primary first, always.

Rules: nothing is inferred that nobody saw. A region's place never changes, whoever serves; a link runs from the region that holds the
write epoch to the other one.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from holdfast.health.observation import Subject
from holdfast.health.picture import Picture
from holdfast.health.signals import Health
from holdfast.health.standing import REPLICA, Standing
from holdfast.health.zones import zone_as_facts
from holdfast.plan.model import Plan

_STORES = (Subject.POSTGRES, Subject.REDIS, Subject.BUCKET)
_ORDER = (Subject.POSTGRES, Subject.REDIS, Subject.BUCKET, Subject.HTTP, Subject.AGENT)
_WORDS = {Subject.AGENT: "Agent"}


def _rank(standing: Standing) -> tuple[int, str]:
    return (_ORDER.index(standing.subject) if standing.subject in _ORDER else len(_ORDER), standing.name)


def _thing(plan: Plan, standing: Standing) -> dict[str, Any]:
    component = plan.components.get(standing.name)
    title = component.name if component is not None else _WORDS.get(standing.subject, standing.name)
    return {**asdict(standing), "subject": standing.subject.value, "health": standing.health.value, "title": title}


def regions(plan: Plan, serving: str, picture: Picture | None, standings: Sequence[Standing]) -> list[dict[str, Any]]:
    """Both regions, the plan's primary first. `score` is null when too little is known."""
    ordered = sorted(plan.regions, key=lambda name: plan.regions[name].role != "primary")
    scores = picture.scores if picture is not None else {}
    return [
        {
            "region": name,
            "role": plan.regions[name].role,
            "serves": name == serving,
            "score": scores[name].score if name in scores else None,
            "best": scores[name].best if name in scores else None,
            "reason": scores[name].reason if name in scores else "nothing was seen yet",
            "zones": [zone_as_facts(plan, zone) for zone in (picture.zones if picture is not None else ()) if zone.region == name],
            "things": [_thing(plan, standing) for standing in sorted(standings, key=_rank) if standing.region == name],
        }
        for name in ordered
    ]


def links(plan: Plan, serving: str, standings: Sequence[Standing]) -> list[dict[str, Any]]:
    """Replication of every store that the plan names: from the serving region to the other, and how far behind that is."""
    target = next(name for name in plan.regions if name != serving)
    seen = {(standing.region, standing.subject, standing.name): standing for standing in standings}
    found = []
    for subject in _STORES:
        for component in plan.components_of(subject.value):
            copy = seen.get((target, subject, component))
            known = copy is not None and bool(copy.role) and copy.health in (Health.UP, Health.DEGRADED)
            follows = known and copy is not None and copy.role == REPLICA
            found.append(
                {
                    "component": component,
                    "from": serving,
                    "to": target,
                    "follows": follows if known else None,
                    "lag_seconds": copy.lag_seconds if copy is not None and follows else None,
                    "age_seconds": copy.age_seconds if copy is not None else None,
                    "backlog": asdict(copy.backlog) if copy is not None and follows and copy.backlog is not None else None,
                }
            )
    return found
