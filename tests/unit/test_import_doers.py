"""Who does a step: whom its words name, whoever leads where the document says so, and else nobody, with a word."""

import pytest

from holdfast.document.reading import import_document
from holdfast.document.reading.importing import Imported

PLANT = "The Plant Manager, Bob Ray, activates the plan. The IT Manager, Ann Lee, leads recovery."
NOBODY_LEADS = "The Plant Manager, Bob Ray, activates the plan. The IT Manager, Ann Lee, knows the servers."


def imported(*steps: str, roles: str = PLANT) -> Imported:
    numbered = "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1))
    scenario = f"## Scenario: Loss of power\n\n### Response\n\n{numbered}\n"
    return import_document(f"# Acme BCP\n\n## Roles\n\n{roles}\n\n{scenario}".encode(), "doc.md")


def by(got: Imported) -> list[str | None]:
    return [step.get("by") for step in got.value["scenarios"]["loss-of-power"]["phases"][0]["steps"]]


def told(got: Imported) -> list[str]:
    return [note.text for note in got.notes if "no one role" in note.text]


@pytest.mark.parametrize(
    "step",
    [
        "Ann Lee stops the servers.",
        "Ann Lee: stop the servers.",
        "The IT Manager stops the servers.",
        "Dr. Ann Lee stops the servers.",
        "Stop the servers (Ann Lee).",
        "Stop the servers – IT Manager",
        "The servers are stopped by Ann Lee.",
        "Within 15 minutes, the IT Manager stops the servers.",
        "If the outage lasts, Ann Lee stops the servers.",
        "Then the IT Manager, Ann Lee, stops the servers.",
    ],
)
def test_a_step_goes_to_the_role_of_whom_it_names(step: str) -> None:
    got = imported(step, roles=NOBODY_LEADS)
    assert by(got) == ["it-manager"] and not told(got)
    assert not [one for one in got.concluded if one.about.endswith(".by")]


@pytest.mark.parametrize("step", ["Ann stops the servers.", "Ms. Lee stops the servers."])
def test_a_first_or_last_name_that_one_person_alone_has_is_theirs_and_marked(step: str) -> None:
    got = imported(step, roles=NOBODY_LEADS)
    assert by(got) == ["it-manager"]
    assert [one.because for one in got.concluded] == ["the step begins with a name that only one person here has"]


@pytest.mark.parametrize(
    ("step", "who"),
    [
        ("The site nurse checks staff.", "The site nurse"),
        ("The LIS Analyst prints the lists.", "The LIS Analyst"),
        ("LIS Analyst prints the lists.", "LIS Analyst"),
        ("LIS Analyst: print the lists.", "LIS Analyst"),
        ("Print the lists (LIS Analyst).", "LIS Analyst"),
        ("Our staff leave the building.", "Our staff"),
        ("Nurses record orders on paper.", "Nurses"),
        ("Laboratory staff use the paper forms.", "Laboratory staff"),
        ("All users log out.", "All users"),
        ("Both teams check their lists.", "Both teams"),
        ("The nurse of each ward prints lists.", "The nurse of each ward"),
        ("The alarm is raised by the monitoring team.", "monitoring team"),
        ("Jonas checks the pumps.", "Jonas"),
        ("Tom Hale checks the pumps.", "Tom Hale"),
        ("The Plant Manager's deputy checks the pumps.", "The Plant Manager's deputy"),
        ("She checks the pumps.", "She"),
    ],
)
@pytest.mark.parametrize("roles", [PLANT, NOBODY_LEADS])
def test_a_step_of_somebody_whom_no_role_names_is_given_to_nobody_and_that_is_told(roles: str, step: str, who: str) -> None:
    got = imported(step, roles=roles)
    assert by(got) == [None]
    assert told(got) == [f"{step.rstrip('.')}: who does this is no one role of the plan: {who}"]


def test_whoever_holds_two_roles_is_given_neither() -> None:
    got = imported("Ann Lee stops the servers.", roles="The IT Manager is Ann Lee. The Press Officer is Ann Lee.")
    assert by(got) == [None] and told(got) == ["Ann Lee stops the servers: who does this is no one role of the plan: Ann Lee"]


ORDERS = (
    "Ask the Plant Manager for the keys.",
    "Call the insurer (Bob Ray).",
    "Shut the valves.",
    "The pumps are stopped.",
    "Staff the desk.",
    "Have a nurse check the ward.",
)


@pytest.mark.parametrize("step", ORDERS)
def test_an_order_goes_to_whoever_leads_and_the_remark_says_where_that_stands(step: str) -> None:
    got = imported(step)
    assert by(got) == ["it-manager"] and not told(got)
    (one,) = [one for one in got.concluded if one.about.endswith(".by")]
    assert one.because == "the step's words don't say who does it, and line 5 says that this role leads"


@pytest.mark.parametrize("step", ORDERS)
def test_an_order_goes_to_nobody_where_nothing_says_who_leads(step: str) -> None:
    assert by(imported(step, roles=NOBODY_LEADS)) == [None]


@pytest.mark.parametrize(
    "roles",
    [
        "The Plant Manager, Bob Ray, leads the response. The IT Manager, Ann Lee, leads recovery.",
        "The Plant Manager is Bob Ray. The Press Officer, Ann Lee, leads the talks with papers.",
    ],
)
def test_where_two_lead_or_somebody_leads_other_things_a_step_goes_to_neither(roles: str) -> None:
    assert by(imported("Shut the valves.", roles=roles)) == [None]


@pytest.mark.parametrize("step", ["Tomás Öberg stops the servers.", "Tomas Oberg stops the servers.", "Tomás stops the servers."])
def test_a_name_with_accents_is_found_with_and_without_them(step: str) -> None:
    got = imported(step, roles="The IT Manager is Tomás Öberg.")
    assert by(got) == ["it-manager"] and not told(got)


def test_a_first_name_that_is_an_order_too_is_nobodys() -> None:
    got = imported("Grant users access.", roles="The IT Manager is Grant Lee. The Press Officer is Ann Poole.")
    assert by(got) == [None] and not got.concluded


@pytest.mark.parametrize(
    "step",
    [
        "The IT Manager and the Plant Manager shut the valves.",
        "IT Manager / Plant Manager: shut the valves",
        "Ann and Bob shut the valves.",
    ],
)
def test_the_first_of_several_who_do_a_step_is_marked(step: str) -> None:
    got = imported(step)
    assert by(got) == ["it-manager"]
    assert [one.because for one in got.concluded] == ["the step's words name several, and this one first"]
