"""Whose promise a time is: the right function's, or a question, or a note; never that of a function that the document doesn't have."""

import pytest

from holdfast.document.reading import Imported, import_document

UNDER = "# Plan of a dairy\n\n## Business functions\n\n"
ANYWHERE = "# Plan of a dairy\n\n## How we work\n\n"


def imported(text: str, ahead: str = UNDER) -> Imported:
    return import_document(f"{ahead}{text}\n".encode(), "plan.md")


def promised(got: Imported) -> dict[str, dict[str, str]]:
    """Function → its promises."""
    functions: dict[str, dict[str, str]] = got.value.get("functions", {})
    return {name: {key: entry[key] for key in ("rto", "rpo", "mtpd") if key in entry} for name, entry in functions.items()}


def asked(got: Imported) -> dict[str, tuple[str, ...]]:
    return {question.about: question.choices for question in got.questions}


def noted(got: Imported) -> list[str]:
    return [note.text for note in got.notes]


@pytest.mark.parametrize(
    "said",
    [
        "We can lose one hour of data of the milk intake.",
        "It may lose up to one hour of milk intake.",
        "We may lose an hour of butter making.",
    ],
)
def test_a_loss_of_something_that_is_no_data_is_asked_about(said: str) -> None:
    got = imported(f"Cheese ripening must be back within 3 hours. {said}")
    assert promised(got) == {"cheese-ripening": {"rto": "3h"}}
    assert asked(got) == {"functions.cheese-ripening.rpo": ("1h",)}


@pytest.mark.parametrize("said", ["of data of the milk intake", "of milk intake", "of milk intake records", "of data for milk intake"])
def test_a_loss_of_another_functions_data_is_that_functions(said: str) -> None:
    got = imported(f"Milk intake must be back within 2 hours.\n\nCheese ripening must be back within 3 hours. We can lose one hour {said}.")
    assert promised(got) == {"milk-intake": {"rto": "2h", "rpo": "1h"}, "cheese-ripening": {"rto": "3h"}}
    assert not got.questions


def test_a_function_that_loses_anothers_data_is_asked_about() -> None:
    got = imported("Milk intake must be back within 2 hours.\n\nCheese ripening may lose one hour of data of milk intake.")
    assert promised(got) == {"milk-intake": {"rto": "2h"}, "cheese-ripening": {}}
    assert asked(got) == {"functions.cheese-ripening.rpo": ("1h",)}


@pytest.mark.parametrize(
    "whose", ["payroll data", "booking data", "the payroll records", "our payroll information", "payroll transactions"]
)
@pytest.mark.parametrize(
    "said",
    [
        "Our goal is to resume billing within 4 hours and to lose no more than 30 minutes of {}.",
        "Billing has an RTO of 4 hours. It may lose 30 minutes of {}.",
    ],
)
def test_a_loss_of_data_that_is_named_after_something_else_is_asked_about(said: str, whose: str) -> None:
    got = imported(said.format(whose))
    assert promised(got) == {"billing": {"rto": "4h"}}
    assert asked(got) == {"functions.billing.rpo": ("30m",)}
    assert f"'{whose.split()[-2]}' may be another function" in got.questions[0].says


@pytest.mark.parametrize(
    "whose", ["billing data", "bill records", "customer data", "confirmed orders", "the latest data", "transaction data"]
)
def test_a_loss_of_data_that_is_named_after_the_function_or_nobody_is_its_own(whose: str) -> None:
    got = imported(f"Our goal is to resume billing within 4 hours and to lose no more than 30 minutes of {whose}.")
    assert (promised(got), asked(got)) == ({"billing": {"rto": "4h", "rpo": "30m"}}, {})


@pytest.mark.parametrize("ahead", [UNDER, ANYWHERE, "# Plan of a dairy\n\n## Recovery objectives\n\n"])
@pytest.mark.parametrize("goal", ["overall objective", "general aim", "company-wide recovery goal"])
def test_an_objective_for_everything_makes_no_function(goal: str, ahead: str) -> None:
    said = f"Our {goal} is to resume dispatching within 4 hours and to lose no more than 30 minutes of booking data."
    got = imported(said, ahead)
    assert (promised(got), noted(got)) == ({}, [said])
    assert not got.value["objectives"]
    known = imported(f"Dispatching is vital. It has an MTPD of 2 days.\n\n{said}", ahead)
    assert promised(known) == {"dispatching": {"mtpd": "2d", "rto": "4h"}}
    assert asked(known) == {"functions.dispatching.rpo": ("30m",)}
    said = f"Our {goal} is to be back within 4 hours."
    after = imported(f"The dispatching process has an MTPD of 2 days. {said}", ahead)
    assert (promised(after), noted(after)) == ({"dispatching": {"mtpd": "2d"}}, [said])


