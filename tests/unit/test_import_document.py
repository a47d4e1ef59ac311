"""A plan document becomes a plan: what it says arrives typed with its line, and what it doesn't say is told, never made up."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.document.reading import Imported, import_document
from holdfast.plan.loader import load_bytes

DOCUMENTS = Path(__file__).parent / "documents"
VOICEHIVE = Path(__file__).resolve().parents[3] / "shared" / "plan" / "voicehive-bcp.md"


def imported(name: str, bind: str = "") -> Imported:
    return import_document((DOCUMENTS / name).read_bytes(), name, bind)


def said(text: str, key: str) -> int:
    """The line that the plan's file gives for the first value of a key."""
    found = re.search(rf"^\s*(?:- )?{key}: .*# line (\d+)$", text, re.M)
    assert found is not None, key
    return int(found[1])


def test_our_own_document_is_read_whole_and_the_plan_loads() -> None:
    got = imported("reference.md")

    assert got.complete and got.notes == ()
    plan = load_bytes(got.text.encode(), Path("plan.yaml")).plan
    assert plan.name == "Lantern Ferries" and plan.version == "4"
    sales = plan.functions["ticket-sales"]
    assert (sales.priority, sales.rto, sales.rpo, sales.mtpd) == ("P1", 1200, 300, 7200)
    assert plan.objectives.rto == 2700 and plan.objectives.availability_percent == 99.5 and plan.objectives.data_loss_tolerance == 600
    assert plan.primary_region() == "eu-west-2" and plan.dr_region() == "eu-north-1"
    assert [(link.component, link.source, link.target, link.how) for link in plan.replication_links.values()] == [
        ("postgresql", "eu-west-2", "eu-north-1", "continuous")
    ]
    scenario = plan.scenarios["loss-of-the-main-region"]
    assert [phase.window for phase in scenario.phases] == [(0, 300), (300, 900), (900, 2400)]
    assert [step.block for phase in scenario.phases for step in phase.steps] == ["assess", "approve", "postgres.promote", "manual"]
    assert plan.people["first-officer"].title == "First officer"
    assert plan.roles["duty-officer"].primary == "first-officer" and plan.roles["duty-officer"].backup == "second-officer"
    assert plan.exercises["database-move"].within == 900
    assert len(got.empty_appendices) == 1


def test_every_value_keeps_the_line_that_says_it() -> None:
    text = imported("reference.md").text

    lines = (DOCUMENTS / "reference.md").read_text().split("\n")
    assert "Version" in lines[said(text, "version") - 1]
    assert "PostgreSQL recovery" in lines[said(text, "kind") - 1]
    assert "Availability" in lines[said(text, "availability_percent") - 1]


def test_damaged_text_is_repaired_and_the_repair_is_told() -> None:
    got = imported("reference.md")

    assert [repair.now for repair in got.repairs] == ["“Ferry alert” – [Date]"]
    assert got.value["templates"]["first-notice"]["subject"] == "“Ferry alert” – [Date]"
    assert [asked.about for asked in got.questions] == ["templates.first-notice"]


def test_a_plan_in_sentences_gives_its_functions_roles_and_contacts_and_says_what_it_does_not_give() -> None:
    got = imported("prose.md")

    functions = {name: (entry.get("rto"), entry.get("rpo")) for name, entry in got.value["functions"].items()}
    assert functions == {"online-orders": ("2h", "15m"), "wholesale-invoicing": ("3d", "24h"), "till": ("30m", "5m")}
    assert got.value["roles"]["incident-lead"] == {"name": "incident lead", "primary": "maria-keane", "backup": "tom-ward"}
    assert got.value["people"]["maria-keane"]["phone"] == "+44 20 7946 0101"
    assert got.value["people"]["maria-keane"]["email"] == "maria@keane-ward.example"
    assert got.value["people"]["tom-ward"]["phone"] == "+44 20 7946 0102"
    assert got.value["people"]["jo-lund"]["email"] == "jo@keane-ward.example"
    assert got.value["vendors"]["the-flour-mill"]["phone"] == "+44 20 7946 0110"
    left = " ".join(note.text for note in got.notes)
    assert "Baking" in left and "biweekly" in left
    assert not got.complete and "regions" in got.missing and "functions.till.priority" in got.missing


