"""HF132: something that is needed exists only in the region that is lost."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts, listed
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.problems import Place

CODE = "HF132"


def _apply(facts: Facts) -> Iterator[Finding]:
    plan, primary = facts.plan, facts.plan.primary_region()
    for name, dependency in plan.dependencies.items():
        if not dependency.regions or set(dependency.regions) != {primary}:
            continue
        users = listed((plan.functions.get(user) or plan.components[user]).name for user in dependency.needed_by) or "nothing named"
        without = f"; without it: {dependency.fallback}" if dependency.fallback is not None else ", and the plan says nothing else"
        yield Finding(
            CODE,
            Severity.WARNING if dependency.fallback is None else Severity.NOTE,
            f"{dependency.name} stands only in {primary} and is lost with it; {users} needs it{without}",
            (("dependencies", name, "regions"), ("regions", primary)),
            "have it in the other region too, or write 'fallback'",
        )
    for name, component in plan.components.items():
        if component.only_in == primary:
            users = listed(plan.functions[user].name for user in facts.carries.get(name, ())) or "nothing named"
            sentence = f"{component.name} exists only in {primary} and is lost with it; on it stands: {users}"
            places: tuple[Place, ...] = (("components", name, "only_in"), ("regions", primary))
            yield Finding(CODE, Severity.WARNING, sentence, places, "have it in the other region too")
    for name, monitor in plan.monitoring.items():
        if set(monitor.runs_in) == {primary}:
            sentence = f"{monitor.name} runs only in {primary}: when it is lost, nobody is there to see it"
            places = (("monitoring", name, "runs_in"), ("regions", primary))
            yield Finding(CODE, Severity.WARNING, sentence, places, "run it at the witness or in the other region too")


RULE = Rule(
    CODE,
    "what is needed outlives the region",
    _apply,
    Explanation(
        means="A dependency, a component, or what watches stands in the primary region alone.",
        why="After the failover everything runs but this, and so nothing does.",
        computed=(
            "`regions` of dependencies, `only_in` of components and `runs_in` of monitoring against the primary region; a fallback "
            "makes it a note."
        ),
        mend="Have it in both regions, or write what is done without it.",
        example="media: { regions: [eu-west-1] }",
    ),
)
