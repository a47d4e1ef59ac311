"""Who is owed which message by when, and what it says."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.communications import DueMessage, ExpectedBack, IncidentFacts, due, next_change_seconds, recipients, rendered
from holdfast.communications.obligations import opening_seconds
from holdfast.communications.rendering import field_values
from holdfast.plan.model import Regulation, Vendor
from holdfast.plan.plan_clock import PlanClock
from holdfast.plan.systems import Dependency
from holdfast.plan.wordlists import MESSAGE_FIELDS
from unit.plan_texts import plan_with

PLAN = plan_with()
START = 1_700_000_000.0
MINUTE = 60.0
REAL = IncidentFacts(
    incident="inc-7",
    started_seconds=START,
    source="eu-west-1",
    target="eu-central-1",
    severity="P1",
    functions=("voice", "pms"),
    commander="aoife-brennan",
)
EXERCISE = replace(REAL, exercise="drill-3")
VENDORS = [
    f"vendor.{name}/1"
    for name in (
        *("edge-provider", "carrier", "language-model-provider", "speech-provider"),
        *("apaleo", "mews", "opera", "cloudbeds", "siteminder"),
    )
]
"""Those that voice and reservations need."""


def owed(facts: IncidentFacts, after_seconds: float) -> dict[str, DueMessage]:
    return {message.key.removeprefix("inc-7/"): message for message in due(PLAN, "regional-outage", facts, START + after_seconds)}


def test_at_the_start_these_are_owed_by_their_times() -> None:
    assert {key: message.due_seconds - START for key, message in owed(REAL, 0).items()} == {
        "incident-alert/1": 5 * MINUTE,
        "stakeholders/1": 10 * MINUTE,
        "executive-briefing/1": 30 * MINUTE,
        "partners/1": 60 * MINUTE,
        **dict.fromkeys(VENDORS, 30 * MINUTE),
    }


def test_a_message_that_a_step_sends_says_which() -> None:
    assert {key: message.step for key, message in owed(REAL, 0).items()} == {
        "incident-alert/1": "alert",
        "stakeholders/1": "tell-stakeholders",
        "executive-briefing/1": None,
        "partners/1": None,
        **dict.fromkeys(VENDORS),
    }


def test_customers_hear_of_an_outage_only_when_it_lasts_longer_than_15_minutes() -> None:
    assert "customers/1" not in owed(REAL, 15 * MINUTE - 1)
    told = owed(REAL, 15 * MINUTE)["customers/1"]
    assert (told.from_seconds, told.due_seconds) == (START + 15 * MINUTE, START + 30 * MINUTE)
    assert "longer than 15 min" in told.reason


def test_nobody_is_told_of_an_outage_that_was_over_before_the_message_was_owed() -> None:
    back_after_ten = replace(REAL, restored_seconds=START + 10 * MINUTE)
    assert "customers/1" not in owed(back_after_ten, 40 * MINUTE)
    back_after_twenty = replace(REAL, restored_seconds=START + 20 * MINUTE)
    assert "customers/1" in owed(back_after_twenty, 40 * MINUTE)


def test_updates_come_every_15_minutes_until_service_is_back() -> None:
    updates = [message for key, message in owed(REAL, 46 * MINUTE).items() if key.startswith("status/")]
    assert [(message.occurrence, message.due_seconds - START) for message in updates] == [(1, 900), (2, 1800), (3, 2700)]
    back = replace(REAL, restored_seconds=START + 31 * MINUTE)
    assert [key for key in owed(back, 90 * MINUTE) if key.startswith("status/")] == ["status/1", "status/2"]


def test_an_update_may_go_out_early_enough_to_be_on_time() -> None:
    assert "status/1" not in owed(REAL, 11 * MINUTE)
    first = owed(REAL, 12 * MINUTE)["status/1"]
    assert first.from_seconds < first.due_seconds == START + 15 * MINUTE


def test_the_resolution_is_owed_once_service_is_back() -> None:
    assert "resolution/1" not in owed(REAL, 60 * MINUTE)
    told = owed(replace(REAL, restored_seconds=START + 20 * MINUTE), 20 * MINUTE)["resolution/1"]
    assert told.due_seconds == START + 35 * MINUTE


def test_an_alert_for_p1_is_owed_for_nothing_less_and_partners_only_hear_of_what_is_theirs() -> None:
    mild = replace(REAL, severity="P2", functions=("analytics",))
    assert {"incident-alert/1", "partners/1"}.isdisjoint(owed(mild, 0))
    assert "since severity is P1" in owed(REAL, 0)["incident-alert/1"].reason
    assert "Hotel PMS Integration is hit" in owed(REAL, 0)["partners/1"].reason


def test_in_an_incident_a_role_means_primary_and_backup_and_an_audience_its_people() -> None:
    alert = recipients(PLAN, PLAN.messages["incident-alert"], REAL)
    assert [recipient.identifier for recipient in alert] == ["piotr-zielinski", "ines-carvalho", "aoife-brennan", "matteo-ricci"]
    assert [recipient.through for recipient in alert] == ["on-call", "on-call", "incident-commander", "incident-commander"]
    assert [recipient.identifier for recipient in recipients(PLAN, PLAN.messages["customers"], REAL)] == ["customers"]


def test_nobody_is_told_twice_because_of_two_roles() -> None:
    told = [recipient.identifier for recipient in recipients(PLAN, PLAN.messages["stakeholders"], REAL)]
    assert len(told) == len(set(told))


def test_an_exercise_reaches_stand_ins_and_mailboxes_and_nobody_real() -> None:
    for message in PLAN.messages.values():
        for recipient in recipients(PLAN, message, EXERCISE):
            if recipient.person is None:
                assert recipient.identifier.startswith("exercise:")
            else:
                assert PLAN.people[recipient.person].exercise


def test_an_exercise_says_so_in_the_subject_and_on_the_first_line() -> None:
    subject, body = rendered(PLAN, "regional-outage", "incident-alert", EXERCISE, START + 30)
    assert subject == "EXERCISE: P1: VoiceHive Hotels is impaired (inc-7)"
    assert body.startswith("EXERCISE drill-3: this is practice")
    real_subject, real_body = rendered(PLAN, "regional-outage", "incident-alert", REAL, START + 30)
    assert "EXERCISE" not in real_subject + real_body


def test_a_message_says_what_is_known_in_the_plans_zone_and_what_is_not_known() -> None:
    _, body = rendered(PLAN, "regional-outage", "incident-alert", REAL, START + 30)
    assert "What is hit: Voice Call Processing, Hotel PMS Integration" in body
    assert "Since: 2023-11-14 22:13:20+00:00" in body
    assert "Commander: Aoife Brennan" in body
    bare = IncidentFacts("inc-8", START, "eu-west-1", "eu-central-1")
    _, body = rendered(PLAN, "regional-outage", "executive-briefing", bare, START + 3600)
    assert "Expected back: not known yet" in body
    assert "Commander: nobody yet" in body and "Business functions hit: not known yet" in body
    assert "Effect on customers: high; risk with regulators: high" in body, "the plan's tier says that of an hour, whoever is hit"


def test_until_somebody_forecasts_the_plans_own_end_is_what_is_expected() -> None:
    values = field_values(PLAN, "regional-outage", REAL, START + 60)
    assert values["expected_back"] == "2023-11-14 22:43:20+00:00 by the plan"
    late = field_values(PLAN, "regional-outage", REAL, START + 31 * MINUTE)
    assert late["expected_back"] == "not known yet"


@pytest.mark.parametrize(
    ("forecast", "said"),
    [
        (ExpectedBack(START + 120), "2023-11-14 22:15:20+00:00, by what earlier runs took"),
        (ExpectedBack(START + 120, by_plan=True), "2023-11-14 22:15:20+00:00 by the plan"),
        (ExpectedBack(START + 120, not_before=True), "not known yet, but not before 2023-11-14 22:15:20+00:00"),
        (ExpectedBack(math.inf, by_plan=True), "2023-11-14 22:43:20+00:00 by the plan"),
    ],
    ids=["measured", "by the plan", "not before", "no end"],
)
def test_a_forecast_is_told_with_what_it_rests_on(forecast: ExpectedBack, said: str) -> None:
    facts = replace(REAL, expected_back=forecast)
    assert field_values(PLAN, "regional-outage", facts, START + 60)["expected_back"] == said
    back = replace(facts, restored_seconds=START + 90)
    assert field_values(PLAN, "regional-outage", back, START + 100)["expected_back"] == "2023-11-14 22:14:50+00:00"


def test_a_forecast_is_told_on_the_plans_clock() -> None:
    fast = replace(REAL, expected_back=ExpectedBack(START + 20), clock=PlanClock(60.0))
    assert field_values(PLAN, "regional-outage", fast, START + 1)["expected_back"].startswith("2023-11-14 22:33:20")


def test_whoever_heard_of_it_outside_hears_over_the_same_channels_that_it_is_over() -> None:
    back = owed(replace(REAL, restored_seconds=START + 20 * MINUTE), 20 * MINUTE)
    for heard in ("customers", "partners"):
        over = back[f"resolution-{heard}/1"]
        assert over.channels == PLAN.messages[heard].channels
        assert [one.identifier for one in over.recipients] == [one.identifier for one in recipients(PLAN, PLAN.messages[heard], REAL)]


def test_customers_read_what_helps_meanwhile_and_partners_how_what_they_use_is() -> None:
    _, customers = rendered(PLAN, "regional-outage", "customers", REAL, START + 20 * MINUTE)
    assert PLAN.functions["voice"].workaround in customers
    _, partners = rendered(PLAN, "regional-outage", "partners", REAL, START + 20 * MINUTE)
    assert "What you are connected to: Hotel PMS Integration impaired" in partners


def test_every_field_of_the_list_is_filled_and_no_other() -> None:
    assert field_values(PLAN, "regional-outage", REAL, START).keys() == MESSAGE_FIELDS.keys()


def test_a_line_break_in_a_fact_cannot_add_a_header_to_the_subject() -> None:
    sly = replace(REAL, incident="inc\r\nBcc: everybody")
    subject, _ = rendered(PLAN, "regional-outage", "incident-alert", sly, START)
    assert "\n" not in subject
    assert "\r" not in subject


def test_braces_in_facts_are_text() -> None:
    _, body = rendered(PLAN, "regional-outage", "resolution", replace(REAL, cause="{commander} {x}"), START)
    assert "Cause: {commander} {x}" in body


@given(
    now=st.floats(-1e6, 1e8),
    later=st.floats(0, 1e7),
    restored=st.none() | st.floats(0, 1e7),
    severity=st.sampled_from([None, "P1", "P3"]),
)
def test_what_is_owed_stays_owed_while_time_passes(now: float, later: float, restored: float | None, severity: str | None) -> None:
    facts = replace(REAL, severity=severity, restored_seconds=None if restored is None else START + restored)
    before, after = (
        {message.key: message.due_seconds for message in due(PLAN, "regional-outage", facts, START + moment)}
        for moment in (now, now + later)
    )
    kept = {key for key in before if key.split("/")[1] != "status"}
    assert kept <= after.keys()
    assert all(after[key] == before[key] for key in before.keys() & after.keys())


@pytest.mark.parametrize("after_seconds", [-60.0, 0.0, 1.0])
def test_a_clock_that_is_a_little_behind_breaks_nothing(after_seconds: float) -> None:
    due(PLAN, "regional-outage", REAL, START + after_seconds)
    rendered(PLAN, "regional-outage", "status", REAL, START + after_seconds)


@given(after=st.floats(0, 5 * 3600), later=st.floats(0, 3600), scale=st.sampled_from([1.0, 60.0]))
def test_what_is_owed_stays_owed_and_nothing_changes_before_the_next_moment(after: float, later: float, scale: float) -> None:
    facts = replace(REAL, clock=PlanClock(scale))
    now = START + after / scale
    keys = {message.key for message in due(PLAN, "regional-outage", facts, now)}
    assert keys <= {message.key for message in due(PLAN, "regional-outage", facts, now + later)}
    change = next_change_seconds(PLAN, "regional-outage", facts, now)
    assert change > now
    just_before = now + (change - now) * 0.999
    assert {message.key for message in due(PLAN, "regional-outage", facts, just_before)} == keys
    assert {message.key for message in due(PLAN, "regional-outage", facts, change + 0.001)} > keys


@given(after=st.floats(0, 5 * 3600))
def test_at_a_scale_the_same_is_owed_at_the_same_time_of_the_plan(after: float) -> None:
    def owed_at(scale: float) -> list[tuple[str, float]]:
        facts = replace(REAL, clock=PlanClock(scale))
        found = due(PLAN, "regional-outage", facts, START + after / scale)
        return [(message.key, round((message.due_seconds - START) * scale, 3)) for message in found]

    assert owed_at(60.0) == owed_at(1.0) or min(abs(after % 900 - edge) for edge in (0, 720, 900)) < 1e-3


def test_an_authority_is_told_within_the_regulations_time_from_when_the_company_knew() -> None:
    gdpr = Regulation.model_validate(
        {
            "name": "GDPR",
            "notify": "the data protection authority",
            "notify_within": "72h",
            "notify_by": "communication-lead",
            "scenarios": ["regional-outage"],
        }
    )
    plan = PLAN.model_copy(update={"regulations": {"gdpr": gdpr}})
    aware = replace(REAL, aware_seconds=START + 60)
    (notice,) = [message for message in due(plan, "regional-outage", aware, START + 90) if message.message == "regulation.gdpr"]
    assert notice.due_seconds == START + 60 + 72 * 3600
    assert [recipient.identifier for recipient in notice.recipients] == ["nadia-haddad", "jonas-lindqvist"]
    assert "after the company knew" in notice.reason
    assert not any(message.message == "regulation.gdpr" for message in due(plan, "database-failover", aware, START + 90))
    over = replace(aware, restored_seconds=START + 70)
    assert any(message.message == "regulation.gdpr" for message in due(plan, "regional-outage", over, START + 90)), "also of what is over"


def test_a_vendor_is_told_when_a_function_needs_it_and_never_in_an_exercise() -> None:
    vendor = Vendor(name="Cloud", supplies="The region", email="help@cloud.example")
    needs = Dependency(name="Region", vendor="cloud", needed_by=("database",))
    plan = PLAN.model_copy(update={"vendors": {"cloud": vendor}, "dependencies": {"region": needs}})
    (call,) = [message for message in due(plan, "regional-outage", REAL, START) if message.message == "vendor.cloud"]
    assert [(channel, recipient.identifier, recipient.address(channel)) for channel, recipient in call.deliveries] == [
        ("email", "vendor.cloud", "help@cloud.example")
    ]
    (practised,) = [message for message in due(plan, "regional-outage", EXERCISE, START) if message.message == "vendor.cloud"]
    assert [recipient.address("email") for recipient in practised.recipients] == [None]


def test_the_briefing_knows_the_tier_the_workarounds_and_what_is_needed() -> None:
    values = field_values(PLAN, "regional-outage", replace(REAL, needs=("two approvals",)), START + 20 * MINUTE)
    assert "revenue 10,000 USD" in values["impact"]
    assert values["needs"] == "two approvals"
    assert values["war_room"] == "#incident-20231114-221320"
    assert values["next_update"] == "2023-11-14 22:43:20+00:00"


@pytest.mark.parametrize(
    ("within_hours", "opens_hours"), [(76, 52), (96, 72), (30 * 24, 27 * 24), (100 * 24, 90 * 24), (240, 216), (24, 12), (4, 2)]
)
def test_a_later_report_is_reminded_of_when_its_time_is_nearly_over(within_hours: float, opens_hours: float) -> None:
    assert opening_seconds(within_hours * 3600) / 3600 == pytest.approx(opens_hours)


def test_the_reminder_of_a_later_report_comes_near_its_deadline_and_that_of_the_first_notice_at_once() -> None:
    hour = 3600.0
    report = {"name": "DORA", "notify": "the supervisor", "notify_by": "communication-lead", "scenarios": ["regional-outage"]}
    times = {"dora": "4h", "dora-intermediate": "76h", "dora-final": "30d"}
    regulations = {name: Regulation.model_validate({**report, "notify_within": within}) for name, within in times.items()}
    plan = PLAN.model_copy(update={"regulations": regulations})
    facts = replace(REAL, aware_seconds=START + 60, restored_seconds=START + hour)

    def reminded(after: float) -> list[str]:
        rules = [message.message for message in due(plan, "regional-outage", facts, START + 60 + after)]
        return [rule.removeprefix("regulation.") for rule in rules if rule.startswith("regulation.")]

    assert reminded(30) == ["dora"]
    assert reminded(52 * hour - 1) == ["dora"]
    assert next_change_seconds(plan, "regional-outage", facts, START + 60 + 30) == START + 60 + 52 * hour
    assert reminded(52 * hour) == ["dora", "dora-intermediate"]
    assert next_change_seconds(plan, "regional-outage", facts, START + 60 + 52 * hour) == START + 60 + 27 * 24 * hour
    assert reminded(27 * 24 * hour) == ["dora", "dora-intermediate", "dora-final"]
    assert {one.message: one.due_seconds - START - 60 for one in due(plan, "regional-outage", facts, START + 60 + 27 * 24 * hour)}[
        "regulation.dora-final"
    ] == 30 * 24 * hour, "the deadline stays the law's"