def test_a_contingency_plan_in_nists_order_is_read_by_its_own_column_names() -> None:
    got = imported("contingency.md")

    functions = got.value["functions"]
    assert {name: (entry.get("mtpd"), entry.get("rto"), entry.get("rpo")) for name, entry in functions.items()} == {
        "berth-allocation": ("8h", "4h", "1h"),
        "customs-declarations": (None, "12h", None),
        "archive-search": ("10d", "72h", "1d"),
    }
    assert got.value["document"]["next_review"] == "2027-03-14" and got.value["version"] == "3.2"
    assert set(got.value["roles"]) == {"contingency-plan-director", "recovery-coordinator"}
    assert got.value["people"]["ana-duarte"]["phone"] == "+351 21 555 0101" and "lars-holm" in got.value["people"]
    (scenario,) = got.value["scenarios"].values()
    assert [phase["window"] for phase in scenario["phases"]] == [["0s", "30m"], ["30m", "4h"]]
    assert scenario["rollback"] == ["Let the old site follow the new one", "Return at a weekend"]
    assert {asked.about for asked in got.questions} == {
        "functions.customs-declarations.mtpd",
        "functions.customs-declarations.rpo",
        "exercises.restore-test.every",
    }
    assert got.notes == ()
    assert "functions.customs-declarations.rpo" in got.missing  # asked about, as no function is without


def test_merged_cells_and_units_in_the_heading_are_read_and_a_vague_promise_is_asked_about() -> None:
    got = imported("merged.md")

    functions = {name: (entry.get("rto"), entry.get("rpo"), entry["priority"]) for name, entry in got.value["functions"].items()}
    assert functions == {
        "appointments": ("4h", "30m", "P1"),
        "lab-results": ("4h", "1h", "P1"),
        "payroll": ("72h", "24h", "P3"),
        "newsletter": (None, None, "P4"),
    }
    assert got.value["roles"]["data-steward"]["backup"] == "sam-brandt" == got.value["roles"]["crisis-manager"]["backup"]
    assert got.value["people"]["sam-brandt"]["phone"] == "+49 30 555 0142"
    nordnet = {"name": "Nordnet", "supplies": "Lines", "phone": "+49 30 555 0150", "hours": "24/7", "answers_within": "15m"}
    assert got.value["vendors"]["nordnet"] == nordnet
    assert got.value["name"] == "Alder Clinics" and got.value["document"]["retention"] == "10y"
    assert "functions.newsletter.rto" in got.missing
    assert "financial_tiers.2.revenue_loss_usd" in {asked.about for asked in got.questions}
    assert got.notes == ()


@pytest.mark.shared
def test_nothing_of_the_reference_document_is_left_over() -> None:
    got = import_document(VOICEHIVE.read_bytes(), VOICEHIVE.name)

    assert got.notes == ()
    assert got.counts["functions"] == 5 and got.counts["scenarios"] == 3 and got.counts["exercises"] == 5
    assert len(got.repairs) == 3 and len(got.empty_appendices) == 5
    assert got.missing == ("components.redis-cluster.primary_strategy", "components.redis-cluster.rto")
    assert {asked.line for asked in got.questions} == {336, 365}
    value = got.value
    assert [entry["rto"] for entry in value["functions"].values()] == ["15m", "30m", "15m", "60m", "120m"]
    assert value["financial_tiers"][3] == {
        "from": "4h",
        "revenue_loss_usd": 200000,
        "revenue_loss": "at-least",
        "customer_impact": "Severe",
        "regulatory_risk": "Critical",
    }
    assert value["escalation"]["P1"]["channels"] == ["phone", "sms", "email"]
    assert value["scenarios"]["security-breach"]["phases"][3]["window"] == ["120m", "open"]
    assert "every" not in value["exercises"]["tabletop-exercise"]
    assert len(value["criteria"]) == 8 and len(value["indicators"]) == 5 and len(value["improvement"]) == 4
    measured = {entry["measures"] for entry in value["criteria"].values() if "measures" in entry}
    assert measured == {"response", "decision", "communication"}
    assert [stage["within"] for stage in value["reviews"]] == ["24h", "1w", "2w"]
    assert value["monitoring"]["failover-controller"]["feeds"] == ["dns-management"]
    assert {link["how"] for link in value["replication_links"].values()} == {"continuous", "asynchronous", "cross-region"}


