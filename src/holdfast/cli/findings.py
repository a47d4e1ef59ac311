"""Findings as `holdfast check` shows them: a table for people, values for programs, files as a checkout knows them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.cli.output import State, screen, state_text, table

if TYPE_CHECKING:
    from datetime import date

    from rich.text import Text

    from holdfast.checks.ignoring import Judged
    from holdfast.checks.sarif import Shown
    from holdfast.plan.loader import LoadedPlan, LoadedUnfinished
    from holdfast.plan.problems import Place, Position

    Loaded = LoadedPlan | LoadedUnfinished

CHECK_SCHEMA = "holdfast/check/v1"
SEVERITIES = ("error", "warning", "note")


def today_of(timezone: str) -> "date":
    """The day on which the rules look at a plan: today where the plan is at home."""
    from datetime import datetime
    from zoneinfo import ZoneInfo

    return datetime.now(ZoneInfo(timezone)).date()


def shown_of(loaded: "Loaded", found: "Judged") -> "list[Shown]":
    """Everything that is reported, worst first, what is ignored last."""
    from holdfast.checks.sarif import Shown

    def at(places: "tuple[Place, ...]") -> "tuple[Position, ...]":
        return tuple(_with_path(loaded, loaded.positions.nearest(place)) for place in places)

    shown = [Shown(finding, at(finding.places)) for finding in found.findings]
    shown += [Shown(remark.finding, (_with_path(loaded, remark.position),)) for remark in found.remarks]
    shown.sort(key=lambda one: (SEVERITIES.index(one.finding.severity.value), one.finding.code))
    return shown + [Shown(one.finding, at(one.finding.places), one.ignore.reason) for one in found.ignored]


def _with_path(loaded: "Loaded", position: "Position") -> "Position":
    from holdfast.plan.problems import Position

    return Position(position.line, position.column, position.path or str(loaded.path))


def relative(path: str) -> str:
    """A file as a checkout knows it: relative to where the command runs."""
    file = Path(path)
    return file.resolve().relative_to(Path.cwd().resolve()).as_posix() if _is_below(file) else file.as_posix()


def _is_below(file: Path) -> bool:
    return file.resolve().is_relative_to(Path.cwd().resolve())


def counting(shown: "list[Shown]") -> "list[Shown]":
    """Those that no comment ignores."""
    return [one for one in shown if one.ignored_because is None]


def and_ignored(shown: "list[Shown]") -> str:
    """What is said behind the number of findings of those that are ignored."""
    ignored = len(shown) - len(counting(shown))
    return f"; {ignored} ignored with a reason" if ignored else ""


def print_table(loaded: "Loaded", shown: "list[Shown]") -> None:
    """A row a finding; nothing where there is none."""
    if shown:
        out = screen()
        out.print()
        out.print(table(["", "rule", "lines", "what"], [_row(loaded, one) for one in shown]))
        out.print()


def _row(loaded: "Loaded", one: "Shown") -> "list[str | Text]":
    """A finding's row: how bad, which rule, where, and what."""
    from rich.text import Text

    finding = one.finding
    looks = {"error": State.FAILED, "warning": State.NEEDS_PERSON, "note": State.RUNNING}
    lines = ", ".join(dict.fromkeys(line_of(loaded, position) for position in one.positions))
    ends = f"Ignored, because {one.ignored_because}" if one.ignored_because is not None else f"{finding.hint[0].upper()}{finding.hint[1:]}"
    what = Text.assemble(Text(finding.ended), Text(f" {ends}.", style="dim"))
    if one.ignored_because is not None:
        return [state_text(State.UNKNOWN, "ignored"), finding.code, Text(lines), what]
    return [state_text(looks[finding.severity.value], finding.severity.value), finding.code, Text(lines), what]


def line_of(loaded: "Loaded", position: "Position") -> str:
    """The line, with its file where the plan is more than one."""
    return str(position.line) if position.path == str(loaded.path) else f"{position.path}:{position.line}"


def values_of(shown: "list[Shown]") -> dict[str, list[Any]]:
    """The findings as JSON, and apart from them those that are ignored."""
    ignored = [{**_value(one), "because": one.ignored_because} for one in shown if one.ignored_because is not None]
    return {"findings": [_value(one) for one in counting(shown)], "ignored": ignored}


def _value(one: "Shown") -> dict[str, Any]:
    places = one.finding.places or ((),)
    return {
        "code": one.finding.code,
        "severity": one.finding.severity.value,
        "sentence": one.finding.sentence,
        "hint": one.finding.hint,
        "places": [
            {"path": list(place), "file": position.path, "line": position.line, "column": position.column}
            for place, position in zip(places, one.positions, strict=True)
        ],
    }


def quoted(path: str) -> str:
    """A path as it can be pasted into a shell."""
    import shlex

    return shlex.quote(path)
