"""The report's part about what only the lost side held: counted against the ledgers, listed by name, with what was given back."""

from dataclasses import replace
from io import StringIO
from typing import Any

from rich.console import Console

from holdfast.journal.kinds import Kind
from holdfast.journal.record import following
from holdfast.report.build import build
from holdfast.report.divergence import Divergence, DivergenceComponent, DivergencePart
from holdfast.report.facts import ReportFacts
from holdfast.report.model import Report
from holdfast.report.page import page
from holdfast.report.terminal import summary
from unit.report_facts import DR, HOME, IMPACT, INCIDENT, ReportStory

LOST = ReportStory()


def given(facts: ReportFacts, results: dict[str, str], run: str = "reprotect") -> ReportFacts:
    """With a person's wish to give these back, and what became of each."""
    records = list(facts.records)
    ordered: dict[str, Any] = {"reapply": f"wish-{len(records)}", "by": "aoife-brennan", "run": run, "only": list(results), "region": DR}
    done = {**ordered, "counts": {}, "results": [{"id": name, "result": result, "detail": ""} for name, result in results.items()]}
    for kind, body in ((Kind.REAPPLY_ORDERED, ordered), (Kind.REAPPLIED, done)):
        head = (records[-1].sequence, records[-1].hash)
        records.append(following(head, records[-1].at_seconds, kind, INCIDENT, body))
    return replace(facts, records=tuple(records))


def without_dr(facts: ReportFacts, *keys: str, unexamined: tuple[str, ...] = ()) -> ReportFacts:
    """The way home had to be made without DR, which alone held these."""
    part = DivergencePart(name="all", file="database/all", bytes=0, sha256="", only_here=len(keys), differs=0, deleted_here=0)
    component = DivergenceComponent(
        component="database", kind="postgres", status="exported", how="compared", parts=(part,), unexamined=unexamined, looked_at=True
    )
    export = Divergence(
        incident=INCIDENT, run="way-back", source=DR, target=HOME, order=(0, 3, 1, 9), exported_seconds=IMPACT + 90, components=(component,)
    )
    return replace(facts, divergence_on_return=export, held_on_return={("database", key): "only-here" for key in keys})


def keys_lost_on_return(facts: ReportFacts) -> list[str]:
    (database,) = [contents for contents in facts.at_end if contents.store == "database"]
    written = [
        entry.key or "" for entries in facts.ledgers.values() for entry in entries if entry.store == "database" and entry.region == DR
    ]
    return [key for key in written if key and database.records is not None and key not in database.records]


def shown(report: Report) -> str:
    written = StringIO()
    Console(width=400, file=written).print(summary(report, "somewhere"))
    return written.getvalue()


def rules(report: Report) -> list[str]:
    return [rule.result for rule in report.rules if rule.name == "divergence"]


def test_every_entry_is_listed_and_says_whether_it_was_given_back() -> None:
    facts = LOST.facts()
    first, second, third = [name for component, name in facts.held_there if component == "database"]
    there = build(given(facts, {first: "applied", f"database:{second}": "already", third: "conflict"})).only_there
    assert {(one.id, one.given_back) for one in there.listed if one.component == "database"} == {
        (first, True),
        (second, True),
        (third, False),
    }
    assert (there.given_back, there.differences, len(there.listed)) == (2, 6, 6)
    assert (there.lost_found, there.lost_missing) == (3, 0)


def test_page_and_terminal_name_them() -> None:
    facts = LOST.facts()
    first = next(name for component, name in facts.held_there if component == "database")
    report = build(given(facts, {first: "applied"}))
    text = page(report)
    assert f"<code>{first}</code>" in text and "Given back as people chose: 1" in text
    said = shown(report)
    assert f"Only on the lost side ({HOME}), exported: database 3, cache 0, storage 3; 3 of 3 lost acknowledged writes found there" in said
    assert "; 1 given back." in said


def test_a_long_list_is_cut_and_says_of_how_many() -> None:
    facts = LOST.facts()
    held = {("database", f"calls/{number}"): "only-here" for number in range(150)}
    there = build(replace(facts, held_there={**facts.held_there, **held})).only_there
    assert len(there.listed) == 100


def test_what_dr_alone_held_is_told_where_home_was_reached_without_it() -> None:
    facts = replace(LOST, lost_on_return=2).facts()
    keys = keys_lost_on_return(facts)
    assert len(keys) == 2
    of_the_other_export = given(without_dr(facts, *keys), {keys[1]: "applied"})
    report = build(given(of_the_other_export, {keys[0]: "applied"}, run="way-back"))
    there = report.only_there_on_return
    assert (there.region, there.lost_found, there.lost_missing, there.given_back) == (DR, 2, 0, 1)
    assert rules(report) == ["pass", "pass"]
    assert f"Only on the lost side ({DR})" in shown(report) and "not examined" not in shown(report)
    assert 'id="only-there-on-return"' in page(report)

    unexplained = build(without_dr(facts, keys[0]))
    assert unexplained.only_there_on_return.lost_missing == 1
    assert rules(unexplained) == ["pass", "fail"]


def test_what_nobody_could_look_at_leaves_unknown_whether_that_was_all_though_every_lost_write_is_there() -> None:
    facts = replace(LOST, lost_on_return=2).facts()
    report = build(without_dr(facts, *keys_lost_on_return(facts), unexamined=("a table was emptied (TRUNCATE)",)))
    assert report.only_there_on_return.lost_missing == 0
    assert rules(report) == ["pass", "unknown"]
    (sentence,) = [rule.sentence for rule in report.rules if rule.name == "divergence" and rule.result == "unknown"]
    assert "may have held more alone than the 2 differences exported" in sentence
    assert "database: a table was emptied (TRUNCATE)" in sentence
    assert "1 thing not examined" in shown(report)


def test_a_way_home_that_was_handed_over_has_nothing_to_tell() -> None:
    report = build(LOST.facts())
    assert rules(report) == ["pass"]
    assert "only-there-on-return" not in page(report)
