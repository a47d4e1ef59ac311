"""A controller without memory, and a disk that kept what it could not confirm."""

import asyncio
from collections.abc import Sequence

import pytest

from holdfast.conduct.attesting import attest_memory, attested_regions
from holdfast.conduct.situation import Command, Write
from holdfast.controller.chronicle import Chronicle
from holdfast.controller.hearing import hear
from holdfast.controller.keeper import Keeper
from holdfast.fencing.promise import Epoch, Timing
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record, first_break
from holdfast.ports.journal_store import JournalFull
from holdfast.simulation.journal import MemoryDisk, MemoryJournal, MemoryPromises
from unit.conduct_on_paper import DR, LOADED, PRIMARY
from unit.test_watch import Moment

ONE, TWO = "exercise-one", "exercise-two"


class KeepsWhatItCannotConfirm(MemoryJournal):
    """Its disk takes the records and then fails to sync, once."""

    fails = False

    def append(self, records: Sequence[Record]) -> None:
        super().append(records)
        if self.fails:
            self.fails = False
            raise JournalFull("the sync failed")


def paused(by: str) -> Write:
    return Write(Kind.PAUSED, "", {"by": by, "because": "a test"})


def test_what_a_full_disk_kept_is_taken_in_once_and_is_no_other_controller() -> None:
    journal = KeepsWhatItCannotConfirm()
    chronicle = Chronicle(journal, Moment(), PRIMARY)
    journal.fails = True
    with pytest.raises(JournalFull):
        chronicle.append([paused("one")])
    assert chronicle.installation.paused is None, "it isn't known before it is confirmed"
    chronicle.append([paused("one")])
    assert [record.kind for record in journal.read()] == [Kind.PAUSED, Kind.JOURNAL_KEPT]
    assert chronicle.installation.paused is not None
    journal.fails = True
    with pytest.raises(JournalFull):
        chronicle.append([paused("two")])
    chronicle.append([Write(Kind.RESUMED, "", {"by": "three", "because": ""})])
    assert [record.kind for record in journal.read()][2:] == [Kind.PAUSED, Kind.JOURNAL_KEPT, Kind.RESUMED]
    assert first_break(list(journal.read())) is None


def test_what_a_full_disk_did_not_keep_is_written_again() -> None:
    disk = MemoryDisk()
    chronicle = Chronicle(MemoryJournal(disk), Moment(), PRIMARY)
    from holdfast.simulation.journal import JournalFault

    disk.faults[1] = JournalFault.FULL
    with pytest.raises(JournalFull):
        chronicle.append([paused("one")])
    chronicle.append([paused("one")])
    assert [record.kind for record in disk.records] == [Kind.PAUSED]


def command(by: str, region: str = PRIMARY) -> Command:
    return Command(f"attest-{by}-{region}", "attest", by, {"region": region, "reason": "it burnt down"})


def test_two_people_stand_for_an_agent_that_cannot_be_heard_and_epochs_go_on_in_a_new_era() -> None:
    attested: list[dict[str, object]] = []
    for by, expected in (("exercise-three", "refused"), (ONE, "accepted: 1 of 2"), (ONE, "refused"), (TWO, "accepted")):
        said, writes = attest_memory(LOADED.plan, "exercise-7", tuple(attested), frozenset({PRIMARY}), command(by))
        assert said.startswith(expected)
        attested += [dict(write.body) for write in writes]
    assert attested_regions(tuple(attested)) == {PRIMARY}
    said, _ = attest_memory(LOADED.plan, "exercise-7", (), frozenset({PRIMARY}), command(ONE, DR))
    assert said == f"refused: nobody waits for {DR}; silent: {PRIMARY}"

    async def status(region: str) -> dict[str, object] | None:
        if region == PRIMARY:
            return None
        return {"era": 0, "epoch": 4, "holder": PRIMARY, "pledged": None, "withdrawn": None, "highest_order": [0, 4, 9, 3]}

    profile, clock = LOADED.plan.profiles["fast"], Moment()
    keeper = Keeper(MemoryPromises(MemoryDisk()), clock, Timing(profile.drift, profile.margin), 3.0, (PRIMARY, DR))
    heard = hear(
        keeper, (PRIMARY, DR), status, clock, lambda _: None, journal_is_new=True, attested=lambda: attested_regions(tuple(attested))
    )
    assert asyncio.run(heard) == (Epoch(1, 4), 9)
    assert keeper.unheard == frozenset()
