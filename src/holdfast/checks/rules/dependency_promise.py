"""HF131: something that others provide promises less than what stands on it."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts, listed
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.problems import Place
from holdfast.plan.values import spoken_duration

CODE = "HF131"


def _apply(facts: Facts) -> Iterator[Finding]:
    plan = facts.plan
    goals: list[tuple[float, Place, str]] = []
    if plan.objectives.availability_percent is not None:
        goals.append((plan.objectives.availability_percent, ("objectives", "availability_percent"), "the plan promises"))
    for name, level in plan.service_levels.items():
        goals.append((level.availability_percent, ("service_levels", name, "availability_percent"), f"{level.name} promise"))
    lacking: dict[str, list[str]] = {}
    for name, dependency in plan.dependencies.items():
        for user in dependency.needed_by:
            yield from _slower(facts, name, user)
            if dependency.availability_percent is not None and goals and dependency.availability_percent < max(goals)[0]:
                lacking.setdefault(user, []).append(name)
    for user, names in lacking.items():
        promised, place, who = max(goals)
        section = "functions" if user in plan.functions else "components"
        title = plan.functions[user].name if user in plan.functions else plan.components[user].name
        said = listed(f"{plan.dependencies[name].name} ({plan.dependencies[name].availability_percent:g} %)" for name in names)
        sentence = f"{title} needs {said}, and {who} {promised:g} %"
        places = (place, (section, user), *(("dependencies", name, "availability_percent") for name in names))
        yield Finding(CODE, Severity.WARNING, sentence, places, "write what is done without them, or promise less for what needs them")


def _slower(facts: Facts, name: str, user: str) -> Iterator[Finding]:
    plan, dependency = facts.plan, facts.plan.dependencies[name]
    section = "functions" if user in plan.functions else "components"
    used = plan.functions[user] if user in plan.functions else plan.components[user]
    if dependency.rto is not None and dependency.rto > used.rto:
        yield Finding(
            CODE,
            Severity.WARNING if dependency.fallback is None else Severity.NOTE,
            f"{used.name} promises to be back within {spoken_duration(used.rto)}, but needs {dependency.name}, "
            f"which promises {spoken_duration(dependency.rto)}",
            ((section, user, "rto"), ("dependencies", name, "rto")),
            "agree on a shorter time, write what is done without it, or promise the later of the two",
        )


RULE = Rule(
    CODE,
    "what is needed promises as much",
    _apply,
    Explanation(
        means="An outside service promises less availability or a later return than what stands on it.",
        why="A chain keeps what its weakest link keeps.",
        computed="`availability_percent` and `rto` of dependencies against the plan's highest promise and the RTO of what needs them.",
        mend="Agree on more, write a fallback, or promise less.",
        example="opera.availability_percent: 99.5 under a promise of 99.95",
    ),
)
