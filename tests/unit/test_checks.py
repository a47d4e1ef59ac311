"""What `check` says about plans: true of the reference plan, silent where nothing is wrong, and each rule with the plan that it is for."""

import re
from datetime import date

import pytest

from holdfast.checks import ALL, Finding, Severity, check
from holdfast.checks.runs import run
from holdfast.plan.model import Plan
from unit.plan_texts import TEXT, changed, line_of, loaded, plan_with

QUIET = (  # the reference plan with every contradiction taken out
    ("    rto: 15m\n    rpo: 5m\n    impact: Calls", "    rto: 30m\n    rpo: 5m\n    impact: Calls"),
    ("    rto: 15m\n    rpo: 5m\n    impact: Nobody", "    rto: 30m\n    rpo: 5m\n    impact: Nobody"),
    ("    rpo: 15m\n    needs", "    rpo: 5m\n    needs"),
    ("    rpo: 60m\n    needs", "    rpo: 5m\n    needs"),
    ("availability_percent: 99.95", "availability_percent: 99.9"),
    ("    answer_within: 30m\n    if_unanswered: escalate", "    answer_within: 5m\n    if_unanswered: escalate"),
    ("+353 20 912 0141", "+353 20 912 0142"),
    ("    rto: 10m\n", "    rto: 15m\n"),
    # people's scenarios as short as the plan promises
    ("name: Bringing data back\n        window: [15m, 45m]", "name: Bringing data back\n        window: [15m, 25m]"),
    ("name: Back in service\n        window: [45m, 60m]", "name: Back in service\n        window: [25m, 30m]"),
    ("name: Investigation\n        window: [10m, 30m]", "name: Investigation\n        window: [10m, 15m]"),
    ("window: [30m, 120m]", "window: [15m, 25m]"),
    ("window: [120m, open]", "window: [25m, 30m]"),
)


STANDING = {finding.code for finding in check(plan_with(*QUIET))}
"""What is found in the other sections of the reference plan all the time (see `test_checks_sections`)."""


def judged(plan: Plan) -> tuple[Finding, ...]:
    """What is found in a plan beyond that."""
    return tuple(finding for finding in check(plan) if finding.code not in STANDING)


def findings(*edits: tuple[str, str]) -> tuple[Finding, ...]:
    return judged(plan_with(*edits))


def only(code: str, *edits: tuple[str, str]) -> Finding:
    """The one finding of the plan that is otherwise without any."""
    found = findings(*QUIET, *edits)
    assert [finding.code for finding in found] == [code], "\n".join(f"{finding.code} {finding.sentence}" for finding in found)
    return found[0]


