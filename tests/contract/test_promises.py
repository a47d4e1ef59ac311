"""The controller's promise, and where it is kept: in the journal's file, and in the simulation's memory."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.consent_suite import CENTRAL, DRIFT, MARGIN_SECONDS, TTL_SECONDS, WEST, ConsentSuite, Ground
from contract.promise_suite import Place, PromiseSuite
from holdfast.controller.keeper import Keeper
from holdfast.fencing.promise import Ask, Epoch, Timing
from holdfast.ports.consent import PromiseStore
from holdfast.providers.sqlite.journal import SqliteJournal
from holdfast.providers.sqlite.promises import SqlitePromises
from holdfast.simulation.journal import MemoryDisk, MemoryPromises
from unit.set_clock import SetClock


class File:
    """A journal's file, which one process at a time has open."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.journal: SqliteJournal | None = None

    def open(self) -> PromiseStore:
        self.journal = SqliteJournal(self.path)
        return SqlitePromises(self.journal.database)

    def close(self) -> None:
        if self.journal is not None:
            self.journal.close()

    def fill(self) -> None:
        assert self.journal is not None
        self.journal.database.rows("PRAGMA max_page_count = 1")  # SQLite's own word for a full disk: the same error code

    def empty(self) -> None:
        assert self.journal is not None
        self.journal.database.rows("PRAGMA max_page_count = 100000")


class Memory:
    """A simulated disk."""

    def __init__(self) -> None:
        self.disk = MemoryDisk()

    def open(self) -> PromiseStore:
        return MemoryPromises(self.disk)

    def close(self) -> None:
        """Nothing but the disk is left, and it is all there is."""

    def fill(self) -> None:
        self.disk.full = True

    def empty(self) -> None:
        self.disk.full = False


@pytest.fixture
def file(tmp_path: Path) -> Iterator[File]:
    found = File(tmp_path / "journal.db")
    yield found
    found.close()


class TestSqlitePromises(PromiseSuite):
    implementations = (SqlitePromises,)

    @pytest.fixture
    def ground(self, file: File) -> Place:
        return file


class TestMemoryPromises(PromiseSuite):
    implementations = (MemoryPromises,)

    @pytest.fixture
    def ground(self) -> Place:
        return Memory()


class Controllers:
    """One controller after another over the same place."""

    def __init__(self, place: Place) -> None:
        self.place, self.clock = place, SetClock()
        self.keeper = self._started()
        for region in (WEST, CENTRAL):
            self.keeper.hear(region, Epoch(0, 1), WEST, None)
        self.pass_by(60)

    def _started(self) -> Keeper:
        return Keeper(self.place.open(), self.clock, Timing(DRIFT, MARGIN_SECONDS), TTL_SECONDS, (WEST, CENTRAL))

    @property
    def consent(self) -> Keeper:
        return self.keeper

    def pass_by(self, seconds: float) -> None:
        self.clock.seconds += seconds

    def ask(self, region: str = WEST, epoch: int = 1) -> bool:
        return self.keeper.ask(Ask(region, Epoch(0, epoch), "one", TTL_SECONDS)).yes

    def restart(self) -> None:
        self.place.close()
        self.keeper = self._started()


class TestKeeperOnAFile(ConsentSuite):
    implementations = (Keeper,)

    @pytest.fixture
    def ground(self, file: File) -> Ground:
        return Controllers(file)


class TestKeeperInMemory(ConsentSuite):
    implementations = (Keeper,)

    @pytest.fixture
    def ground(self) -> Ground:
        return Controllers(Memory())
