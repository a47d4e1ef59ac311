"""HF001: what keeps a plan from loading, as a rule like the others, so that a pull request shows it and `holdfast explain` knows it.

It finds nothing by itself: a plan that is checked has been loaded. Its problems come from the loader, each with its place and a hint.
"""

from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule


def _apply(_: Facts) -> Iterator[Finding]:
    return iter(())


NOT_LOADED = Rule(
    "HF001",
    "the plan loads",
    _apply,
    Explanation(
        means=(
            "The file is no plan yet: a key is missing or unknown, a value of another kind, a name stands for nothing, a role has nobody, "
            "a component no strategy, components need each other in a circle, a text has a field that no message knows."
        ),
        why=(
            "Nothing of a plan that doesn't load can be run. Where only keys are missing, the other rules look at what is there and name "
            "those that needed a missing key; where anything else is wrong, none of them has looked."
        ),
        computed="The loader reads the whole file and its includes, and names every problem in one go, with line and column.",
        mend="Correct what stands at the place; `holdfast set` writes one value, and `holdfast schema` lets an editor complete keys.",
        example="roles: { incident-commander: { name: Incident Commander } }",
    ),
)
