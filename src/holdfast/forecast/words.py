"""How a forecast is worded: chances, money and lengths of time, two significant digits, units with every number."""

import math


def usd(amount: float) -> str:
    """`US$ 1,000`; amounts that were worked out are rounded to two significant digits by the caller."""
    return f"US$ {amount:,.0f}"


def about_usd(amount: float) -> str:
    """A mean, to two significant digits."""
    if amount < 1:
        return usd(0)
    digits = math.floor(math.log10(amount)) - 1
    return usd(round(amount, -digits))


def percent(chance: float) -> str:
    """`87 %`; never 0 or 100 for what is only nearly so."""
    if 0 < chance < 0.005:
        return "< 1 %"
    if 0.995 <= chance < 1:
        return "> 99 %"
    return f"{100 * chance:.0f} %"


def about(seconds: float) -> str:
    """A length of time to two significant digits: `4.3 s`, `95 s`, `12 min`, `1.7 h`."""
    for limit, divisor, unit in ((120.0, 1.0, "s"), (7200.0, 60.0, "min"), (172800.0, 3600.0, "h"), (math.inf, 86400.0, "d")):
        if seconds < limit:
            value = seconds / divisor
            if value < 0.05:
                return f"0 {unit}"
            places = max(0, 1 - math.floor(math.log10(value)))
            return f"{value:.{places}f}".removesuffix(".0") + f" {unit}"
    raise AssertionError("the last limit is endless")


def node_name(identifier: str) -> str:
    """A node's name for people: `(detection)` is no step of the plan."""
    return identifier.removeprefix("(").replace(") ", " after ").removesuffix(")")