@pytest.mark.parametrize(
    "said", ["of data", "of work", "of invoices", "of the records", "of confirmed orders", "of data of the cheese ripening"]
)
def test_a_loss_of_data_is_that_of_the_function_before_it(said: str) -> None:
    got = imported(f"Cheese ripening must be back within 3 hours. It may lose one hour {said}.")
    assert promised(got) == {"cheese-ripening": {"rto": "3h", "rpo": "1h"}}
    assert not got.questions


@pytest.mark.parametrize("said", ["We can tolerate the loss of records for a day.", "It may lose its orders for up to a day."])
def test_a_loss_that_goes_on_for_a_time_is_asked_about_and_is_no_impact(said: str) -> None:
    got = imported(f"The dairy shop resumes within 2 days. {said}")
    assert promised(got) == {"dairy-shop": {"rto": "2d"}}
    assert asked(got) == {"functions.dairy-shop.rpo": ("1d",)}
    assert "impact" not in got.value["functions"]["dairy-shop"]


@pytest.mark.parametrize("name", ["period of disruption", "length of outage", "time of interruption", "downtime"])
def test_the_rest_of_a_promises_name_is_no_function(name: str) -> None:
    got = imported(f"The RTO for milk intake is two hours. The maximum tolerable {name} is one day.")
    assert promised(got) == {"milk-intake": {"rto": "2h", "mtpd": "1d"}}


def test_a_paragraph_is_about_what_its_bold_beginning_names() -> None:
    got = imported("**Dairy shop.** Recovery is on best effort. RPO is one day.")
    assert promised(got) == {"dairy-shop": {"rpo": "1d"}}
    assert noted(got) == ["Dairy shop. Recovery is on best effort."]


def test_a_promise_without_a_time_is_told_and_is_no_impact() -> None:
    got = imported("Milk intake has an RTO of 2 hours. Its RPO is a loss that nobody has agreed. Without it we cannot sell.")
    assert promised(got) == {"milk-intake": {"rto": "2h"}}
    assert got.value["functions"]["milk-intake"]["impact"] == "Without it we cannot sell."
    assert noted(got) == ["Its RPO is a loss that nobody has agreed."]


NO_FUNCTIONS = (
    "The fitter looks after our pumps and promises to come within three hours.",
    "The spare ripening room in Ardal is available within 5 hours of a call.",
    "Our alternate site is available within 5 hours.",
    "All drivers must be back within 20 minutes from their break.",
    "Employees are back within 20 minutes.",
    "Recovery procedures are working within 3 hours.",
    "Every function must be back within a week.",
    "Neither butter nor cream may lose more than an hour.",
    "IT and whoever is on shift must be back within 2 hours.",
)


@pytest.mark.parametrize("ahead", [UNDER, ANYWHERE])
@pytest.mark.parametrize("said", NO_FUNCTIONS)
def test_people_places_and_parts_of_the_plan_are_no_functions(said: str, ahead: str) -> None:
    got = imported(said, ahead)
    assert promised(got) == {}
    assert noted(got) == [said]


def test_what_is_said_of_a_stranger_is_not_the_promise_of_the_function_before_it() -> None:
    got = imported("Milk intake has an RPO of 1 hour. Employees must be back within 20 minutes.")
    assert promised(got) == {"milk-intake": {"rpo": "1h"}}
    assert noted(got) == ["Employees must be back within 20 minutes."]


