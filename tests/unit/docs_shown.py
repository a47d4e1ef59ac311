"""What the docs show of commands, run again: `make docs` writes it anew, and a test says when a page no longer shows what is printed.

A fenced block below `<!-- shown -->` is a transcript: each line that begins with `$ ` is a command, what follows is what it prints.
- `<!-- shown, first 9 lines -->`: of each command only so many lines are shown, then `…`.
- `<!-- shown, with var/bench -->`: it needs reports of drills, which only a machine that ran them has; the test leaves it out.
- `<!-- file contacts.yaml -->`: the block is written to that file, so that a command below it finds it.

The transcripts of a page run one after the other in a folder of their own, with a copy of `examples` and of the reference plan as
`plan.yaml`; `cp` is known beside `holdfast`, and `> FILE` after it. Drawings that they write below `docs` are taken over.
"""

import io
import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from holdfast.cli.main import run

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("check.md", "export.md", "forecast.md", "plan.md")
COLUMNS = 120
_BLOCK = re.compile(r"^<!-- (?P<mark>[^>]*) -->\n+```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_SHOWN = re.compile(r"shown(?:, first (?P<first>\d+) lines)?(?:, with (?P<needs>\S+))?")
_FILE = re.compile(r"file (?P<name>[\w./-]+)")


@dataclass(frozen=True, slots=True)
class Transcript:
    """A block that shows commands. `first`: how many lines of each one's output are shown; `needs`: a folder that must be there."""

    text: str
    first: int | None
    needs: str | None

    def commands(self) -> list[str]:
        """What is typed, in order."""
        return [line.removeprefix("$ ") for line in self.text.splitlines() if line.startswith("$ ")]


def transcripts(page: str) -> Iterator[tuple[re.Match[str], Transcript | tuple[str, str]]]:
    """The marked blocks of a page: transcripts, and files with name and content. Raises ValueError for a mark that says neither."""
    for block in _BLOCK.finditer(page):
        shown, file = _SHOWN.fullmatch(block["mark"]), _FILE.fullmatch(block["mark"])
        if shown is not None:
            yield block, Transcript(block["text"], int(shown["first"]) if shown["first"] else None, shown["needs"])
        elif file is not None:
            yield block, (file["name"], block["text"])
        else:
            raise ValueError(f"<!-- {block['mark']} --> says neither 'shown' nor 'file'")


def renewed(page: str, drawn: Callable[[Path], None] = lambda _folder: None) -> str:
    """The page with what its commands print now. `drawn`: called with the folder that they ran in."""
    pieces: list[str] = []
    end = 0
    with tempfile.TemporaryDirectory() as name:
        folder = _prepared(Path(name))
        for block, what in transcripts(page):
            pieces.append(page[end : block.start("text")])
            end = block.end("text")
            if isinstance(what, tuple):
                (folder / what[0]).write_text(what[1], encoding="utf-8")
                pieces.append(what[1])
            else:
                pieces.append(_shown(folder, what))
        drawn(folder)
    return "".join(pieces) + page[end:]


def _prepared(folder: Path) -> Path:
    shutil.copytree(ROOT / "examples", folder / "examples")
    shutil.copyfile(ROOT / "examples" / "voicehive" / "plan.yaml", folder / "plan.yaml")
    (folder / "docs").mkdir()
    return folder


def _shown(folder: Path, transcript: Transcript) -> str:
    if transcript.needs is not None:
        if not any((ROOT / transcript.needs).rglob("report.json")):
            return transcript.text
        # Only while it is asked for: what a machine happens to keep is in no other transcript.
        needed = folder / transcript.needs
        needed.parent.mkdir(parents=True)
        needed.symlink_to(ROOT / transcript.needs)
        said = _said(folder, transcript)
        shutil.rmtree(folder / Path(transcript.needs).parts[0])
        return said
    return _said(folder, transcript)


def _said(folder: Path, transcript: Transcript) -> str:
    said: list[str] = []
    for command in transcript.commands():
        lines = printed(folder, command)
        most = len(lines) if transcript.first is None else transcript.first
        said += [f"$ {command}", *lines[:most], *(["…"] if len(lines) > most else [])]
    return "\n".join(said) + "\n"


def printed(folder: Path, command: str) -> list[str]:
    """The lines that a command prints, in a folder, as a person sees them."""
    command, _, file = command.partition(" > ")
    program, *arguments = shlex.split(command)
    if program == "cp":
        shutil.copyfile(folder / arguments[0], folder / arguments[1])
        return []
    if program != "holdfast":
        raise ValueError(f"only holdfast and cp are known, not: {command}")
    out, before = io.StringIO(), os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(COLUMNS)
    try:
        with chdir(folder), redirect_stdout(out), redirect_stderr(out):
            run(arguments)
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
    if file:
        (folder / file).write_text(out.getvalue(), encoding="utf-8")
        return []
    return [line.rstrip() for line in out.getvalue().rstrip("\n").split("\n")]


def comparable(page: str) -> str:
    """A page without what differs from day to day and from machine to machine: how long ago, how many bytes, and how lines are broken."""
    unbroken = " ".join(page.split())  # first, since a line may break within either
    return re.sub(r"\b\d+ days? ago", "N days ago", re.sub(r"\(\d+ bytes\)", "(N bytes)", unbroken))


def _write_all() -> int:
    for name in PAGES:
        path = ROOT / "docs" / name
        before = path.read_text(encoding="utf-8")
        after = renewed(before, _take_over)
        path.write_text(after, encoding="utf-8")
        sys.stdout.write(f"{'as it was' if after == before else 'renewed'}: docs/{name}\n")
    return 0


def _take_over(folder: Path) -> None:
    for drawing in (folder / "docs").iterdir():
        shutil.copyfile(drawing, ROOT / "docs" / drawing.name)


if __name__ == "__main__":
    raise SystemExit(_write_all())
