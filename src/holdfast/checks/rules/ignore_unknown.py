"""HF192: an ignore comment names a code that no rule has."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule

CODE = "HF192"


def _apply(_facts: Facts) -> Iterator[Finding]:
    """Comments aren't part of the plan: what is wrong with them is found in `ignoring`."""
    return iter(())


RULE = Rule(
    CODE,
    "ignore comments name rules",
    _apply,
    Explanation(
        means="A comment names a code that no rule has.",
        why="It ignores nothing, and its writer believes that it does.",
        computed="Codes in ignore comments against all rules.",
        mend="Correct the code; `holdfast explain` lists them.",
        example="# holdfast: ignore HF999 because of the contract",
    ),
)
