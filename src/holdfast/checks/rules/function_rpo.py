"""HF102: a component may lose more than is promised by functions that stand on it, or by the plan as a whole.

Functions stand on the components that they name and on what those need. Where a function names none, it may stand on any, so the plan's
own tolerance then holds for every component. Components without an RPO keep no data.
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


RULE = Rule(
    CODE,
    "what functions stand on loses no more than they promise",
    _apply,
    Explanation(
        means="A component may lose more data than functions that stand on it promise.",
        why="The worst component decides what a function loses, whatever is promised above it.",
        computed=(
            "The component's RPO against that of every function that stands on it, directly or through `needs`, and against the "
            "plan's tolerance (its RPO where it names none)."
        ),
        mend="Replicate the component more closely, or keep nothing there that those functions promise.",
        example="functions.voice.rpo: 5m, and components.storage.rpo: 60m",
    ),
)
