"""Tables with recovery times, of functions or of the systems that they stand on; and kinds of systems: said, concluded or asked about."""

import pytest

from holdfast.document.reading import Imported, import_document


def imported(*rows: str, under: str = "How we work") -> Imported:
    """A table: its head first."""
    head, *others = rows
    line = "|".join("-" for _ in head.strip("|").split("|"))
    text = f"# Plan of a dairy\n\n## {under}\n\n{head}\n|{line}|\n" + "\n".join(others)
    return import_document(f"{text}\n".encode(), "plan.md")


def taken(got: Imported) -> dict[str, set[str]]:
    """Functions and components of a plan, by identifier."""
    return {section: set(got.value[section]) for section in ("functions", "components") if got.value.get(section)}


def kinds(got: Imported) -> dict[str, str | None]:
    return {name: entry.get("kind") for name, entry in got.value["components"].items()}


def asked(got: Imported) -> dict[str, tuple[str, ...]]:
    return {question.about: question.choices for question in got.questions}


def concluded(got: Imported) -> dict[str, str]:
    return {one.about: one.because for one in got.concluded}


@pytest.mark.parametrize(
    ("head", "first", "second"),
    [
        ("| Service | Server | Type | RTO |", "| Milk intake | alma | PostgreSQL | 3 h |", "| Labels | bruno | Redis | 9 h |"),
        ("| Service | Server | Type | RTO |", "| Milk intake | alma | Web | 3 h |", "| Labels | bruno | Scales | 9 h |"),
        ("| Business service | Platform | RTO |", "| Milk intake | PostgreSQL | 3 h |", "| Labels | Redis | 9 h |"),
        ("| Function | Platform | RTO |", "| Milk intake | PostgreSQL | 3 h |", "| Labels | Redis | 9 h |"),
        ("| Process | Recovery strategy | RTO |", "| Milk intake | by hand | 3 h |", "| Labels | printed ahead | 9 h |"),
        ("| System | Process | Type | RTO |", "| alma | Milk intake | PostgreSQL | 3 h |", "| bruno | Labels | Redis | 9 h |"),
    ],
)
def test_a_table_that_names_services_or_processes_beside_their_servers_is_of_functions(head: str, first: str, second: str) -> None:
    assert taken(imported(head, first, second)) == {"functions": {"milk-intake", "labels"}}


def test_a_second_table_of_functions_may_give_their_rpo_alone() -> None:
    text = "# Plan of a dairy\n\n| Function | RTO |\n|-|-|\n| Milk intake | 3 h |\n\n| Function | RPO |\n|-|-|\n| Milk intake | 10 min |\n"
    got = import_document(text.encode(), "plan.md")
    assert {key: got.value["functions"]["milk-intake"][key] for key in ("rto", "rpo")} == {"rto": "3h", "rpo": "10m"}
    backups = imported("| System | Backup | RPO |", "| Herd book | nightly | 24 h |")
    assert taken(backups) == {} and len(backups.notes) == 1, "a system that is backed up is no function by that"


@pytest.mark.parametrize("name", ["Service", "System", "Component", "Asset"])
def test_a_table_that_says_which_functions_its_systems_support_is_of_systems(name: str) -> None:
    got = imported(f"| {name} | Platform | RTO | Supports functions |", "| Herd book | PostgreSQL | 3 h | Milk intake |")
    assert taken(got) == {"components": {"herd-book"}}
    assert got.value["components"]["herd-book"]["rto"] == "3h"
    assert [note.text for note in got.notes] == ["Herd book: Supports functions: Milk intake"]


def test_a_table_of_services_that_support_functions_on_platforms_of_no_clear_kind_is_taken_once() -> None:
    got = imported("| Service | Platform | RTO | Supports functions |", "| Herd book | in house | 3 h | Milk intake |")
    assert taken(got) == {"functions": {"herd-book"}}


