"""HF102: a component may lose more than is promised by functions that stand on it, or by the plan as a whole.

Functions stand on the components that they name and on what those need. Where a function names none, it may stand on any, so the plan's
own tolerance then holds for every component. A component without an RPO that is copied or backed up is held to how often.
"""

from collections.abc import Iterator

from holdfast.checks.facts import Facts, listed
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.problems import Place
from holdfast.plan.values import spoken_duration

CODE = "HF102"


def _apply(facts: Facts) -> Iterator[Finding]:
    plan = facts.plan
    unsaid = any(not function.stands_on for function in plan.functions.values())
    tolerated, key, does = plan.objectives.data_loss_tolerance, "data_loss_tolerance", "tolerates"
    if tolerated is None:
        tolerated, key, does = plan.objectives.rpo, "rpo", "promises"
    for name, component in plan.components.items():
        if component.rpo is None:
            yield from _by_its_copies(facts, name)
            continue
        promised = [
            (identifier, plan.functions[identifier])
            for identifier in facts.carries.get(name, ())
            if plan.functions[identifier].rpo < component.rpo
        ]
        words = [f"{function.name} promises {spoken_duration(function.rpo)}" for _, function in promised]
        places: list[Place] = [("functions", identifier, "rpo") for identifier, _ in promised]
        if (unsaid or name in facts.carries) and tolerated is not None and tolerated < component.rpo:
            words.append(f"the plan as a whole {does} {spoken_duration(tolerated)}")
            places.append(("objectives", key))
        if words:
            yield Finding(
                CODE,
                Severity.WARNING,
                f"{component.name} may lose {spoken_duration(component.rpo)} of data, but {listed(words)}",
                (*places, ("components", name, "rpo")),
                "replicate it more closely, or keep nothing there that those functions promise",
            )


def _by_its_copies(facts: Facts, name: str) -> Iterator[Finding]:
    """A component that promises nothing loses what its copies are apart, or its backups where it has no copy."""
    component, plan = facts.plan.components[name], facts.plan
    copies: list[tuple[float, Place, str]] = []
    for key, link in plan.replication_links.items():
        apart = [(field, seconds) for field, seconds in (("every", link.every), ("lag_within", link.lag_within)) if seconds is not None]
        if link.component == name and apart:
            field, seconds = max(apart, key=lambda pair: pair[1])
            copies.append((seconds, ("replication_links", key, field), "its copy"))
        elif link.component == name:
            return  # a copy of which nobody says how far it may be behind: HF118 asks for it
    if not copies:
        copies = [(one.every, ("components", name, "backups", key, "every"), "its backups") for key, one in component.backups.items()]
    if not copies:
        return
    seconds, place, what = min(copies)
    promised = [(key, plan.functions[key]) for key in facts.carries.get(name, ()) if plan.functions[key].rpo < seconds]
    if promised:
        words = listed([f"{function.name} promises {spoken_duration(function.rpo)}" for _, function in promised])
        sentence = f"{component.name} promises nothing, and {what} may lack the last {spoken_duration(seconds)} of data, but {words}"
        places: tuple[Place, ...] = (*(("functions", key, "rpo") for key, _ in promised), place)
        yield Finding(CODE, Severity.WARNING, sentence, places, "copy more often, and write 'rpo' at the component")


RULE = Rule(
    CODE,
    "what functions stand on loses no more than they promise",
    _apply,
    Explanation(
        means="A component may lose more data than functions that stand on it promise.",
        why="The worst component decides what a function loses, whatever is promised above it.",
        computed=(
            "The component's RPO against that of every function that stands on it, directly or through `needs`, and against the "
            "plan's tolerance (its RPO where it names none); of a component without an RPO, how far its copy or backup may be behind."
        ),
        mend="Replicate the component more closely, or keep nothing there that those functions promise.",
        example="functions.voice.rpo: 5m, and components.storage.rpo: 60m",
    ),
)
