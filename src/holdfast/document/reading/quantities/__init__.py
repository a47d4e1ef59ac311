"""Numbers with units, as people write them, read by exact rules. What the rules don't cover is *unclear*, never guessed.

A reading is a value in the plan's own form (`15m`, `weekly`, `< 5m`), or nothing (`N/A`), or unclear with what it could mean. One quantity is
taken, and what stands around it is looked at too (`beside`): a number, a sign, a fraction, `per`, `not`, `between` and their like change what
the quantity means, so they make it unclear; other words are left out, and that is said with the value. What else is taken for granted is said
the same way: a month is 30 days, as in the plan's frequencies; `about` and `at least` are left out; `$` means US dollars.
"""

from holdfast.document.reading.quantities.days import day
from holdfast.document.reading.quantities.durations import duration, unit_of_heading
from holdfast.document.reading.quantities.frequencies import frequency
from holdfast.document.reading.quantities.lengths import Length, lengths
from holdfast.document.reading.quantities.money import Money, money
from holdfast.document.reading.quantities.readings import NOTHING, Reading, absent
from holdfast.document.reading.quantities.shares import percent, target
from holdfast.document.reading.quantities.windows import window

__all__ = [
    "NOTHING",
    "Length",
    "Money",
    "Reading",
    "absent",
    "day",
    "duration",
    "frequency",
    "lengths",
    "money",
    "percent",
    "target",
    "unit_of_heading",
    "window",
]
