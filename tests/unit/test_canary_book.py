"""A canary's ledger is on the disk before it counts, survives torn lines, full disks and stepped clocks, and stays bounded."""

import asyncio
import errno
import gzip
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.canary import book as book_module
from holdfast.canary import files as files_module
from holdfast.canary.archive import GONE, NOT_BEGUN, STOPPED, entries, measured
from holdfast.canary.book import Book, BookSettings
from holdfast.canary.files import CanaryFiles, Mark, What, read_marks, read_spans, write_mark
from holdfast.canary.upkeep import ClockWatch, DurableLedger, Standstill, Word
from holdfast.ledger.availability import availability
from holdfast.ledger.entry import LedgerEntry, RequestResult
from holdfast.plan.model import Canary

T0 = 1_790_000_000.0
CANARY = Canary.model_validate({"transaction": "a test call", "every": "1s", "within": "1s"})


def entry(n: float, result: RequestResult = RequestResult.ACKNOWLEDGED) -> LedgerEntry:
    request = f"canary-{n}"
    return LedgerEntry("voice", request, T0 + n, T0 + n + 0.05, result, "database", f"calls/{request}", "eu-west-1", 1, T0 + n)


def settings(**changes: int) -> BookSettings:
    return replace(BookSettings(1.0, 1.0), **changes)


@pytest.fixture
def files(tmp_path: Path) -> CanaryFiles:
    return CanaryFiles(tmp_path / "canary")


def opened(files: CanaryFiles, **changes: int) -> Book:
    return Book(files, "voice", settings(**changes))


