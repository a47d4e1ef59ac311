"""What only the lost side held, found by the agent's PostgreSQL store on real servers before anything is rewound."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.agent.exports import SUMMARY, Export
from holdfast.agent.store import StoreFailure
from holdfast.plan.bindings import PostgresBinding
from holdfast.providers.postgres.give_back import PostgresGiver
from lab.postgres_store_rig import EAST, Pair, pair, processes_in


@pytest.fixture
def regions() -> Iterator[Pair]:
    with pair() as both:
        yield both


def serve(both: Pair) -> None:
    """West writes under epoch 1 and has three tables, east has followed up to here and no further."""
    both.west.store.start_writer(0, 1)
    both.east.store.start_replica()
    assert both.east.store._follows_within(10)
    both.west.ask("CREATE TABLE public.guest (house text, room integer, name text, balance numeric, PRIMARY KEY (house, room))")
    both.west.ask("CREATE TABLE public.note (said text)")
    both.west.ask("CREATE TABLE public.untouched (id integer PRIMARY KEY)")
    both.west.ask("INSERT INTO call SELECT generate_series(1, 20)")
    both.west.ask("INSERT INTO public.untouched VALUES (1)")
    both.west.ask("INSERT INTO public.guest VALUES ('castle', 1, 'Ada', 10.50), ('castle', 2, 'Bob', 0)")
    position = both.west.ask("SELECT pg_current_wal_lsn()").one()[0]
    with both.east.store._connect() as session:
        both.east.store._require_position(session, {"postgres_lsn": position})


def lose_west(both: Pair, *lost: str) -> None:
    """West goes on alone with these statements and is fenced; east takes over."""
    both.east.store.stop_gracefully(20)
    for statement in lost:
        both.west.ask(statement)
    both.west.launcher.kill_everything()
    both.east.store.start_replica()
    both.east.store.promote(0, 2, {})


def exported_lines(both: Pair) -> tuple[dict[str, Any], list[str]]:
    """The summary, and all entries as they were written."""
    directory = Path(tempfile.mkdtemp(dir=both.root)) / "postgres-0-2"
    both.west.store.export_divergence(Export(directory))
    assert not processes_in(both.west.launcher.directory)
    summary = json.loads((directory / SUMMARY).read_text())
    lines = [line for part in summary["parts"] for line in (directory / part["file"]).read_text().splitlines()]
    return summary, lines


def exported(both: Pair) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The summary, and entries by their identifier."""
    summary, lines = exported_lines(both)
    return summary, {entry["id"]: entry for entry in map(json.loads, lines)}


def test_rows_that_only_the_lost_side_has_are_exported_and_the_rewind_goes_on_as_before(regions: Pair) -> None:
    serve(regions)
    lose_west(
        regions,
        "INSERT INTO call SELECT generate_series(100, 105)",
        "INSERT INTO public.guest VALUES ('castle', 3, 'Cem \"the first\"', 12345678901234567890.123456789)",
        "UPDATE public.guest SET balance = 99.9 WHERE room = 1",
        "DELETE FROM public.guest WHERE room = 2",
        "INSERT INTO public.note VALUES ('no key')",
        "BEGIN; INSERT INTO call VALUES (200); SAVEPOINT a; INSERT INTO call VALUES (201); RELEASE a; COMMIT",
        "BEGIN; INSERT INTO call VALUES (300); ROLLBACK",
        "UPDATE call SET epoch = 7 WHERE id = 3",
    )
    regions.east.ask("INSERT INTO call VALUES (100, 1)")  # the same row as on the lost side: it isn't lost
    regions.east.ask("UPDATE call SET epoch = 9 WHERE id = 4")  # changed by the writer alone: nothing of the lost side's
    regions.east.ask("INSERT INTO call VALUES (101, 5)")
    summary, entries = exported(regions)

    changes = {name: entry["change"] for name, entry in entries.items() if not name.startswith("note/")}
    only_here = [f"call/{number}" for number in (102, 103, 104, 105, 200, 201)]
    assert changes == {
        **dict.fromkeys(only_here, "only-here"),
        "call/101": "differs",
        "call/3": "differs",
        "guest/castle/1": "differs",
        "guest/castle/2": "deleted-here",
        "guest/castle/3": "only-here",
    }
    assert entries["guest/castle/1"]["here"]["balance"] == 99.9
    assert entries["guest/castle/1"]["there"]["balance"] == 10.5
    assert [entry["here"] for name, entry in entries.items() if name.startswith("note/")] == [{"said": "no key"}]
    assert summary["how"] == "compared"
    assert [part["name"] for part in summary["parts"]] == ["call", "guest", "note"]
    assert any("note has no primary key" in sentence for sentence in summary["notes"])
    assert summary["unexamined"] == []

    assert regions.west.store.become_replica()["how"] == "rewind"
    assert regions.west.ask("SELECT count(*) FROM call WHERE id = 105").one()[0] == "0"


