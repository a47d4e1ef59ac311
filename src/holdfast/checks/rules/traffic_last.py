"""HF105: traffic moves before the target can serve it.

Clients that arrive early write into nothing or into the wrong place, so this is an error: a step that moves traffic must wait
for every promotion of its run, and for the proof of every database that was promoted.
"""

from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.checks.runs import Run
from holdfast.runbook.graph import PlannedStep

CODE = "HF105"
_READY = frozenset({"bucket.activate", "settings.update", "postgres.verify"})
"""Besides the promotions: what must have happened in the target before clients come."""


def _apply(facts: Facts) -> Iterator[Finding]:
    for run in facts.runs:
        needed = [step.id for step in run.book.steps if (step.block.grants_write or step.block.name in _READY) and not _about_source(step)]
        for step in run.book.all_steps:
            if not step.block.moves_traffic or run.repeats(step.id, lambda block: block.moves_traffic):
                continue
            early = [name for name in needed if name not in run.before[step.id]]
            if early:
                yield _too_early(run, step, early)
            for component in _unproved(run):
                yield Finding(
                    CODE,
                    Severity.WARNING,
                    f"the step '{step.id}' moves traffic, but no step of its run proves that '{component}' takes writes",
                    (run.places[step.id],),
                    "add a step with the block 'postgres.verify' and let the traffic wait for it",
                )


def _about_source(step: PlannedStep) -> bool:
    """What is done to the region that traffic leaves is nothing that it waits for."""
    return step.parameters.get("region") == "source"


def _too_early(run: Run, step: PlannedStep, early: list[str]) -> Finding:
    names = ", ".join(f"'{name}'" for name in early)
    return Finding(
        CODE,
        Severity.ERROR,
        f"the step '{step.id}' moves traffic without waiting for {names}; clients would come before the target can serve them",
        (run.places[step.id], *(run.places[name] for name in early)),
        f"add to its 'after': {', '.join(early)}",
    )


def _unproved(run: Run) -> list[str]:
    promoted = [step.component for step in run.book.steps if step.block.grants_write and step.block.component_kind == "postgres"]
    proved = {step.component for step in run.book.steps if step.block.name == "postgres.verify"}
    return [component for component in promoted if component is not None and component not in proved]


RULE = Rule(
    CODE,
    "traffic moves last",
    _apply,
    Explanation(
        means="Traffic moves before the target can serve it.",
        why="Clients that come early write into nothing or into the wrong place.",
        computed="A step that moves traffic must wait for every promotion of its run and for the proof of every promoted database.",
        mend="Add the missing steps to its `after`.",
        example="dns.switch with after: [approve]",
    ),
)
