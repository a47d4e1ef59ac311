"""HF190: an ignore comment has no reason."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule

CODE = "HF190"


def _apply(_facts: Facts) -> Iterator[Finding]:
    """Comments aren't part of the plan: what is wrong with them is found in `ignoring`."""
    return iter(())


RULE = Rule(
    CODE,
    "what is ignored says why",
    _apply,
    Explanation(
        means="A comment asks to ignore a finding and doesn't say why, so it isn't ignored.",
        why="Whoever reads the report must be able to judge the reason.",
        computed="Comments `holdfast: ignore CODE` without `because …`.",
        mend="Write the reason after `because`.",
        example="# holdfast: ignore HF101",
    ),
)
