"""What can happen, what is done then and who is told, however a document sets it out: typed where it belongs, or told."""

import pytest

from holdfast.document.reading import import_document
from holdfast.document.reading.importing import Imported

ROLES = (
    "## Roles\n\n| Role | Primary | Backup |\n|---|---|---|\n| Site lead | Ann Berg | Bo Lund |\n| Press officer | Cy Dahl | Di Ek |\n\n"
)


def imported(text: str) -> Imported:
    return import_document(f"# Acme BCP\n\n{text}\n".encode(), "doc.md")


@pytest.mark.parametrize("heading", ["## Activation\n\n### Who is told", "## Response procedures", "## Loose ends"])
def test_a_table_of_who_is_told_how_by_when_is_a_rule_of_communication_wherever_it_stands(heading: str) -> None:
    table = "| Who to tell | Sender | Channel | Deadline (hours) |\n|---|---|---|---|\n| Drivers | Press officer | SMS, pigeon | 2 |"
    got = imported(f"{ROLES}{heading}\n\n{table}")
    assert got.value["messages"] == {"drivers": {"audience": ["drivers"], "channels": ["sms"], "due": "2h"}}
    assert not got.value["scenarios"]
    told = {note.text for note in got.notes}
    assert told == {"Drivers: Sender: Press officer", "Drivers: channel that the plan doesn't know: pigeon"}


def test_a_table_of_a_training_with_an_audience_is_no_rule_of_communication() -> None:
    got = imported("## Training\n\n| Audience | Method | When |\n|---|---|---|\n| Drivers | Phone | In May |")
    assert "messages" not in got.value and [note.text for note in got.notes] == ["Drivers | Phone | In May"]


@pytest.mark.parametrize("heading", ["Scenario: Yard flooded", "5. Scenario: Yard flooded", "5.2 Scenario 1: Yard flooded"])
def test_rows_of_steps_are_typed_with_who_does_them_and_how_long_they_take(heading: str) -> None:
    table = (
        "| Step | Task | Responsible | Duration (min) | Tool |\n|---|---|---|---|---|\n| 1 | Shut the gate | Press officer | 10 | Key |\n"
    )
    got = imported(f"{ROLES}## {heading}\n\n{table}| 2 | Park the lorries | Cy Dahl | 15-20 | |\n| 3 | Count them | Everybody | some | |")
    (scenario,) = got.value["scenarios"].values()
    assert scenario["name"] == "Yard flooded"
    steps = scenario["phases"][0]["steps"]
    assert [step["parameters"]["text"] for step in steps] == ["Shut the gate", "Park the lorries", "Count them"]
    assert [step.get("by") for step in steps] == ["press-officer", "press-officer", None]
    assert [step.get("takes") for step in steps] == [["10m", "10m"], ["15m", "20m"], None]
    assert [step.get("after") for step in steps] == [None, ["shut-the-gate"], ["park-the-lorries"]]
    told = {note.text for note in got.notes}
    assert told == {"Shut the gate: Tool: Key", "Count them: Responsible: Everybody", "Count them: Duration (min): some"}
    assert any(one.about.endswith("takes.0") and "one length" in one.because for one in got.concluded)


def test_a_table_of_steps_whose_columns_nobody_knows_loses_no_number() -> None:
    got = imported("## Scenario: Yard flooded\n\n| Minute | Move |\n|---|---|\n| 5 | Shut the gate |")
    (scenario,) = got.value["scenarios"].values()
    assert scenario["phases"][0]["steps"][0]["parameters"]["text"] == "Shut the gate"
    assert [note.text for note in got.notes] == ["Shut the gate: Minute: 5"]


def test_a_count_that_leads_a_heading_is_no_number_of_it() -> None:
    got = imported("## Scenarios\n\n### 3 lorries are lost\n\n- Hire others\n\n### 4.2 Yard flooded\n\n- Shut the gate")
    assert [one["name"] for one in got.value["scenarios"].values()] == ["3 lorries are lost", "Yard flooded"]