REFERENCE = """
HF101 warning functions.voice.rto scenarios.regional-outage.phases.3.window
HF101 warning functions.authentication.rto scenarios.regional-outage.phases.3.window
HF101 warning functions.voice.rto scenarios.database-corruption.phases.3.window
HF101 warning functions.pms.rto scenarios.database-corruption.phases.3.window
HF101 warning functions.authentication.rto scenarios.database-corruption.phases.3.window
HF101 warning functions.voice.rto scenarios.security-breach.phases.2.window
HF101 warning functions.pms.rto scenarios.security-breach.phases.2.window
HF101 warning functions.authentication.rto scenarios.security-breach.phases.2.window
HF101 warning functions.analytics.rto scenarios.security-breach.phases.2.window
HF102 warning functions.voice.rpo functions.authentication.rpo objectives.data_loss_tolerance components.cache.rpo
HF102 warning functions.voice.rpo objectives.data_loss_tolerance components.storage.rpo
HF103 warning objectives.availability_percent scenarios.database-corruption.phases.3.window scenarios.security-breach.phases.2.window
HF103 warning service_levels.enterprise.availability_percent objectives.rto
HF106 warning objectives.rto scenarios.database-corruption.phases.3.window
HF106 warning objectives.rto scenarios.security-breach.phases.3.window
HF109 warning approval.activation.answer_within scenarios.regional-outage.phases.1.window objectives.rto
HF109 warning approval.activation.answer_within scenarios.database-failover.phases.0.window objectives.rto
HF109 warning approval.activation.answer_within scenarios.application-failover.phases.0.window objectives.rto
HF109 warning approval.activation.answer_within scenarios.storage-failover.phases.0.window objectives.rto
HF112 warning people.aoife-brennan.phone people.matteo-ricci.phone
HF116 warning components.cache.rto scenarios.regional-outage.phases.2.window
HF117 warning document.next_review
HF118 warning components.cache.rpo components.cache.backups.snapshot.every
HF124 warning scenarios.security-breach.phases.1.steps.0 scenarios.security-breach.phases.1.steps.1 \\
    scenarios.security-breach.phases.1.steps.2
HF128 warning scenarios.database-corruption exercises
HF128 warning scenarios.security-breach exercises
HF130 warning components.database.backups.log components.database.backups.snapshot components.database.backups.frequent
HF130 warning components.cache.backups.snapshot
HF131 warning service_levels.enterprise.availability_percent functions.pms \
    dependencies.apaleo.availability_percent dependencies.mews.availability_percent dependencies.opera.availability_percent \
    dependencies.cloudbeds.availability_percent dependencies.siteminder.availability_percent
HF132 warning dependencies.media.regions regions.eu-west-1
HF133 warning regions.eu-west-1.node_groups.gpu regions.eu-central-1.node_groups
HF141 warning escalation.P1 escalation.P2.also_called.0 escalation.P2 escalation.P3.also_called.0 escalation.P3 escalation.P4.also_called.0
HF142 warning approval.activation.count scenarios.database-corruption.phases
HF142 warning approval.activation.count scenarios.security-breach.phases
HF143 warning functions.voice.rto components.storage.rto components.application.rto components.loadbalancer.rto components.dns.rto
HF143 warning functions.authentication.rto components.application.rto components.loadbalancer.rto components.dns.rto
HF144 warning objectives.data_loss_tolerance functions.pms.rpo functions.analytics.rpo functions.configuration.rpo
HF148 warning criteria.team-response.target escalation.P1.answer_within escalation.P3.answer_within escalation.P4.answer_within
HF148 warning criteria.decision-speed.target approval.activation.answer_within
HF149 warning indicators.recovery.target scenarios.database-corruption.phases.3.window scenarios.security-breach.phases.2.window
HF110 note scenarios.database-corruption
HF110 note scenarios.security-breach
HF118 note components.storage replication_links.storage-copy components.storage.backup_strategy
HF132 note dependencies.speech-recognition.regions regions.eu-west-1
HF134 note permitted_areas dependencies.edge dependencies.speech-synthesis \
    dependencies.apaleo dependencies.mews dependencies.opera dependencies.cloudbeds dependencies.siteminder
HF138 note questions.0
HF146 note components.database.backups.frequent.every components.database.backups.snapshot.every
HF152 note messages.partners.due functions.pms.rto
"""
"""Everything that the reference plan contradicts itself in: rule, severity, and the places in the order in which they are named."""


def test_the_reference_plan_has_these_contradictions_and_no_others() -> None:
    told = [" ".join(line.split()) for line in REFERENCE.replace("\\\n", "").strip().splitlines()]
    said = check(plan_with(), date(2026, 11, 28))
    assert [f"{one.code} {one.severity} {' '.join('.'.join(map(str, place)) for place in one.places)}" for one in said] == told


def test_voice_and_authentication_promise_15_minutes_against_30_with_the_phases_named() -> None:
    voice, authentication = (finding.sentence for finding in findings()[:2])
    for sentence, name in ((voice, "Voice Call Processing"), (authentication, "User Authentication")):
        for words in (name, "15 min", "'Application failover', by 25 min", "'Verification and monitoring', by 30 min"):
            assert words in sentence


def test_a_plan_without_contradictions_has_no_finding() -> None:
    assert findings(*QUIET) == ()


def test_both_places_of_a_contradiction_are_on_their_lines() -> None:
    positions = loaded(TEXT).positions
    storage = next(finding for finding in findings() if "Object storage" in finding.sentence)
    lines = [positions.nearest(place).line for place in storage.places]
    assert lines == [line_of("impact: Calls") - 1, line_of("data_loss_tolerance"), line_of("rpo: 60m\n    needs")]
    assert "Voice Call Processing promises 5 min" in storage.sentence
    assert "60 min" in storage.sentence


def test_a_function_back_in_time_but_confirmed_too_late_is_a_note() -> None:
    found = findings(*QUIET, ("rto: 30m\n    rpo: 5m\n    impact: Calls", "rto: 27m\n    rpo: 5m\n    impact: Calls"))
    assert [finding.severity for finding in found if "Regional outage" in finding.sentence] == [Severity.NOTE]


