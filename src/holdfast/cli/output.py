"""How every command prints: states as colour, icon and word, one table at most, JSON on request, and errors that say what to do.

Rules: the first line is the one thing that matters, the last line is the next action as a command that can be pasted. Colour
never carries meaning alone, and is left out where the output is no terminal or NO_COLOR is set. With `-o json` standard output
holds one JSON value and nothing else. This module never decides anything. Figures are worded by `holdfast.report.wording`.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, is_dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

OutputFormat = Annotated[
    Literal["text", "json"],
    Parameter(name=["--output", "-o"], help="`text` for people, `json` for programs: one JSON value, nothing else."),
]
"""Type of the parameter `output` that commands take."""


class ExitCode(IntEnum):
    """What a command's exit says, the same for all of them."""

    FINE = 0
    NOT_SO = 1
    """The thing asked about or asked for is not so: the chain is broken, the verdict is *fail*, the step was refused."""
    BAD_INPUT = 2
    """The command, a file or the machine is not as it must be; nothing was done."""
    UNKNOWN = 3
    """It can't be told, for want of an answer or because of an error in Holdfast itself."""


class CommandError(Exception):
    """Ends a command with one clear text: what happened, where, and what to do next."""

    def __init__(self, text: str, code: ExitCode = ExitCode.BAD_INPUT) -> None:
        super().__init__(text)
        self.code = code


class State(StrEnum):
    """The states that people see, everywhere the same."""

    DONE = "done"
    RUNNING = "running"
    NEEDS_PERSON = "needs a person"
    FAILED = "failed"
    UNKNOWN = "unknown"


_LOOKS = {
    State.DONE: ("✓", "green"),
    State.RUNNING: ("▶", "blue"),
    State.NEEDS_PERSON: ("⏸", "bold yellow"),
    State.FAILED: ("✕", "bold red"),
    State.UNKNOWN: ("?", "bright_black"),
}
EXERCISE_STYLE = "bold magenta"


def screen() -> "Console":
    """Standard output for people."""
    from rich.console import Console

    return Console(highlight=False, emoji=False, soft_wrap=not sys.stdout.isatty())


def state_text(state: State, word: str | None = None) -> "Text":
    """Icon and word in the state's colour. `word` says it closer, such as `up` for *done* or `silent` for *unknown*."""
    from rich.text import Text

    icon, style = _LOOKS[state]
    return Text(f"{icon} {word or state.value}", style=style)


def exercise_line(text: "str | Text") -> "Text":
    """A line of an exercise: marked as one by word and colour."""
    from rich.text import Text

    return Text.assemble(("EXERCISE", EXERCISE_STYLE), " ", text)


def table(
    columns: Sequence[str], rows: Iterable[Sequence["str | Text"]], *, numbers: Sequence[str] = (), title: str | None = None
) -> "Table":
    """A plain table. The columns named in `numbers` are right-aligned."""
    from rich import box
    from rich.table import Table

    drawn = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False, show_edge=False)
    for column in columns:
        drawn.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*row)
    return drawn


def print_json(value: Any) -> None:
    """One JSON value on standard output. Dataclasses and pydantic models become objects, sets become sorted lists."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=_plain) + "\n")


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if hasattr(value, "keys"):
        return dict(value)
    return str(value)


def file_or_dash(_: object, value: object) -> None:
    """Refuses what looks like another option where a file is named; `-` alone is standard output or input. Raises ValueError."""
    if str(value).startswith("-") and str(value) != "-":
        raise ValueError(f"{value} looks like an option: name a file (./{value} is one), or - alone")


def print_next(command: str) -> None:
    """The last line: what to do next, ready to be pasted."""
    screen().print(f"next: {command}", style="bold", markup=False)


def complain(text: str) -> None:
    """An error to a person, on standard error."""
    sys.stderr.write(f"holdfast: {text}\n")
