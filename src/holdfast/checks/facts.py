"""What many rules ask of a plan, worked out once: its runs, and what every function stands on, directly or through others.

Rules get this instead of the plan alone, so that none of them walks the whole plan again for each of its functions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from holdfast.checks.runs import Run, run, runs_of
from holdfast.plan.model import Plan


@dataclass(frozen=True)
class Facts:
    """A plan that the loader took, as rules look at it: what it names is there, and needs have no circle. `today` is None where nobody
    knows the day: what has a day of its own isn't judged then.

    Each fact is worked out when the first rule asks for it: where a plan lacks what one of them needs, the other rules go on.
    """

    plan: Plan
    today: date | None

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """Every run of every scenario that has steps."""
        return tuple(runs_of(self.plan))

    @cached_property
    def there(self) -> Mapping[str, Run]:
        """Scenario → its way there."""
        return {name: run(name, "phases", scenario.phases) for name, scenario in self.plan.scenarios.items()}

    @cached_property
    def beneath(self) -> Mapping[str, frozenset[str]]:
        """Function → every component that it stands on."""
        below = _below(self.plan)
        return {
            name: frozenset(function.stands_on).union(*(below[component] for component in function.stands_on))
            for name, function in self.plan.functions.items()
        }

    @cached_property
    def carries(self) -> Mapping[str, tuple[str, ...]]:
        """Component → the functions that stand on it, in the plan's order."""
        found: dict[str, list[str]] = {}
        for name, components in self.beneath.items():
            for component in components:
                found.setdefault(component, []).append(name)
        return {component: tuple(functions) for component, functions in found.items()}


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
