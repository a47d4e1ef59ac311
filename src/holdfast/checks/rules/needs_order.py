"""HF119: a component comes back, or promises to, before one that it needs."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.values import spoken_duration

CODE = "HF119"


_BRINGS = frozenset({"bucket.activate", "settings.update", "application.deploy", "application.fresh"})


def _apply(facts: Facts) -> Iterator[Finding]:
    components = facts.plan.components
    for name, component in components.items():
        for number, need in enumerate(component.needs):
            if component.rto < components[need].rto:
                yield Finding(
                    CODE,
                    Severity.WARNING,
                    f"{component.name} promises to be back within {spoken_duration(component.rto)}, "
                    f"but needs {components[need].name}, which promises {spoken_duration(components[need].rto)}",
                    (("components", name, "rto"), ("components", name, "needs", number), ("components", need, "rto")),
                    "let what is needed come back sooner, or promise the later of the two",
                )
    for run in facts.there.values():
        bringing: dict[str, list[str]] = {}
        for step in run.book.steps:
            brings = step.block.grants_write or step.block.moves_traffic or step.block.name in _BRINGS
            if step.component is not None and brings:
                bringing.setdefault(step.component, []).append(step.id)
        for name, steps in bringing.items():
            for need in components[name].needs:
                last = steps[-1]
                first = bringing.get(need, [last])[0]
                if first != last and all(first not in run.before[step] for step in steps):
                    yield Finding(
                        CODE,
                        Severity.WARNING,
                        f"{components[name].name} is brought back by '{last}', which doesn't wait for '{first}', "
                        f"and it needs {components[need].name}",
                        (run.places[last], run.places[first]),
                        f"add to its 'after': {first}",
                    )


RULE = Rule(
    CODE,
    "what is needed comes back first",
    _apply,
    Explanation(
        means="A component is brought back, or promises to be, before one that it needs.",
        why="It starts against nothing, and is counted as back though it serves nobody.",
        computed=(
            "RTO of a component against those of its `needs`, and whether its last step waits for the first of theirs. Circles don't load."
        ),
        mend="Let the step wait for the other, or give the needed component the shorter promise.",
        example="application.rto: 10m with needs: [database], whose rto is 15m",
    ),
)
