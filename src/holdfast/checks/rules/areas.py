"""HF134: data leaves the area that it may be in, or nobody says where it goes."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts, listed
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.problems import Place

CODE = "HF134"


def _apply(facts: Facts) -> Iterator[Finding]:
    plan = facts.plan
    permitted: Place = ("permitted_areas",)
    if plan.permitted_areas:
        allowed = listed(plan.permitted_areas)
        located: list[tuple[Place, str, str | None]] = [
            (("regions", name, "area"), f"The region {name}", region.area) for name, region in plan.regions.items()
        ]
        located += [
            (("dependencies", name, "area"), known.name, known.area) for name, known in plan.dependencies.items() if not known.regions
        ]
        for place, what, area in located:
            if area is not None and area not in plan.permitted_areas:
                sentence = f"data may be in {allowed} only, but {what} is in {area}"
                yield Finding(CODE, Severity.WARNING, sentence, (permitted, place), "use one in a permitted area, or permit this one")
        unsaid = [(place, what) for place, what, area in located if area is None]
        if unsaid:
            sentence = f"data may be in {allowed} only, and nobody says in which area these are: {', '.join(what for _, what in unsaid)}"
            yield Finding(CODE, Severity.NOTE, sentence, (permitted, *(place[:2] for place, _ in unsaid)), "write 'area' at each")
    for name, kind in plan.data.items():
        for component in kind.stored_in if kind.areas else ():
            for region, place in _kept_in(facts, component):
                area = plan.regions[region].area
                if area is not None and area not in kind.areas:
                    sentence = f"{kind.name} may be in {listed(kind.areas)} only, but {component} keeps it in {region} ({area})"
                    yield Finding(
                        CODE, Severity.WARNING, sentence, (("data", name, "areas"), place), "keep it elsewhere, or permit the area"
                    )


def _kept_in(facts: Facts, component: str) -> Iterator[tuple[str, Place]]:
    plan = facts.plan
    yield plan.primary_region(), ("regions", plan.primary_region(), "area")
    for name, link in plan.replication_links.items():
        if link.component == component:
            yield link.target, ("replication_links", name, "to")
    for name, backup in plan.components[component].backups.items():
        for region in backup.regions:
            yield region, ("components", component, "backups", name, "regions")


RULE = Rule(
    CODE,
    "data stays where it may be",
    _apply,
    Explanation(
        means="Data is, or goes, outside of its permitted area.",
        why="A failover or a backup across a border can break a law.",
        computed="Areas of regions, dependencies, links and backups against `permitted_areas` and each kind of data.",
        mend="Use a place in the area, or permit it knowingly.",
        example="permitted_areas: [EU], and a dependency with area: US",
    ),
)
