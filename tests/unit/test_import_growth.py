"""An import's work grows with its document and no faster, whatever the document is made of.

Work is counted in lines of Python that are run, so that the same document gives the same count on any machine. What a single long line
costs is done in regular expressions, where nothing can be counted: there the CPU time of four times the line is held against the line's.
"""

import gc
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from bench.import_growth import SHAPES

from holdfast.document.reading import DocumentError, import_document, tree
from holdfast.document.reading.damage import MOST_BYTES, MOST_LINES
from holdfast.document.reading.markdown import DEEPEST

SOME = 40
"""Pieces of a document."""
TELLING = (
    "functions",
    "functions of one name",
    "functions asked about",
    "functions, two promises in a column",
    "resources",
    "function items",
    "losses of others",
    "components of one kind",
    "roles",
    "exercises",
    "functions and dependencies",
    "roles and steps",
    "messages and steps",
    "functions and messages",
    "templates",
    "headings",
    "scenarios",
    "triggers",
    "steps of one name",
    "reference definitions",
    "html tables",
    "drawn pairs",
    "drawn groups in groups",
)
"""Kinds of documents in which things look for each other; `make prove` looks at the others too."""


def imported(text: str, bind: str = "") -> None:
    try:
        import_document(text.encode(), "any.md", bind)
    except DocumentError as error:
        assert error.message and error.hint


def work(text: str, bind: str = "") -> int:
    """Lines of Python that an import runs."""
    count = 0

    def counted(_frame: FrameType, event: str, _argument: Any) -> Callable[..., Any]:
        nonlocal count
        count += event == "line"
        return counted

    before = sys.gettrace()
    sys.settrace(counted)
    try:
        imported(text, bind)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name in TELLING else pytest.mark.prove) for name in SHAPES])
def test_each_piece_more_is_as_much_more_work_as_the_one_before(name: str) -> None:
    """Were the work a straight line, the second and the third lot of pieces would add the same. A square shows in the difference."""
    shape = SHAPES[name]
    imported(shape(3 * SOME))  # what is made once for the process is not the document's
    once, twice, thrice = (work(shape(SOME * times)) for times in (1, 2, 3))
    bent = (thrice - twice) - (twice - once)
    assert bent <= 0.04 * thrice, (once, twice, thrice)


def test_what_a_heading_says_is_worked_out_as_often_in_a_long_document_as_in_a_short_one() -> None:
    """More headings than are remembered: each recogniser that asks them all must not work each of them out anew."""

    def made(headings: int) -> float:
        tree._normal_again.cache_clear()
        imported(SHAPES["headings"](headings))
        return tree._normal_again.cache_info().misses / headings

    remembered = tree._normal_again.cache_parameters()["maxsize"]
    assert made(remembered + 500) <= made(500) + 0.5


def test_binding_to_the_lab_is_no_more_work_for_each_step_either() -> None:
    head = "## Scenario 1: Loss of the region\n\n### Response\n\n"

    def counted(many: int) -> int:
        return work(head + "".join(f"- Update load balancer and DNS {number}\n" for number in range(many)), "lab")

    counted(3 * SOME)
    once, twice, thrice = (counted(SOME * times) for times in (1, 2, 3))
    assert (thrice - twice) - (twice - once) <= 0.04 * thrice, (once, twice, thrice)


LONG = {
    "quotes": "> ",
    "lists": "- ",
    "brackets": "[",
    "definitions": "[a]: ‹ ",
    "emphasis": "*",
    "strong": "**a",
    "pipes": "| ",
    "ticks": "`",
    "digits": "1",
    "ranges": "1-",
    "thousands": "1,000",
    "addresses": "a@",
    "dotted addresses": "a.b@c.d.",
    "numbers to call": "+1 2",
    "tags": "<a ",
    "comments": "<!-- ",
    "entities": "&amp;",
    "capitals": "A",
    "names": "Aa Bb ",
    "labels": "a: ",
    "words": "one ",
    "promises": "promote ",
    "returns": "back again ",
    "losses": "lose at most 5 min ",
    "objectives": "rto of rpo ",
    "owners": "lose 5 min of data of a ",
    "borne losses": "can lose the orders for a day ",
    "restorers": "we restore a ",
    "nothing to promise": "rpo is n/a ( ",
    "roles": "Ann Bee is the ",
    "steps": "update the change the ",
    "leaders": "Ann Bee leads the response ",
    "approvers": "Ann Bee and the board approve the failover ",
    "courtesies": "Dr. ",
    "labels beside each other": "Version: 1 | ",
    "doers": "The é nurse é checks ",
    "windows": "(0-5 min) ",
    "blanks": " \t",
    "damage": "â€œ",
}


