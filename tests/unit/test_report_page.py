"""The page and the terminal's table: complete, self-contained, honest, and safe with whatever the plan and the journal say."""

import io
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console

from holdfast.drill.conclusion import broken_promises
from holdfast.report.build import build
from holdfast.report.drawing import Scale, strips
from holdfast.report.model import ClientRun, Finding, Report
from holdfast.report.page import page
from holdfast.report.terminal import summary
from holdfast.report.write import read, write
from unit.conduct_on_paper import LOADED
from unit.report_facts import ReportStory

EVIL = '"><script>alert(1)</script>[bold red]{{ 7*7 }}'


@cache
def reports() -> dict[str, Report]:
    facts = ReportStory().facts()
    stopped = ReportStory(
        kind="incident", way_back=False, failover_outcome=None, loss_bound_seconds=None, outcomes={"deploy": ("failed", "no")}
    ).facts()
    nothing = replace(facts, records=(), ledgers={}, after_failover=(), before_reprotect=(), at_end=(), incident="")
    evil = replace(facts, findings=(Finding(about=EVIL, result="unknown", sentence=EVIL),), profile=EVIL, plan_digest=EVIL)
    return {"pass": build(facts), "stopped": build(stopped), "nothing": build(nothing), "evil": build(evil)}


ALL = ("pass", "stopped", "nothing", "evil")


def _terminal(report: Report, width: int = 100, *, soft_wrap: bool = False) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=width, highlight=False, soft_wrap=soft_wrap).print(summary(report, "var/demo"))
    return out.getvalue().splitlines()


class _Tags(HTMLParser):
    """Every tag with its attributes, and whether each that opens is closed."""

    VOID = frozenset({"meta", "link", "line", "rect", "path", "circle"})

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", ALL)
def test_the_page_is_well_formed_and_loads_nothing(name: str) -> None:
    text = page(reports()[name])
    parser = _Tags()
    parser.feed(text)
    assert parser.open == []
    assert not [tag for tag, _ in parser.tags if tag in ("script", "iframe", "img", "object", "video", "audio", "form")]
    for tag, attributes in parser.tags:
        for attribute in ("src", "href", "srcset", "action", "data"):
            value = attributes.get(attribute)
            assert value is None or value.startswith(("#", "data:image/png;base64,")), (tag, value)
        assert not any(attribute.startswith("on") for attribute in attributes)
    assert not re.search(r"@import|url\((?!#)", text)
    assert "default-src 'none'" in text


def test_the_page_of_a_demo_is_small_and_its_first_view_smaller() -> None:
    text = page(reports()["pass"])
    assert len(text.encode()) < 150_000
    assert len(text[: text.index("<main")].encode()) < 20_000


@pytest.mark.parametrize("name", ALL)
def test_words_from_plan_and_journal_stay_words(name: str) -> None:
    text = page(reports()[name])
    assert "<script" not in text
    if name == "evil":
        assert "&lt;script&gt;alert(1)" in text
        assert "{{ 7*7 }}" in text
        assert any("[bold red]" in line for line in _terminal(reports()["evil"], 400))


def test_an_exercise_says_so_in_title_stripe_and_on_every_line_of_the_terminal() -> None:
    text = page(reports()["pass"])
    assert re.search(r"<title>EXERCISE: [^<]+: PASS</title>", text)
    assert '<div class="stripe"' in text
    assert "<h1>EXERCISE: " in text
    assert all(line.startswith("EXERCISE") for line in _terminal(reports()["pass"]))


def test_a_real_incident_never_says_exercise() -> None:
    assert "EXERCISE" not in page(reports()["stopped"])
    assert not any("EXERCISE" in line for line in _terminal(reports()["stopped"]))


@pytest.mark.parametrize(("name", "word"), [("pass", "✓ PASS"), ("stopped", "✕ FAIL"), ("nothing", "? UNKNOWN")])
def test_the_verdict_is_the_first_line_and_the_next_command_the_last(name: str, word: str) -> None:
    lines = [line.removeprefix("EXERCISE ") for line in _terminal(reports()[name])]
    assert lines[0].startswith(word)
    assert lines[-1].startswith("next: ")
    text = page(reports()[name])
    assert text.index(word) < text.index("<main")


