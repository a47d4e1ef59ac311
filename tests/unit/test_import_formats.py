"""A file that is no Markdown plan is refused by what it is, with what to do; a file that is empty is refused as an empty plan is."""

from pathlib import Path

import pytest

from holdfast.cli.main import run
from holdfast.document.reading import DocumentError, import_document

OTHERS = {
    "plan.pdf": (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
    "plan.docx": (b"PK\x03\x04\x14\x00", ".docx"),
    "plan.doc": (b"\xd0\xcf\x11\xe0\xa1\xb1", ".doc"),
    "plan.rtf": (b"{\\rtf1\\ansi Plan}", "rich text"),
    "plan.png": (b"\x89PNG\r\n\x1a\n", "picture"),
    "plan.html": (b"<!DOCTYPE html>\n<html><body><h1>Plan</h1></body></html>", "HTML"),
    "page.md": (b"<!-- saved -->\n<html lang='en'><body>Plan</body></html>", "HTML"),
    "plan.yaml": (b"name: x\n", "YAML"),
    "plan.txt": (b"# ours\nschema: holdfast/plan/v1\nname: x\n", "already"),
    "plan.json": (b'{"name": "x", "functions": {}}', "JSON"),
    "plan.bin": (b"\x7fELF\x02\x01\x01\x00\x00", "no text"),
    "empty.md": (b"", "empty"),
    "blank.md": (b"\xef\xbb\xbf \n\n\t\n", "empty"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_it_is_and_what_to_do_are_said(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content, what = OTHERS[name]
    with pytest.raises(DocumentError, match=what) as caught:
        import_document(content, name)
    assert caught.value.hint

    (tmp_path / name).write_bytes(content)
    assert run(["import", str(tmp_path / name)]) == 2
    said = capsys.readouterr().err
    assert str(tmp_path / name) in said and what in said and " — " in said


def test_an_empty_plan_and_an_empty_document_end_alike(tmp_path: Path) -> None:
    for name, command in (("empty.md", "import"), ("empty.yaml", "check")):
        (tmp_path / name).write_text("")
        assert run([command, str(tmp_path / name)]) == 2


@pytest.mark.parametrize(
    "text",
    [
        "---\ntitle: Plan\nowner: Ann\n---\n# Plan\n\n- **Version**: 1\n",
        "Owner: Ann\nVersion: 1\n\n- a\n- b\n",
        "<table><tr><th>Function</th><th>RTO</th></tr><tr><td>A</td><td>4 h</td></tr></table>\n",
        "[Plan](plan.md)\n\n# Functions\n",
        "{#top}\n# Functions\n",
        "[[_TOC_]]\n\n# Functions\n",
        "{{< toc >}}\n\n# Functions\n",
        "# How to\n\n```yaml\nschema: holdfast/plan/v1\n```\n",
        "<div>\n\n# Functions\n\n</div>\n",
    ],
)
def test_what_markdown_may_begin_with_is_read(text: str) -> None:
    assert import_document(text.encode(), "plan.md").missing
