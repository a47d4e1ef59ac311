"""What many rules ask of a plan, worked out once: its runs, and what every function stands on, directly or through others.

Rules get this instead of the plan alone, so that none of them walks the whole plan again for each of its functions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from holdfast.checks.runs import Run, run, runs_of
from holdfast.plan.model import Plan


@dataclass(frozen=True, slots=True)
class Facts:
    """A plan as rules look at it. `today` is None where nobody knows the day: what has a day of its own isn't judged then."""

    plan: Plan
    today: date | None
    runs: tuple[Run, ...]
    there: Mapping[str, Run]
    """Scenario → its way there."""
    beneath: Mapping[str, frozenset[str]]
    """Function → every component that it stands on."""
    carries: Mapping[str, tuple[str, ...]]
    """Component → the functions that stand on it, in the plan's order."""


def facts_of(plan: Plan, today: date | None = None) -> Facts:
    """The facts of a plan that the loader took: what it names is there, and needs have no circle."""
    below = _below(plan)
    beneath = {
        name: frozenset(function.stands_on).union(*(below[component] for component in function.stands_on))
        for name, function in plan.functions.items()
    }
    carries: dict[str, list[str]] = {}
    for name, components in beneath.items():
        for component in components:
            carries.setdefault(component, []).append(name)
    there = {name: run(name, "phases", scenario.phases) for name, scenario in plan.scenarios.items()}
    return Facts(plan, today, tuple(runs_of(plan)), there, beneath, {name: tuple(functions) for name, functions in carries.items()})


def _below(plan: Plan) -> Mapping[str, frozenset[str]]:
    """Component → everything that it needs, directly or through others. Without recursion: chains may be long."""
    known: dict[str, frozenset[str]] = {}
    ahead = list(plan.components)
    while ahead:
        name = ahead[-1]
        needs = plan.components[name].needs
        missing = [need for need in needs if need not in known]
        if missing:
            ahead += missing
        else:
            known.setdefault(name, frozenset(needs).union(*(known[need] for need in needs)))
            ahead.pop()
    return known


def listed(words: Iterable[str]) -> str:
    """Words as people list them: `a`, `a and b`, `a, b and c`."""
    every = list(words)
    return every[0] if len(every) == 1 else f"{', '.join(every[:-1])} and {every[-1]}" if every else ""
