"""Any file at all: a plan, or one clear error with its place."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.document.reading import DocumentError, import_document
from holdfast.document.reading.damage import MOST_BYTES
from holdfast.plan.loader import PlanError, load_bytes

DOCUMENTS = sorted((Path(__file__).parent / "documents").glob("*.md"))
PIECES = st.sampled_from(
    [
        "# Functions\n",
        "## Scenario 1: x\n",
        "| Function | RTO |\n| --- | --- |\n| a | 4 h |\n",
        "- **Primary**: A\n",
        "1. **X (0-5 min)**\n   - y\n",
        "> " * 30,
        "```mermaid\ngraph TB\n",
        "```\n",
        "<table>",
        "</table>\n",
        "<tr><td colspan=99 rowspan=99>x",
        "---\n",
        "**bold**\n",
        "[x]\n",
        "â€",
        "\x00",
        "\x85",
        "- " * 30,
        "*" * 30,
        "a: b\n",
        "RTO of 4 hours",
        "@",
        "\ud7ff",
        "  ",
    ]
)


def outcome(content: bytes) -> None:
    """Import; what comes out is a plan that loads when it says that it is complete, and an error has a place or says why it has none."""
    try:
        for bind in ("", "lab"):
            got = import_document(content, "any.md", bind)
            try:
                load_bytes(got.text.encode(), Path("plan.yaml"))
            except PlanError as error:
                assert not got.complete, error
    except DocumentError as error:
        assert error.message and (error.line is None or error.line >= 1)


@given(st.binary(max_size=400))
def test_any_bytes(content: bytes) -> None:
    outcome(content)


@given(st.text(max_size=400))
def test_any_text(text: str) -> None:
    outcome(text.encode("utf-8", "replace"))


@given(st.lists(PIECES, max_size=25))
def test_any_order_of_what_documents_are_made_of(pieces: list[str]) -> None:
    outcome("".join(pieces).encode("utf-8", "replace"))


@given(
    st.sampled_from(DOCUMENTS), st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 80), st.text(max_size=8)), min_size=1, max_size=6)
)
def test_a_document_with_pieces_cut_out_and_put_in(path: Path, cuts: list[tuple[int, int, str]]) -> None:
    text = path.read_text()
    for at, length, put in cuts:
        text = text[:at] + put + text[at + length :]
    outcome(text.encode("utf-8", "replace"))


@given(st.sampled_from(DOCUMENTS), st.randoms(use_true_random=False))
def test_a_document_with_its_lines_shuffled(path: Path, dice: object) -> None:
    lines = path.read_text().split("\n")
    dice.shuffle(lines)  # type: ignore[attr-defined]
    outcome("\n".join(lines).encode())


@pytest.mark.parametrize(
    "content",
    [
        b"> " * 9_000,
        b"- " * 9_000,
        b"[" * 19_000,
        b"*" * 19_000,
        b"| " * 9_000,
        b"<table>" * 3_000 + b"</table>",
        b"`" * 19_000,
        b"(" * 19_000 + b"0",
        b"<table><tr>" + b"<td colspan=999 rowspan=999>x" * 3_000 + b"</table>",
        b"1-" * 9_000,
        b"a@" * 9_000,
        b"+1 2" * 4_000,
        b"**a" * 4_900,
        b"<a " * 4_900,
        b"\n".join(b"#" * (1 + n % 6) + b" h" for n in range(3_000)),
        b"\n".join(b" " * n + b"- x" for n in range(300)),
        b"x" * 20_001,
        b"0" * 19_999,
        b'```mermaid\ngraph TB\nsubgraph "Primary (a-b-1)"\n' + b"A --> " * 3_000,
        b"- **a**: b\n" * 3_000,
        b"one " * 4_900,
        b"Aa Bb " * 3_000,
        b"a: " * 4_900,
    ],
    ids=range(23),
)
def test_what_is_made_to_take_long_ends_as_everything_else_does(content: bytes) -> None:
    """How its time grows is held in `test_import_growth`."""
    outcome(content)


def test_too_large_and_no_text_are_refused_at_once_with_the_line() -> None:
    with pytest.raises(DocumentError, match="larger than 2 MiB"):
        import_document(b"x" * (MOST_BYTES + 1), "large.md")
    with pytest.raises(DocumentError, match="no text") as caught:
        import_document(b"# Plan\n\n\x00", "binary.md")
    assert caught.value.placed("binary.md").startswith("binary.md:3:1: ")
    with pytest.raises(DocumentError, match="never closed") as caught:
        import_document(b"# Plan\n<table>\n", "open.md")
    assert caught.value.line == 2


def test_a_question_goes_with_a_component_that_takes_the_labs_name() -> None:
    text = (Path(__file__).parent / "documents" / "reference.md").read_text().replace("- **RPO**: 5 min", "- **RPO**: some time", 1)
    got = import_document(text.encode(), "any.md", "lab")
    assert "components.database.rpo" in [asked.about for asked in got.questions]
    assert any(question.about == "components.database.rpo" for question in load_bytes(got.text.encode(), Path("plan.yaml")).plan.questions)
