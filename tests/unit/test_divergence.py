"""The export as files: gathered from every component, whole or told not to be, never made again, and given back kind by kind."""

import asyncio
import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from holdfast.agent.exports import SUMMARY, Export, piece, said_of
from holdfast.agent.postgres_wal import Unrelated, changes, committed, fork_of, horizon
from holdfast.agent.store import StoreFailure
from holdfast.fencing.order import Order
from holdfast.ports.action import Answer, Mode, Outcome, Result, Task
from holdfast.ports.divergence import NotExported, Wish
from holdfast.providers.clock.system import SystemClock
from holdfast.providers.file.divergence import DivergenceExportAction, entries, read
from holdfast.providers.file.give_back import ExportGiver
from holdfast.report.divergence import JSON_NAME, divergence_json, read_divergence
from unit.divergence_stand_ins import StandInSource, StandInStore

TASK = Task("export", "divergence.export", None, "west", "east", Mode.GRACEFUL, Order(0, 2, 1, 9), incident="inc-1", run="reprotect")


ROW = {"n": 1.50}


def rows_of(*identifiers: str, change: str = "only-here") -> StandInSource:
    return StandInSource(dict.fromkeys(identifiers, ROW), change=change)


def cannot(fault: Exception) -> StandInSource:
    return StandInSource({}, fault=fault)


def action(root: Path, **sources: StandInSource) -> DivergenceExportAction:
    kinds = {"database": "postgres", "cache": "redis", "storage": "bucket"}
    return DivergenceExportAction(root, {name: (kinds[name], source) for name, source in sources.items()}, SystemClock())


def act(one: DivergenceExportAction) -> Outcome:
    return asyncio.run(one.act(TASK))


def look(one: DivergenceExportAction) -> Answer:
    return asyncio.run(one.check(TASK)).answer


def test_every_component_is_gathered_into_the_incidents_directory(tmp_path: Path) -> None:
    one = action(tmp_path, database=rows_of("calls/1", "calls/2"), cache=rows_of())
    assert look(one) is Answer.NO
    outcome = act(one)
    assert (outcome.result, outcome.facts["differences"]) == (Result.SUCCEEDED, 2)
    assert outcome.detail == "west alone held, or had otherwise: database 2; `holdfast divergence inc-1` shows it"
    assert look(one) is Answer.YES
    found = read(tmp_path / "inc-1")
    assert (found.incident, found.source, found.complete) == ("inc-1", "west", True)
    assert [(entry.component, entry.identifier) for entry in entries(found, tmp_path / "inc-1")] == [
        ("database", "calls/1"),
        ("database", "calls/2"),
    ]
    assert read_divergence(divergence_json(found)) == found


def test_one_component_that_cannot_be_exported_keeps_the_others_and_is_not_done(tmp_path: Path) -> None:
    one = action(tmp_path, database=rows_of("calls/1"), cache=cannot(NotExported("its disk burnt")))
    outcome = act(one)
    assert (outcome.result, outcome.detail) == (Result.FAILED, "its disk burnt")
    assert look(one) is Answer.NO
    found = read(tmp_path / "inc-1")
    assert [(component.component, component.status) for component in found.components] == [("database", "exported"), ("cache", "missing")]


def test_what_could_not_be_looked_at_asks_for_a_person_and_what_is_only_told_otherwise_does_not(tmp_path: Path) -> None:
    plain = StandInSource({"note/1": ROW}, notes=("note has no primary key",))
    assert act(action(tmp_path / "plain", database=plain)).result is Result.SUCCEEDED
    assert look(action(tmp_path / "plain", database=plain)) is Answer.YES
    assert read(tmp_path / "plain" / "inc-1").components[0].notes == ("note has no primary key",)

    one = action(tmp_path, database=StandInSource({"note/1": ROW}, unexamined=("large objects were written",)), cache=rows_of("house"))
    outcome = act(one)
    assert outcome.result is Result.REFUSED, "it is asked of a person at once, not tried again"
    assert "could not be looked at (database: large objects were written): look in west by hand" in outcome.detail
    assert outcome.facts["unexamined"] == 1 and outcome.facts["directory"], "what was found is there, and can be given back"
    assert look(one) is Answer.NO
    assert read(tmp_path / "inc-1").differences == 2


