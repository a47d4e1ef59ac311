"""HF191: an ignore comment ignores nothing."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule

CODE = "HF191"


def _apply(_facts: Facts) -> Iterator[Finding]:
    """Comments aren't part of the plan: what is wrong with them is found in `ignoring`."""
    return iter(())


RULE = Rule(
    CODE,
    "every ignore comment is needed",
    _apply,
    Explanation(
        means="A comment names a finding that isn't there.",
        why="It would hide the finding when it comes back elsewhere on the line.",
        computed="Comments whose code has no finding on their line, or on the line below a comment of its own.",
        mend="Remove the comment.",
        example="an ignore of HF101 left after the RTO was corrected",
    ),
)
