"""How the clients fare while a drill runs, by the last lines of their ledgers.

Rules: reads only, and only the end of a file; a line that is being written is left out. What counts in the end is measured from the
whole ledgers (`holdfast.ledger.measure`), never from here.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from holdfast.ledger.entry import RequestResult
from holdfast.ledger.measure import SUCCESSES_IN_A_ROW

_END_BYTES = 32_768
"""Room for far more than ten requests with an entry for each store."""


def served_in_a_row(ledgers: Path, functions: Iterable[str]) -> bool:
    """Whether the last ten requests of every function were acknowledged."""
    return all(_last_were_acknowledged(ledgers / f"{function}.jsonl") for function in functions)


def _last_were_acknowledged(ledger: Path) -> bool:
    try:
        with ledger.open("rb") as file:
            file.seek(max(0, ledger.stat().st_size - _END_BYTES))
            whole_lines = file.read().split(b"\n")[1:-1]
    except FileNotFoundError:
        return False
    results: dict[str, str] = {}
    for line in reversed(whole_lines):
        entry = json.loads(line)
        results[entry["request"]] = entry["result"]
        if len(results) >= SUCCESSES_IN_A_ROW:
            break
    return len(results) >= SUCCESSES_IN_A_ROW and set(results.values()) == {RequestResult.ACKNOWLEDGED.value}
