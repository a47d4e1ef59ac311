"""What an outage of some length costs by the plan's financial tiers: the one piece of arithmetic that everything else asks.

Rules: a tier states the loss of the whole outage, not a rate; a tier holds from its start until before its end. An outage longer than the
last tier costs at least what that tier says: it never becomes free. In a gap between two tiers the one before the gap counts, at least.
"""

from dataclasses import dataclass

from holdfast.plan.impact import FinancialTier
from holdfast.plan.model import Plan


@dataclass(frozen=True, slots=True)
class Cost:
    """What an outage of this length costs. `at_least`: the plan gives no upper end for it."""

    usd: float
    tier: FinancialTier | None
    """None where no tier speaks of this length."""
    at_least: bool = False


def cost_so_far(plan: Plan, elapsed_seconds: float) -> Cost:
    """The tier that `elapsed_seconds` falls into, and its loss."""
    begun = [tier for tier in plan.financial_tiers if tier.start <= elapsed_seconds]
    for tier in begun:
        if tier.end is None or elapsed_seconds < tier.end:
            return Cost(tier.revenue_loss_usd, tier, tier.revenue_loss == "at-least")
    if not begun:
        return Cost(0.0, None)
    return Cost(max(begun, key=lambda tier: tier.start).revenue_loss_usd, None, at_least=True)


def tier_after(plan: Plan, elapsed_seconds: float) -> FinancialTier | None:
    """The tier that begins next, or None when none does."""
    later = [tier for tier in plan.financial_tiers if tier.start > elapsed_seconds]
    return min(later, key=lambda tier: tier.start, default=None)