@pytest.mark.parametrize("name", LONG)
def test_a_line_four_times_as_long_takes_about_four_times_as_long(name: str) -> None:
    """Three tries, the quickest counts: other work on the machine makes them longer, never shorter."""

    def seconds(length: int) -> float:
        line = (LONG[name] * length)[:length]
        places = f"# Roles\n\n{line}\n\n- {line}\n\n## Scenario 1: x\n\n- {line}\n\n| Function | RTO |\n| --- | --- |\n| a | x{line} |\n"
        begin = time.process_time()
        imported(places)
        return time.process_time() - begin

    gc.collect()
    short = min(seconds(4_900) for _ in range(3))
    assert min(seconds(19_600) for _ in range(3)) < 10 * max(short, 0.004)


@pytest.mark.parametrize(
    ("text", "says", "line"),
    [
        ("x" * (MOST_BYTES + 1), "larger than", None),
        ("x\n" * (MOST_LINES + 1), "lines", MOST_LINES),
        ("a\n\n" + "x" * 20_001, "longer than 20000 characters", 3),
        ("# x\n\n" + "> " * 60 + "x", "too deep", 3),
        ("# x\n\n" + "".join(f"{'  ' * deep}- x\n" for deep in range(30)), "too deep", 22),
        ("# x\n<table><tr>" + "<td colspan=50 rowspan=500>x\n" * 3_000 + "</table>", "too many cells", 2),
        ("# x\n<table>\n<tr><td rowspan=500 colspan=50>" + "long " * 1000 + "\n" + "<tr>\n" * 499 + "</table>", "too much text", 19),
        ("# x\n```mermaid\ngraph TB\n" + 'subgraph "Primary"\n' * 30 + "```\n", "too deep", 24),
    ],
)
def test_what_is_no_plan_is_refused_with_its_place(text: str, says: str, line: int | None) -> None:
    with pytest.raises(DocumentError, match=says) as caught:
        import_document(text.encode(), "any.md")
    assert caught.value.line == line and caught.value.hint


@pytest.mark.parametrize("deep", [1, DEEPEST // 2 - 1])
def test_what_is_nested_less_deeply_is_kept_whole(deep: int) -> None:
    text = "# x\n\n" + "".join(f"{'  ' * level}- word{level}\n" for level in range(deep))
    kept = import_document(text.encode(), "any.md").text
    assert all(f"word{level}" in kept for level in range(deep))


def test_a_table_wider_than_any_table_of_a_plan_is_told_and_not_typed() -> None:
    heads = ["Function", "RTO", *(f"c{number}" for number in range(80))]
    rows = [heads, ["---"] * len(heads), ["Booking", "4 h", *["x"] * 80]]
    got = import_document("".join(f"| {' | '.join(row)} |\n" for row in rows).encode(), "any.md")
    assert "functions" not in got.value and [note.line for note in got.notes] == [3] and "Booking" in got.notes[0].text


def test_many_entries_of_one_name_are_numbered_in_turn() -> None:
    text = "# T\n\n| Test | Frequency | Success criteria |\n| --- | --- | --- |\n" + "| Move | Weekly | RTO < 15 min |\n" * 300
    names = list(import_document(text.encode(), "any.md").value["exercises"])
    assert names == ["move", *(f"move-{number}" for number in range(2, 301))]