def test_an_entry_is_synced_before_write_returns(files: CanaryFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []
    real = {name: getattr(os, name) for name in ("write", "fdatasync")}

    def told(name: str) -> Callable[..., object]:
        def call(*given: object) -> object:
            happened.append(name)
            return real[name](*given)

        return call

    for name in real:
        monkeypatch.setattr(os, name, told(name))
    opened(files).write([entry(1)])
    assert happened == ["write", "fdatasync"]


def test_a_restart_goes_on_behind_what_is_whole_and_says_what_was_torn(files: CanaryFiles) -> None:
    first = opened(files)
    first.write([entry(1)])
    first.close()
    with files.ledger("voice").open("ab") as ledger:
        ledger.write(b'{"function":"voi')
    second = opened(files)
    assert second.torn == 16
    second.write([entry(2)])
    assert entries(files, "voice", T0, T0 + 10).entries == (entry(1), entry(2))


def test_a_full_disk_leaves_no_half_line_and_what_was_refused_does_not_count(files: CanaryFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    book = opened(files)
    book.write([entry(1)])
    real = os.write

    def half(descriptor: int, content: memoryview) -> int:
        real(descriptor, bytes(content[:20]))
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", half)
    for _ in range(2):
        with pytest.raises(OSError, match="No space left"):
            book.write([entry(2)])
        assert files.ledger("voice").read_bytes().endswith(b"}\n"), "whoever reads meanwhile finds no half line"
    monkeypatch.undo()
    book.write([entry(3)])
    found = entries(files, "voice", T0, T0 + 10)
    assert found.torn is None
    assert found.entries == (entry(1), entry(3))


def test_full_ledgers_are_put_away_and_read_as_one(files: CanaryFiles) -> None:
    book = opened(files, ledger_bytes=2000)
    for n in range(60):
        book.write([entry(n, RequestResult.REFUSED if 20 <= n < 25 else RequestResult.ACKNOWLEDGED)])
    packed = sorted(files.earlier("voice").iterdir())
    assert len(packed) > 5
    assert {path.suffix for path in packed} == {".gz"}
    assert [e.sent_seconds - T0 for e in entries(files, "voice", T0 + 10, T0 + 50).entries] == list(range(10, 50))
    found = availability(measured(files, "voice", CANARY, T0, T0 + 60))
    assert (found.available_seconds, found.unavailable_seconds, found.unknown_seconds) == (55.0, 5.0, 0.0)
    assert found.outages == 1


def test_packed_ledgers_stay_within_their_bound_and_availability_outlives_them(files: CanaryFiles) -> None:
    book = opened(files, ledger_bytes=2000, keep_bytes=1000)
    for n in range(200):
        book.write([entry(n)])
    assert book.dropped > 10
    assert sum(path.stat().st_size for path in files.earlier("voice").iterdir()) <= 1000
    assert len(entries(files, "voice", T0, T0 + 200).entries) < 100
    assert availability(measured(files, "voice", CANARY, T0, T0 + 200)).available_seconds == 200.0


@pytest.mark.parametrize("killed_in", ["write_spans", "replace_whole"])
def test_a_canary_that_is_killed_while_it_packs_loses_nothing(files: CanaryFiles, monkeypatch: pytest.MonkeyPatch, killed_in: str) -> None:
    book = opened(files, ledger_bytes=2000)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(book_module, killed_in, killed)
    written = 0
    with pytest.raises(KeyboardInterrupt):
        for n in range(60):
            book.write([entry(n)])
            written = n + 1
    monkeypatch.undo()
    assert len(entries(files, "voice", T0, T0 + 100).entries) == written
    again = opened(files, ledger_bytes=2000)
    again.write([entry(written)])
    assert len(entries(files, "voice", T0, T0 + 100).entries) == written + 1
    assert [path.suffix for path in files.earlier("voice").iterdir()] == [".gz"]
    assert availability(measured(files, "voice", CANARY, T0, T0 + written + 1)).available_seconds == written + 1.0


def test_a_ledger_that_somebody_changed_is_set_aside_and_its_time_is_unknown(files: CanaryFiles) -> None:
    files.earlier("voice").mkdir(parents=True)
    (files.earlier("voice") / f"{T0:017.6f}.jsonl").write_text('{"who": "knows"}\n')
    book = opened(files)
    assert [path.suffix for path in book.damaged] == [".damaged"]
    book.write([entry(5)])
    assert availability(measured(files, "voice", CANARY, T0, T0 + 6)).unknown_seconds == 5.0


def test_marks_and_spans_are_bounded_and_the_older_half_goes_first(files: CanaryFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files_module, "LINES_BYTES", 4000)
    files.directory.mkdir()
    for n in range(300):
        write_mark(files, Mark(T0 + n, What.TORN, "x"))
    assert files.marks.stat().st_size < 4200
    kept = [mark.at_seconds for mark in read_marks(files)]
    assert kept == [T0 + n for n in range(300 - len(kept), 300)]


def test_a_torn_mark_is_passed_over(files: CanaryFiles) -> None:
    files.directory.mkdir()
    write_mark(files, Mark(T0, What.STARTED, "x"))
    with files.marks.open("ab") as marks:
        marks.write(b'{"at_sec')
    assert len(read_marks(files)) == 1
    assert list(read_spans(files, "voice")) == []


def test_time_without_a_canary_says_why(files: CanaryFiles) -> None:
    book = opened(files)
    for mark in (
        Mark(T0, What.STARTED, "a"),
        Mark(T0 + 10, What.ENDED, "told to end"),
        Mark(T0 + 20, What.STARTED, "b", T0 + 9.5),
        Mark(T0 + 40, What.STARTED, "c", T0 + 30),
        Mark(T0 + 55, What.LEDGER_STOOD, "the ledger could not be kept: No space left on device", T0 + 50, T0 + 55),
    ):
        write_mark(files, mark)
    for n in [*range(10), *range(20, 30), *range(40, 50), *range(55, 60)]:
        book.write([entry(n)])
    found = availability(measured(files, "voice", CANARY, T0 - 5, T0 + 60))
    assert found.percent == 100.0
    reasons = {reason: round(seconds) for reason, seconds in found.unknown_reasons.items()}
    assert reasons == {NOT_BEGUN: 5, STOPPED: 9, GONE: 9, "the ledger could not be kept: No space left on device": 4}


@pytest.mark.parametrize(("step", "told", "seconds"), [(3600.0, "forward by 3600.0 s", 3600.0), (-30.0, "back by 30.0 s", 30.0)])
def test_a_stepped_clock_is_noticed_and_the_time_between_is_not_counted(files: CanaryFiles, step: float, told: str, seconds: float) -> None:
    now = {"wall": T0 + 60, "steady": 5.0}
    watch = ClockWatch(lambda: now["wall"], lambda: now["steady"])
    now = {"wall": T0 + 61.2, "steady": 6.0}
    assert watch.look() is None, "a clock that is steered was not stepped"
    now = {"wall": T0 + 62.2 + step, "steady": 7.0}
    mark = watch.look()
    assert mark is not None
    assert told in mark.detail
    assert mark.until_seconds is not None
    assert mark.from_seconds is not None
    assert mark.until_seconds - mark.from_seconds == pytest.approx(seconds)
    book = opened(files)
    write_mark(files, mark)
    for n in [*range(62), *[62 + step + n for n in range(100)]]:
        book.write([entry(n)])
    end = T0 + 62 + max(step, 0) + 60
    found = availability(measured(files, "voice", CANARY, T0, end))
    assert found.unknown_seconds == pytest.approx(seconds, abs=2)
    assert found.unavailable_seconds == 0.0


def test_a_canary_stands_still_while_its_disk_is_full_and_goes_on_with_a_mark(files: CanaryFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Word] = []
    kept: list[str] = []
    monkeypatch.setattr("holdfast.canary.upkeep.TRY_SECONDS", 0.01)

    async def story() -> None:
        book, standstill = opened(files), Standstill(files, said.append)
        ledger = DurableLedger(book, standstill, lambda entries: kept.extend(e.request for e in entries))
        running = asyncio.create_task(standstill.run())
        await ledger.keep([entry(1)])

        def full(*_: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, "write", full)
        await ledger.keep([entry(2)])
        await ledger.keep([entry(3)])
        assert not standstill.open.is_set()
        await asyncio.sleep(0.05)
        assert not standstill.open.is_set(), "still full"
        monkeypatch.undo()
        async with asyncio.timeout(5):
            await standstill.open.wait()
        await ledger.keep([entry(4)])
        running.cancel()

    asyncio.run(story())
    assert kept == ["canary-1", "canary-4"], "what is not on the disk doesn't count"
    assert [word.state for word in said] == ["failed", "done"]
    assert "No space left on device" in said[0].text
    (mark,) = read_marks(files)
    assert (mark.what, mark.from_seconds) == (What.LEDGER_STOOD, T0 + 2)


def test_a_packed_ledger_is_the_ledger(files: CanaryFiles) -> None:
    book = opened(files, ledger_bytes=10)
    book.write([entry(1)])
    raw = files.ledger("voice").read_bytes()
    book.write([entry(2)])
    (packed,) = files.earlier("voice").iterdir()
    assert gzip.decompress(packed.read_bytes()) == raw
