"""What an export says of records that only the old writer held: who wrote them and when, or that nobody knows."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from holdfast.canary.exported import exported_contents, unnamed
from holdfast.ledger.contents import StoredRecord
from holdfast.plan.bindings import PostgresBinding, RedisBinding, TableBinding
from holdfast.report.divergence import Divergence, DivergenceComponent, Entry
from unit.canary_bindings import some_bindings
from unit.report_facts import DR, HOME

AT = datetime(2026, 11, 3, 4, 5, 6, 250_000, UTC)
NOWHERE = Path("/nowhere")
TABLES = {"calls": TableBinding(), "billing.paid": TableBinding(request="call", epoch=None, region=None, written_at=None)}
DATABASE = PostgresBinding(host="127.0.0.1", port=1, database="voicehive", user="holdfast", password_file=NOWHERE, records=TABLES)
CACHE = RedisBinding(host="127.0.0.1", port=1, password_file=NOWHERE, records=("session:",))
BINDINGS = some_bindings(components={"database": {DR: DATABASE}, "cache": {DR: CACHE}})


def export(*components: DivergenceComponent) -> Divergence:
    return Divergence(
        incident="inc-1", run="way-back", source=DR, target=HOME, order=(0, 3, 1, 9), exported_seconds=1.5e9, components=components
    )


def component(name: str, status: str = "exported", **more: object) -> DivergenceComponent:
    kind = {"database": "postgres", "cache": "redis", "storage": "bucket"}[name]
    said = {"component": name, "kind": kind, "status": status, "how": "handed-over", "looked_at": True}
    return DivergenceComponent.model_validate(said | more)


def row(table: list[str], here: dict[str, object] | None) -> Entry:
    value = {"table": table, "here": here, "there": None}
    return Entry("database", "postgres", f"{table[1]}/1", "only-here" if here else "deleted-here", value, "")


def key(name: str, here: object) -> Entry:
    return Entry("cache", "redis", name, "only-here", {"id": name, "here": here}, "")


def test_rows_and_keys_say_who_wrote_them_and_when() -> None:
    entries = [
        row(["public", "calls"], {"request": "r1", "epoch": 2, "region": DR, "written_at": AT.isoformat()}),
        row(["billing", "paid"], {"call": "r2", "amount": "3.10"}),
        row(["public", "calls"], None),
        row(["public", "notes"], {"request": "r3"}),
        key("session:r1", f'{{"epoch": 2, "region": "{DR}", "written_seconds": {AT.timestamp()}}}'),
        key("session:r2", "no object"),
        key("session:r3", [["a", "b"]]),
        key("other:r4", "x"),
    ]
    database, cache = exported_contents(export(component("database"), component("cache"), component("storage")), entries, BINDINGS)
    whole, nobody = StoredRecord(2, DR, AT.timestamp()), StoredRecord(None, None, None)
    assert (database.store, database.region, database.read_seconds) == ("database", DR, 1.5e9)
    assert database.records == {"calls/r1": whole, "billing.paid/r2": nobody}, "the bindings say that those of one table carry no epoch"
    assert cache.records == {"session:r1": whole, "session:r2": nobody, "session:r3": nobody}


def test_what_was_not_exported_or_not_looked_at_is_unknown_and_says_why() -> None:
    missing = component("database", "missing", detail="no answer")
    database, cache = exported_contents(export(missing, component("cache", unexamined=("db1 holds keys",))), (), BINDINGS)
    assert (database.records, database.problem) == (None, "no answer")
    assert (cache.records, cache.problem) == (None, "db1 holds keys")


def test_a_store_that_was_handed_over_and_not_looked_at_is_unknown_also_in_an_export_from_before_that_was_said() -> None:
    (cache,) = exported_contents(export(component("cache", looked_at=False)), (), BINDINGS)
    old = component("database").model_dump(exclude={"looked_at"})
    (database,) = exported_contents(export(DivergenceComponent.model_validate(old)), (), BINDINGS)
    assert (cache.records, database.records) == (None, None)
    assert "nobody looked" in database.problem
    assert exported_contents(export(component("cache")), (), BINDINGS)[0].records == {}, "looked at, and nothing was there"


def test_a_store_of_whose_records_the_bindings_say_nothing_is_unknown() -> None:
    silent = some_bindings(components={"database": {DR: DATABASE.model_copy(update={"records": {}})}})
    (database,) = exported_contents(export(component("database")), [row(["public", "calls"], {"request": "r1"})], silent)
    assert (database.records, database.problem) == (None, "the bindings don't name where its records stand (`records`)")


@pytest.mark.parametrize(
    "mark", ["no object", '{"epoch": 2}', '{"epoch": 2, "written_seconds": "soon"}', '{"epoch": [2], "written_seconds": 1.5}']
)
def test_a_key_of_a_transaction_that_does_not_say_who_wrote_it_leaves_its_store_unknown(mark: str) -> None:
    (cache,) = exported_contents(export(component("cache")), [key("session:canary-20261103t040506-a-0000001", mark)], BINDINGS)
    assert cache.records is None and "1 of its records don't say when or under which epoch" in cache.problem
    (customers,) = exported_contents(export(component("cache")), [key("session:a-guest", mark)], BINDINGS)
    assert customers.records is not None, "what customers' programs keep there is theirs"


def test_what_stands_where_the_bindings_name_nothing_is_counted_by_its_place() -> None:
    entries = [
        row(["public", "notes"], {"request": "r3"}),
        row(["public", "notes"], {"request": "r4"}),
        key("other:r4", "x"),
        key("session:r", "x"),
    ]
    assert unnamed(export(component("database"), component("cache"), component("storage")), entries, BINDINGS) == {
        "database notes": 2,
        "cache": 1,
    }
