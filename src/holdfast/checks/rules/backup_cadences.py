"""HF146: a component is backed up in two cadences, and nobody says which holds.

A log that is archived all the time stands beside any backup, and a rarer backup that is kept longer, or elsewhere, has a purpose of its
own. Two of the same sort contradict each other: worth a warning when one of them keeps the component's RPO and the other doesn't.
"""

from collections.abc import Iterator
from itertools import combinations

from holdfast.checks.facts import Facts, listed
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.problems import Place
from holdfast.plan.systems import Backup
from holdfast.plan.values import spoken_duration

CODE = "HF146"


def _apply(facts: Facts) -> Iterator[Finding]:
    for name, component in facts.plan.components.items():
        timed = sorted(((kept.every, key) for key, kept in component.backups.items() if kept.every > 0))
        twice: dict[str, None] = {}
        for (_, often), (_, rarely) in combinations(timed, 2):
            if _same_purpose(component.backups[often], component.backups[rarely]):
                twice |= {often: None, rarely: None}
        if not twice:
            continue
        cadences = [component.backups[key].every for key in twice]
        matters = component.rpo is not None and min(cadences) <= component.rpo < max(cadences)
        said = listed(f"'{component.backups[key].name}' every {spoken_duration(component.backups[key].every)}" for key in twice)
        places: tuple[Place, ...] = tuple(("components", name, "backups", key, "every") for key in twice)
        yield Finding(
            CODE,
            Severity.WARNING if matters else Severity.NOTE,
            f"{component.name} is backed up in different cadences, and nobody says which holds: {said}",
            places,
            "remove the one that isn't so, or write with 'kept_for' and 'regions' what each is for",
        )


def _same_purpose(often: Backup, rarely: Backup) -> bool:
    """Whether the rarer of two backups gives nothing that the other doesn't."""
    if often.every == rarely.every or (often.regions and rarely.regions and not set(often.regions) & set(rarely.regions)):
        return False
    return often.kept_for is None or rarely.kept_for is None or rarely.kept_for <= often.kept_for


RULE = Rule(
    CODE,
    "a component's backups agree on how often",
    _apply,
    Explanation(
        means="Two backups of one component say two different cadences for the same purpose.",
        why="What is lost depends on which of them really runs.",
        computed=(
            "`every` of a component's backups, those of a log (`0s`) left out; a rarer one that is kept longer or in another region "
            "contradicts nothing."
        ),
        mend="Remove the one that isn't so, or write what each is for.",
        example="backups: { one: { every: 15m }, other: { every: 1d } }",
    ),
)
