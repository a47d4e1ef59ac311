"""HF126: a channel stands in the region that is lost, and nothing stands in for it."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts, listed
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.problems import Place

CODE = "HF126"


def _apply(facts: Facts) -> Iterator[Finding]:
    plan, primary = facts.plan, facts.plan.primary_region()

    def falls(channel: str) -> bool:
        route = plan.routes.get(channel)
        return route is not None and set(route.regions) == {primary} and route.second is None

    def lost(channel: str) -> bool:
        second = plan.routes[channel].second_channel if falls(channel) else channel
        return second is None or falls(second)  # only one channel stands in: not also the one that would stand in for that

    used = [(("messages", name), f"the message '{name}'", message.channels) for name, message in plan.messages.items()]
    used += [(("escalation", severity), f"the escalation of {severity}", level.channels) for severity, level in plan.escalation.items()]
    for place, what, channels in used:
        if all(lost(channel) for channel in channels):
            places: tuple[Place, ...] = ((*place, "channels"), *(("routes", channel, "regions") for channel in channels))
            sentence = f"{what} goes out by {listed(channels)} only, which {'stand' if len(channels) > 1 else 'stands'} in {primary}"
            yield Finding(CODE, Severity.WARNING, sentence + " and is lost with it", places, "name a second way or another channel")


RULE = Rule(
    CODE,
    "channels survive the region",
    _apply,
    Explanation(
        means="Every channel of a message stands in the primary region.",
        why="When the region is lost, so is the word that it is lost.",
        computed="Routes whose `regions` are the primary only, without `second` or a second channel that survives.",
        mend="Name a second way at the route, or another channel at the message.",
        example="routes.email.regions: [eu-west-1], and a message with channels: [email]",
    ),
)