def test_what_is_restored_by_somebody_is_what_comes_back() -> None:
    said = "These steps are written to recover LIMS within 12 hours."
    assert promised(imported(said)) == {"lims": {"rto": "12h"}}
    assert (promised(imported(said, ANYWHERE)), noted(imported(said, ANYWHERE))) == ({}, [said])
    assert promised(imported("Milk intake must resume normal operation within 2 hours.")) == {"milk-intake": {"rto": "2h"}}


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        ("# Plan\n\n| Function | Owner |\n|-|-|\n| Milk intake | Ada |\n\n## Times\n\n", "Milk intake must be back within 2 hours."),
        ("# Plan\n\n## What we do\n\n### Milk intake\n\n", "Milk intake must be back within 2 hours."),
        ("# Plan\n\n## Critical processes\n\n- Milk intake\n\n## Times\n\n", "Milk intake must be back within 2 hours."),
        (ANYWHERE, "The milk intake process must be back within 2 hours."),
        (ANYWHERE, "Milk intake has an RTO of 2 hours."),
        (ANYWHERE, "Milk intake is our most urgent process. It must be back within 2 hours."),
        (UNDER, "Milk intake must be back within 2 hours."),
    ],
)
def test_a_function_is_what_the_document_names_or_calls_one(ahead: str, said: str) -> None:
    assert promised(imported(said, ahead)) == {"milk-intake": {"rto": "2h"}}


def test_what_stands_behind_a_label_may_be_about_somebody_else() -> None:
    got = imported("Phones: the supplier is back within 2 hours.")
    assert (promised(got), noted(got)) == ({}, ["Phones: the supplier is back within 2 hours."])


def test_a_subject_that_nothing_names_as_a_function_is_told() -> None:
    said = "The generator is running within 5 minutes."
    got = imported(said, ANYWHERE)
    assert (promised(got), noted(got)) == ({}, [said])


@pytest.mark.parametrize("said", ["Both the dairy shop and LIMS have", "The dairy shop and LIMS both have"])
def test_both_are_two_functions(said: str) -> None:
    got = imported(f"{said} an RTO of 6 hours.")
    assert promised(got) == {"dairy-shop": {"rto": "6h"}, "lims": {"rto": "6h"}}


def test_a_promise_that_names_its_owner_is_the_owners() -> None:
    got = imported(
        "Butter has an RTO of 6 hours.\n\nThe RTO of cream is 3 hours and the RPO for butter is 1 hour. The RPO of the service is zero."
    )
    assert promised(got) == {"butter": {"rto": "6h", "rpo": "1h"}, "cream": {"rto": "3h", "rpo": "0s"}}
    other = imported("The RTO of cream is 3 hours and the RPO for whey is 1 hour.")
    assert (promised(other), asked(other)) == ({"cream": {"rto": "3h"}}, {"functions.cream.rpo": ("1h",)})


def test_two_known_functions_share_what_is_said_of_them_and_one_of_two_words_stays_one() -> None:
    got = imported("Butter has an RTO of 6 hours.\n\nCream has an RTO of 6 hours.\n\nButter and cream have an RPO of 1 hour.")
    assert promised(got) == {"butter": {"rto": "6h", "rpo": "1h"}, "cream": {"rto": "6h", "rpo": "1h"}}
    assert promised(imported("Sales and marketing have an RTO of 6 hours.")) == {"sales-and-marketing": {"rto": "6h"}}


def test_a_column_of_two_promises_is_read_in_turn_or_asked_about() -> None:
    got = imported(
        "| Function | RPO / RTO |\n|-|-|\n| Butter | 10 min / 3 h |\n| Cream | 3 h |\n| Whey | N/A / 3 h |\n| Milk | RTO: 3 h, RPO: 0 |"
    )
    assert promised(got) == {"butter": {"rto": "3h", "rpo": "10m"}, "cream": {}, "whey": {"rto": "3h"}, "milk": {"rto": "3h", "rpo": "0s"}}
    assert asked(got) == {"functions.cream.rpo": ("3h",), "functions.cream.rto": ("3h",), "functions.whey.rpo": ()}


def test_a_label_of_two_objectives_is_read_in_turn() -> None:
    got = imported("- RTO / RPO: 3 h / 10 min", "# Plan\n\n## Recovery objectives\n\n")
    assert got.value["objectives"] == {"rto": "3h", "rpo": "10m"}


def test_system_resources_are_components_and_no_functions() -> None:
    got = imported(
        "| System Resource/Component | RTO | Owner |\n|-|-|-|\n| Web server | 3 h | Ada |\n| Mail server | 2 h | Ben |", ANYWHERE
    )
    assert promised(got) == {}
    assert {name: entry["rto"] for name, entry in got.value["components"].items()} == {"web-server": "3h", "mail-server": "2h"}
    assert noted(got) == ["Web server: Owner: Ada", "Mail server: Owner: Ben"]


