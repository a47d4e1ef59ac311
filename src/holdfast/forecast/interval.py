"""How sure a share is that was seen in few runs, and how to say it in words."""

import math

SURE = 1.959964
"""Standard deviations to either side that hold 95 % of a normal distribution."""
FEW_RUNS, MANY_RUNS = 5, 30


def wilson(share: float, runs: int) -> tuple[float, float]:
    """The 95 % score interval of a share that `runs` runs stand behind (E. Wilson 1927). Without a run everything is possible: 0 to 1.

    It stays inside 0 to 1 and is honest for few runs and for shares of 0 and 1, where the usual formula is not
    (L. Brown, T. Cai, A. DasGupta, Statistical Science 16, 2001).
    """
    if runs == 0:
        return 0.0, 1.0
    square = SURE * SURE
    centre = (share + square / (2 * runs)) / (1 + square / runs)
    half = SURE / (1 + square / runs) * math.sqrt(share * (1 - share) / runs + square / (4 * runs * runs))
    return max(centre - half, 0.0), min(centre + half, 1.0)


def standing_behind(runs: int) -> str:
    """How many real runs stand behind a forecast, in words."""
    if runs == 0:
        return "no real run stands behind it: it is what the plan's own times come to"
    count = "1 real run stands" if runs == 1 else f"{runs} real runs stand"
    if runs < FEW_RUNS:
        return f"{count} behind it: too few to trust"
    return f"{count} behind it" + ("" if runs >= MANY_RUNS else ": enough to be guided by, not to be sure of")