def test_reconstitution_is_the_way_back_and_what_is_called_a_rollback_stays_one() -> None:
    back = "## Reconstitution\n\n### Testing the old yard\n\n1. Drive a round\n\n### Rollback\n\n1. Stay in the new yard"
    got = imported(f"## Recovery\n\n1. Open the new yard\n\n{back}")
    (scenario,) = got.value["scenarios"].values()
    assert [phase["name"] for phase in scenario["phases"]] == ["Recovery"]
    assert [(phase["name"], len(phase["steps"])) for phase in scenario["way_back"]] == [("Testing the old yard", 1)]
    assert scenario["rollback"] == ["Stay in the new yard"] and got.manual_steps == 2


@pytest.mark.parametrize("above", ["## Scenario: Yard flooded", "## Response"])
@pytest.mark.parametrize("heading", ["Rollback", "Return", "4.3 Going home"])
def test_what_stands_under_a_rollback_is_part_of_it_and_no_step_forward(heading: str, above: str) -> None:
    back = f"### {heading}\n\n1. Stay in the new yard\n\n#### Conditions at the port\n\n1. Tell the port"
    got = imported(f"{above}\n\n### Move\n\n1. Open the new yard\n\n{back}")
    (scenario,) = got.value["scenarios"].values()
    assert [phase["name"] for phase in scenario["phases"]] == ["Move"]
    assert scenario["rollback"] == ["Stay in the new yard", "Tell the port"]
    assert scenario["triggers"] == []


@pytest.mark.parametrize("above", ["## Scenario: Yard flooded", "## Response"])
def test_what_stands_below_an_item_of_a_rollback_is_not_lost(above: str) -> None:
    back = "### Rollback\n\n1. Ring:\n   - Ann\n     - at home\n   - Bo\n2. Drive home"
    (scenario,) = imported(f"{above}\n\n### Move\n\n1. Open the new yard\n\n{back}").value["scenarios"].values()
    assert scenario["rollback"] == ["Ring:", "Ann", "at home", "Bo", "Drive home"]


@pytest.mark.parametrize("above", ["## Scenario: Yard flooded\n\n### Response", "## Response"])
def test_a_return_within_the_way_back_is_part_of_it(above: str) -> None:
    back = "### Reconstitution\n\n1. Drive a round\n\n#### Return\n\n1. Drive home"
    (scenario,) = imported(f"{above}\n\n1. Open the new yard\n\n{back}").value["scenarios"].values()
    assert [phase["name"] for phase in scenario["way_back"]] == ["Reconstitution", "Return"]
    assert len(scenario["phases"]) == 1 and "rollback" not in scenario


def test_reconstitution_within_a_scenario_is_its_way_back() -> None:
    got = imported("## Scenario: Yard flooded\n\n### Steps\n\n1. Open the new yard\n\n### Reconstitution\n\n1. Drive a round")
    (scenario,) = got.value["scenarios"].values()
    assert len(scenario["phases"]) == 1 and "rollback" not in scenario
    assert scenario["way_back"][0]["steps"][0]["parameters"]["text"] == "Drive a round"


@pytest.mark.parametrize("lead", ["What we do when", "If", "In case", "How to respond when", "Steps to take if"])
def test_two_things_that_can_happen_are_two_scenarios(lead: str) -> None:
    got = imported(f"## {lead} the yard floods\n\n1. Shut the gate\n\n## {lead} a driver strikes\n\n1. Hire another")
    scenarios = got.value["scenarios"]
    assert [one["name"] for one in scenarios.values()] == ["The yard floods", "A driver strikes"]
    assert [len(one["phases"]) for one in scenarios.values()] == [1, 1] and not got.notes


def test_a_turn_within_a_phase_makes_no_scenario_of_its_own() -> None:
    got = imported(
        "## Recovery\n\n1. Open the new yard\n\n### If the new yard is shut\n\n1. Park at the port\n\n## Activation\n\n1. Ring Ann"
    )
    (scenario,) = got.value["scenarios"].values()
    assert [phase["name"] for phase in scenario["phases"]] == ["Recovery", "If the new yard is shut", "Activation"]


def test_phases_beside_events_are_not_lost() -> None:
    got = imported("## Recovery\n\n1. Open the new yard\n\n## If a driver strikes\n\n1. Hire another")
    assert [one["name"] for one in got.value["scenarios"].values()] == ["A driver strikes", "Disruption"]
    assert not got.notes


