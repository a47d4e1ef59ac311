"""What `check` says about a plan's other sections: each rule with a plan that it is for, and silence where nothing is wrong."""

import re
from datetime import date
from typing import Any

import pytest

from holdfast.checks import ALL, Finding, check
from holdfast.plan.loader import load_bytes
from holdfast.plan.model import NOBODY_MAY_APPROVE, Note, Plan
from unit.plan_texts import REFERENCE, plan_with

PLAN = plan_with()
TODAY = date(2026, 11, 28)


def found(code: str, plan: Plan = PLAN) -> list[Finding]:
    return [finding for finding in check(plan, TODAY) if finding.code == code]


def with_part(section: str, part: str, /, **changes: Any) -> Plan:
    parts = dict(getattr(PLAN, section))
    parts[part] = parts[part].model_copy(update=changes)
    return PLAN.model_copy(update={section: parts})


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("HF118", "Redis promises to lose at most 15 min, but its backups ('snapshot') are 6 h apart"),
        ("HF128", "no exercise practises Database corruption"),
        ("HF130", "never restores what it backs up of PostgreSQL"),
        ("HF131", "SiteMinder (99 %), and Enterprise contracts promise 99.95 %"),
        ("HF132", "Media server for calls in real time stands only in eu-west-1"),
        ("HF133", "GPU for speech recognition', and eu-central-1 has no such group"),
        ("HF141", "'P1' means P1 and P2"),
        ("HF142", "2 people approve, but Database corruption"),
    ],
)
def test_the_reference_plans_contradictions_are_found_with_their_places(code: str, words: str) -> None:
    finding = next(finding for finding in found(code) if words in finding.sentence)
    assert finding.places
    assert finding.hint


def test_nothing_false_is_said_of_the_reference_plan() -> None:
    for code in ("HF119", "HF121", "HF122", "HF123", "HF125", "HF126", "HF127", "HF135", "HF136", "HF137", "HF139", "HF140"):
        assert found(code) == []


@pytest.mark.parametrize(
    ("code", "section", "name", "changes", "words"),
    [
        ("HF119", "components", "application", {"rto": 60.0}, "needs PostgreSQL, which promises 15 min"),
        ("HF121", "profiles", "default", {"hold": 600.0}, "the profile 'default' waits"),
        ("HF122", "components", "dns", {"ttl": 3600.0}, "resolvers may keep the old address for 60 min"),
        ("HF123", "people", "aoife-brennan", {"name": "Platform Engineering Lead"}, "is a post and not a person"),
        ("HF125", "people", "katalin-szabo", {"email": None, "phone": None, "reach": None}, ""),
        ("HF127", "messages", "resolution", {"counts_from": "start"}, "{duration}"),
        ("HF132", "components", "cache", {"only_in": "eu-west-1"}, "Redis exists only in eu-west-1"),
        ("HF134", "dependencies", "language-model", {"area": "US"}, "is in US"),
        ("HF134", "regions", "eu-central-1", {"area": "US"}, "Recordings of calls may be in EU only"),
        ("HF136", "data", "audit-log", {"kept_for": 86400.0}, "'Audit log' is kept for 1 d"),
        ("HF137", "regulations", "gdpr", {"notify_by": None}, "no role does it"),
        ("HF137", "regulations", "gdpr", {"notify_within": 360000.0}, "article 33(1)"),
        ("HF137", "messages", "authority", {"due": 360000.0}, "'authority' is due later"),
        ("HF131", "dependencies", "telephony", {"rto": 7200.0}, "which promises 120 min"),
        ("HF130", "components", "database", {}, "never restores"),
        ("HF111", "components", "cache", {"primary_strategy": " "}, "has no recovery strategy"),
    ],
)
def test_each_rule_fires_on_its_own_mistake(code: str, section: str, name: str, changes: dict[str, Any], words: str) -> None:
    if code == "HF125":
        plan = with_part(section, name, **changes)
        alarm = {**plan.messages, "database-alarm": plan.messages["database-alarm"].model_copy(update={"channels": ("phone",)})}
        findings = found(code, plan.model_copy(update={"messages": alarm}))
    else:
        findings = found(code, with_part(section, name, **changes))
    assert any(words in finding.sentence for finding in findings), [finding.sentence for finding in findings]


def test_a_channel_that_is_lost_with_the_region_is_named() -> None:
    routes = {**PLAN.routes, "email": PLAN.routes["email"].model_copy(update={"regions": ("eu-west-1",), "second": None})}
    assert any("'authority'" in finding.sentence for finding in found("HF126", PLAN.model_copy(update={"routes": routes})))


def test_a_restore_counts_until_its_time_is_over() -> None:
    backups = PLAN.components["cache"].backups
    kept = backups["snapshot"].model_copy(update={"restored_every": 7 * 86400.0, "last_restored": "2026-11-27"})
    young = with_part("components", "cache", backups={"snapshot": kept})
    old = with_part("components", "cache", backups={"snapshot": kept.model_copy(update={"last_restored": "2026-01-01"})})
    assert not any("Redis" in finding.sentence for finding in found("HF130", young))
    assert any("was restored 331 days ago" in finding.sentence for finding in found("HF130", old))


def test_a_version_that_nobody_signed_and_a_plan_that_nobody_may_approve() -> None:
    assert "Engineering Manager and CTO" in found("HF135", PLAN.model_copy(update={"version": "2.0"}))[0].sentence
    nobody = found("HF108", PLAN.model_copy(update={"approval": NOBODY_MAY_APPROVE}))
    assert [finding.severity.value for finding in nobody] == ["error"]


def test_notes_left_over_and_things_added_for_the_lab_are_told_apart() -> None:
    notes = (Note(text="Ask Ann"), Note(text="an approval rule", section="added by --bind lab"))
    plan = PLAN.model_copy(update={"notes": notes})
    assert [len(found(code, plan)) for code in ("HF139", "HF140")] == [1, 1]


def test_every_rule_has_a_code_of_its_own_and_explains_itself() -> None:
    assert len({rule.code for rule in ALL}) == len(ALL)
    for rule in ALL:
        said = rule.explanation
        assert re.fullmatch(r"HF\d{3}", rule.code)
        for text in (said.means, said.why, said.computed, said.mend, said.example):
            assert len(text) > 8, rule.code


def test_the_plan_with_comments_is_the_same_plan() -> None:
    text = REFERENCE.read_bytes()
    loaded = load_bytes(text.replace(b"    rto: 15m\n", b"    rto: 15m # holdfast: ignore HF101 because so\n"), REFERENCE)
    assert loaded.plan == PLAN
    assert [wish.code for wish in loaded.ignores] == ["HF101"] * 3