@pytest.mark.parametrize(
    "mtpd", ["MTPD", "Maximum tolerable downtime", "Max. acceptable outage", "Maximum allowable period of disruption", "Tolerable downtime"]
)
@pytest.mark.parametrize("name", ["Service", "System"])
def test_a_table_with_the_longest_that_can_be_borne_is_of_functions_however_that_is_called(name: str, mtpd: str) -> None:
    got = imported(f"| {name} | Type | RTO | {mtpd} |", "| Herd book | PostgreSQL | 3 h | 2 days |")
    assert taken(got) == {"functions": {"herd-book"}}
    assert (got.value["functions"]["herd-book"]["rto"], got.value["functions"]["herd-book"]["mtpd"]) == ("3h", "2d")


@pytest.mark.parametrize(
    "row",
    [
        "| Online check-in | Internet | 9 h |",
        "| Guest documents | Documents | 9 h |",
        "| Order taking | Web app on PostgreSQL | 9 h |",
        "| Order taking | | 9 h |",
    ],
)
def test_a_table_of_services_is_of_functions_unless_each_of_its_rows_names_a_kind_by_a_clear_word(row: str) -> None:
    clear = ("| Herd book | Database | 3 h |", "| Sessions | Redis cache | 3 h |", "| Pictures | S3 | 3 h |")
    assert taken(imported("| Service | Technology | RTO |", *clear)) == {"components": {"herd-book", "sessions", "pictures"}}
    assert taken(imported("| Service | Technology | RTO |", *clear, row)).keys() == {"functions"}
    assert taken(imported("| Service | Technology | RTO |", row)).keys() == {"functions"}


@pytest.mark.parametrize(
    ("name", "under"),
    [("System", "How we work"), ("IT system", "How we work"), ("Application", "How we work")]
    + [(name, under) for name in ("Service", "Name") for under in ("Systems", "IT systems", "4.2 Technology")],
)
def test_a_table_of_systems_stays_one_where_the_technology_of_some_is_of_no_known_kind(name: str, under: str) -> None:
    got = imported(
        f"| {name} | Technology | RTO |",
        "| Herd book | PostgreSQL | 3 h |",
        "| Booking database | Oracle 19c | 4 h |",
        "| Label printers | Zebra ZT411 | 9 h |",
        under=under,
    )
    assert taken(got) == {"components": {"herd-book", "booking-database", "label-printers"}}
    assert kinds(got) == {"herd-book": "postgres", "booking-database": None, "label-printers": None}
    assert asked(got).keys() == {"components.booking-database.kind", "components.label-printers.kind"}
    assert ["'Oracle 19c'" in question.says or "'Zebra ZT411'" in question.says for question in got.questions] == [True, True]


def test_a_table_of_systems_that_names_no_kind_of_data_is_of_functions() -> None:
    got = imported("| System | Type | RTO |", "| Milk intake | core | 3 h |", "| Labels | Zebra ZT411 | 9 h |", under="Systems")
    assert taken(got) == {"functions": {"milk-intake", "labels"}}


def test_a_kind_that_the_words_do_not_say_themselves_is_concluded_or_asked_about() -> None:
    got = imported(
        "| Component | Technology | RTO |",
        "| Herd book | PostgreSQL 16 | 3 h |",
        "| Milk records | Database | 3 h |",
        "| Feed records | MySQL database | 3 h |",
        "| Orders | Web app on PostgreSQL | 3 h |",
        "| Recipes | Documents | 3 h |",
        "| Mail server | in house | 3 h |",
    )
    assert kinds(got) == {
        "herd-book": "postgres",
        "milk-records": "postgres",
        "feed-records": None,
        "orders": None,
        "recipes": "bucket",
        "mail-server": "application",
    }
    assert concluded(got) == {
        "components.milk-records.kind": "'Database' is taken for this kind",
        "components.recipes.kind": "'Documents' is taken for this kind",
        "components.mail-server.kind": "'in house' names no kind, and the name says this one",
    }
    assert asked(got)["components.orders.kind"] == ("postgres", "application")
    assert "components.feed-records.kind" in asked(got)
