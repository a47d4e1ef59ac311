"""How the clients fare while a drill runs, by the last lines of their ledgers.

Rules: reads only, and only the end of a file; a line that is being written is left out. What counts in the end is measured from the
whole ledgers (`holdfast.ledger.measure`), never from here.
"""

from collections.abc import Iterable
from pathlib import Path

from holdfast.ledger.entry import RequestResult
from holdfast.ledger.measure import SUCCESSES_IN_A_ROW, requests
from holdfast.ledger.reading import parse_ledger

ENOUGH = 2 * SUCCESSES_IN_A_ROW
"""Twice what ends an outage: requests sent in between may still be on their way, and fail."""
_END_BYTES = 65_536
"""Room for far more than twenty requests with an entry for each store."""


def served_in_a_row(ledgers: Path, functions: Iterable[str]) -> bool:
    """Whether the twenty requests of every function that were sent last were acknowledged."""
    return all(_last_were_acknowledged(ledgers / f"{function}.jsonl") for function in functions)


def _last_were_acknowledged(ledger: Path) -> bool:
    try:
        with ledger.open("rb") as file:
            file.seek(max(0, ledger.stat().st_size - _END_BYTES))
            lines = file.read().split(b"\n")[1:-1]
    except FileNotFoundError:
        return False
    # In the order of sending, as an outage is measured: answers overtake each other.
    entries = parse_ledger(b"".join(line + b"\n" for line in lines), str(ledger)).entries
    last = requests(entries)[-ENOUGH:]
    return len(last) == ENOUGH and all(request.result is RequestResult.ACKNOWLEDGED for request in last)
