"""What follows from a plan alone is worked out once: a plan never changes, and a controller asks for the same many times a second."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from holdfast.plan.model import Plan

Result = TypeVar("Result")

KEPT_PLANS = 4
"""Plans whose results are kept: a controller has one, and one more while it is given a changed one."""


def once_per_plan(work: Callable[[Plan], Result]) -> Callable[[Plan], Result]:
    """The same work, done once for each plan object. What it gives must not be changed by whoever gets it.

    Plans are told apart by identity, since comparing two of them costs more than most such work; each is held as long as its result is,
    so that no other one can take its identity.
    """
    kept: list[tuple[Plan, Result]] = []

    @wraps(work)
    def remembered(plan: Plan) -> Result:
        for known, result in kept:
            if known is plan:
                return result
        result = work(plan)
        kept.append((plan, result))
        del kept[:-KEPT_PLANS]
        return result

    return remembered