def test_a_service_level_of_21_minutes_does_not_hold_one_recovery_of_30() -> None:
    finding = only("HF103", ("availability_percent: 99.9\n    period", "availability_percent: 99.95\n    period"))
    assert "21 min 36 s" in finding.sentence


def test_a_promotion_that_does_not_wait_for_the_fence_is_an_error() -> None:
    finding = only(
        "HF104",
        (
            "takes: [5s, 1m, 3m]\n            after: [fence]\n            other_way",
            "takes: [5s, 1m, 3m]\n            after: [approve]\n            other_way",
        ),
    )
    assert finding.severity is Severity.ERROR
    assert "'promote-database'" in finding.sentence
    assert finding.hint == "let it wait: 'after: [fence]'"


def test_overwriting_what_only_the_lost_side_holds_before_it_is_exported_is_an_error() -> None:
    finding = only("HF115", ("component: cache, after: [export-divergence]", "component: cache, after: []"))
    assert finding.severity is Severity.ERROR
    assert "'reprotect-cache'" in finding.sentence
    assert finding.hint == "let it wait: 'after: [export-divergence]'"


def test_a_run_without_any_fence_is_an_error_for_every_promotion() -> None:
    text = changed(*QUIET, ("          - { id: fence, block: fence, after: [approve], takes: [1s, 20s, 2m] }\n", "")).replace(
        "after: [fence]", "after: [approve]", 3
    )
    found = judged(loaded(text).plan)
    assert [finding.code for finding in found] == ["HF104", "HF104"]
    assert "its run has none" in found[0].sentence


def test_a_fence_that_is_waited_for_through_the_phases_counts() -> None:
    text = changed(*QUIET)
    text = re.sub(r"(block: redis\.promote, component: \w+), after: \[fence\]", r"\1, after: [activate-bucket]", text, count=1)
    text = text.replace("takes: [5s, 1m, 3m]\n            after: [fence]", "takes: [5s, 1m, 3m]\n            after: [activate-bucket]")
    assert judged(loaded(text).plan) == ()


@pytest.mark.parametrize(
    ("edit", "missing"),
    [
        (
            ("after: [update-settings, verify-database, scale-up, deploy]", "after: [update-settings, scale-up, deploy]"),
            ["verify-database"],
        ),
        (
            ("after: [update-settings, verify-database, scale-up, deploy]", "after: [verify-database]"),
            ["promote-cache", "activate-bucket", "update-settings"],
        ),
    ],
)
def test_traffic_that_does_not_wait_for_the_data_is_an_error(edit: tuple[str, str], missing: list[str]) -> None:
    found = findings(*QUIET, edit)
    assert {finding.code for finding in found} == {"HF105"}
    assert {finding.severity for finding in found} == {Severity.ERROR}
    assert all(f"'{name}'" in found[0].sentence for name in missing)


def test_traffic_onto_a_database_that_nobody_proved_is_a_warning() -> None:
    found = findings(
        *QUIET,
        (
            "          - { id: verify-database, block: postgres.verify, component: database, "
            "after: [promote-database], takes: [2s, 30s, 3m] }\n",
            "",
        ),
        ("after: [update-settings, verify-database, scale-up, deploy]", "after: [update-settings, scale-up, deploy]"),
    )
    assert [(finding.code, finding.severity) for finding in found] == [("HF105", Severity.WARNING)] * 2


@pytest.mark.parametrize(
    ("edit", "severity", "says"),
    [
        (("window: [5m, 10m]", "window: [4m, 10m]"), Severity.WARNING, "before 'Detection and assessment' ends"),
        (("window: [30m, 45m]", "window: [31m, 45m]"), Severity.NOTE, "nothing is planned between 30 min"),
    ],
)
def test_windows_that_contradict_each_other(edit: tuple[str, str], severity: Severity, says: str) -> None:
    finding = only("HF106", edit)
    assert finding.severity is severity
    assert says in finding.sentence


def test_phases_that_end_after_the_objective() -> None:
    found = findings(*QUIET, ("window: [25m, 30m]", "window: [25m, 40m]"))
    assert "HF106" in {finding.code for finding in found}
    assert any("takes 40 min by its phases" in finding.sentence for finding in found)


