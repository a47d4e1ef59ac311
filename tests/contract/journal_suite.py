"""What every JournalStore must do. A subclass says how a store is opened on the same ground again and again."""

from typing import Any, Protocol

import pytest

from contract.suite import Suite
from holdfast.journal.record import GENESIS, Record, first_break, following
from holdfast.ports.journal_store import JournalConflict, JournalFull, JournalStore


class ClosableStore(JournalStore, Protocol):
    def close(self) -> None: ...


class Promises(Protocol):
    def get(self, key: str) -> Any | None: ...
    def all(self) -> dict[str, Any]: ...
    def put(self, key: str, value: Any) -> None: ...
    def put_all(self, values: dict[str, Any]) -> None: ...


class Ground(Protocol):
    """Where a store stands: it outlives the store object."""

    def open(self) -> ClosableStore: ...
    def promises(self, store: ClosableStore) -> Promises: ...
    def fill(self, store: ClosableStore) -> None:
        """No more room from now on."""

    def empty(self, store: ClosableStore) -> None:
        """Room again."""


def chain(head: tuple[int, str], count: int, incident: str = "inc-1") -> list[Record]:
    records: list[Record] = []
    for number in range(count):
        record = following(
            head, 1_700_000_000.125 + number, "command", incident, {"verb": "note", "arguments": {"number": number, "text": "größer → 1"}}
        )
        records.append(record)
        head = (record.sequence, record.hash)
    return records


class JournalSuite(Suite):
    port = JournalStore

    @pytest.fixture
    def ground(self) -> Ground:
        raise AssertionError("a subclass provides the ground")

    def test_an_empty_journal_begins_at_genesis(self, ground: Ground) -> None:
        store = ground.open()
        self.held(store)
        assert store.head() == (0, GENESIS)
        assert list(store.read()) == []
        store.append([])
        assert store.head() == (0, GENESIS)

    def test_what_was_appended_reads_back_the_same_after_a_restart(self, ground: Ground) -> None:
        store = ground.open()
        records = chain(store.head(), 3)
        store.append(records[:2])
        store.append(records[2:])
        store.close()
        store = ground.open()
        assert list(store.read()) == records
        assert list(store.read(after=2)) == records[2:]
        assert store.head() == (3, records[2].hash)
        assert first_break(store.read()) is None

    def test_whole_numbers_as_times_keep_their_hash(self, ground: Ground) -> None:
        store = ground.open()
        store.append([following(store.head(), 17, "command", "", {"verb": "x", "number": 1.0})])
        store.close()
        assert first_break(ground.open().read()) is None

    def test_more_records_than_fit_in_a_page_come_in_order(self, ground: Ground) -> None:
        store = ground.open()
        store.append(chain(store.head(), 1203))
        assert [record.sequence for record in store.read(after=1)] == list(range(2, 1204))

    def test_reading_while_appending_neither_blocks_nor_skips(self, ground: Ground) -> None:
        store = ground.open()
        store.append(chain(store.head(), 3))
        reading = store.read()
        assert next(reading).sequence == 1
        store.append(chain(store.head(), 1))
        assert [record.sequence for record in reading][:2] == [2, 3]
        assert store.head()[0] == 4

    def test_a_record_that_does_not_follow_the_head_is_refused_whole(self, ground: Ground) -> None:
        store = ground.open()
        first = chain(store.head(), 2)
        store.append(first)
        for wrong in (chain((0, GENESIS), 1), chain((5, first[1].hash), 1), chain((2, "f" * 64), 2)):
            with pytest.raises(JournalConflict):
                store.append(wrong)
        assert list(store.read()) == first

    def test_a_second_writer_is_refused_until_the_first_lets_go(self, ground: Ground) -> None:
        store = ground.open()
        with pytest.raises(JournalConflict):
            ground.open()
        store.close()
        ground.open().close()

    def test_records_that_are_no_chain_in_themselves_are_refused_whole(self, ground: Ground) -> None:
        store = ground.open()
        records = chain(store.head(), 3)
        with pytest.raises(ValueError, match="record 3 comes after 1"):
            store.append([records[0], records[2]])
        assert store.head() == (0, GENESIS)

    @pytest.mark.parametrize("body", [{"a": {1: "keys that are no text", 10: "", 2: ""}}])
    def test_a_body_that_json_would_change_is_refused(self, ground: Ground, body: dict[str, Any]) -> None:
        store = ground.open()
        with pytest.raises(ValueError, match="changed"):
            store.append([following(store.head(), 1.0, "command", "", body)])
        assert store.head() == (0, GENESIS)

    def test_a_full_disk_is_said_and_nothing_is_half_written_and_it_goes_on_when_there_is_room(self, ground: Ground) -> None:
        store = ground.open()
        store.append(chain(store.head(), 2))
        ground.fill(store)
        with pytest.raises(JournalFull):
            store.append(chain(store.head(), 400))
        assert store.head()[0] == 2
        ground.empty(store)
        store.append(chain(store.head(), 400))
        assert first_break(store.read()) is None
        assert store.head()[0] == 402

    def test_promises_survive_and_are_replaced(self, ground: Ground) -> None:
        store = ground.open()
        promises = ground.promises(store)
        assert promises.get("eu-west-1") is None
        promises.put("eu-west-1", {"until_seconds": 12.5, "epoch": 1})
        promises.put_all({"eu-west-1": {"until_seconds": 13.5, "epoch": 1}, "highest": [0, 1, 2, 3]})
        store.close()
        promises = ground.promises(ground.open())
        assert promises.get("eu-west-1") == {"until_seconds": 13.5, "epoch": 1}
        assert promises.all() == {"eu-west-1": {"until_seconds": 13.5, "epoch": 1}, "highest": [0, 1, 2, 3]}