def test_what_was_handed_over_and_could_not_be_looked_at_is_said_and_holds_nothing_up(tmp_path: Path) -> None:
    one = action(tmp_path, database=StandInSource({}, unexamined=("the agent says no",)))
    orderly = replace(TASK, parameters={"source_position": {"postgres_lsn": "0/1"}})
    assert asyncio.run(one.act(orderly)).result is Result.SUCCEEDED
    assert asyncio.run(one.check(orderly)).answer is Answer.YES
    assert read(tmp_path / "inc-1").unexamined == ("database: the agent says no",)


def handed_over(task: Task) -> Task:
    return replace(task, parameters={"source_position": {"postgres_lsn": "0/1"}})


def test_what_was_found_in_a_store_that_was_handed_over_stays_when_its_agent_says_no_to_another_look(tmp_path: Path) -> None:
    source = StandInSource({"calls/1": ROW}, looks_at_what_was_handed_over=True)
    one = action(tmp_path, database=source)
    assert asyncio.run(one.act(handed_over(TASK))).result is Result.SUCCEEDED
    before = read(tmp_path / "inc-1").components
    source.fault = NotExported("it came with another digest")
    again = handed_over(replace(TASK, order=Order(0, 2, 1, 10)))
    for _ in range(2):
        assert asyncio.run(one.act(again)).result is Result.SUCCEEDED
        assert asyncio.run(one.check(again)).answer is Answer.YES
        found = read(tmp_path / "inc-1")
        assert found.components == before
        assert [entry.identifier for entry in entries(found, tmp_path / "inc-1")] == ["calls/1"]
    assert sorted(path.name for path in (tmp_path / "inc-1").iterdir()) == ["database", "divergence.json"]


def test_what_was_found_under_an_earlier_epoch_stays_and_is_no_look_at_what_was_written_since(tmp_path: Path) -> None:
    source = StandInSource({"calls/1": ROW}, looks_at_what_was_handed_over=True)
    one = action(tmp_path, database=source)
    assert asyncio.run(one.act(handed_over(TASK))).result is Result.SUCCEEDED
    source.fault = NotExported("the agent says no")
    for step in (9, 10):
        assert asyncio.run(one.act(handed_over(replace(TASK, order=Order(0, 4, 1, step))))).result is Result.SUCCEEDED
        found = read(tmp_path / "inc-1")
        assert [entry.identifier for entry in entries(found, tmp_path / "inc-1")] == ["calls/1"]
        assert (found.components[0].looked_at, found.components[0].unexamined) == (False, ("the agent says no",))


def test_on_the_way_back_an_export_of_an_earlier_epoch_is_not_done_already(tmp_path: Path) -> None:
    source = StandInSource({"calls/1": ROW}, looks_at_what_was_handed_over=True)
    one, home = action(tmp_path, database=source), handed_over(replace(TASK, run="way-back", order=Order(0, 3, 1, 9)))
    assert asyncio.run(one.act(home)).result is Result.SUCCEEDED
    assert asyncio.run(one.check(home)).answer is Answer.YES
    again = replace(home, order=Order(0, 5, 1, 9))
    assert asyncio.run(one.check(again)).answer is Answer.NO, "the source was the writer until epoch 5 was opened"
    assert asyncio.run(one.act(again)).result is Result.SUCCEEDED
    assert asyncio.run(one.check(again)).answer is Answer.YES


def test_the_journal_gets_the_digest_of_a_whole_export_from_whoever_made_it_and_from_whoever_finds_it(tmp_path: Path) -> None:
    one = action(tmp_path, database=rows_of("calls/1"))
    made = act(one)
    found = asyncio.run(one.check(TASK))
    digest = hashlib.sha256((tmp_path / TASK.incident / JSON_NAME).read_bytes()).hexdigest()
    assert (made.facts["sha256"], found.facts["sha256"]) == (digest, digest)
    later = asyncio.run(one.check(replace(TASK, run="way-back")))
    assert (later.answer, "sha256" in later.facts) == (Answer.NO, False), "what is not whole is not vouched for"


def test_what_the_lost_side_held_is_exported_once_whatever_epoch_asks_for_it_again(tmp_path: Path) -> None:
    one = action(tmp_path, database=rows_of("calls/1"))
    assert act(one).result is Result.SUCCEEDED
    later = replace(TASK, order=Order(0, 4, 1, 1))
    found = asyncio.run(one.check(later))
    assert found.answer is Answer.YES, "after the rewind there is nothing left to find: an export that is whole is never made again"
    assert read(tmp_path / "inc-1").order == (0, 2, 1, 9)