def test_phases_that_each_say_a_loss_are_asked_about() -> None:
    got = imported("## Response\n\n### Yard flooded\n\n1. Shut the gate\n\n### Loss of the port\n\n1. Hire a train")
    assert [one["name"] for one in got.value["scenarios"].values()] == ["Disruption"]
    (asked,) = got.questions
    assert asked.about == "scenarios.disruption.name" and asked.line == 5
    assert "'Yard flooded, Loss of the port': each can be a scenario of its own" in asked.says


@pytest.mark.parametrize(
    "phases",
    [
        "### Find the failure\n\n1. Look\n\n### Move\n\n1. Hire a train",
        "### Yard flooded\n\nIt can.\n\n### Loss of the port\n\n1. Hire a train",
    ],
)
def test_phases_that_follow_each_other_are_not_asked_about_nor_is_one_loss_that_has_steps(phases: str) -> None:
    assert not imported(f"## Response\n\n{phases}").questions


IF = "## What We Do If ...\n\n### ... the Oslo yard is lost\n\nJonas verifies the outage. Call the insurer.\n\n"
HACKED = "### ... the lorries are hacked by thieves\n\n1. Stop the lorries.\n\n"
HOME = "## Return to Normal\n\n1. Make Oslo a copy of Stockholm.\n"


@pytest.mark.parametrize("heading", ["What We Do If ...", "3. What we do when …", "If", "In case of:", "Steps to take in the event of"])
@pytest.mark.parametrize("mark", ["... ", "… ", ""])
def test_headings_that_end_an_unfinished_one_are_scenarios_of_their_own(heading: str, mark: str) -> None:
    got = imported(f"{IF.replace('What We Do If ...', heading)}{HACKED}{HOME}".replace("... the", f"{mark}the"))
    scenarios = got.value["scenarios"]
    assert [one["name"] for one in scenarios.values()] == ["The Oslo yard is lost", "The lorries are hacked by thieves"]
    lost, hacked = ([step["parameters"]["text"] for step in one["phases"][0]["steps"]] for one in scenarios.values())
    assert lost == ["Jonas verifies the outage.", "Call the insurer."] and hacked == ["Stop the lorries."]
    assert all(one["phases"][0]["name"].startswith("the ") for one in scenarios.values())
    assert [one.because for one in got.concluded] == ["the document tells its steps in sentences, and each was taken for a step"]


def test_a_return_apart_from_several_scenarios_is_a_note_and_no_rollback_of_either() -> None:
    got = imported(IF + HACKED + HOME)
    assert not any("rollback" in one for one in got.value["scenarios"].values())
    assert "Make Oslo a copy of Stockholm." in [note.text for note in got.notes]


def test_a_return_under_the_unfinished_heading_is_no_thing_that_can_happen() -> None:
    got = imported(IF + HACKED + HOME.replace("## ", "### "))
    assert len(got.value["scenarios"]) == 2
    assert "Make Oslo a copy of Stockholm." in [note.text for note in got.notes]


def test_a_return_beside_events_and_phases_is_the_phases_with_a_remark() -> None:
    got = imported(f"## Recovery\n\n1. Open the new yard\n\n## If a driver strikes\n\n1. Hire another\n\n{HOME}")
    strikes, disruption = got.value["scenarios"].values()
    assert "rollback" not in strikes and disruption["rollback"] == ["Make Oslo a copy of Stockholm."]
    assert [one.because for one in got.concluded if "rollback" in one.about] == [
        "it stands apart from every scenario, as the phases of this one do"
    ]


def test_what_the_first_word_of_a_sentence_does_is_nobodys_who_leads() -> None:
    got = imported(f"## Roles\n\nThe Incident Lead is Ann Berg.\n\n{IF}")
    (scenario,) = got.value["scenarios"].values()
    assert [step.get("by") for step in scenario["phases"][0]["steps"]] == [None, "incident-lead"]
    assert "Jonas verifies the outage: who does this is no one role of the plan: Jonas" in [note.text for note in got.notes]
