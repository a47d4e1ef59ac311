"""HF151: the financial tiers overlap, leave a gap, or say that a longer outage costs less."""

from collections.abc import Iterator
from itertools import pairwise

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.impact import FinancialTier
from holdfast.plan.problems import Place
from holdfast.plan.values import spoken_duration

CODE = "HF151"

Numbered = tuple[int, FinancialTier]


def _apply(facts: Facts) -> Iterator[Finding]:
    tiers = sorted(enumerate(facts.plan.financial_tiers), key=lambda entry: entry[1].start)
    if tiers and tiers[0][1].start > 0:
        number, first = tiers[0]
        sentence = f"no tier says what an outage below {spoken_duration(first.start)} costs"
        yield Finding(CODE, Severity.NOTE, sentence, (("financial_tiers", number, "from"),), "let the first tier begin at 0s")
    for before, after in pairwise(tiers):
        yield from _neighbours(before, after)


def _neighbours(before: Numbered, after: Numbered) -> Iterator[Finding]:
    (one, tier), (other, following) = before, after
    places: tuple[Place, ...] = (("financial_tiers", one), ("financial_tiers", other))
    if tier.end is None or tier.end > following.start:
        until = "has no end" if tier.end is None else f"goes on to {spoken_duration(tier.end)}"
        sentence = f"the tier from {spoken_duration(tier.start)} {until}, and the next begins at {spoken_duration(following.start)}"
        yield Finding(CODE, Severity.WARNING, sentence, places, "let one begin where the other ends")
    elif tier.end < following.start:
        sentence = f"no tier says what an outage between {spoken_duration(tier.end)} and {spoken_duration(following.start)} costs"
        yield Finding(CODE, Severity.NOTE, sentence, places, "let one begin where the other ends")
    if following.revenue_loss_usd < tier.revenue_loss_usd:
        sentence = (
            f"a whole outage from {spoken_duration(following.start)} on costs less (US$ {following.revenue_loss_usd:,.0f}) "
            f"than a shorter one from {spoken_duration(tier.start)} on (US$ {tier.revenue_loss_usd:,.0f})"
        )
        where: tuple[Place, ...] = tuple((*place, "revenue_loss_usd") for place in places)
        yield Finding(CODE, Severity.WARNING, sentence, where, "write what the whole outage costs in each tier")


RULE = Rule(
    CODE,
    "the financial tiers cover every outage once",
    _apply,
    Explanation(
        means="Tiers overlap, leave lengths of outage out, or fall as outages grow.",
        why="What an outage costs is told to executives while it lasts, and decides what recovery may cost.",
        computed="Each tier's end and loss against the next one's start and loss.",
        mend="Let each tier begin where the one before ends, and say what the whole outage costs.",
        example="{ from: 0s, to: 15m } followed by { from: 30m }",
    ),
)