def test_rows_of_a_partition_say_whose_they_are_and_a_schema_that_must_be_quoted_loses_none(regions: Pair) -> None:
    serve(regions)
    for statement in (
        'CREATE SCHEMA "Front Desk"',
        'CREATE TABLE "Front Desk"."Key" (id integer PRIMARY KEY)',
        'CREATE TABLE "Front Desk".stay (id integer, month integer, PRIMARY KEY (id, month)) PARTITION BY LIST (month)',
        'CREATE TABLE "Front Desk".stay_may PARTITION OF "Front Desk".stay FOR VALUES IN (5) PARTITION BY LIST (id)',
        'CREATE TABLE public.stay_may_1 PARTITION OF "Front Desk".stay_may FOR VALUES IN (1)',
    ):
        regions.west.ask(statement)
    position = regions.west.ask("SELECT pg_current_wal_lsn()").one()[0]
    with regions.east.store._connect() as session:
        regions.east.store._require_position(session, {"postgres_lsn": position})
    lose_west(regions, 'INSERT INTO "Front Desk"."Key" VALUES (7)', 'INSERT INTO "Front Desk".stay VALUES (1, 5)')
    summary, entries = exported(regions)
    assert {name: (entry["table"], entry.get("partition_of")) for name, entry in entries.items()} == {
        "Front Desk.Key/7": (["Front Desk", "Key"], None),
        "stay_may_1/1/5": (["public", "stay_may_1"], ["Front Desk", "stay"]),
    }
    assert summary["unexamined"] == []


def test_nothing_is_started_when_only_heartbeats_are_lost(regions: Pair) -> None:
    serve(regions)
    regions.east.store.stop_gracefully(20)
    for second in range(5):
        regions.west.store.heartbeat(1_000_000.0 + second, 1)
    lose_west(regions)
    before = len(regions.west.launcher.started)
    summary, entries = exported(regions)
    assert (summary["how"], entries) == ("nothing-lost", {})
    assert len(regions.west.launcher.started) == before


def test_a_server_that_was_killed_when_its_replica_had_everything_has_lost_nothing(regions: Pair) -> None:
    """Its log ends where the time lines part, and there is no record behind that point to begin reading with."""
    serve(regions)
    regions.west.launcher.kill_everything()
    regions.east.store.promote(0, 2, {})
    summary, entries = exported(regions)
    assert (summary["how"], entries) == ("nothing-lost", {})
    regions.west.store.become_replica()
    assert regions.west.ask("SELECT count(*) FROM call").one()[0] == "20"


def test_what_no_row_shows_is_said_in_words(regions: Pair) -> None:
    serve(regions)
    lose_west(
        regions,
        "CREATE TABLE public.empty (id integer PRIMARY KEY)",
        "SELECT lo_from_bytea(0, 'a large object')",
        "INSERT INTO public.note VALUES ('gone')",
        "DELETE FROM public.note",
    )
    summary, entries = exported(regions)
    assert (summary["how"], entries) == ("compared", {})
    assert any("the schema was changed" in sentence for sentence in summary["unexamined"])
    assert any("large objects were written here alone" in sentence for sentence in summary["unexamined"])
    assert any("rows of note were deleted here alone" in sentence for sentence in summary["unexamined"])


def test_a_table_that_was_emptied_here_alone_is_said_and_what_came_into_it_afterwards_is_found(regions: Pair) -> None:
    serve(regions)
    lose_west(regions, "TRUNCATE public.guest", "INSERT INTO public.guest VALUES ('castle', 9, 'Zoë', 1.5)")
    summary, entries = exported(regions)
    assert {name: entry["change"] for name, entry in entries.items()} == {"guest/castle/9": "only-here"}
    (sentence,) = summary["unexamined"]
    assert "TRUNCATE" in sentence


