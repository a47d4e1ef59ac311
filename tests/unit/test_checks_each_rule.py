"""Every rule of `check` on a plan that is sound but for one mistake: it fires, with both places where two values disagree, and only then.

A rule without a case here makes `test_every_rule_has_a_case` red.
"""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from holdfast.checks import ALL, Severity, check
from holdfast.checks.ignoring import judged
from holdfast.plan.loader import load_bytes
from unit.sound_plan import REMOVED, TODAY, Changes, place_of, sound_text, with_mistake

E, W, N = Severity.ERROR, Severity.WARNING, Severity.NOTE
OUTAGE, CORRUPTION, BREACH = "scenarios.regional-outage", "scenarios.database-corruption", "scenarios.security-breach"
FAILOVER = f"{OUTAGE}.phases.2.steps"


@dataclass(frozen=True)
class Case:
    """One mistake. `places`: of the finding, in its order. `also`: other rules that can't but say something of the same mistake."""

    code: str
    severity: Severity
    changes: Changes
    places: str
    also: frozenset[str] = field(default_factory=frozenset)


def case(code: str, severity: Severity, changes: Changes, places: str, *also: str) -> Case:
    return Case(code, severity, changes, places, frozenset(also))


CASES = (
    case("HF101", W, {"functions.voice.rto": "24m"}, f"functions.voice.rto {OUTAGE}.phases.3.window", "HF143"),
    case("HF101", N, {"functions.voice.rto": "27m"}, f"functions.voice.rto {OUTAGE}.phases.4.window", "HF143"),
    case(
        "HF102",
        W,
        {"components.cache.rpo": "6m"},
        "functions.voice.rpo functions.pms.rpo functions.authentication.rpo functions.analytics.rpo functions.configuration.rpo "
        "objectives.data_loss_tolerance components.cache.rpo",
    ),
    case("HF103", W, {"service_levels.enterprise.period": "499h"}, "service_levels.enterprise.availability_percent objectives.rto"),
    case(
        "HF103",
        W,
        {f"{OUTAGE}.phases.4.window": ["25m", "50m"]},
        f"objectives.availability_percent {OUTAGE}.phases.4.window",
        "HF101",
        "HF106",
        "HF149",
    ),
    case("HF104", E, {f"{FAILOVER}.1.after": ["approve"]}, f"{FAILOVER}.1 {FAILOVER}.0"),
    case(
        "HF105",
        E,
        {f"{OUTAGE}.phases.3.steps.2.after": ["update-settings", "scale-up", "deploy"]},
        f"{OUTAGE}.phases.3.steps.2 {FAILOVER}.5",
    ),
    case("HF106", W, {f"{OUTAGE}.phases.1.window": ["4m", "10m"]}, f"{OUTAGE}.phases.0.window {OUTAGE}.phases.1.window"),
    case("HF106", N, {f"{OUTAGE}.phases.3.window": ["16m", "25m"]}, f"{OUTAGE}.phases.2.window {OUTAGE}.phases.3.window"),
    case("HF106", W, {f"{OUTAGE}.phases.4.window": ["25m", "31m"]}, f"objectives.rto {OUTAGE}.phases.4.window", "HF101", "HF149"),
    case("HF107", W, {"roles.technical-lead.backup": REMOVED}, "roles.technical-lead"),
    case("HF107", W, {"roles.technical-lead.backup": "ines-carvalho"}, "roles.technical-lead.primary roles.technical-lead.backup"),
    case("HF108", E, {"approval.activation.count": 6}, "approval.activation.count approval.activation.of"),
    case("HF108", N, {"approval.activation.count": 4}, "approval.activation.count approval.activation.of"),
    case(
        "HF109",
        W,
        {"approval.activation.answer_within": "6m"},
        f"approval.activation.answer_within {OUTAGE}.phases.1.window objectives.rto",
    ),
    case("HF110", W, {f"{OUTAGE}.way_back": REMOVED, f"{OUTAGE}.rollback": REMOVED}, OUTAGE),
    case("HF110", N, {f"{OUTAGE}.way_back": REMOVED}, f"{OUTAGE}.rollback"),
    case("HF110", N, {f"{CORRUPTION}.rollback": REMOVED}, CORRUPTION),
    case("HF111", W, {"components.cache.backup_strategy": REMOVED}, "components.cache"),
    case("HF111", W, {"components.cache.primary_strategy": " "}, "components.cache.primary_strategy"),
    case("HF112", W, {"people.matteo-ricci.phone": "+353 (20) 912-0141"}, "people.aoife-brennan.phone people.matteo-ricci.phone"),
    case("HF113", W, {"observers": ["witness", "outside"]}, "observers"),
    case("HF114", W, {f"{FAILOVER}.1.other_way.when": "automatic"}, f"{FAILOVER}.1 {FAILOVER}.1.other_way.steps.0"),
    case("HF115", E, {f"{OUTAGE}.reprotect.0.steps.1.after": []}, f"{OUTAGE}.reprotect.0.steps.1 {OUTAGE}.reprotect.0.steps.0"),
    case("HF116", W, {"components.cache.rto": "14m"}, f"components.cache.rto {OUTAGE}.phases.2.window"),
    case("HF117", W, {"document.next_review": "2026-11-27"}, "document.next_review"),
    case("HF117", W, {"document.next_review": "2027-02-01"}, "document.next_review document.review_every document.last_updated"),
    case(
        "HF117",
        W,
        {"document.next_review": REMOVED, "document.review_every": "monthly"},
        "document.review_every document.last_updated",
    ),
    case("HF117", N, {"document.next_review": REMOVED, "document.review_every": REMOVED}, "document"),
    case("HF118", W, {"components.cache.backups.log.every": "6m"}, "components.cache.rpo components.cache.backups.log.every"),
    case("HF118", W, {"replication_links.cache-copy.lag_within": "6m"}, "components.cache.rpo replication_links.cache-copy.lag_within"),
    case("HF118", W, {"components.cache.backups": REMOVED, "replication_links.cache-copy": REMOVED}, "components.cache.rpo"),
    case(
        "HF118", N, {"components.cache.backups": REMOVED}, "components.cache replication_links.cache-copy components.cache.backup_strategy"
    ),
    case(
        "HF102",
        W,
        {"components.cache.rpo": REMOVED, "replication_links.cache-copy.lag_within": "6m"},
        "functions.voice.rpo functions.pms.rpo functions.authentication.rpo functions.analytics.rpo functions.configuration.rpo "
        "replication_links.cache-copy.lag_within",
        "HF118",
    ),
    case("HF118", N, {"components.cache.rpo": REMOVED}, "components.cache components.cache.backups.log replication_links.cache-copy"),
    case("HF119", W, {"components.network.rto": "16m"}, "components.database.rto components.database.needs.0 components.network.rto"),
    case("HF119", W, {f"{FAILOVER}.4.after": ["promote-cache", "activate-bucket"]}, f"{OUTAGE}.phases.3.steps.0 {FAILOVER}.1"),
    case("HF120", W, {"functions.voice.size": {"run": 4, "needed": 5}}, "functions.voice.size"),
    case("HF120", W, {f"{OUTAGE}.triggers.1.count": 3}, f"{OUTAGE}.triggers.1.count regions.eu-west-1.zones"),
    case("HF120", N, {"functions.voice.size": {"run": 4, "needed": 3}}, "functions.voice.size regions.eu-west-1.zones"),
    case("HF120", N, {"functions.voice.size": REMOVED}, "regions.eu-west-1.zones"),
    case("HF121", W, {"profiles.default.hold": "5m"}, "indicators.detection.target profiles.default"),
    case("HF121", W, {"indicators.detection.target": "< 4m"}, f"indicators.detection.target {OUTAGE}.phases.0.window"),
    case("HF122", W, {"components.dns.ttl": "11m"}, f"components.dns.ttl {OUTAGE}.phases.3.window"),
    case("HF122", N, {"components.dns.ttl": REMOVED}, f"components.dns.ttl {OUTAGE}.phases.3.window"),
    case("HF123", W, {"people.jonas-lindqvist.name": "product manager"}, "people.jonas-lindqvist.name roles.communication-lead.backup"),
    case(
        "HF124",
        W,
        {f"{BREACH}.phases.1.steps.2.by": "platform-lead", f"{BREACH}.phases.1.steps.1.by": "incident-commander"},
        f"{BREACH}.phases.1.steps.1 {BREACH}.phases.1.steps.2",
    ),
    case(
        "HF124",
        W,
        {
            f"{BREACH}.phases.1.steps.0.takes": ["1m", "3m", "4m"],
            f"{BREACH}.phases.1.steps.1.by": "technical-lead",
            f"{BREACH}.phases.1.steps.1.takes": ["1m", "3m", "4m"],
        },
        f"{BREACH}.phases.1.steps.0 {BREACH}.phases.1.steps.1",
    ),
    case("HF125", W, {"audiences.executives.people": []}, "messages.executive-briefing audiences.executives"),
    case("HF125", W, {"escalation.P1.audience": REMOVED}, "escalation.P1"),
    case("HF125", W, {"messages.partners.channels": ["slack", "pagerduty"]}, "messages.partners audiences.partners"),
    case(
        "HF125",
        W,
        {"people.henrik-dahl.email": REMOVED, "people.henrik-dahl.phone": REMOVED},
        "messages.executive-briefing people.henrik-dahl",
    ),
    case("HF125", W, {"people.tom-okafor.email": REMOVED, "people.tom-okafor.phone": REMOVED}, "people.tom-okafor"),
    case("HF126", W, {"routes.email": {"regions": ["eu-west-1"]}}, "messages.authority.channels routes.email.regions"),
    case(
        "HF126",
        W,
        {
            "routes.email": {"regions": ["eu-west-1"], "second_channel": "sms"},
            "routes.sms": {"regions": ["eu-west-1"], "second_channel": "phone"},
        },
        "messages.authority.channels routes.email.regions",
    ),
    case("HF127", W, {"messages.resolution.counts_from": "start"}, "messages.resolution templates.resolution"),
    case("HF128", W, {"exercises.breach": REMOVED}, f"{BREACH} exercises"),
    case(
        "HF128",
        W,
        {"exercises.storage-failover.scenario": REMOVED, "exercises.storage-failover.takes_away": REMOVED},
        "scenarios.storage-failover exercises.storage-failover",
    ),
    case("HF129", W, {"exercises.tabletop.every": REMOVED}, "exercises.tabletop"),
    case("HF129", W, {"exercises.tabletop.every": "2y"}, "exercises.tabletop.every regulations.gdpr.requires"),
    case("HF130", W, {"components.cache.backups.log.restored_every": REMOVED}, "components.cache.backups.log"),
    case(
        "HF130",
        W,
        {"components.cache.backups.log.last_restored": "2026-10-28"},
        "components.cache.backups.log.restored_every components.cache.backups.log.last_restored",
    ),
    case(
        "HF131",
        W,
        {"dependencies.opera.availability_percent": 99.8},
        "service_levels.enterprise.availability_percent functions.pms dependencies.opera.availability_percent",
    ),
    case("HF131", W, {"dependencies.language-model.rto": "31m"}, "functions.voice.rto dependencies.language-model.rto"),
    case("HF132", W, {"dependencies.media.regions": ["eu-west-1"]}, "dependencies.media.regions regions.eu-west-1"),
    case(
        "HF132", N, {"dependencies.speech-recognition.regions": ["eu-west-1"]}, "dependencies.speech-recognition.regions regions.eu-west-1"
    ),
    case("HF132", W, {"components.cache.only_in": "eu-west-1"}, "components.cache.only_in regions.eu-west-1"),
    case("HF132", W, {"monitoring.health-checks.runs_in": ["eu-west-1"]}, "monitoring.health-checks.runs_in regions.eu-west-1"),
    case(
        "HF133", W, {"regions.eu-central-1.node_groups.gpu": REMOVED}, "regions.eu-west-1.node_groups.gpu regions.eu-central-1.node_groups"
    ),
    case(
        "HF133",
        W,
        {"regions.eu-central-1.node_groups.gpu.largest": 2},
        "regions.eu-west-1.node_groups.gpu.usual regions.eu-central-1.node_groups.gpu.largest",
    ),
    case(
        "HF133",
        N,
        {"regions.eu-central-1.node_groups.gpu.usual": 2},
        "regions.eu-west-1.node_groups.gpu.usual regions.eu-central-1.node_groups.gpu.usual",
    ),
    case("HF134", W, {"dependencies.opera.area": "US"}, "permitted_areas dependencies.opera.area"),
    case("HF134", W, {"data.audio.areas": ["UK"]}, "data.audio.areas regions.eu-west-1.area"),
    case("HF134", N, {"dependencies.opera.area": REMOVED}, "permitted_areas dependencies.opera"),
    case("HF135", W, {"version": "1.1"}, "document.approved_by document.approvals version"),
    case("HF135", W, {"document.approved_by": REMOVED, "document.approvals": REMOVED}, "version document"),
    case("HF135", W, {"document.last_updated": "2026-10-07"}, "document.approvals.0.on document.last_updated"),
    case("HF136", W, {"data.audit-log.kept_for": "364d"}, "regulations.pci-dss.records_kept_for data.audit-log.kept_for"),
    case("HF136", W, {"document.retention": "364d"}, "regulations.pci-dss.records_kept_for document.retention"),
    case("HF137", W, {"regulations.gdpr.notify_by": REMOVED}, "regulations.gdpr.notify_within"),
    case("HF137", W, {"messages.authority.due": "73h"}, "regulations.gdpr.notify_within messages.authority.due"),
    case("HF137", W, {"regulations.gdpr.scenarios.1": "database-corruption"}, "regulations.gdpr.scenarios messages.authority"),
    case("HF137", W, {"regulations.gdpr.notify_within": "73h"}, "regulations.gdpr.notify_within"),
    case("HF138", N, {"questions": [{"about": "exercises.tabletop.every", "says": "It can mean two things"}]}, "questions.0"),
    case("HF139", N, {"notes": [{"text": "Ask Ann"}]}, "notes.0"),
    case("HF140", N, {"notes": [{"text": "an approval rule", "section": "added by --bind lab"}]}, "notes.0"),
    case("HF141", W, {"escalation.P2.also_called": ["P1"]}, "escalation.P1 escalation.P2.also_called.0"),
    case("HF142", W, {f"{BREACH}.phases.0.steps.5": REMOVED}, f"approval.activation.count {BREACH}.phases"),
    case("HF143", W, {"components.application.rto": "31m"}, "functions.voice.rto components.application.rto"),
    case("HF144", W, {"functions.pms.rpo": "6m"}, "objectives.data_loss_tolerance functions.pms.rpo"),
    case("HF144", W, {"functions.pms.rto": "31m"}, "objectives.rto functions.pms.rto"),
    case("HF144", W, {"objectives.rpo": "6m"}, "objectives.data_loss_tolerance objectives.rpo"),
    case("HF144", W, {"objectives.data_loss_tolerance": REMOVED, "functions.pms.rpo": "6m"}, "objectives.rpo functions.pms.rpo"),
    case("HF145", N, {"functions.pms.stands_on": []}, "functions.pms"),
    case(
        "HF146",
        W,
        {
            "components.cache.backups.often": {"name": "Often", "every": "4m", "restored_every": "1y", "last_restored": "2026-11-01"},
            "components.cache.backups.log.every": "6m",
        },
        "components.cache.backups.often.every components.cache.backups.log.every",
    ),
    case(
        "HF147",
        N,
        {"exercises.other": {"name": "Other", "kind": "tabletop", "scenario": "security-breach", "every": "yearly"}},
        "exercises.breach.every exercises.other.every",
    ),
    case("HF148", W, {"escalation.P1.answer_within": "14m"}, "criteria.team-response.target escalation.P1.answer_within"),
    case("HF148", W, {"criteria.decision-speed.target": "<= 4m"}, "criteria.decision-speed.target approval.activation.answer_within"),
    case("HF148", W, {"indicators.recovery.target": "< 31m"}, "objectives.rto indicators.recovery.target"),
    case(
        "HF148", W, {"exercises.database-failover.within": "14m"}, "exercises.database-failover.within exercises.database-failover.target"
    ),
    case(
        "HF149",
        W,
        {"indicators.recovery.target": "< 29m"},
        f"indicators.recovery.target {OUTAGE}.phases.4.window {CORRUPTION}.phases.3.window {BREACH}.phases.3.window",
    ),
    case("HF150", W, {"functions.voice.mtpd": "30m"}, "functions.voice.mtpd functions.voice.rto"),
    case("HF151", W, {"financial_tiers.0.to": "16m"}, "financial_tiers.0 financial_tiers.1"),
    case("HF151", W, {"financial_tiers.1.revenue_loss_usd": 999}, "financial_tiers.0.revenue_loss_usd financial_tiers.1.revenue_loss_usd"),
    case("HF151", N, {"financial_tiers.0.to": "14m"}, "financial_tiers.0 financial_tiers.1"),
    case("HF151", N, {"financial_tiers.0.from": "1m"}, "financial_tiers.0.from"),
    case("HF152", N, {"messages.partners.due": "31m"}, "messages.partners.due functions.pms.rto"),
    case("HF152", W, {"messages.customers.due": "14m"}, "messages.customers.due messages.customers.lasting"),
    case("HF153", W, {"escalation.P3": REMOVED}, "escalation functions.configuration.priority"),
    case("HF154", N, {"regulations": REMOVED}, "financial_tiers.3.regulatory_risk"),
    case("HF155", W, {"exercises.regional-outage.lasts": "29m"}, f"exercises.regional-outage.lasts {OUTAGE}.phases.4.window"),
    case(
        "HF156",
        W,
        {f"{CORRUPTION}.phases.1.steps.0.takes": ["5m", "6m", "9m"], f"{CORRUPTION}.phases.1.steps.1.takes": ["4m", "5m", "9m"]},
        f"{CORRUPTION}.phases.1.window {CORRUPTION}.phases.1.steps.0.takes {CORRUPTION}.phases.1.steps.1.takes",
        "HF124",
    ),
    case(
        "HF157",
        W,
        {"not_applicable": [{"about": "functions.voice.rpo", "says": "N/A"}]},
        "not_applicable.0 functions.voice.rpo",
    ),
    case(
        "HF157",
        W,
        {"not_applicable": [{"about": f"{OUTAGE}.phases.4.window", "says": "N/A"}]},
        f"not_applicable.0 {OUTAGE}.phases.4.window",
    ),
)

