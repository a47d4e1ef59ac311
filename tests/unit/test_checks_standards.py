"""What standards ask of a plan: covered where the plan says it, and told what this very plan lacks where it doesn't."""

import re
from typing import Any

import pytest

from holdfast.checks import check
from holdfast.checks.standards import STANDARDS, Answer, covered
from holdfast.checks.standards.clocks import CLOCKS, DORA, DORA_FINAL, DORA_INTERMEDIATE
from holdfast.plan.model import NOBODY_MAY_APPROVE, Plan
from unit.plan_texts import REFERENCE, plan_with
from unit.sound_plan import REMOVED, with_mistake

ALWAYS = {"impact", "scenarios", "second_region"}
"""Evidence without which a plan doesn't load: nothing is ever lacking of it."""


def answers(standard: str, plan: Plan) -> dict[str, Answer]:
    """Clause → what the plan says to it; of a clause that stands there twice the last."""
    return {one.requirement.clause: one.answer for one in covered(STANDARDS[standard], plan)}


def whole() -> Plan:
    """A plan that lacks nothing that any of the standards asks for."""
    functions = ("voice", "pms", "authentication", "analytics", "configuration")
    needing = ("edge", "media", "language-model", "speech-synthesis", "apaleo", "mews", "opera", "cloudbeds", "siteminder")
    changes: dict[str, Any] = {f"functions.{name}.mtpd": "4h" for name in functions}
    changes |= {f"dependencies.{name}.fallback": "People do it by hand" for name in needing}
    changes |= {"regulations.dora": {"name": "DORA", "notify": "Authority", "notify_within": "24h", "notify_by": "communication-lead"}}
    for stage, within in (("intermediate", "96h"), ("final", "32d")):
        report = {"name": f"DORA {stage} report", "notify": "Authority", "notify_within": within, "notify_by": "communication-lead"}
        changes[f"regulations.dora-{stage}"] = report
    changes["procedures.card-numbers"] = {"name": "Card numbers found where none belong", "steps": ["Isolate", "Ask the acquirer"]}
    return with_mistake(changes).plan


def bare() -> Plan:
    """A plan that says as little as loads."""
    plan = plan_with()
    empty: dict[str, Any] = {
        name: type(value)()
        for name, value in plan
        if isinstance(value, (dict, tuple)) and name not in ("functions", "regions", "scenarios")
    }
    regions = {name: one.model_copy(update={"node_groups": {}}) for name, one in plan.regions.items()}
    scenarios = {
        "outage": plan.scenarios["regional-outage"].model_copy(update={"triggers": (), "way_back": (), "rollback": (), "name": "Outage"})
    }
    proving = scenarios["outage"].phases[:1]
    scenarios["outage"] = scenarios["outage"].model_copy(update={"phases": proving})
    control = plan.document.model_copy(
        update={"owner": " ", "approved_by": (), "approvals": (), "next_review": None, "review_every": None, "retention": None}
    )
    nothing = plan.objectives.model_copy(update={"rto": None, "rpo": None})
    return plan.model_copy(
        update={
            **empty,
            "summary": "",
            "regions": regions,
            "scenarios": scenarios,
            "document": control,
            "objectives": nothing,
            "approval": NOBODY_MAY_APPROVE,
        }
    )


@pytest.mark.parametrize("name", STANDARDS)
def test_a_plan_that_says_everything_lacks_nothing(name: str) -> None:
    assert {one.requirement.clause: one.answer.lacks for one in covered(STANDARDS[name], whole()) if not one.is_whole} == {}


@pytest.mark.parametrize("name", STANDARDS)
def test_a_bare_plan_lacks_everything_that_a_plan_can_do_without(name: str) -> None:
    for one in covered(STANDARDS[name], bare()):
        if getattr(one.requirement.evidence, "__name__", "") not in ALWAYS:
            assert one.answer.lacks, f"{one.requirement.clause} {one.requirement.asks}"


@pytest.mark.parametrize("plan", [plan_with(), whole(), bare()], ids=["reference", "whole", "bare"])
@pytest.mark.parametrize("name", STANDARDS)
def test_nobody_is_advised_to_write_what_is_there(name: str, plan: Plan) -> None:
    for one in covered(STANDARDS[name], plan):
        for lack in one.answer.lacks:
            key = re.search(r"'([a-z_]+)'", lack.write)
            for place in lack.places:
                assert (*place, key[1] if key else "") not in one.answer.has
                assert not any(has[: len(place)] == place and len(has) > len(place) + 1 for has in one.answer.has), lack