def test_a_transaction_that_began_before_the_cut_and_committed_after_it_is_found(regions: Pair) -> None:
    serve(regions)
    with regions.west.store._connect() as session:
        session.query("BEGIN; INSERT INTO call VALUES (50)", 5)
        regions.west.ask("INSERT INTO call VALUES (51)")
        for _ in range(20):  # segments of 1 MB: the log that shows its beginning is far away when it ends
            regions.west.ask("SELECT pg_switch_wal()")
            regions.west.ask("CHECKPOINT")
        position = regions.west.ask("SELECT pg_current_wal_lsn()").one()[0]
        with regions.east.store._connect() as there:
            regions.east.store._require_position(there, {"postgres_lsn": position})
        regions.east.store.stop_gracefully(20)
        session.query("COMMIT", 5)
    lose_west(regions)
    summary, entries = exported(regions)
    assert list(entries) == ["call/50"]
    assert any("deleted here alone are not listed" in sentence for sentence in summary["unexamined"])


def test_an_export_that_finds_no_room_says_so_and_changes_nothing(regions: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(regions)
    lose_west(regions, "INSERT INTO call VALUES (100)")
    with monkeypatch.context() as full:
        full.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1000})())
        with pytest.raises(StoreFailure, match="make room and try again"):
            exported(regions)
    assert list(exported(regions)[1]) == ["call/100"]


def test_chosen_rows_are_given_back_where_absent_and_what_is_there_stays(regions: Pair) -> None:
    serve(regions)
    columns = "id serial PRIMARY KEY, amount numeric, twice numeric GENERATED ALWAYS AS (amount * 2) STORED, more jsonb"
    regions.west.ask(f"CREATE TABLE public.bill ({columns})")
    regions.west.ask('CREATE TABLE public."order" (id integer PRIMARY KEY)')
    regions.west.ask('CREATE TABLE public.line ("order" integer REFERENCES "order", id integer, PRIMARY KEY ("order", id))')
    with regions.east.store._connect() as session:
        regions.east.store._require_position(session, {"postgres_lsn": regions.west.ask("SELECT pg_current_wal_lsn()").one()[0]})
    lose_west(
        regions,
        "INSERT INTO call VALUES (100), (101)",
        "INSERT INTO public.note VALUES ('no key')",
        'INSERT INTO public.bill (amount, more) VALUES (0.1234567890123456789, \'{"part": 1.50, "text": "ü"}\')',
        'INSERT INTO public."order" VALUES (1)',
        "INSERT INTO public.line VALUES (1, 1)",
    )
    lines = {json.loads(line)["id"]: line for line in exported_lines(regions)[1]}
    entries = {name: json.loads(line) for name, line in lines.items()}
    bill = next(name for name in entries if name.startswith("bill/"))
    note = next(name for name in entries if name.startswith("note/"))
    with regions.east.store._connect() as session:
        session.query("INSERT INTO call VALUES (101, 5)", 5)

    east = regions.east.configuration
    binding = PostgresBinding(
        host=east.host, port=east.port, database=east.database, user=east.admin_user, password_file=east.admin_password_file
    )
    giver = PostgresGiver({EAST: binding})

    def give(*names: str, epoch: int = 2) -> list[tuple[str, str]]:
        found = list(giver.give([entries[name] for name in names], [lines[name] for name in names], EAST, (0, epoch)))
        return [(one.result, one.detail) for one in found]

    def would(*names: str) -> list[str]:
        return [one.result for one in giver.look([entries[name] for name in names], [lines[name] for name in names], EAST, (0, 2))]

    def count() -> str | None:
        return regions.east.ask("SELECT (SELECT count(*) FROM call) + (SELECT count(*) FROM line) + (SELECT count(*) FROM note)").one()[0]

    # Looking changes nothing, and one that can't be taken keeps the others out.
    before = count()
    assert would("call/100", "call/101", bill, note) == ["applied", "conflict", "applied", "applied"]
    assert give("call/100", "call/101", note) == [
        ("withheld", "nothing was written"),
        ("conflict", "the writer's row has other values in epoch"),
        ("withheld", "nothing was written"),
    ]
    assert give("line/1/1")[0][0] == "refused"  # without the order that it belongs to
    assert give("call/100", epoch=3) == [("refused", f"{EAST} is not the writer of epoch 0.3 any more")]
    assert count() == before

    assert give("call/100", bill, note) == [("applied", "")] * 3
    assert give("call/100", note) == [("already", "")] * 2
    assert give("line/1/1", "order/1") == [("applied", "")] * 2  # in which order they need each other is found out
    assert regions.east.ask("SELECT epoch FROM call WHERE id = 101").one() == ("5",)
    assert regions.east.ask("SELECT twice, more FROM public.bill").one() == ("0.2469135780246913578", '{"part": 1.50, "text": "ü"}')
    assert regions.east.ask("INSERT INTO public.bill (amount) VALUES (1) RETURNING id").one() == ("2",)
