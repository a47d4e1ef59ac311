"""How the clients fare while a drill runs, by the last lines of their ledgers.

Rules: reads only, and only the end of a file; a line that is being written is left out. What counts in the end is measured from the
whole ledgers (`holdfast.ledger.measure`), never from here.
"""

from collections.abc import Iterable
from pathlib import Path

from holdfast.ledger.entry import RequestResult
from holdfast.ledger.measure import SUCCESSES_IN_A_ROW, Request, requests
from holdfast.ledger.reading import parse_ledger

ENOUGH = 2 * SUCCESSES_IN_A_ROW
"""Twice what ends an outage: requests sent in between may still be on their way, and fail."""
LATELY_SECONDS = 1.0
_END_BYTES = 65_536
"""Room for far more than twenty requests with an entry for each store."""


def served_in_a_row(ledgers: Path, functions: Iterable[str]) -> bool:
    """Whether the twenty requests of every function that were sent last were acknowledged."""
    return all(_last_were_acknowledged(ledgers / f"{function}.jsonl") for function in functions)


def acknowledged_lately(ledgers: Path, functions: Iterable[str], now_seconds: float) -> bool:
    """Whether any function's last request was acknowledged within the last second: without writes nothing can be lost."""
    last = (request for function in functions for request in _last(ledgers / f"{function}.jsonl")[-1:])
    return any(r.result is RequestResult.ACKNOWLEDGED and now_seconds - r.answered_seconds <= LATELY_SECONDS for r in last)


def _last_were_acknowledged(ledger: Path) -> bool:
    last = _last(ledger)[-ENOUGH:]
    return len(last) == ENOUGH and all(request.result is RequestResult.ACKNOWLEDGED for request in last)


def _last(ledger: Path) -> tuple[Request, ...]:
    """The requests at the end of a ledger, in the order of sending; none where there is no ledger yet."""
    try:
        with ledger.open("rb") as file:
            file.seek(max(0, ledger.stat().st_size - _END_BYTES))
            lines = file.read().split(b"\n")[1:-1]
    except FileNotFoundError:
        return ()
    # In the order of sending, as an outage is measured: answers overtake each other.
    return requests(parse_ledger(b"".join(line + b"\n" for line in lines), str(ledger)).entries)