@pytest.mark.parametrize(
    ("standard", "clause", "write", "places"),
    [
        (
            "iso-22301",
            "8.2.2",
            "write 'mtpd'",
            [("functions", name) for name in ("voice", "pms", "authentication", "analytics", "configuration")],
        ),
        (
            "iso-22301",
            "8.4.5",
            "write 'way_back', or 'rollback' in words",
            [("scenarios", "database-corruption"), ("scenarios", "security-breach")],
        ),
        ("gdpr", "32(1)(c)", "write 'backups'", [("components", "storage")]),
        ("gdpr", "32(1)(d)", "write 'every' (a year at most)", [("exercises", "tabletop")]),
        (
            "soc-2",
            "A1.3",
            "write 'restored_every'",
            [("components", "database", "backups", key) for key in ("log", "snapshot", "frequent")]
            + [("components", "cache", "backups", "snapshot")],
        ),
        ("dora", "19(4)(b)", "write a regulation 'dora-intermediate' with 'notify_within' (at most 4d) and 'notify_by'", []),
        ("dora", "19(4)(a)", "write a regulation 'dora' with 'notify_within' (at most 1d) and 'notify_by'", []),
    ],
)
def test_what_the_reference_plan_lacks_is_said_with_its_places(
    standard: str, clause: str, write: str, places: list[tuple[str, ...]]
) -> None:
    lacks = answers(standard, plan_with())[clause].lacks
    assert [(lack.write, list(lack.places)) for lack in lacks] == [(write, places)]


def test_a_plan_that_names_the_law_is_held_to_the_laws_own_clock() -> None:
    late = with_mistake(
        {
            "regulations.gdpr.notify_within": "73h",
            "regulations.other": {"name": "Other", "notify_within": "1h", "notify_by": "communication-lead"},
        }
    )
    lack = answers("gdpr", late.plan)["33(1)"].lacks[0]
    assert lack.places == (("regulations", "gdpr"),)
    assert "at most 3d" in lack.write


@pytest.mark.parametrize("name", STANDARDS)
def test_every_row_names_the_public_source_that_asks_for_it(name: str) -> None:
    for row in STANDARDS[name].requirements:
        numbered = re.search(r", (?:article|clause|section|requirement|Annex A) ([0-9.]+) \(", row.source)
        named = row.source.endswith(", availability") and row.clause.startswith("A1.")  # a category of criteria has a name and no number
        within = numbered is not None and re.match(rf"(?:A\.)?{re.escape(numbered[1])}(?![0-9])", row.clause) is not None
        assert within or named, (row.clause, row.source)


def test_each_of_doras_three_reports_is_held_to_its_own_clock() -> None:
    """The limits count from the step before: a day, three days after that, a month after that; a plan's count from becoming aware."""
    assert [clock.limit_seconds(bare()) / 3600 for clock in (DORA, DORA_INTERMEDIATE, DORA_FINAL)] == [24, 96, 96 + 28 * 24]
    by_name = {"dora": DORA, "dora-intermediate": DORA_INTERMEDIATE, "dora-final": DORA_FINAL}
    for name, clock in by_name.items():
        assert [one for one in CLOCKS if one.is_about(name, "Report")] == [clock]
    late = with_mistake(
        {
            "regulations.dora-final": {
                "name": "DORA final report",
                "notify": "Authority",
                "notify_within": "40d",
                "notify_by": "communication-lead",
            }
        }
    )
    assert answers("dora", late.plan)["19(4)(c)"].lacks[0].places == (("regulations", "dora-final"),)
    assert any("the final report within" in finding.sentence for finding in check(late.plan) if finding.code == "HF137")


def test_a_later_report_to_the_same_authority_is_no_late_notice() -> None:
    follow_up = {
        "regulations.gdpr.notify": "Data protection authority",
        "messages.authority-follow-up": {
            "audience": ["authority"],
            "channels": ["email"],
            "due": "30d",
            "subject": "Follow-up",
            "body": "What was found since.",
        },
    }
    plan = with_mistake(follow_up).plan
    assert not [one for one in check(plan) if one.code == "HF137" and "follow-up" in one.sentence]


@pytest.mark.parametrize(
    ("section", "clauses"),
    [("training", {"iso-22301": "7.2", "nist-800-34": "3.5.2", "pci-dss": "12.10.4"}), ("rotations", {"pci-dss": "12.10.3"})],
)
def test_a_section_that_is_taken_out_is_missing_in_the_standards_that_ask_for_it(section: str, clauses: dict[str, str]) -> None:
    for name, clause in clauses.items():
        assert not answers(name, plan_with())[clause].lacks
        assert [lack.write.partition(":")[0] for lack in answers(name, plan_with().model_copy(update={section: {}}))[clause].lacks] == [
            f"write '{section}'"
        ]