@pytest.mark.parametrize(
    ("edit", "says"),
    [(("    backup: piotr-zielinski\n", ""), "has no backup"), (("backup: piotr-zielinski", "backup: ines-carvalho"), "same person")],
)
def test_a_role_that_hangs_on_one_person(edit: tuple[str, str], says: str) -> None:
    assert says in only("HF107", edit).sentence


def test_an_approval_rule_that_the_plans_people_cannot_satisfy_is_an_error() -> None:
    found = findings(*QUIET, ("    count: 2\n", "    count: 5\n"))
    assert [(finding.code, finding.severity) for finding in found] == [("HF108", Severity.ERROR), ("HF108", Severity.NOTE)]
    assert "only 4 people can approve" in found[0].sentence


def test_one_person_in_three_roles_is_still_one_person() -> None:
    roles = ("of: [platform-lead, engineering-manager, incident-commander]", "of: [platform-lead, incident-commander]")
    text = (
        changed(*QUIET, roles)
        .replace("backup: matteo-ricci", "backup: ines-carvalho")
        .replace("backup: ines-carvalho\n", "backup: aoife-brennan\n")
    )
    codes = [(finding.code, finding.severity) for finding in judged(loaded(text).plan)]
    assert ("HF108", Severity.ERROR) in codes


def test_an_approval_that_may_come_so_late_that_the_promise_is_broken() -> None:
    late = next(finding for finding in findings() if finding.code == "HF109")
    assert "ends after 55 min" in late.sentence
    assert "Hotel PMS Integration" in late.sentence


def test_a_component_without_a_second_way() -> None:
    assert only("HF111", ("    backup_strategy: Load the last snapshot, taken every six hours\n", "")).places == (("components", "cache"),)


def test_two_people_under_one_number_however_it_is_written() -> None:
    finding = only("HF112", ('"+353 20 912 0143"', '"+353 (20) 912-0144"'))
    assert "Inês Carvalho (Senior Platform Engineer) and Piotr Zieliński (DevOps Engineer)" in finding.sentence


@pytest.mark.parametrize("sites", ["[witness, outside]", "[eu-west-1, witness]"])
def test_observers_who_leave_no_majority(sites: str) -> None:
    found = findings(*QUIET, ("[eu-central-1, witness, outside]", sites))
    assert {finding.code for finding in found} == {"HF113"}


def test_findings_come_worst_first() -> None:
    found = findings(
        ("after: [update-settings, verify-database, scale-up, deploy]", "after: [verify-database]"),
        ("window: [5m, 10m]", "window: [6m, 10m]"),
    )
    ranks = [list(Severity).index(finding.severity) for finding in found]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == 3


def test_rules_have_codes_of_their_own_and_name_them() -> None:
    codes = [rule.code for rule in ALL]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"HF1\d\d", code) for code in codes)


def test_what_comes_before_a_step_is_everything_it_waits_for_through_others() -> None:
    scenario = plan_with().scenarios["regional-outage"]
    there = run("regional-outage", "phases", scenario.phases)
    assert there.before["update-settings"] == {"assess", "approve", "fence", "promote-database", "promote-cache", "activate-bucket"}
    assert "fence" not in there.before["scale-up"]
    assert there.before["assess"] == frozenset()


def test_a_component_that_comes_back_later_than_it_promises_is_named_with_its_step() -> None:
    finding = only(
        "HF116", ("    rto: 15m\n    rpo: 5m\n    needs: [network]\n  cache", "    rto: 14m\n    rpo: 5m\n    needs: [network]\n  cache")
    )
    assert "PostgreSQL promises to be back within 14 min" in finding.sentence
    assert "'verify-database'" in finding.sentence
    assert "by 15 min" in finding.sentence


@pytest.mark.parametrize(("today", "said"), [("2024-04-01", None), ("2024-04-02", "1 day ago"), ("2026-11-24", "967 days ago")])
def test_a_review_that_is_overdue_is_said_when_the_day_is_known(today: str, said: str | None) -> None:
    found = [finding for finding in check(plan_with(), date.fromisoformat(today)) if finding.code == "HF117"]
    assert [finding.sentence.rpartition("that is ")[2] for finding in found] == ([] if said is None else [said])
    assert not any(finding.code == "HF117" for finding in findings()), "a plan alone knows no day"
