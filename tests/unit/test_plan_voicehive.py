"""The reference plan says what the company's document says: numbers compared, words its own."""

import re
from pathlib import Path

import pytest

from holdfast.plan.loader import load
from holdfast.plan.people import Occasion, approvers
from holdfast.plan.values import duration_seconds, read_frequency
from unit.plan_texts import REFERENCE, TEXT

SHARED = Path(__file__).resolve().parents[3] / "shared"
PLAN = load(REFERENCE).plan
MINUTE = 60.0


def document() -> str:
    return (SHARED / "plan" / "voicehive-bcp.md").read_text(encoding="utf-8")


def facts() -> str:
    return (SHARED / "reference-facts.md").read_text(encoding="utf-8")


def rows(text: str, heading: str) -> list[list[str]]:
    """Cells of the first table below a heading, without its head."""
    below = text[text.index(heading) :]
    lines = [line for line in below[below.index("|") :].split("\n\n", 1)[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def minutes(text: str) -> float:
    found = re.search(r"(\d+)\s*min", text)
    assert found, text
    return int(found[1]) * MINUTE


def section(text: str, heading: str) -> str:
    start = text.index(heading) + len(heading)
    return text[start:].split("\n#", 1)[0]


@pytest.mark.shared
def test_objectives_are_the_documents() -> None:
    said = section(document(), "### Key Objectives")
    assert PLAN.objectives.rto == minutes(said[said.index("RTO Target") :])
    assert PLAN.objectives.rpo == minutes(said[said.index("RPO Target") :])
    assert PLAN.objectives.data_loss_tolerance == minutes(said[said.index("Data Loss Tolerance") :])
    assert f"{PLAN.objectives.availability_percent:g}%" in said


@pytest.mark.shared
def test_the_five_functions_have_the_documents_priority_rto_and_rpo() -> None:
    table = {
        name: (priority, minutes(rto), minutes(rpo)) for name, priority, rto, rpo, _ in rows(document(), "### Critical Business Functions")
    }
    assert table == {function.name: (function.priority, function.rto, function.rpo) for function in PLAN.functions.values()}


@pytest.mark.shared
def test_the_financial_tiers_are_the_documents() -> None:
    table = rows(document(), "### Financial Impact Assessment")
    assert len(table) == len(PLAN.financial_tiers)
    for (span, loss, impact, risk), tier in zip(table, PLAN.financial_tiers, strict=True):
        unit = 3600.0 if "hour" in span else MINUTE
        assert [number * unit for number in map(int, re.findall(r"\d+", span))] == [
            end for end in (tier.start, tier.end) if end is not None
        ]
        assert int(re.sub(r"\D", "", loss)) == tier.revenue_loss_usd
        assert (impact.lower(), risk.lower()) == (tier.customer_impact, tier.regulatory_risk)


@pytest.mark.shared
def test_regions_and_their_roles_are_the_documents() -> None:
    for region, words in ((PLAN.primary_region(), "Primary Region"), (PLAN.dr_region(), "DR Region")):
        assert f"{words} ({region})" in document()


@pytest.mark.shared
@pytest.mark.parametrize(("heading", "component"), [("Database", "database"), ("Application", "application"), ("Data Storage", "storage")])
def test_components_have_the_documents_rto_and_rpo(heading: str, component: str) -> None:
    said = section(document(), f"#### {heading} Recovery")
    rto, rpo = said[said.index("**RTO**") :], said[said.index("**RPO**") :]
    assert PLAN.components[component].rto == minutes(rto)
    assert PLAN.components[component].rpo == (None if "N/A" in rpo else minutes(rpo))


@pytest.mark.shared
def test_network_and_cache_have_the_engineering_facts_figures() -> None:
    assert "network 5, Redis 10" in facts()
    assert "Redis 15" in facts()
    network, cache = PLAN.components["network"], PLAN.components["cache"]
    assert (network.rto, cache.rto, cache.rpo) == (5 * MINUTE, 10 * MINUTE, 15 * MINUTE)


@pytest.mark.shared
def test_the_regional_outage_has_the_documents_triggers_and_windows() -> None:
    text = document()
    said = text[text.index("### Scenario 1") : text.index("### Scenario 2")]
    scenario = PLAN.scenarios["regional-outage"]
    windows = [tuple(int(number) * MINUTE for number in pair) for pair in re.findall(r"\((\d+)-(\d+) minutes\)", said)]
    assert [phase.window for phase in scenario.phases] == windows
    kinds = [trigger.kind for trigger in scenario.triggers]
    assert len(kinds) == len(re.findall(r"^- ", said[: said.index("**Response")], re.MULTILINE))
    score = next(trigger for trigger in scenario.triggers if trigger.kind == "region-score")
    assert f"< {score.below:g}%" in said
    assert len(scenario.rollback) == len(re.findall(r"^- ", said[said.index("**Rollback") :], re.MULTILINE))


@pytest.mark.shared
@pytest.mark.parametrize("role", ["incident-commander", "technical-lead", "communication-lead", "database-administrator"])
def test_roles_are_filled_by_people_with_the_documents_titles(role: str) -> None:
    filled = PLAN.roles[role]
    said = section(document(), f"#### {filled.name}\n")
    primary, backup = re.findall(r"\*\*(?:Primary|Backup)\*\*: (.+)", said)
    assert PLAN.people[filled.primary].title == primary
    assert filled.backup is not None
    assert PLAN.people[filled.backup].title == backup
    assert len(filled.responsibilities) == len(re.findall(r"^  - ", said, re.MULTILINE))


@pytest.mark.shared
def test_messages_fall_due_when_the_document_says() -> None:
    text = document()
    alert, update, briefing = (
        section(text, heading) for heading in ("#### Immediate Notification", "#### Status Updates", "#### Executive Briefing")
    )
    customers, partners = section(text, "#### Customer Notification"), section(text, "#### Partner Notification")
    messages = PLAN.messages
    assert messages["incident-alert"].due == minutes(alert.replace("0-", ""))
    assert messages["status"].every == minutes(update)
    assert messages["executive-briefing"].due == minutes(briefing)
    assert messages["customers"].due == minutes(customers[customers.index("Timeline") :])
    assert messages["customers"].lasting == minutes(customers[customers.index("Trigger") :])
    assert messages["partners"].due == minutes(partners)
    critical = rows(text, "### Escalation Matrix")[0]
    assert messages["incident-alert"].due == minutes(critical[1])
    for message, said in (
        ("incident-alert", alert),
        ("status", update),
        ("executive-briefing", briefing),
        ("customers", customers),
        ("partners", partners),
    ):
        method = said[said.index("Method") :].splitlines()[0].lower()
        for channel in messages[message].channels:
            assert channel.replace("-", " ") in method.replace("-", " "), (message, channel)


@pytest.mark.shared
def test_document_control_is_the_documents() -> None:
    text = document()
    control = PLAN.document
    assert f"**Version**: {PLAN.version}" in text
    assert f"**Last Updated**: {control.last_updated}" in text
    assert f"**Owner**: {control.owner}" in text
    assert f"**Approved By**: {', '.join(control.approved_by)}" in text
    assert f"**Next Review Date**: {control.next_review}" in text
    assert f"**Classification**: {control.classification}" in text
    assert control.retention == duration_seconds("7y")
    assert "**Retention Period**: 7 years" in text


@pytest.mark.shared
def test_approval_is_the_engineering_facts() -> None:
    line = next(line for line in facts().splitlines() if line.startswith("| approval"))
    rule = PLAN.approval.activation
    assert f"{rule.count} of: {', '.join(PLAN.roles[role].name.lower() for role in rule.of)}" in line
    assert rule.answer_within == minutes(line)


@pytest.mark.shared
def test_no_sentence_of_the_document_was_copied() -> None:
    def words(text: str) -> list[str]:
        return re.findall(r"[a-z0-9']+", re.sub(r"https?://\S+", "", text.lower()))

    length = 7
    theirs = words(document())
    runs = {tuple(theirs[start : start + length]) for start in range(len(theirs))}
    for line in TEXT.splitlines():
        ours = words(line)
        copied = [ours[start : start + length] for start in range(len(ours)) if tuple(ours[start : start + length]) in runs]
        assert not [run for run in copied if len(run) == length], line


def test_two_exercise_people_can_give_the_approval_and_nobody_real_is_among_them() -> None:
    rule = PLAN.approval.activation
    standing_in = approvers(PLAN, rule, Occasion.EXERCISE)
    deciding = list(standing_in)[: rule.count]
    assert len(deciding) == rule.count == 2
    assert not set(deciding) & set(PLAN.exercises["regional-outage"].unanswered), "who is silent keeps nobody from deciding"
    assert all(PLAN.people[person].exercise for person in standing_in)


def test_in_an_incident_primaries_and_backups_may_approve_each_by_the_roles_they_fill() -> None:
    assert approvers(PLAN, PLAN.approval.activation, Occasion.INCIDENT) == {
        "aoife-brennan": ("platform-lead", "incident-commander"),
        "ines-carvalho": ("platform-lead",),
        "matteo-ricci": ("engineering-manager", "incident-commander"),
        "priya-raman": ("engineering-manager",),
    }


def test_telephone_numbers_and_addresses_are_from_ranges_kept_for_fiction() -> None:
    for person in PLAN.people.values():
        assert person.phone is None or re.fullmatch(r"\+353 20 91\d \d{4}", person.phone)
        assert person.email is None or person.email.endswith(".example")


def test_everything_that_steps_say_is_there_for_both_ways() -> None:
    scenario = PLAN.scenarios["regional-outage"]
    there = [step.block for phase in scenario.phases for step in phase.steps]
    back = [step.block for phase in scenario.way_back for step in phase.steps]
    moved = {"fence", "postgres.promote", "redis.promote", "bucket.activate", "settings.update", "loadbalancer.switch", "dns.switch"}
    assert moved <= set(there)
    assert moved <= set(back)
    assert {"divergence.export", "postgres.reprotect", "redis.reprotect", "bucket.reconcile"} == {
        step.block for phase in scenario.reprotect for step in phase.steps
    }


@pytest.mark.shared
@pytest.mark.parametrize(("heading", "scenario"), [("### Scenario 2", "database-corruption"), ("### Scenario 3", "security-breach")])
def test_the_scenarios_that_people_carry_out_have_the_documents_triggers_windows_and_steps(heading: str, scenario: str) -> None:
    text = document()
    said = text[text.index(heading) :].split("\n### Scenario", 1)[0].split("\n## ", 1)[0]
    found = PLAN.scenarios[scenario]
    assert len(found.triggers) == len(re.findall(r"^- ", said[: said.index("**Response")], re.MULTILINE))
    windows = re.findall(r"\((\d+)(?:-(\d+)|\+) minutes\)", said)
    expected = [(int(start) * MINUTE, int(end) * MINUTE if end else float("inf")) for start, end in windows]
    assert [phase.window for phase in found.phases] == expected
    for number, phase in enumerate(found.phases):
        bullets = re.split(r"^\d\. ", said, flags=re.MULTILINE)[number + 1].count("   - ")
        own = [step for step in phase.steps if step.block not in ("assess", "confirm") and step.id != "alert"]
        assert len(own) == bullets, phase.name


@pytest.mark.shared
def test_the_escalation_matrix_is_the_documents() -> None:
    for severity, response, _, method in rows(document(), "### Escalation Matrix"):
        rule = next(rule for known, rule in PLAN.escalation.items() if severity.startswith(known))
        assert rule.name in severity
        assert rule.answer_within == minutes(response)
        assert list(rule.channels) == [channel.strip().lower() for channel in method.split("+")]


@pytest.mark.shared
def test_the_indicators_are_the_documents() -> None:
    table = rows(document(), "### Key Performance Indicators")
    assert [(str(found.target).replace("m", " minutes"), found.every) for found in PLAN.indicators.values()] == [
        (target, read_frequency(every.lower())) for _, target, every in table
    ]


@pytest.mark.shared
def test_the_schedule_is_the_documents_and_what_can_mean_two_things_is_a_question() -> None:
    table = {name: (every.lower(), lasts) for name, every, lasts, *_ in rows(document(), "### Disaster Recovery Testing Schedule")}
    ours = {"Full DR Drill": "regional-outage", "Database Failover": "database-failover", "Application Failover": "application-failover"}
    ours |= {"Backup Verification": "backup-verification", "Tabletop Exercise": "tabletop"}
    assert set(ours) == set(table)
    for name, identifier in ours.items():
        every, lasts = table[name]
        exercise = PLAN.exercises[identifier]
        number = int(lasts.split()[0])
        assert exercise.lasts == number * (3600 if "hour" in lasts else MINUTE)
        if every == "bi-annually":
            assert exercise.every is None
            assert [question.about for question in PLAN.questions] == [f"exercises.{identifier}.every"]
        else:
            assert exercise.every == read_frequency(every)


@pytest.mark.shared
def test_reviews_criteria_and_improvement_have_the_documents_entries() -> None:
    text = document()
    hours = {"24 hours": "24h", "1 week": "7d", "2 weeks": "14d"}
    reviews = re.findall(r"\(Within ([^)]+)\)", section(text, "### Post-Incident Review Process"))
    assert [stage.within for stage in PLAN.reviews] == [duration_seconds(hours[within]) for within in reviews]
    criteria = text[text.index("### Success Criteria") : text.index("## Continuous Improvement")]
    assert len(PLAN.criteria) == criteria.count("- **")
    assert len(PLAN.improvement) == section(text, "### Improvement Tracking").count("- **")
    process = section(text, "### Test Execution Process")
    tasks = [part.count("   - ") for part in re.split(r"^\d\. ", process, flags=re.MULTILINE)[1:]]
    assert [len(stage.tasks) for stage in PLAN.exercise_process] == tasks


@pytest.mark.shared
def test_retention_capacity_and_breach_signals_are_the_engineering_facts() -> None:
    said = facts()
    assert "audio kept 30 days, transcripts 90 days, audit log 365 days, evidence 7 years" in said
    assert {name: kind.kept_for / 86400 for name, kind in PLAN.data.items()} == {
        "audio": 30,
        "transcripts": 90,
        "audit-log": 365,
        "evidence": 7 * 365,
    }
    assert "DR scales 3 / 6 / 20 with no GPU group" in said
    group = PLAN.regions["eu-central-1"].node_groups["general"]
    assert (group.smallest, group.usual, group.largest) == (3, 6, 20)
    assert "gpu" not in PLAN.regions["eu-central-1"].node_groups
    triggers = PLAN.scenarios["security-breach"].triggers
    assert [(trigger.more_than, trigger.within) for trigger in triggers if trigger.kind == "signal"] == [
        (10, 300.0),
        (50, 300.0),
        (100, 300.0),
    ]
