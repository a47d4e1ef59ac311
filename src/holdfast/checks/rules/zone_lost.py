"""HF120: what the loss of one zone leaves, by the sizes and triggers that the plan states.

Instances are spread over a region's zones evenly. When those that are left can't carry a function's full load, or nobody has said
whether they can, that is worth knowing (note): the zone is survived, with less. A size that can't carry the load with every zone up, and
a trigger for more zones than there are, can't be meant so (warning). A trigger that one lost zone fires may be meant so (note).
"""

import math
from collections.abc import Iterator, Mapping

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.model import Plan, ZonesDownTrigger
from holdfast.plan.parameters import replicas_of

CODE = "HF120"


def _apply(facts: Facts) -> Iterator[Finding]:
    plan = facts.plan
    yield from _sizes(plan)
    yield from _scaling(plan)
    yield from _triggers(plan)


def _sizes(plan: Plan) -> Iterator[Finding]:
    for identifier, function in plan.functions.items():
        size, place = function.size, ("functions", identifier, "size")
        if size is not None and size.run < size.needed:
            sentence = f"{size.run} instances of {function.name} run and {size.needed} carry its full load: it is overloaded all the time"
            yield Finding(CODE, Severity.WARNING, sentence, (place,), "raise 'run', or correct 'needed'")
    for region, zones in _divided(plan).items():
        unsaid = [function.name for function in plan.functions.values() if function.size is None]
        if unsaid:
            sentence = f"nobody says whether {region} can carry {', '.join(unsaid)} when one of its {zones} zones is lost"
            yield Finding(
                CODE, Severity.NOTE, sentence, (("regions", region, "zones"),), "write 'size: { run: …, needed: … }' at the function"
            )
        for identifier, function in plan.functions.items():
            size = function.size
            left = size.run - math.ceil(size.run / zones) if size is not None else 0
            if size is not None and left < size.needed <= size.run:
                sentence = (
                    f"when one of the {zones} zones of {region} is lost, {left} of {size.run} instances of {function.name} are left, "
                    f"and {size.needed} carry its full load"
                )
                places = (("functions", identifier, "size"), ("regions", region, "zones"))
                yield Finding(CODE, Severity.NOTE, sentence, places, f"run {_enough(size.needed, zones)}, or accept less until it is back")


def _divided(plan: Plan) -> Mapping[str, int]:
    return {name: len(region.zones) for name, region in plan.regions.items() if len(region.zones) > 1}


def _enough(needed: int, zones: int) -> int:
    """The smallest size that still has `needed` instances without its fullest zone."""
    return next(run for run in range(needed, 2 * needed + zones) if run - math.ceil(run / zones) >= needed)


def _scaling(plan: Plan) -> Iterator[Finding]:
    for scenario, known in plan.scenarios.items():
        for number, phase in enumerate(known.phases):
            for position, step in enumerate(phase.steps):
                if step.block != "application.scale":
                    continue
                place = ("scenarios", scenario, "phases", number, "steps", position, "parameters", "replicas")
                wishes = replicas_of(step.parameters, plan.functions)
                for identifier, function in plan.functions.items():
                    wished = wishes.get(identifier)
                    if function.size is not None and wished is not None and wished < function.size.needed:
                        sentence = (
                            f"the step '{step.id}' scales {function.name} to {wished}, and {function.size.needed} carry its full load"
                        )
                        yield Finding(
                            CODE, Severity.WARNING, sentence, (("functions", identifier, "size"), place), "scale to what is needed"
                        )


def _triggers(plan: Plan) -> Iterator[Finding]:
    for scenario, known in plan.scenarios.items():
        for number, trigger in enumerate(known.triggers):
            if not isinstance(trigger, ZonesDownTrigger):
                continue
            place = ("scenarios", scenario, "triggers", number, "count")
            for region, of in plan.regions.items():
                if len(of.zones) < trigger.count:
                    sentence = (
                        f"the trigger waits for {trigger.count} lost zones of {region}, and the plan names {len(of.zones)}: it never fires"
                    )
                    yield Finding(
                        CODE, Severity.WARNING, sentence, (place, ("regions", region, "zones")), "name the zones, or lower 'count'"
                    )
            if trigger.count == 1 and _divided(plan):
                sentence = "one lost zone fires this trigger, though the other zones of the region go on"
                yield Finding(CODE, Severity.NOTE, sentence, (place,), "write 2 or more, unless one lost zone is meant to move the region")


RULE = Rule(
    CODE,
    "the loss of one zone is survived",
    _apply,
    Explanation(
        means="What the loss of one zone leaves is too little, or nobody said.",
        why="One zone is lost far more often than a region.",
        computed="Instances are spread evenly; what is left without the fullest zone against `needed`.",
        mend="Run more, or say `size` at the function.",
        example="size: { run: 4, needed: 3 } over two zones",
    ),
)
