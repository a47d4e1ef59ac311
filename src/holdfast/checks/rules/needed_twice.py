"""HF124: one person has more to do side by side in a phase than fits into it, or in two roles at once."""

from collections.abc import Iterator, Mapping

from holdfast.checks.facts import Facts, listed
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.values import spoken_duration

CODE = "HF124"


def _apply(facts: Facts) -> Iterator[Finding]:
    for run in facts.there.values():
        for _number, phase in enumerate(run.phases):
            doing: dict[str, list[tuple[str, str, float]]] = {}
            for step in phase.steps:
                role = facts.plan.roles.get(step.by or "")
                if role is not None and step.by is not None and step.block == "manual":
                    doing.setdefault(role.primary, []).append((step.id, step.by, step.usual_seconds or 0.0))
            for person, steps in doing.items():
                beside = [one for one in steps if any(one[0] != two[0] and not _ordered(run.before, one[0], two[0]) for two in steps)]
                if len(beside) < 2:
                    continue
                length, needed = phase.window[1] - phase.window[0], sum(usual for _, _, usual in steps)
                roles = {role for _, role, _ in beside}
                if len(roles) == 1 and needed <= length:
                    continue
                name = facts.plan.people[person].name
                more = f": {spoken_duration(needed)} of work in {spoken_duration(length)}" if needed > length else ""
                yield Finding(
                    CODE,
                    Severity.WARNING,
                    f"{name} is needed at once for {listed(repr(step) for step, _, _ in beside)} in the phase '{phase.name}'{more}",
                    tuple(run.places[step] for step, _, _ in beside),
                    "give one of them to another role, or let them follow each other in time",
                )


def _ordered(before: Mapping[str, frozenset[str]], one: str, two: str) -> bool:
    return one in before[two] or two in before[one]


RULE = Rule(
    CODE,
    "nobody is needed twice at once",
    _apply,
    Explanation(
        means="One person has steps side by side that can't be done at once.",
        why="A phase takes as long as its people, not as long as its boxes.",
        computed=(
            "Steps by hand that don't wait for each other, by the person who fills their role: two roles, or more usual time than the"
            " window."
        ),
        mend="Give a step to somebody else, or order them and lengthen the window.",
        example="two steps side by side, by: technical-lead and by: platform-lead, both the same person",
    ),
)