@pytest.mark.shared
def test_bound_to_the_lab_the_reference_document_loads_and_nothing_in_it_is_unsafe() -> None:
    from datetime import date

    from holdfast.checks import Severity, check

    got = import_document(VOICEHIVE.read_bytes(), VOICEHIVE.name, "lab")

    assert got.complete
    plan = load_bytes(got.text.encode(), Path("plan.yaml")).plan
    assert not [found for found in check(plan, date(2026, 1, 1)) if found.severity is Severity.ERROR]
    assert plan.drills()["regional-outage"].takes_away == "region"
    blocks = [step.block for phase in plan.scenarios["regional-outage"].phases for step in phase.steps]
    assert blocks.index("approve") < blocks.index("fence") < blocks.index("postgres.promote") < blocks.index("dns.switch")
    assert {note.section for note in plan.notes} == {"added by --bind lab"} and len(plan.notes) == len(got.added)
    assert all(role.stand_ins for role in plan.roles.values())


def _changed(text: str, by: int) -> str:
    """Every number that carries a unit or a currency, made larger."""
    return re.sub(r"\b(\d+)(?= ?(?:min\b|minutes\b|hours\b|weeks?\b))", lambda found: str(int(found[1]) + by), text)


def _renamed(text: str) -> str:
    for old, new in (
        ("### Critical Business Functions", "### What the business does"),
        (
            "| Function                 | Priority | RTO     | RPO    | Impact of Outage ",
            "| Business process | Criticality | Recovery time | Recovery point | Consequence ",
        ),
        ("## Business Impact Analysis", "## What an outage means"),
        ("#### Incident Commander", "#### Incident Manager"),
        ("**Backup**", "**Deputy**"),
        ("### Escalation Matrix", "### Who hears of what"),
        ("## Testing & Validation", "## Practice"),
        ("### Key Performance Indicators", "### Figures"),
        ("**Trigger Conditions:**", "**Activation criteria:**"),
        ("**Rollback Procedure:**", "**Return to normal:**"),
    ):
        assert old in text
        text = text.replace(old, new)
    return text


def _reordered(text: str, seed: int) -> str:
    """The document's chapters in another order, its head staying first."""
    import random

    chapters = re.split(r"(?m)^(?=## )", text)
    head, rest = chapters[:2], chapters[2:]
    random.Random(seed).shuffle(rest)
    return "".join([*head, *rest])


@pytest.mark.shared
@given(by=st.integers(1, 40), seed=st.integers(0, 1000))
@settings(max_examples=8)
def test_the_import_follows_a_document_whose_headings_order_and_numbers_change(by: int, seed: int) -> None:
    text = _reordered(_renamed(_changed(VOICEHIVE.read_text(), by)), seed)

    value = import_document(text.encode(), "plan.md").value

    assert [entry["rto"] for entry in value["functions"].values()] == [f"{minutes + by}m" for minutes in (15, 30, 15, 60, 120)]
    assert [entry["rpo"] for entry in value["functions"].values()] == [f"{minutes + by}m" for minutes in (5, 15, 5, 30, 60)]
    assert value["objectives"]["rto"] == f"{30 + by}m"
    assert value["components"]["database"]["rto"] == f"{15 + by}m"
    assert {name: entry["answer_within"] for name, entry in value["escalation"].items()}["P3"] == f"{30 + by}m"
    assert value["roles"]["incident-manager"]["backup"] == "engineering-manager"
    assert value["scenarios"]["regional-outage"]["phases"][1]["window"][1] == f"{10 + by}m"
    assert len(value["scenarios"]["regional-outage"]["rollback"]) == 4 and len(value["scenarios"]["regional-outage"]["triggers"]) == 3
    assert value["indicators"]["mean-time-to-detection"]["target"] == f"< {5 + by}m"


