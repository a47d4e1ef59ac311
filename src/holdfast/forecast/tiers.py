"""The plan's financial tiers over many lengths of an outage at once; one length alone is `plan.tiers`."""

from typing import Self

import numpy as np
from numpy.typing import NDArray

from holdfast.forecast.draws import Times
from holdfast.forecast.results import ExpectedCost
from holdfast.plan.model import Plan
from holdfast.plan.tiers import cost_so_far


class Tiers:
    """Between two neighbouring edges every outage costs the same, so one answer of `cost_so_far` for each stretch is enough."""

    def __init__(self, edges: NDArray[np.float32], usd: NDArray[np.float64], at_least: NDArray[np.bool_]) -> None:
        self._edges, self._usd, self._at_least = edges, usd, at_least

    @classmethod
    def of(cls, plan: Plan) -> Self | None:
        """The tiers of a plan; None when it has none."""
        if not plan.financial_tiers:
            return None
        edges = sorted({tier.start for tier in plan.financial_tiers} | {tier.end for tier in plan.financial_tiers if tier.end is not None})
        costs = [cost_so_far(plan, seconds) for seconds in (-1.0, *edges)]
        usd = np.array([cost.usd for cost in costs], dtype=np.float64)
        return cls(np.array(edges, dtype=np.float32), usd, np.array([cost.at_least for cost in costs]))

    def usd(self, seconds: Times) -> NDArray[np.float64]:
        """What each outage costs."""
        return self._usd[np.searchsorted(self._edges, seconds, side="right")]

    def expected(self, seconds: Times) -> ExpectedCost:
        """Over all of them."""
        costs = self.usd(seconds)
        at_least = self._at_least[np.searchsorted(self._edges, seconds, side="right")]
        return ExpectedCost(
            mean_usd=round(float(costs.mean()), 2),
            p90_usd=round(float(np.quantile(costs, 0.9, method="higher")), 2),
            at_least_chance=round(float(at_least.mean()), 6),
        )
