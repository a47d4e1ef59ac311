"""What an outage of one function means after some time: cost and tier, what it breaks, which messages would have fallen due.

Rules: of severities the function's own priority is taken, since nothing else is known to be down; a message that is told only in some
scenarios is listed with them; one that waits for an outage that lasts counts once it lasted. Credits are said where the plan has them.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.plan.model import FinancialTier, Message, Plan, ServiceLevel
from holdfast.plan.tiers import cost_so_far, tier_after
from holdfast.plan.values import spoken_duration


@dataclass(frozen=True, slots=True)
class Promise:
    """Something promised about the function's outage, and whether this one breaks it."""

    about: str
    allowed_seconds: float
    broken: bool
    says: str


@dataclass(frozen=True, slots=True)
class DueBy:
    """A message that would have fallen due, and when, counted from the outage's start. `times`: how often so far."""

    message: str
    audience: tuple[str, ...]
    channels: tuple[str, ...]
    first_due_seconds: float
    times: int
    scenarios: tuple[str, ...] = ()
    """Told only in these; in all of them when empty."""


@dataclass(frozen=True, slots=True)
class Outage:
    """One function down for some time. Money in US dollars. `tier` is counted from 1; None where no tier speaks of this length."""

    function: str
    name: str
    down_seconds: float
    cost_usd: float
    at_least: bool
    tier: int | None
    tiers: int
    tier_from_seconds: float | None
    tier_to_seconds: float | None
    customer_impact: str | None
    regulatory_risk: str | None
    next_tier_in_seconds: float | None
    next_tier_usd: float | None
    next_tier_at_least: bool
    promises: tuple[Promise, ...]
    due: tuple[DueBy, ...]


def outage(plan: Plan, function: str, down_seconds: float) -> Outage:
    """What it means that this function is down for so long."""
    cost = cost_so_far(plan, down_seconds)
    tier, later = cost.tier, tier_after(plan, down_seconds)
    return Outage(
        function=function,
        name=plan.functions[function].name,
        down_seconds=down_seconds,
        cost_usd=cost.usd,
        at_least=cost.at_least,
        tier=None if tier is None else plan.financial_tiers.index(tier) + 1,
        tiers=len(plan.financial_tiers),
        tier_from_seconds=None if tier is None else tier.start,
        tier_to_seconds=None if tier is None else tier.end,
        customer_impact=None if tier is None else tier.customer_impact,
        regulatory_risk=None if tier is None else tier.regulatory_risk,
        next_tier_in_seconds=None if later is None else later.start - down_seconds,
        next_tier_usd=None if later is None else later.revenue_loss_usd,
        next_tier_at_least=later is not None and _open(later),
        promises=tuple(_promises(plan, function, down_seconds)),
        due=tuple(_due(plan, function, down_seconds)),
    )


def _open(tier: FinancialTier) -> bool:
    return tier.revenue_loss == "at-least"


def _promises(plan: Plan, function: str, down: float) -> Iterator[Promise]:
    one = plan.functions[function]
    yield _promise(f"RTO of {one.name}", one.rto, down)
    if one.mtpd is not None:
        yield _promise(f"MTPD of {one.name}", one.mtpd, down)
    if plan.objectives.rto is not None:
        yield _promise("RTO of the plan", plan.objectives.rto, down)
    if plan.objectives.availability_percent is not None:
        month = ServiceLevel.model_construct(name="the plan's objective", availability_percent=plan.objectives.availability_percent)
        yield _level(month, down)
    for level in plan.service_levels.values():
        yield _level(level, down)


def _promise(about: str, allowed: float, down: float) -> Promise:
    broken = down > allowed
    says = f"over by {spoken_duration(down - allowed)}" if broken else f"{spoken_duration(allowed - down)} left"
    return Promise(about, allowed, broken, says)


def _level(level: ServiceLevel, down: float) -> Promise:
    allowed = (100.0 - level.availability_percent) / 100.0 * level.period
    about = f"{level.name}: {level.availability_percent:g} % over {spoken_duration(level.period)}"
    broken = down > allowed
    reached = (1 - min(down / level.period, 1.0)) * 100
    left = (
        f"at most {math.floor(reached * 1000) / 1000:.5g} % of this period"
        if broken
        else f"{spoken_duration(allowed - down)} of outage left in this period"
    )
    return Promise(about, allowed, broken, left + _credit(level, reached))


def _credit(level: ServiceLevel, reached_percent: float) -> str:
    """The credit that is owed below some availability, where the plan's service level has a list of credits."""
    owed = [credit.percent for credit in level.credits if reached_percent < credit.below_percent]
    return f"; credit of {max(owed):g} % of the fee" if owed else ""


def _due(plan: Plan, function: str, down: float) -> Iterator[DueBy]:
    falling = [
        (message.due, name, message)
        for name, message in plan.messages.items()
        if message.counts_from == "start" and message.due <= down and _applies(plan, message, function, down)
    ]
    for due, name, message in sorted(falling, key=lambda entry: (entry[0], entry[1])):
        times = 1 if message.every is None else 1 + int((down - due) // message.every)
        yield DueBy(name, message.audience, message.channels, due, times, message.scenarios)


def _applies(plan: Plan, message: Message, function: str, down: float) -> bool:
    if message.functions and function not in message.functions:
        return False
    if message.severities and plan.functions[function].priority not in message.severities:
        return False
    return down >= message.lasting