@pytest.mark.shared
@pytest.mark.parametrize(
    ("line", "missing"),
    [
        ("- **RTO**: 25 minutes\n", "components.data-storage.rto"),
        ("| P3 (Medium)   | 30 minutes", "escalation"),
        ("- **Owner**: Platform Engineering Team\n", "document.owner"),
        ("- **Version**: 1.0\n", "version"),
    ],
)
def test_what_is_removed_from_the_document_is_reported_and_never_made_up(line: str, missing: str) -> None:
    text = VOICEHIVE.read_text()
    assert line in text
    got = import_document(text.replace(line, "" if line.endswith("\n") else "| P3 (Medium)   | ").encode(), "plan.md")

    assert any(key.startswith(missing) for key in got.missing)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("line", "place"),
    [
        (r"- \*\*RTO Target\*\*.*\n", "objectives.rto"),
        (r"- \*\*RPO Target\*\*.*\n", "objectives.rpo"),
        (r"(?<=### Incident Commander\n)(?:.*\n)*?- \*\*Backup\*\*.*\n", "roles.incident-commander.backup"),
        (r"- \*\*Next Review Date\*\*.*\n", "document.next_review"),
        (r"- \*\*Retention Period\*\*.*\n", "document.retention"),
        (r"(?<=\| Full DR Drill        \| )Quarterly", "exercises.full-dr-drill.every"),
        (r"- \*\*RPO\*\*: 60 minutes\n", "components.data-storage.rpo"),
    ],
)
def test_what_a_plan_usually_says_and_this_one_no_longer_does_is_said(line: str, place: str) -> None:
    text = VOICEHIVE.read_text()
    shorter, count = re.subn(line, lambda found: "".join(found[0].splitlines(keepends=True)[:-1]), text, count=1)
    assert count == 1 and place not in import_document(text.encode(), "plan.md").unsaid
    assert place in import_document(shorter.encode(), "plan.md").unsaid


RULES = {
    "Immediate Notification (0-5 minutes)": "immediate-notification",
    "Status Updates (Every 15 minutes)": "status-updates",
    "Executive Briefing (Within 30 minutes)": "executive-briefing",
    "Customer Notification": "customer-notification",
    "Partner Notification": "partner-notification",
}
OUTSIDE = {"customer-notification", "partner-notification"}


def without_labels(text: str, heading: str, labels: str) -> str:
    """The document whose rule under a heading no longer has the lines with these labels."""
    before, head, after = text.partition(f"#### {heading}\n")
    rule, rest = re.split(r"(?=^#)", after, maxsplit=1, flags=re.M)
    shorter, count = re.subn(rf"- \*\*(?:{labels})\*\*.*\n", "", rule)
    assert head and count
    return before + head + shorter + rest


@pytest.mark.shared
@pytest.mark.parametrize("heading", RULES)
def test_a_message_that_says_neither_how_nor_to_whom_stays_a_message_that_lacks_both(heading: str) -> None:
    text, name = VOICEHIVE.read_text(), RULES[heading]
    labels = "Method" if name in OUTSIDE else "Method|Recipients"
    whole = import_document(text.encode(), "plan.md")
    got = import_document(without_labels(text, heading, labels).encode(), "plan.md")

    assert f"messages.{name}.channels" in got.missing and "channels" not in got.value["messages"][name]
    assert (f"messages.{name}.audience" in got.missing) == (name not in OUTSIDE)
    kept = {key: value for key, value in whole.value["messages"][name].items() if key not in ("channels", "audience")}
    assert {key: value for key, value in got.value["messages"][name].items() if key != "audience"} == kept
    assert got.value.get("procedures") == whole.value.get("procedures") and not got.notes
    assert {**got.value["messages"], name: 0} == {**whole.value["messages"], name: 0}


@pytest.mark.shared
@pytest.mark.parametrize(("label", "key"), [("Method", "channels"), ("Recipients", "audience"), ("Content", "content")])
def test_each_line_of_a_message_is_missed_by_itself(label: str, key: str) -> None:
    got = import_document(without_labels(VOICEHIVE.read_text(), next(iter(RULES)), label).encode(), "plan.md")
    message = got.value["messages"]["immediate-notification"]
    assert key not in message and {"channels", "audience", "content", "due"} - {key} <= set(message)
    assert (f"messages.immediate-notification.{key}" in got.missing) == (key != "content")


@pytest.mark.parametrize("heading", ["Communication procedures", "Appendix A: messaging procedures"])
def test_a_channel_that_nobody_knows_is_a_note_and_the_message_lacks_one(heading: str) -> None:
    lines = (
        f"## {heading}\n",
        "### Crew call\n",
        "- **Method**: Carrier pigeon",
        "- **Recipients**: Crew",
        "- **Due**: 30 minutes",
    )
    rule = "\n".join(lines)
    got = import_document(rule.encode(), "plan.md")
    assert "channels" not in got.value["messages"]["crew-call"] and "messages.crew-call.channels" in got.missing
    assert [note.text for note in got.notes] == ["Method: Carrier pigeon"] and "procedures" not in got.value