KINDS_SAID = "| {} | Type | RTO | RPO |\n|-|-|-|-|\n| Herd book | PostgreSQL | 3 h | 10 min |\n| Labels | S3 with versions | 9 h | N/A |"


@pytest.mark.parametrize("head", ["Component", "System", "Application", "Service"])
def test_a_table_that_says_of_what_kind_each_of_its_systems_is_lists_components(head: str) -> None:
    got = imported(KINDS_SAID.format(head), ANYWHERE)
    assert promised(got) == {}
    assert {name: entry["kind"] for name, entry in got.value["components"].items()} == {"herd-book": "postgres", "labels": "bucket"}
    assert noted(got) == ["Labels: Type: S3 with versions"], "what is more than its kind stays with people"


@pytest.mark.parametrize(
    "table",
    [
        KINDS_SAID.format("Function"),
        KINDS_SAID.format("System").replace("PostgreSQL", "in house").replace("S3 with versions", "bought"),
        KINDS_SAID.format("Service").replace("PostgreSQL", "Web").replace("S3 with versions", "API"),
        KINDS_SAID.format("System").replace("RPO", "Priority").replace("10 min", "P1").replace("N/A", "P2"),
    ],
    ids=["called functions", "a kind of nothing", "applications alone", "with a priority"],
)
def test_a_table_that_may_as_well_be_of_functions_is(table: str) -> None:
    assert promised(imported(table)).keys() == {"herd-book", "labels"}


def test_a_component_without_an_rto_is_asked_about_and_one_without_an_rpo_has_none() -> None:
    got = imported("| Component | RTO | RPO |\n|-|-|-|\n| Label cache | N/A | N/A (nothing is kept) |", ANYWHERE)
    assert asked(got) == {"components.label-cache.rto": ()}
    assert [one["about"] for one in got.value["not_applicable"]] == ["components.label-cache.rpo"]


def test_a_table_of_services_that_names_their_components_is_of_functions() -> None:
    got = imported("| Service | Component | RTO |\n|-|-|-|\n| Milk intake | Mail server | 3 h |")
    assert (promised(got), noted(got)) == ({"milk-intake": {"rto": "3h"}}, ["Milk intake: Component: Mail server"])


def test_a_row_in_the_notes_says_what_its_numbers_are() -> None:
    got = imported(
        "| Estate | RTO (h) | RPO (min) |\n|-|-|-|\n| Dairy ERP | 3 | 10 |\n\n| Estate | MTD (h) |\n|-|-|\n| Lab | 9 |", ANYWHERE
    )
    assert noted(got) == ["Estate: Dairy ERP | RTO (h): 3 | RPO (min): 10", "Estate: Lab | MTD (h): 9"]


@pytest.mark.parametrize(
    "text",
    [
        "| Function | RTO | RPO |\n|-|-|-|\n| Milk intake | 2 h | N/A |",
        "- **Milk intake**\n  - RTO: 2 h\n  - RPO: N/A",
        "### Milk intake\n\n- RTO: 2 h\n- RPO: N/A",
        "- Milk intake: RTO: 2 h. RPO: N/A",
        "Milk intake has an RTO of 2 hours. Its RPO is not applicable (it keeps nothing).",
    ],
)
def test_a_function_without_an_rpo_is_asked_for_one_and_the_plan_says_it_once(text: str) -> None:
    got = imported(text)
    assert promised(got) == {"milk-intake": {"rto": "2h"}}
    assert asked(got) == {"functions.milk-intake.rpo": ()}
    assert not got.absent and not got.notes


def test_what_a_plan_may_be_without_stays_not_applicable() -> None:
    got = imported("| Function | RTO | MTPD |\n|-|-|-|\n| Milk intake | 2 h | N/A |")
    assert [absent.about for absent in got.absent] == ["functions.milk-intake.mtpd"]
    assert not got.questions


def test_an_item_of_a_function_keeps_its_name_in_what_is_told_of_it() -> None:
    got = imported("- Milk intake\n  - RTO: 2 h\n  - Colour: 7\n  - cold at 4 degrees")
    assert promised(got) == {"milk-intake": {"rto": "2h"}}
    assert noted(got) == ["Milk intake: Colour: 7", "Milk intake: cold at 4 degrees"]


def test_the_heading_of_a_list_is_no_function_of_it() -> None:
    assert promised(imported("- RTO: 2 h")) == {}
    assert noted(imported("- RTO: 2 h")) == ["RTO: 2 h"]
