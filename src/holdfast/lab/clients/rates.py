"""How much the lab's clients send. Pure.

The rates keep the whole lab below about 60 % of two cores and are too much for a single instance (see `lab.application.capacity`).
"""

from collections.abc import Sequence

DEFAULT_RATES = {"voice": 15.0, "authentication": 15.0, "pms": 8.0, "analytics": 6.0, "configuration": 6.0}
"""Requests a second."""
OTHER_RATE = 5.0
DEFAULT_TIMEOUT_SECONDS = 1.0
DEFAULT_NEEDS_VERSION = "2"


def rates(functions: Sequence[str], overrides: Sequence[str]) -> dict[str, float]:
    """Function → requests a second; overrides are `FUNCTION=NUMBER`. Raises ValueError naming what is wrong."""
    found = {function: DEFAULT_RATES.get(function, OTHER_RATE) for function in functions}
    for override in overrides:
        function, _, number = override.partition("=")
        if function not in found:
            raise ValueError(f"--rate {override}: no function is called {function!r}; there are {', '.join(functions)}")
        try:
            found[function] = float(number)
        except ValueError:
            raise ValueError(f"--rate {override}: {number!r} is no number of requests a second") from None
        if not 0 < found[function] <= 1000:
            raise ValueError(f"--rate {override}: must be above 0 and at most 1000 a second")
    return found
