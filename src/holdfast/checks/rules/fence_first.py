"""HF104: a step gives a region the right to write before the other region surely lost it.

Two writers can't be merged afterwards, so this is an error: every step that grants write power must wait, directly or through
others, for a fence of the same run.
"""

from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity

CODE = "HF104"


def _apply(facts: Facts) -> Iterator[Finding]:
    for run in facts.runs:
        fences = [step.id for step in run.book.steps if step.block.removes_write]
        for step in run.book.all_steps:
            if (
                not step.block.grants_write
                or run.repeats(step.id, lambda block: block.grants_write)
                or any(fence in run.before[step.id] for fence in fences)
            ):
                continue
            has = f"doesn't wait for the fence ('{fences[0]}')" if fences else "has no fence before it: its run has none"
            yield Finding(
                CODE,
                Severity.ERROR,
                f"the step '{step.id}' makes the target region a writer, but {has}; two regions could accept writes at once",
                (run.places[step.id], *(run.places[fence] for fence in fences[:1])),
                f"let it wait: 'after: [{fences[0] if fences else 'fence'}]'"
                + ("" if fences else ", and add a step with the block 'fence'"),
            )


RULE = Rule(
    CODE,
    "fence before promotion",
    _apply,
    Explanation(
        means="A step makes a region the writer before the other surely lost the right to write.",
        why="Two writers accept different data, and nobody can merge it afterwards.",
        computed="Every step that grants writing must wait, directly or through others, for a fence of its run.",
        mend="Add a step with the block `fence`, and let the promotion wait for it.",
        example="{ id: promote, block: postgres.promote, component: database, after: [approve] }",
    ),
)
