"""A region's health score, 0 to 100, or None when too little is known.

score = 100 × Σ weight × value ÷ Σ weight, over the subjects of the region that are known
value: up 1, degraded 0.5, down 0; of several things of one subject (functions, components) the mean; *unknown* is left out,
and so is what the plan has and nobody has looked at.
`best` is the same with everything unknown taken as up. A trigger looks at `best`: leaving things out must never make a
region look worse than the evidence. Below half of the weight known, the score itself is unknown. docs/health.md is the page for people.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from holdfast.health.observation import Subject
from holdfast.health.signals import Health, Joint
from holdfast.plan.model import Plan

WEIGHTS: Mapping[Subject, float] = MappingProxyType(
    {
        Subject.TRANSACTION: 30.0,
        Subject.POSTGRES: 25.0,
        Subject.HTTP: 15.0,
        Subject.REDIS: 10.0,
        Subject.BUCKET: 10.0,
        Subject.AGENT: 10.0,
    }
)
"""What each subject counts. DNS belongs to no region and counts in none."""
AGENT_NAME = "agent"
"""The name that looks at a region's agent carry."""
KNOWN_SHARE_NEEDED = 0.5
VALUES: Mapping[Health, float] = MappingProxyType({Health.UP: 1.0, Health.DEGRADED: 0.5, Health.DOWN: 0.0})


_KINDS: Mapping[Subject, str] = MappingProxyType(
    {Subject.POSTGRES: "postgres", Subject.REDIS: "redis", Subject.BUCKET: "bucket", Subject.HTTP: "loadbalancer"}
)


@dataclass(frozen=True, slots=True)
class RegionScore:
    """How a region is. `best`: what the score would be if all that is unknown were up."""

    region: str
    score: float | None
    best: float
    known_share: float
    reason: str


def score(plan: Plan, region: str, joints: Iterable[Joint]) -> RegionScore:
    """Score of one region from what the observers say together."""
    said = {(joint.subject, joint.name): joint for joint in joints if joint.region == region and joint.subject in WEIGHTS}
    things = _expected(plan) | set(said)
    total = known = reached = 0.0
    worst: list[Joint] = []
    for thing in sorted(things):
        weight = WEIGHTS[thing[0]] / sum(1 for other in things if other[0] == thing[0])
        total += weight
        joint = said.get(thing)
        if joint is None or joint.health not in VALUES:
            continue
        known += weight
        reached += weight * VALUES[joint.health]
        if joint.health is not Health.UP:
            worst.append(joint)
    best = 100.0 * (reached + total - known) / total if total else 100.0
    share = known / total if total else 0.0
    if share < KNOWN_SHARE_NEEDED:
        return RegionScore(region, None, best, share, f"only {100 * share:.0f} % of what counts is known")
    return RegionScore(region, 100.0 * reached / known, best, share, _words(worst))


def _expected(plan: Plan) -> set[tuple[Subject, str]]:
    """What every region must have: if nobody looks at it, it is unknown and not absent."""
    stores = {(subject, name) for subject, kind in _KINDS.items() for name in plan.components_of(kind)}
    return stores | {(Subject.AGENT, AGENT_NAME)} if stores else stores


def scores(plan: Plan, joints: Iterable[Joint]) -> Mapping[str, RegionScore]:
    """Score of every region of the plan."""
    said = tuple(joints)
    return {region: score(plan, region, said) for region in plan.regions}


def _words(worst: list[Joint]) -> str:
    if not worst:
        return "all that is known is up"
    names = [f"{joint.name} ({joint.subject}) {joint.health}" for joint in worst[:4]]
    more = f" and {len(worst) - 4} more" if len(worst) > 4 else ""
    return ", ".join(names) + more
