"""When a drill may end: the clients' last requests, in the order in which they were sent."""

from pathlib import Path

from holdfast.drill.load import ENOUGH, acknowledged_lately, served_in_a_row
from holdfast.ledger.entry import LedgerEntry, RequestResult
from holdfast.ledger.reading import entry_line

ROW = list(range(1, ENOUGH + 1))


def ledger(directory: Path, order: list[int], failed: frozenset[int] = frozenset()) -> Path:
    """A ledger of requests by number, sent in the order of their numbers and answered in the order given."""
    with (directory / "voice.jsonl").open("w", encoding="utf-8") as file:
        for moment, number in enumerate(order):
            result = RequestResult.UNKNOWN if number in failed else RequestResult.ACKNOWLEDGED
            for store in ("database", "cache"):
                entry = LedgerEntry("voice", f"r{number}", float(number), 100.0 + moment, result, store, f"k{number}", "home", 1, None)
                file.write(entry_line(entry))
    return directory


def test_a_function_is_served_when_its_last_twenty_requests_were(tmp_path: Path) -> None:
    assert served_in_a_row(ledger(tmp_path, [0, *ROW], failed=frozenset({0})), ["voice"])


def test_a_failure_among_them_is_waited_out_also_when_its_answer_came_first(tmp_path: Path) -> None:
    assert not served_in_a_row(ledger(tmp_path, [5, 0, *(number for number in ROW if number != 5)], failed=frozenset({5})), ["voice"])


def test_too_few_requests_prove_nothing_nor_does_a_line_that_is_being_written(tmp_path: Path) -> None:
    assert not served_in_a_row(ledger(tmp_path, ROW[1:]), ["voice"])
    assert not served_in_a_row(tmp_path, ["pms"])
    ledger(tmp_path, [0, *ROW])
    with (tmp_path / "voice.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"function":"voi')
    assert served_in_a_row(tmp_path, ["voice"])


def test_writes_are_taken_now_when_the_last_request_of_any_function_was_acknowledged_a_moment_ago(tmp_path: Path) -> None:
    answered = 100.0 + ENOUGH
    assert acknowledged_lately(ledger(tmp_path, [0, *ROW], failed=frozenset({3})), ["pms", "voice"], answered + 0.9)
    assert not acknowledged_lately(tmp_path, ["voice"], answered + 1.1)
    assert not acknowledged_lately(ledger(tmp_path, [0, *ROW], failed=frozenset({ENOUGH})), ["voice"], answered + 0.1)
    assert not acknowledged_lately(tmp_path, ["pms"], answered)