def test_the_terminal_shows_the_critical_path_with_what_each_step_took() -> None:
    whole = " ".join(" ".join(line.removeprefix("EXERCISE").split()) for line in _terminal(reports()["pass"]))
    path = whole.split("Critical path: ")[1].split(" Lost ")[0]
    shown = re.findall(r"([a-z-]+) [\d.]+ (?:ms|s|min)", path)
    critical = [step.step for step in reports()["pass"].steps if step.critical and step.run == "failover"]
    assert len(shown) > 3 and set(shown) <= set(critical)


def test_the_terminal_shows_every_function_with_targets_and_actuals() -> None:
    lines = _terminal(reports()["pass"])
    voice = next(line for line in lines if "Voice Call Processing" in line)
    assert re.search(r"15 min +13 s +5 min +3\.8 s +291 +2 +✓ met", voice)
    joined = " ".join(line.removeprefix("EXERCISE ") for line in lines)
    for words in ("Outage 15 s", "detection 2.1 s", "lease and fence 2.7 s", "bound of 4.4 s", "0 violations"):
        assert words in joined


@pytest.mark.parametrize("soft_wrap", [False, True])
def test_the_terminal_loses_no_word_in_80_columns(soft_wrap: bool) -> None:
    lines = _terminal(reports()["pass"], 80, soft_wrap=soft_wrap)
    assert soft_wrap or all(len(line.rstrip()) <= 80 for line in lines)
    joined = " ".join(line.removeprefix("EXERCISE ").strip() for line in lines)
    assert "clients noticing 5.6 s." in joined


def test_reasons_stand_in_the_terminal_when_it_is_no_pass() -> None:
    joined = " ".join(_terminal(reports()["stopped"], 400))
    for reason in reports()["stopped"].reasons:
        assert reason in joined


def test_a_stopped_failover_names_the_missing_figures_unknown_and_shows_what_there_is() -> None:
    text = page(reports()["stopped"])
    assert "bound unknown" in text
    assert "✕ failed" in text
    assert "not done" in text


def test_unknown_is_said_as_a_word() -> None:
    text = page(reports()["nothing"])
    assert "? unknown" in text
    assert "N/A" not in text
    assert "None" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)


def test_files_are_written_whole_and_read_back(tmp_path: Path) -> None:
    written = write(reports()["pass"], tmp_path / "demo")
    assert sorted(path.name for path in (tmp_path / "demo").iterdir()) == ["report.html", "report.json"]
    assert read(tmp_path / "demo") == reports()["pass"]
    before = written.json.read_text(encoding="utf-8")
    write(reports()["stopped"], tmp_path / "demo")
    assert written.json.read_text(encoding="utf-8") != before


def test_a_strip_with_more_changes_than_pixels_shows_the_worst_of_each_column() -> None:
    function = reports()["pass"].functions[0]
    runs = tuple(
        ClientRun(
            state="failed" if index == 777 else "ok" if index % 2 else "slow",
            start_seconds=index / 2,
            end_seconds=index / 2 + 0.5,
            requests=1,
            failed=0,
        )
        for index in range(4000)
    )
    strip = strips([function.model_copy(update={"clients": runs})], Scale(0.0, 2000.0))[0]
    assert len(strip.cells) == 400
    assert [cell.state for cell in strip.cells].count("failed") == 1


def test_axes_have_few_round_ticks() -> None:
    for end in (0.3, 13.2, 75.0, 1800.0, 90000.0, 4e6):
        ticks = Scale(0.0, end).ticks()
        assert 1 <= len(ticks) <= 7
        assert ticks[0].text == "0 s"


def test_what_the_plan_contradicts_is_no_rule_that_the_drill_missed() -> None:
    facts = ReportStory().facts()
    shown = page(build(replace(facts, findings=broken_promises(LOADED))))
    rows = [row for row in shown.split("<li>") if "The plan contradicts itself." in row]
    assert len(rows) == len(broken_promises(LOADED)) > 5
    assert not any("missed" in row.split("</li>")[0] for row in rows)
