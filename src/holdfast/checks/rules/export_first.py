"""HF115: what only the lost region holds is overwritten without being written down first.

After a rewind or a new copy it is gone for good, so this is an error: in the run that makes the lost region follow, every step that
overwrites its stores must wait, directly or through others, for `divergence.export`.
"""

from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity

CODE = "HF115"
EXPORT = "divergence.export"


def _apply(facts: Facts) -> Iterator[Finding]:
    for run in facts.runs:
        if run.name != "reprotect":
            continue
        exports = [step.id for step in run.book.steps if step.block.name == EXPORT]
        for step in run.book.steps:
            if not step.block.overwrites_source or any(export in run.before[step.id] for export in exports):
                continue
            has = f"doesn't wait for '{exports[0]}'" if exports else "has no export before it: its run has none"
            yield Finding(
                CODE,
                Severity.ERROR,
                f"the step '{step.id}' overwrites what only the lost region holds, but {has}; acknowledged writes could be gone for good",
                (run.places[step.id], *(run.places[export] for export in exports[:1])),
                f"let it wait: 'after: [{exports[0] if exports else 'export-divergence'}]'"
                + ("" if exports else f", and add a step with the block '{EXPORT}'"),
            )


RULE = Rule(
    CODE,
    "export before overwriting",
    _apply,
    Explanation(
        means="What only the lost region holds is overwritten without being written down.",
        why="Acknowledged data is gone for ever, without anybody knowing which.",
        computed="Every step that overwrites the source must wait for `divergence.export`.",
        mend="Add the export, and let the step wait for it.",
        example="redis.reprotect with after: []",
    ),
)