@pytest.mark.parametrize("epoch", [2, 4])
def test_what_the_lost_side_held_stays_when_another_look_comes_after_it_was_overwritten(epoch: int, tmp_path: Path) -> None:
    first = action(tmp_path, database=rows_of("call/7"), cache=cannot(NotExported("it gave no answer")))
    act(first)
    again = action(tmp_path, database=rows_of(), cache=rows_of("session/1"))
    asyncio.run(again.act(replace(TASK, order=replace(TASK.order, epoch=epoch))))
    divergence = read(tmp_path / TASK.incident)
    assert {one.component: one.differences for one in divergence.components} == {"database": 1, "cache": 1}
    assert [entry.identifier for entry in entries(divergence, tmp_path / TASK.incident)] == ["call/7", "session/1"]


@pytest.mark.parametrize("silence", [TimeoutError("no answer"), ConnectionError("the link broke")])
def test_silence_is_unknown_and_never_failed(tmp_path: Path, silence: Exception) -> None:
    assert act(action(tmp_path, database=cannot(silence))).result is Result.UNKNOWN


@pytest.mark.parametrize("silence", [TimeoutError("no answer"), ConnectionError("the link broke"), NotExported("its disk burnt")])
def test_what_was_found_before_the_source_fell_silent_is_still_there_and_still_listed(tmp_path: Path, silence: Exception) -> None:
    act(action(tmp_path, database=StandInSource({"calls/1": ROW}, unexamined=("large objects were written",)), cache=rows_of("house")))
    before = read(tmp_path / "inc-1").components
    for _ in range(2):
        assert act(action(tmp_path, database=cannot(silence), cache=rows_of("house"))).result is not Result.SUCCEEDED
    found = read(tmp_path / "inc-1")
    assert found.components == before
    assert [entry.identifier for entry in entries(found, tmp_path / "inc-1")] == ["calls/1", "house"]
    assert look(action(tmp_path, database=rows_of(), cache=rows_of("house"))) is Answer.NO, "a person still has to look by hand"
    assert act(action(tmp_path, database=rows_of("calls/1", "calls/2"), cache=rows_of("house"))).result is Result.SUCCEEDED
    found = read(tmp_path / "inc-1")
    assert [entry.identifier for entry in entries(found, tmp_path / "inc-1")] == ["calls/1", "calls/2", "house"]


def test_a_file_that_was_changed_afterwards_is_no_export(tmp_path: Path) -> None:
    one = action(tmp_path, database=rows_of("calls/1"))
    act(one)
    (tmp_path / "inc-1" / "database" / "all.jsonl").write_text("{}\n")
    assert look(one) is Answer.NO
    with pytest.raises(ValueError, match="was changed after it was exported"):
        list(entries(read(tmp_path / "inc-1"), tmp_path / "inc-1"))


def taker(*, already: Sequence[str] = (), other: Sequence[str] = (), silent: bool = False) -> StandInStore:
    """A store that has these already, and something else under those."""
    has = {name: {"n": "1.5"} for name in already} | {name: {"n": "9"} for name in other}
    return StandInStore("east", (0, 2), has, silent=silent)


def wish(*only: str, objections: Literal["stop", "leave"] = "stop", incident: str = "inc-1", run: str = "reprotect") -> Wish:
    return Wish(incident, run, only, objections, "east", (0, 2))


def given(root: Path, asked: Wish, **stores: StandInStore) -> dict[str, str]:
    found = asyncio.run(ExportGiver(root, stores).give_back(asked))
    assert list(found) and set(found) == set(asked.only)
    return {name: found[name].result for name in asked.only}


def details(root: Path, asked: Wish, **stores: StandInStore) -> str:
    return "; ".join(answer.detail for answer in asyncio.run(ExportGiver(root, stores).give_back(asked)).values())


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """The exports' directory, with one incident's."""
    act(
        action(
            tmp_path,
            database=rows_of("calls/1", "calls/2", "calls/3"),
            cache=rows_of("house", "calls/3"),
            storage=rows_of("recordings/1"),
        )
    )
    return tmp_path


