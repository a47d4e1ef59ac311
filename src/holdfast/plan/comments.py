"""Comments of a plan's file that speak to Holdfast: `# holdfast: ignore HF101 because …`.

A `#` counts only where YAML reads a comment: not in quoted text, not in a block of text, not within a word. Behind another comment of the
same line, such as an import's `# line 34`, or a `;` or `,` of one, it counts too; within a sentence it is prose.
Never here: what is ignored for it (see `checks`).
"""

import re
from dataclasses import dataclass
from typing import Any

import yaml
from yaml import events

_MARK = "holdfast"
_COMMENT = re.compile(r"(?:^|(?<=\s))#(.*)$")
_IGNORE = re.compile(r"(?:^|[#;,])\s*holdfast(?::\s*|\s+)ignore\b[\s:]*([A-Za-z0-9]*)(?:[\s,:]+because\b[\s:]*(.*?))?\s*$")


@dataclass(frozen=True, slots=True)
class Ignore:
    """A wish to ignore a finding. `lines`: of the file, counted from 1, on which it may be; `reason` is empty where none is given."""

    code: str
    reason: str
    line: int
    column: int
    lines: tuple[int, ...]
    path: str = ""
    """File of a plan over several files."""


def ignores_of(text: str, path: str = "") -> tuple[Ignore, ...]:
    """Every such comment of a text that YAML reads."""
    if _MARK not in text:
        return ()
    lines = text.split("\n")
    for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        if isinstance(event, events.ScalarEvent):
            _blank(lines, event)
    found = []
    for number, line in enumerate(lines, start=1):
        comment = _COMMENT.search(line)
        wish = _IGNORE.search(comment[1]) if comment is not None else None
        if comment is None or wish is None:
            continue
        # A comment on a line of its own speaks of the next line that is not one.
        alone = not line[: comment.start()].strip() and not _was_text(text, number, comment.start())
        covered = (_next_line(lines, number),) if alone else (number,)
        found.append(Ignore(wish[1], (wish[2] or "").strip(), number, comment.start() + 1, covered, path))
    return tuple(found)


def _blank(lines: list[str], event: Any) -> None:
    """Text may hold `#`: it is taken away before comments are looked for, its place filled."""
    start, end = event.start_mark, event.end_mark
    for number in range(start.line, min(end.line + 1, len(lines))):
        line = lines[number]
        begin = start.column if number == start.line else 0
        stop = end.column if number == end.line else len(line)
        lines[number] = line[:begin] + "x" * (stop - begin) + line[stop:]


def _was_text(text: str, number: int, column: int) -> bool:
    return bool(text.split("\n")[number - 1][:column].strip())


def _next_line(lines: list[str], number: int) -> int:
    return next((after for after in range(number + 1, len(lines) + 1) if not lines[after - 1].lstrip().startswith("#")), number)
