"""A ledger is believed line by line: a torn end is told, anything else that is wrong is an error with its place."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.ledger.contents import StoreContents, StoredRecord
from holdfast.ledger.entry import LedgerEntry, RequestResult
from holdfast.ledger.reading import LedgerError, LedgerWriter, entry_line, parse_ledger, read_ledger, read_ledgers

seconds = st.floats(0, 4e9, allow_nan=False)
texts = st.text(max_size=20)
ledger_entries = st.builds(
    LedgerEntry,
    function=texts,
    request=texts,
    sent_seconds=seconds,
    answered_seconds=seconds,
    result=st.sampled_from(RequestResult),
    store=st.none() | texts,
    key=st.none() | texts,
    region=st.none() | texts,
    epoch=st.none() | st.integers(0, 2**31),
    written_seconds=st.none() | seconds,
    detail=texts,
)
ENTRY = LedgerEntry("voice", "v-1", 1.0, 1.1, RequestResult.ACKNOWLEDGED, "database", "calls/v-1", "eu-west-1", 1, 1.05)


@given(st.lists(ledger_entries, max_size=5))
def test_what_was_written_is_read_back(entries: list[LedgerEntry]) -> None:
    content = "".join(map(entry_line, entries)).encode()
    assert parse_ledger(content, "x").entries == tuple(entries)


@given(st.lists(ledger_entries, min_size=1, max_size=4), st.data())
def test_a_ledger_cut_off_anywhere_loses_at_most_its_last_line_and_says_so(entries: list[LedgerEntry], data: st.DataObject) -> None:
    content = "".join(map(entry_line, entries)).encode()
    cut = data.draw(st.integers(0, len(content)))
    ledger = parse_ledger(content[:cut], "voice.jsonl")
    whole = content[:cut].count(b"\n")
    assert ledger.entries == tuple(entries[:whole])
    assert (ledger.torn is not None) == (content[:cut][-1:] not in (b"", b"\n"))
    if ledger.torn is not None:
        assert ledger.torn.startswith(f"voice.jsonl:{whole + 1}:")


@given(st.binary(max_size=60))
def test_any_bytes_are_a_ledger_or_an_error_with_a_place(content: bytes) -> None:
    try:
        parse_ledger(content, "odd.jsonl")
    except LedgerError as error:
        assert str(error).startswith("odd.jsonl:")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"result": "perhaps"}, "result is 'perhaps'"),
        ({"sent_seconds": "noon"}, "sent_seconds is 'noon'"),
        ({"sent_seconds": True}, "sent_seconds is True"),
        ({"written_seconds": []}, "written_seconds is []"),
        ({"epoch": 1.5}, "epoch is 1.5"),
        ({"store": 3}, "store is 3"),
        ({"function": None}, "function is None"),
    ],
)
def test_a_bad_value_is_named_with_its_line(change: dict[str, object], told: str) -> None:
    bad = {**json.loads(entry_line(ENTRY)), **change}
    content = entry_line(ENTRY) + json.dumps(bad) + "\n" + entry_line(ENTRY)
    with pytest.raises(LedgerError, match=r"^voice\.jsonl:2: ") as caught:
        parse_ledger(content.encode(), "voice.jsonl")
    assert told in str(caught.value)


def test_a_missing_field_is_an_error_and_an_added_one_is_not() -> None:
    values = json.loads(entry_line(ENTRY))
    assert parse_ledger(json.dumps({**values, "later": 1}).encode() + b"\n", "x").entries == (ENTRY,)
    del values["epoch"]
    with pytest.raises(LedgerError, match="lacks epoch"):
        parse_ledger(json.dumps(values).encode() + b"\n", "x")


def test_a_client_that_begins_again_sets_a_torn_line_aside(tmp_path: Path) -> None:
    path = tmp_path / "voice.jsonl"
    path.write_bytes(entry_line(ENTRY).encode() + b'{"function":"voi')
    writer = LedgerWriter(path)
    writer.write([ENTRY, ENTRY])
    writer.close()
    assert read_ledger(path).entries == (ENTRY, ENTRY, ENTRY)
    assert (tmp_path / "voice.torn").read_bytes() == b'{"function":"voi\n'
    assert list(read_ledgers(tmp_path)) == ["voice"]


def test_contents_come_back_as_they_were_unknown_included() -> None:
    known = StoreContents(
        "database", "eu-west-1", 5.0, {"calls/a": StoredRecord(1, "eu-west-1", 4.0), "calls/b": StoredRecord(None, None, None)}
    )
    silent = StoreContents("cache", "eu-west-1", 5.0, None, "no answer")
    for contents in (known, silent):
        assert StoreContents.from_json(json.loads(json.dumps(contents.as_json()))) == contents