def test_what_is_lacking_names_places_that_can_be_pasted(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from holdfast.cli.main import run

    monkeypatch.setenv("COLUMNS", "300")
    assert run(["check", str(REFERENCE), "--standard", "gdpr"]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "in part" in said
    assert re.search(r"write 'backups': components\.storage \(plan\.yaml:\d+\); there already: plan\.yaml:\d+", said)


def test_the_help_names_every_standard(capsys: pytest.CaptureFixture[str]) -> None:
    from holdfast.cli.main import run

    assert run(["check", "--help"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in STANDARDS)


def dora(**within: str) -> Plan:
    """A plan with DORA's reports to one authority, each with its time."""
    names = {"first": "dora", "intermediate": "dora-intermediate", "final": "dora-final"}
    report = {"notify": "Authority", "notify_by": "communication-lead"}
    return with_mistake(
        {
            f"regulations.{names[stage]}": {"name": f"DORA {'' if stage == 'first' else stage} report", "notify_within": time, **report}
            for stage, time in within.items()
        }
    ).plan


@pytest.mark.parametrize(
    ("within", "late"),
    [
        ({"first": "4h", "intermediate": "76h"}, {}),
        ({"first": "4h", "intermediate": "77h"}, {"dora-intermediate": ("3 d 4 h", "dora")}),
        ({"first": "4h", "intermediate": "96h"}, {"dora-intermediate": ("3 d 4 h", "dora")}),
        ({"first": "24h", "intermediate": "96h"}, {}),
        ({"first": "30h", "intermediate": "97h"}, {"dora": ("1 d", ""), "dora-intermediate": ("4 d", "dora")}),
        ({"intermediate": "96h"}, {}),
        ({"first": "4h", "intermediate": "10h", "final": "682h"}, {}),
        ({"first": "4h", "intermediate": "10h", "final": "683h"}, {"dora-final": ("28 d 10 h", "dora-intermediate")}),
        ({"first": "4h", "final": "748h"}, {}),
        ({"first": "4h", "final": "749h"}, {"dora-final": ("31 d 4 h", "")}),
    ],
)
def test_a_report_counts_from_the_plans_own_report_before_it(within: dict[str, str], late: dict[str, tuple[str, str]]) -> None:
    plan = dora(**within)
    found = {
        finding.places[0][1]: (finding.sentence, ".".join(map(str, finding.places[1][1:2])) if len(finding.places) > 1 else "")
        for finding in check(plan)
        if finding.code == "HF137" and "and the plan gives" in finding.sentence
    }
    assert {name: before for name, (_, before) in found.items()} == {name: before for name, (_, before) in late.items()}
    for name, (limit, _) in late.items():
        assert f"within {limit} (" in found[name][0], found[name][0]
    covered_by = {"dora": "19(4)(a)", "dora-intermediate": "19(4)(b)", "dora-final": "19(4)(c)"}
    given = {"first": "dora", "intermediate": "dora-intermediate", "final": "dora-final"}
    for stage in within:
        assert bool(answers("dora", plan)[covered_by[given[stage]]].lacks) == (given[stage] in late)


def to_the_authority(due: str, subject: str = "Report") -> dict[str, Any]:
    return {"audience": ["authority"], "channels": ["email"], "due": due, "subject": subject, "body": "What is known."}


@pytest.mark.parametrize(
    ("messages", "without"),
    [
        ({"notice": to_the_authority("4h")}, {"dora-intermediate", "dora-final"}),
        ({"notice": to_the_authority("4h"), "second": to_the_authority("70h")}, {"dora-final"}),
        ({"notice": to_the_authority("4h"), "second": to_the_authority("70h"), "third": to_the_authority("30d")}, set()),
        ({"notice": to_the_authority("4h"), "third": to_the_authority("30h", "Final report")}, {"dora-intermediate"}),
        ({"interim": to_the_authority("4h"), "third": to_the_authority("30h", "Final report")}, {"dora"}),
    ],
)
def test_a_message_is_one_of_an_authoritys_reports_and_not_all_of_them(messages: dict[str, Any], without: set[str]) -> None:
    authority = "Data protection authority"
    entries = {"dora": ("DORA", "4h"), "dora-intermediate": ("DORA", "76h"), "dora-final": ("DORA", "31d")}
    changes: dict[str, Any] = {
        f"regulations.{key}": {"name": name, "notify": authority, "notify_within": within, "notify_by": "communication-lead"}
        for key, (name, within) in entries.items()
    }
    changes |= {f"messages.{name}": message for name, message in messages.items()} | {
        "messages.authority": REMOVED,
        "regulations.gdpr": REMOVED,
    }
    found = [one for one in check(with_mistake(changes).plan) if one.code == "HF137"]
    assert {one.places[0][1] for one in found} == without, [one.sentence for one in found]
    assert all("no message that goes there is this report" in one.sentence for one in found)


def test_a_report_of_another_law_to_the_same_authority_is_none_before_it() -> None:
    authority = "Data protection authority"
    report = {"notify": authority, "notify_by": "communication-lead"}
    plan = with_mistake(
        {
            "regulations.gdpr.notify": authority,
            "regulations.dora": {"name": "DORA", "notify_within": "4h", **report},
            "regulations.dora-intermediate": {"name": "DORA", "notify_within": "76h", **report},
            "messages.notice": to_the_authority("4h"),
            "messages.second": to_the_authority("70h"),
        }
    ).plan
    assert plan.regulations["gdpr"].notify_within == 72 * 3600
    assert not [one.sentence for one in check(plan) if one.code == "HF137" and "dora-intermediate" in one.places[0]]
