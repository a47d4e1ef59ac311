"""HF122: names are kept by resolvers for longer than the phase that changes them lasts."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.problems import Place
from holdfast.plan.values import spoken_duration

CODE = "HF122"


SHORTEST_KEPT_SECONDS = 30.0
"""Many resolvers keep an answer for at least so long, whatever its time to live."""


def _apply(facts: Facts) -> Iterator[Finding]:
    for run in facts.there.values():
        for number, phase in enumerate(run.phases):
            for step in phase.steps:
                component = facts.plan.components.get(step.component or "")
                if step.block != "dns.switch" or component is None or step.component is None:
                    continue
                length = phase.window[1] - phase.window[0]
                places: tuple[Place, ...] = (("components", step.component, "ttl"), (*run.phase_place(number), "window"))
                if component.ttl is None:
                    sentence = f"nobody says how long resolvers keep the names of {component.name} that '{step.id}' changes"
                    yield Finding(CODE, Severity.NOTE, sentence, places, "write 'ttl' at the component")
                elif max(component.ttl, SHORTEST_KEPT_SECONDS) > length:
                    yield Finding(
                        CODE,
                        Severity.WARNING,
                        f"resolvers may keep the old address for {spoken_duration(max(component.ttl, SHORTEST_KEPT_SECONDS))}, "
                        f"but the phase '{phase.name}', which changes it, lasts {spoken_duration(length)}",
                        places,
                        "shorten 'ttl' long before it is needed, or lengthen the phase",
                    )


RULE = Rule(
    CODE,
    "names change within their window",
    _apply,
    Explanation(
        means="Clients go on to the lost region for longer than the phase that moves them lasts.",
        why="Published is not arrived: a resolver gives the old address until its time to live is over.",
        computed=(
            "The component's `ttl`, at least the 30 s that many resolvers keep anyway, against the length of the phase with `dns.switch`."
        ),
        mend="Lower the ttl, or lengthen the window.",
        example="dns.ttl: 1h, changed in a phase of 10 min",
    ),
)
