"""Files that are no plan and no document, or not what they seem: refused by name at once, or put right with a word."""

import json
import os
from pathlib import Path

import pytest

from holdfast.cli.main import run
from holdfast.document.reading import DocumentError, import_document
from holdfast.plan.loader import PlanError, load, load_bytes
from holdfast.plan.values import duration_seconds
from unit.plan_texts import TEXT as REFERENCE


def problems(content: bytes | str) -> list[str]:
    text = content.encode() if isinstance(content, str) else content
    with pytest.raises(PlanError) as caught:
        load_bytes(text, Path("plan.yaml"))
    return caught.value.lines()


def test_a_pipe_and_a_device_are_refused_and_nobody_waits_for_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pipe = tmp_path / "plan.yaml"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero")):
        assert run(["check", str(path)]) == 2
        assert "this is a pipe or a device, and no file — write the plan to a file" in " ".join(capsys.readouterr().err.split())
        assert run(["import", str(path)]) == 2
        assert "write the document to a file" in " ".join(capsys.readouterr().err.split())


def test_an_included_pipe_is_refused_with_its_place(tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text("include: [people.yaml]\n")
    os.mkfifo(tmp_path / "people.yaml")
    with pytest.raises(PlanError, match="a pipe or a device"):
        load(plan)


@pytest.mark.parametrize("encoding", ["utf-32", "utf-32-be", "utf-32-le"])
def test_utf_32_is_refused(encoding: str) -> None:
    text = "# Plan für Zürich\n\n- **RTO**: 4 hours\n"
    with pytest.raises(DocumentError, match="UTF-32" if encoding == "utf-32" else "no text"):
        import_document(text.encode(encoding), "plan.md")
    if encoding == "utf-32":
        assert "UTF-32" in problems(REFERENCE.encode(encoding))[0]


def test_text_with_a_zero_character_is_refused_with_its_line_in_every_encoding() -> None:
    for encoding in ("utf-8", "utf-16"):
        with pytest.raises(DocumentError, match="no text") as caught:
            import_document("# Plan\n\n\x00\n".encode(encoding), "plan.md")
        assert caught.value.line == 3


def test_a_document_in_windows_1252_is_read_and_its_encoding_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = tmp_path / "plan.md"
    document.write_bytes("# Plan für Zürich\n\nPlain\n".encode("latin-1"))
    assert run(["import", str(document), "-o", str(tmp_path / "plan.yaml")]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "it isn't UTF-8, and was read as Windows-1252: # Plan für Zürich" in said and "→" not in said


@pytest.mark.parametrize("hidden", ["\u202e", "\u2066", "\u200b", "\u061c"])
def test_hidden_characters_are_taken_out_of_a_document_with_a_word_and_refused_in_a_plan(hidden: str) -> None:
    table = f"| Function | Priority | RTO | RPO |\n| --- | --- | --- | --- |\n| Ti{hidden}ll | P1 | 4{hidden}0 min | 1 h |\n"
    got = import_document(table.encode(), "plan.md")
    assert got.value["functions"]["till"] == {"name": "Till", "priority": "P1", "rto": "40m", "rpo": "1h"}
    (repair,) = got.repairs
    assert "hidden characters were taken out" in repair.because and f"<U+{ord(hidden):04X}>" in repair.was and hidden not in repair.was

    code = f"U+{ord(hidden):04X}"
    name = next(line for line in REFERENCE.splitlines() if line.startswith("name: "))
    assert code in problems(REFERENCE.replace(name, f"{name}{hidden}x", 1))[0]
    assert code in problems(REFERENCE.replace(name, f'name: "x\\u{ord(hidden):04x}y"', 1))[0], "written as an escape"


@pytest.mark.parametrize("text", ["99999999999999999999999y", "101y", "36500d1s", "9" * 400 + "ms"])
def test_a_length_of_time_beyond_a_hundred_years_is_a_slip(text: str) -> None:
    with pytest.raises(ValueError, match="longer than 100 years") as caught:
        duration_seconds(text)
    assert len(str(caught.value)) < 120
    assert duration_seconds("100y") == 100 * 365 * 86400
    rto = next(line for line in REFERENCE.splitlines() if line.strip().startswith("rto: "))
    said = problems(REFERENCE.replace(rto, f"{rto.split('rto')[0]}rto: {text}", 1))
    assert any("longer than 100 years" in line and line.startswith("plan.yaml:") for line in said)


@pytest.mark.parametrize(
    ("content", "word"),
    [(b"schema: !!python/object/apply:os.system [echo]\n", "a tag"), (b"a: &a [x, x]\nb: [*a, *a]\n", "an alias")],
)
def test_what_leaves_a_hole_is_said_alone_and_the_rest_is_said_not_to_be_looked_at(content: bytes, word: str) -> None:
    said = problems(content)
    assert any(word in line for line in said) and "wasn't looked at" in said[-1]
    assert not any("is missing" in line for line in said)


def test_a_circle_of_includes_is_said_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.yaml").write_text("include: [b.yaml]\n")
    (tmp_path / "b.yaml").write_text("include: [a.yaml]\n")
    with pytest.raises(PlanError) as caught:
        load(tmp_path / "a.yaml")
    assert len(caught.value.problems) == 1 and "in a circle" in caught.value.lines()[0] and caught.value.unseen
    assert run(["check", str(tmp_path / "a.yaml"), "-o", "json"]) == 2
    assert json.loads(capsys.readouterr().out)["not_looked_at"] == caught.value.unseen


def test_a_key_that_stands_twice_hides_nothing_so_the_rest_is_looked_at() -> None:
    said = problems("name: A\nname: B\n")
    assert any("second time" in line for line in said) and any("is missing" in line for line in said)