def test_chosen_entries_are_given_back_as_they_were_exported(exported: Path) -> None:
    rows, keys = taker(already=["calls/2"]), taker()
    found = given(exported, wish("calls/1", "database:calls/2", "house"), postgres=rows, redis=keys)
    assert found == {"calls/1": "applied", "database:calls/2": "already", "house": "applied"}
    assert [json.loads(line)["id"] for line in rows.taken + keys.taken] == ["calls/1", "house"]
    assert all('"n": 1.5' in line for line in rows.taken)


def test_what_is_given_back_twice_is_there_already(exported: Path) -> None:
    rows = taker()
    assert [given(exported, wish("calls/1"), postgres=rows)["calls/1"] for _ in range(2)] == ["applied", "already"]
    assert len(rows.taken) == 1


@pytest.mark.parametrize(
    ("bad", "result", "said"),
    [
        ("calls/9", "refused", "not in the export of inc-1; `holdfast divergence inc-1 --entries` lists it"),
        ("calls/3", "refused", "two have this name: say cache:calls/3 or database:calls/3"),
        ("database:calls/1", "refused", "named twice in the same wish"),
        ("recordings/1", "refused", "brought together by bucket.reconcile"),
        ("calls/2", "conflict", "has other values in n"),
    ],
)
def test_one_that_cannot_be_taken_keeps_all_others_from_being_written(exported: Path, bad: str, result: str, said: str) -> None:
    rows, keys = taker(other=["calls/2"]), taker()
    found = given(exported, wish("calls/1", bad, "house"), postgres=rows, redis=keys)
    assert found == {"calls/1": "withheld", bad: result, "house": "withheld"}
    assert said in details(exported, wish("calls/1", bad), postgres=rows, redis=keys)
    assert rows.taken == keys.taken == []


def test_who_says_so_leaves_out_what_cannot_be_taken_and_gives_the_rest(exported: Path) -> None:
    rows = taker(other=["calls/2"])
    found = given(exported, wish("calls/1", "calls/2", "calls/9", objections="leave"), postgres=rows, redis=taker())
    assert found == {"calls/1": "applied", "calls/2": "conflict", "calls/9": "refused"}
    assert len(rows.taken) == 1


def test_a_store_that_does_not_answer_keeps_the_other_from_being_written(exported: Path) -> None:
    rows = taker()
    found = given(exported, wish("calls/1", "house"), postgres=rows, redis=taker(silent=True))
    assert found == {"calls/1": "withheld", "house": "unknown"}
    assert rows.taken == []


@pytest.mark.parametrize(("change", "result"), [("differs", "conflict"), ("deleted-here", "refused")])
def test_only_what_the_writer_lacked_can_be_given_back(tmp_path: Path, change: str, result: str) -> None:
    act(action(tmp_path, database=rows_of("calls/1", change=change)))
    rows = taker()
    assert given(tmp_path, wish("calls/1"), postgres=rows) == {"calls/1": result}
    assert rows.taken == []


def test_an_export_that_is_missing_changed_or_of_another_incident_gives_nothing_back(exported: Path) -> None:
    rows = taker()
    asked = wish("calls/1", incident="inc-2")
    assert given(exported, asked, postgres=rows) == {"calls/1": "refused"}
    assert "the export can't be read" in details(exported, asked, postgres=rows)
    shutil.copytree(exported / "inc-1", exported / "inc-2")
    assert "inc-2 holds the export of inc-1" in details(exported, asked, postgres=rows)
    way_back = wish("calls/1", run="way-back")
    assert given(exported, way_back, postgres=rows) == {"calls/1": "refused"}
    (exported / "inc-1" / "database" / "all.jsonl").write_text('{"id": "calls/1", "change": "only-here"}\n')
    assert "was changed after it was exported" in details(exported, wish("calls/1"), postgres=rows)
    assert rows.taken == []


def test_nobody_else_on_the_machine_reads_what_clients_wrote(exported: Path) -> None:
    directories = [exported / "inc-1", *(path for path in (exported / "inc-1").iterdir() if path.is_dir())]
    assert {path.stat().st_mode & 0o077 for path in directories} == {0}


# -- the agent's side -------------------------------------------------------------------------------------------------------------


def test_an_export_appears_whole_or_not_at_all_and_is_handed_out_in_pieces(tmp_path: Path) -> None:
    export = Export(tmp_path / "exports" / "postgres-0-2")
    export.begin(0)
    part = export.part("calls")
    part.add("only-here", json.dumps({"id": "calls/1", "text": "é" * 50_000}))
    part.same(3)
    export.part("touched and alike")
    assert not export.directory.exists()
    said = export.finish({"how": "compared"})
    assert said == said_of(export.directory)
    assert said["counts"] == {"only-here": 1, "differs": 0, "deleted-here": 0, "same": 3}
    (name,) = (listed["file"] for listed in json.loads((export.directory / SUMMARY).read_text())["parts"])
    first = piece(tmp_path / "exports", "postgres-0-2", name, "0")
    assert len(first["content"]) < 60_000 < first["bytes"]