def test_a_document_that_says_nothing_gives_a_plan_that_says_what_it_lacks() -> None:
    got: Any = import_document(b"# Plan\n", "empty.md")

    assert not got.complete
    assert {"name", "version", "functions", "regions", "document.owner"} <= set(got.missing)


def test_a_plan_of_sound_values_that_does_not_load_is_not_called_whole() -> None:
    rule = "\n## Communication\n\n### Briefing\n\n- **Method**: Email\n- **Recipients**: Crew\n- **Timeline**: Within 30 minutes\n"
    got = import_document((DOCUMENTS / "reference.md").read_bytes() + rule.encode(), "plan.md")

    (problem,) = got.missing
    number = int(problem.split(" ")[1])
    assert not got.complete and "no subject" in problem and "briefing:" in got.text.split("\n")[number - 2 : number][0]


def test_document_control_in_a_line_of_sentences_is_read_sentence_by_sentence() -> None:
    said = "Version 2.1. Owner: Operations office. Last updated 3 March 2026. Next review: 31 February 2026."
    got = import_document(f"# Plan of Foo\n\n{said}\n".encode(), "plan.md")
    assert got.value["version"] == "2.1"
    assert got.value["document"] == {"owner": "Operations office", "last_updated": "2026-03-03"}
    assert [(one.about, one.says) for one in got.questions] == [("document.next_review", "'31 February 2026': this day does not exist")]
    assert not got.notes


def test_a_sentence_among_them_that_says_nothing_known_leaves_the_whole_line_noted() -> None:
    said = "Version 2.1. The office cat is Tom. Owner: Operations office."
    got = import_document(f"# Plan of Foo\n\n{said}\n".encode(), "plan.md")
    assert (got.value["version"], got.value["document"]) == ("2.1", {"owner": "Operations office"})
    assert [note.text for note in got.notes] == [said]


@pytest.mark.parametrize(
    ("said", "version", "control"),
    [
        ("Owner: Ops. Version 2.1.", "2.1", {"owner": "Ops"}),
        ("**Owner** – Ops. Version 2.1.", "2.1", {"owner": "Ops"}),
        ("Owner: J. Smith. Version: 2.1. Last updated 3 March 2026.", "2.1", {"owner": "J. Smith", "last_updated": "2026-03-03"}),
        ("| | |\n|-|-|\n| Owner | Ops. Version 2.1. |", "2.1", {"owner": "Ops"}),
        ("Version A. Owner: Ops.", "A", {"owner": "Ops"}),
        ("Owner: Plan B. Version 2.1.", "2.1", {"owner": "Plan B"}),
        ("Owner: John F. Smith. Version 2.1.", "2.1", {"owner": "John F. Smith"}),
    ],
    ids=["two", "bold", "an initial", "a table", "a letter", "a name with a letter", "an initial within"],
)
def test_a_label_at_the_lines_beginning_holds_its_own_sentence_alone(said: str, version: str, control: dict[str, str]) -> None:
    got = import_document(f"# Plan of Foo\n\n{said}\n".encode(), "plan.md")
    assert (got.value["version"], got.value["document"]) == (version, control)
    assert not got.notes


@pytest.mark.parametrize(
    "said",
    [
        "Purpose: keep going. Version 2 of the standard applies.",
        "Summary: what we do. Version 3 calls are routed here.",
        "Version final. Owner: Ops.",
        "It is kept short. Version history: none yet.",
    ],
)
def test_what_only_begins_like_a_version_is_none_and_is_noted(said: str) -> None:
    got = import_document(f"# Plan of Foo\n\n{said}\n".encode(), "plan.md")
    assert "version" not in got.value
    assert [note.text for note in got.notes] == [said]


def test_a_sentence_behind_a_label_that_says_nothing_of_the_document_stays_with_it() -> None:
    got = import_document(b"# Plan of Foo\n\nOwner: Ops. Release managers help them.\n", "plan.md")
    assert got.value["document"] == {"owner": "Ops. Release managers help them."}
    assert "version" not in got.value
