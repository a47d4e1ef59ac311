"""HF133: the DR region has less capacity than production uses."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.problems import Place

CODE = "HF133"


def _apply(facts: Facts) -> Iterator[Finding]:
    plan = facts.plan
    source, target = plan.primary_region(), plan.dr_region()
    there = plan.regions[target].node_groups
    for name, group in plan.regions[source].node_groups.items():
        place: Place = ("regions", source, "node_groups", name)
        words, other = group.name or name, there.get(name)
        if other is None:
            sentence = f"{source} runs {group.usual} nodes of the group '{words}', and {target} has no such group"
            yield Finding(CODE, Severity.WARNING, sentence, (place, ("regions", target, "node_groups")), "add the group there")
        elif other.largest < group.usual:
            sentence = f"{source} runs {group.usual} nodes of the group '{words}', and {target} can have {other.largest} at most"
            places: tuple[Place, ...] = ((*place, "usual"), ("regions", target, "node_groups", name, "largest"))
            yield Finding(CODE, Severity.WARNING, sentence, places, "raise 'largest' there")
        elif other.usual < group.usual:
            sentence = f"{source} runs {group.usual} nodes of the group '{words}', and {target} {other.usual} until it has grown"
            places = ((*place, "usual"), ("regions", target, "node_groups", name, "usual"))
            yield Finding(CODE, Severity.NOTE, sentence, places, "growing takes time: count it, or run as many")


RULE = Rule(
    CODE,
    "the DR region carries production",
    _apply,
    Explanation(
        means="A group of nodes in production is missing or smaller in the DR region.",
        why="Service that comes back too small is down again under load.",
        computed="`usual` of each primary group against `usual` and `largest` of the same group in the DR region.",
        mend="Add the group, or raise its sizes.",
        example="a group gpu in eu-west-1 only",
    ),
)