RIGHT: dict[str, Changes] = {
    "HF157 there is none": {"not_applicable": [{"about": "functions.voice.mtpd", "says": "N/A"}]},
    "HF157 there is no item either": {"not_applicable": [{"about": "audiences.on-call.people.1", "says": "N/A"}]},
    "HF101 back at the very moment that is promised": {"functions.voice.rto": "30m"},
    "HF103 one recovery fills what the period allows": {"service_levels.enterprise.period": "500h"},
    "HF117 the review is due today": {"document.next_review": "2026-11-28"},
    "HF117 quarters are not all as long": {"document.next_review": "2027-01-07"},
    "HF122 names are kept as long as the shortest phase that changes them": {"components.dns.ttl": "7m"},
    "HF124 one after the other": {f"{BREACH}.phases.1.steps.1.by": "technical-lead", f"{BREACH}.phases.1.steps.1.after": ["find-scope"]},
    "HF130 restored a month ago": {"components.cache.backups.log.last_restored": "2026-10-29"},
    "HF133 more than production": {"regions.eu-central-1.node_groups.gpu": {"usual": 4, "largest": 9}},
    "HF146 the rarer backup is kept longer": {
        "components.cache.backups.weekly": {
            "name": "Weekly",
            "every": "7d",
            "kept_for": "1y",
            "restored_every": "1y",
            "last_restored": "2026-11-01",
        },
        "components.cache.backups.log": {
            "name": "Often",
            "every": "4m",
            "kept_for": "7d",
            "restored_every": "1y",
            "last_restored": "2026-11-01",
        },
    },
    "HF147 an exercise of another kind": {
        "exercises.other": {"name": "Other", "kind": "tabletop", "scenario": "regional-outage", "every": "yearly"}
    },
    "HF150 room between the two": {"functions.voice.mtpd": "4h"},
    "HF153 a plan without escalation": {"escalation": REMOVED},
    "HF155 as much time as it takes": {"exercises.regional-outage.lasts": "30m"},
}
"""Close to a mistake, and none: nothing is said."""