@pytest.mark.parametrize("place", [("..", "summary.json", "0"), ("postgres-0-2", "../x", "0"), ("postgres-0-2", "summary.json", "-1")])
def test_only_files_of_exports_are_handed_out(tmp_path: Path, place: tuple[str, str, str]) -> None:
    with pytest.raises(ValueError, match="must name a place"):
        piece(tmp_path, *place)


def test_no_room_is_said_before_anything_is_begun(tmp_path: Path) -> None:
    with pytest.raises(StoreFailure, match="make room and try again, or skip the export with a reason"):
        Export(tmp_path / "exports" / "redis-0-2").begin(1 << 60)


LOG = """\
rmgr: Standby     len (rec/tot):     50/    50, tx:          0, lsn: 0/01BD8000, prev 0/01BD7F00, desc: RUNNING_XACTS nextXid 730 latestCompletedXid 728 oldestRunningXid 729; 1 xacts: 729
rmgr: Heap        len (rec/tot):     63/    63, tx:        731, lsn: 0/01BD8DA8, prev 0/01BD8D80, desc: INSERT off 21 flags 0x00, blkref #0: rel 1663/5/16384 blk 7
rmgr: Heap        len (rec/tot):     54/    54, tx:        732, lsn: 0/01BD9140, prev 0/01BD9118, desc: DELETE off 5 flags 0x00 KEYS_UPDATED , blkref #0: rel 1663/5/16390 blk 2 FPW
rmgr: Btree       len (rec/tot):     64/    64, tx:        731, lsn: 0/01BD8DE8, prev 0/01BD8DA8, desc: INSERT_LEAF off 21, blkref #0: rel 1663/5/16400 blk 1
rmgr: Heap        len (rec/tot):     63/    63, tx:        740, lsn: 0/01BD9200, prev 0/01BD8D80, desc: INSERT off 1 flags 0x00, blkref #0: rel 1663/5/16384 blk 9
rmgr: Transaction len (rec/tot):     50/    50, tx:        731, lsn: 0/01BD93D0, prev 0/01BD9390, desc: COMMIT 2026-11-23 23:48:18.148447 UTC; subxacts: 732 733
rmgr: Transaction len (rec/tot):     34/    34, tx:        740, lsn: 0/01BD9400, prev 0/01BD9390, desc: ABORT 2026-11-23 23:48:18.148447 UTC
""".splitlines()  # noqa: E501 - as pg_waldump prints it


def test_the_log_names_what_was_committed_and_where() -> None:
    transactions, last = committed(LOG)
    assert (sorted(transactions), last) == ([731, 732, 733], "0/01BD93D0")
    touched, deleted_in, truncated = changes(LOG, transactions)
    assert touched == {(5, 16384): frozenset({7}), (5, 16390): frozenset({2})}
    assert deleted_in == {(5, 16390): frozenset({2})}
    assert truncated is False


def test_the_log_says_from_which_transaction_on_it_knows_all() -> None:
    assert horizon(LOG[:1]) == (730, 730)
    assert horizon(LOG[1:3]) == (None, 733)
    at_rest = "rmgr: XLOG tx: 0, lsn: 0/0C000028, desc: CHECKPOINT_SHUTDOWN redo 0/C000028; tli 1; xid 0:735; oid 1;"
    assert horizon([at_rest]) == (735, 735), "nobody ran when the server was stopped"
    assert horizon([at_rest.replace("SHUTDOWN", "ONLINE")]) == (None, 1), "somebody may have begun to write before it"


def test_time_lines_part_where_the_writer_left_the_directorys() -> None:
    history = "1\t0/1BD8DA8\tno recovery target specified\n\n2\t0/2000000\tno recovery target specified\n"
    assert fork_of(history, 1, 3) == "0/1BD8DA8"
    assert fork_of(history, 2, 3) == "0/2000000"
    assert fork_of(history, 3, 3) is None
    with pytest.raises(Unrelated):
        fork_of(history, 7, 3)
