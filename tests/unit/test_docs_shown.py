"""The docs show what commands print now. When this is red, look at what changed, then run `make docs`."""

import pytest

from unit.docs_shown import PAGES, ROOT, Transcript, comparable, renewed, transcripts


def read(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_what_its_commands_print(name: str) -> None:
    page = read(name)
    shown, printed = ([block for _, block in transcripts(text) if isinstance(block, Transcript)] for text in (page, renewed(page)))
    for before, after in zip(shown, printed, strict=True):
        if before.needs is None:
            assert comparable(before.text) == comparable(after.text), "run `make docs`"


@pytest.mark.parametrize("name", PAGES)
def test_no_command_of_these_pages_is_shown_without_a_mark(name: str) -> None:
    page = read(name)
    marked = {command for _, block in transcripts(page) if isinstance(block, Transcript) for command in block.commands()}
    assert marked
    assert {line.strip().removeprefix("$ ") for line in page.splitlines() if line.strip().startswith("$ ")} <= marked


def test_a_page_that_went_stale_is_seen_and_written_anew() -> None:
    page = "<!-- shown, first 1 lines -->\n```console\n$ holdfast explain HF101\nHF101: as it was once\n```\nafter\n"
    after = renewed(page)
    assert "$ holdfast explain HF101\nHF101: functions come back in time\n…\n```\nafter\n" in after
    assert comparable(after) != comparable(page)
    assert renewed(after) == after


def test_a_page_is_the_same_on_another_day_wherever_its_lines_break() -> None:
    assert comparable("restored 971\n   days ago (12\n bytes)") == comparable("restored 9 days\n  ago (1234 bytes)")
    assert comparable("restored 971 days ago") != comparable("restored in 971 days")


def test_a_mark_that_says_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="neither"):
        list(transcripts("<!-- shwon -->\n```\n$ holdfast explain\n```\n"))
