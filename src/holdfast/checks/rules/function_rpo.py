"""HF102: a component may lose more than is promised by functions that stand on it, or by the plan as a whole.

Functions stand on the components that they name and on what those need. Components without an RPO keep no data.
"""

from collections.abc import Iterator

from holdfast.checks.finding import Finding, Rule, Severity
from holdfast.plan.model import Plan
from holdfast.plan.problems import Place
from holdfast.plan.values import spoken_duration

CODE = "HF102"


def _apply(plan: Plan) -> Iterator[Finding]:
    beneath = {name: _beneath(plan, function.stands_on) for name, function in plan.functions.items()}
    for name, component in plan.components.items():
        if component.rpo is None:
            continue
        promised = [
            (identifier, function)
            for identifier, function in plan.functions.items()
            if name in beneath[identifier] and function.rpo < component.rpo
        ]
        words = [f"{function.name} promises {spoken_duration(function.rpo)}" for _, function in promised]
        places: list[Place] = [("functions", identifier, "rpo") for identifier, _ in promised]
        used = any(name in components for components in beneath.values())
        tolerated = plan.objectives.data_loss_tolerance
        if used and tolerated is not None and tolerated < component.rpo:
            words.append(f"the plan as a whole tolerates {spoken_duration(tolerated)}")
            places.append(("objectives", "data_loss_tolerance"))
        if words:
            yield Finding(
                CODE,
                Severity.WARNING,
                f"{component.name} may lose {spoken_duration(component.rpo)} of data, but {_listed(words)}",
                (*places, ("components", name, "rpo")),
                "replicate it more closely, or keep nothing there that those functions promise",
            )


def _beneath(plan: Plan, named: tuple[str, ...]) -> frozenset[str]:
    found: set[str] = set()
    ahead = list(named)
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead.extend(plan.components[name].needs)
    return frozenset(found)


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


RULE = Rule(CODE, "what functions stand on loses no more than they promise", _apply)