COMMENTS = {
    "HF190": "# holdfast: ignore HF101",
    "HF191": "# holdfast: ignore HF101 because the contract changes",
    "HF192": "# holdfast: ignore HF999 because the contract changes",
}


@cache
def found(number: int) -> tuple[tuple[str, Severity, tuple[object, ...]], ...]:
    plan = with_mistake(CASES[number].changes).plan
    return tuple((finding.code, finding.severity, finding.places) for finding in check(plan, TODAY))


def test_every_rule_has_a_case() -> None:
    assert {one.code for one in CASES} | COMMENTS.keys() == {rule.code for rule in ALL}


def test_nothing_is_said_of_a_sound_plan() -> None:
    assert check(with_mistake({}).plan, TODAY) == ()


@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{one.code}-{' '.join(one.changes)}" for one in CASES])
def test_a_rule_fires_on_its_mistake_names_every_place_and_no_other_rule_does(number: int) -> None:
    one = CASES[number]
    places = tuple(place_of(dotted) for dotted in one.places.split())
    assert (one.code, one.severity, places) in found(number)
    assert {code for code, _, _ in found(number)} == {one.code} | one.also


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_only_close_to_a_mistake_is_none(name: str) -> None:
    said = check(with_mistake(RIGHT[name]).plan, TODAY)
    assert said == (), "\n".join(f"{finding.code} {finding.sentence}" for finding in said)


@pytest.mark.parametrize("code", COMMENTS)
def test_a_comment_that_is_wrong_is_a_finding_at_its_line(code: str) -> None:
    line = '"name": "VoiceHive Hotels",'
    text = sound_text({}).replace(line, f"{line} {COMMENTS[code]}", 1)
    loaded = load_bytes(text.encode(), Path("plan.yaml"))
    remarks = judged(check(loaded.plan, TODAY), loaded.ignores, loaded.positions).remarks
    assert [(one.finding.code, one.position.line) for one in remarks] == [(code, loaded.positions.nearest(("name",)).line)]
