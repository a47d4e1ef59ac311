"""One frame of the live view as lines of a terminal: (view, width, height) → lines, nothing else.

Rules: the first line is the one thing that matters, the last one the next command; every state has an icon and a word, so that nothing is
lost without colour. No line is wider than the width, never more lines than the height. What must give way gives way in this order: blank
lines, what is well, what comes later; a count says what was left out. Regions never change sides.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from holdfast.console.protecting import UNPROTECTED
from holdfast.console.said import Said
from holdfast.console.view import STALE_SECONDS, Clock, Doing, Row, Thing, View
from holdfast.report.wording import duration

SMALLEST_WIDTH, SMALLEST_HEIGHT = 40, 6
FRESH_SECONDS = 3.0
"""Younger knowledge is as good as now; older says its age."""


class Look(StrEnum):
    """How a piece of text looks; the icon says the same."""

    PLAIN = "plain"
    MUTED = "muted"
    STRONG = "strong"
    DONE = "done"
    RUNNING = "running"
    PERSON = "needs-person"
    FAILED = "failed"
    UNKNOWN = "unknown"
    EXERCISE = "exercise"


_ICONS = {"done": "✓", "running": "▶", "needs-person": "⏸", "failed": "✕", "unknown": "?"}
Span = tuple[str, Look]
Line = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class _Ranked:
    """A line and how soon it gives way: the highest first; 0 stays. `counted`: what it is one of, when it is left out."""

    line: Line
    rank: int
    counted: str = ""


def frame(view: View, width: int, height: int, hint: str = "") -> tuple[Line, ...]:
    """The lines, at most `height` of at most `width` columns. `hint`: how to end what shows it."""
    width, height = max(width, SMALLEST_WIDTH), max(height, SMALLEST_HEIGHT)
    lines = [*_head(view, width, hint), *_sides(view, width), *_clocks(view, width), *_course(view, width)]
    kept = _fitting(lines, height - 1)
    last: Line = ((f"next: {view.next_command}", Look.STRONG),)
    return tuple(clipped(line, width) for line in (*kept, last))


def plain(line: Line) -> str:
    """The words of a line."""
    return "".join(text for text, _ in line)


def cells(text: str) -> int:
    """Columns that a text takes."""
    return sum(0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def clipped(line: Line, width: int) -> Line:
    """The line, cut at the width with an ellipsis."""
    if cells(plain(line)) <= width:
        return line
    left = width - 1
    found: list[Span] = []
    for text, look in line:
        kept = ""
        for char in text:
            if cells(char) > left:
                return (*found, (kept + "…", look))
            kept, left = kept + char, left - cells(char)
        found.append((kept, look))
    return tuple(found)


def _fitting(lines: Sequence[_Ranked], height: int) -> list[Line]:
    kept = list(lines)
    left_out: dict[str, int] = {}
    while len(kept) + bool(left_out) > height and any(line.rank for line in kept):
        worst = max(range(len(kept)), key=lambda index: (kept[index].rank, index))
        gone = kept.pop(worst)
        if gone.counted:
            left_out[gone.counted] = left_out.get(gone.counted, 0) + 1
    found = [line.line for line in kept][:height]
    if left_out and len(found) < height:
        words = ", ".join(f"{count} {what}" for what, count in left_out.items())
        found.append(((f"not shown, the window is too small: {words}", Look.MUTED),))
    return found


def _said(said: Said, *, strong: Look | None = None) -> Line:
    return ((f"{_ICONS[said.state]} ", Look(said.state)), (said.text, strong or Look(said.state)))


def _head(view: View, width: int, hint: str) -> list[_Ranked]:
    mark: Line = (("EXERCISE ", Look.EXERCISE),) if view.exercise else ()
    old = view.age_seconds or 0.0
    age = "" if old < FRESH_SECONDS else f", {duration(old)} old{' (stale)' if old > STALE_SECONDS else ''}"
    about = f"as of {view.as_of}{age}"
    words = [_Ranked(line, 0) for line in _folded((*mark, *_said(view.headline)), width, 2)]
    seen = view.observers
    end = f" · {hint}" if hint else ""
    second: Line = ((f"{about}{end} · ", Look.MUTED), *(_said(seen, strong=Look.MUTED) if seen else ()))
    return [*words, _Ranked(second, 3), _Ranked((), 9)]


def _folded(line: Line, width: int, most: int) -> list[Line]:
    """A line over at most `most` lines, broken between words."""
    if cells(plain(line)) <= width or most == 1:
        return [line]
    text, look = line[-1]
    used = cells(plain(line[:-1]))
    at = text.rfind(" ", 0, max(width - used, 1))
    if at <= 0:
        return [line]
    return [(*line[:-1], (text[:at], look)), *_folded((("  ", look), (text[at + 1 :], look)), width, most - 1)]


def _padded(text: str, width: int) -> str:
    cut = plain(clipped(((text, Look.PLAIN),), width)) if cells(text) > width else text
    return cut + " " * (width - cells(cut))


def _sides(view: View, width: int) -> list[_Ranked]:
    if not view.sides:
        return []
    title, link = (15, 15) if width < 100 else (22, 24)
    side = max((width - title - link - 2) // 2, 8)
    (left, left_is), (right, right_is) = view.sides
    gap = " " * (link + 1)
    names: Line = ((_padded("", title) + _padded(left, side) + " " + gap + right, Look.STRONG),)
    what: Line = ((_padded("", title) + _padded(left_is, side) + " " + gap + right_is, Look.MUTED),)
    return [_Ranked(names, 2), _Ranked(what, 4), *(_row(row, title, side, link) for row in view.rows), _Ranked((), 9)]


def _row(row: Row, title: int, side: int, link: int) -> _Ranked:
    line: Line = (
        (_padded(row.title, title - 1) + " ", Look.PLAIN),
        *_thing(row.left, side),
        (" " + _arrow(row, link) + " ", Look.MUTED),
        *_thing(row.right, side),
    )
    return _Ranked(line, 7 if row.well else 4, "components, well" if row.well else "components")


def _thing(thing: Thing, width: int) -> Line:
    aged = thing.age_seconds is not None and (thing.state == "unknown" or thing.age_seconds > FRESH_SECONDS)
    text = f"{thing.text} {duration(thing.age_seconds)} ago" if aged else thing.text
    return ((_padded(f"{_ICONS[thing.state]} {text}", width), Look(thing.state)),)


def _arrow(row: Row, width: int) -> str:
    if not row.arrow:
        return " " * width
    words = _padded(row.link, min(cells(row.link), width - 4))
    dashes = width - cells(words) - 3
    before, after = dashes // 2, dashes - dashes // 2
    if row.arrow == "right":
        return f"{'─' * before} {words} {'─' * after}▶"
    return f"◀{'─' * before} {words} {'─' * after}"


def _clocks(view: View, width: int) -> list[_Ranked]:
    if not view.clocks:
        return []
    name = 24 if width < 100 else 34
    head = f"{_padded('function', name + 4)}{_padded('now', 11)}{_padded(' out / promised', 16)}back"
    rows = [_clock(clock, name, width) for clock in view.clocks]
    return [_Ranked(((head, Look.MUTED),), 5), *rows, _Ranked((), 9)]


def _clock(clock: Clock, name: int, width: int) -> _Ranked:
    out = "" if clock.out_seconds is None else f"{duration(clock.out_seconds)} / "
    look = Look(clock.verdict_state) if clock.verdict else Look.MUTED
    line: Line = (
        (_padded(f"{clock.priority} {clock.name}", name + 3) + " ", Look.PLAIN),
        (_padded(f"{_ICONS[clock.state]} {clock.word}", 10) + " ", Look(clock.state)),
        (_padded(f"{out:>9}{duration(clock.target_seconds)}", 15) + " ", look),
    )
    words = f"{clock.verdict}, {clock.forecast}" if clock.verdict and clock.forecast else clock.verdict or clock.forecast
    tail: Line = ((words, look),)
    well = clock.state == "done" and clock.out_seconds is None
    return _Ranked((*line, *tail), 6 if well else 1, "functions, served" if well else "functions")


def _course(view: View, width: int) -> list[_Ranked]:
    lines = [_Ranked(_step(step), 2 if step.state == "needs-person" else 3, "steps under way") for step in view.doing]
    if view.then:
        lines.append(_Ranked(((f"  then {' → '.join(view.then)}", Look.MUTED),), 6))
    if view.loss is not None:
        lines.append(_Ranked(_said(view.loss, strong=Look.PLAIN if view.loss.state != "unknown" else None), 5))
    if view.losses:
        lines.append(_Ranked(_losses(view.losses), 6))
    lines += [_Ranked(_said(said), 2 if said.state == UNPROTECTED else 5) for said in view.protection]
    for number, asked in enumerate(view.acting):
        lines += [_Ranked(line, 0 if number == 0 else 2) for line in _folded(_said(asked), width, 3 if number == 0 else 1)]
    return lines


def _losses(losses: Sequence[Said]) -> Line:
    """Every component that keeps data in one line: it belongs to the line above, which says the worst."""
    return (("  each now:", Look.MUTED), *((f" {_ICONS[loss.state]} {loss.text}", Look(loss.state)) for loss in losses))


def _step(step: Doing) -> Line:
    took = "" if step.seconds is None else f" {duration(step.seconds)} of at most {duration(step.limit_seconds)}"
    return ((f"{_ICONS[step.state]} {step.step}{took}", Look(step.state)), (f": {step.summary}" if step.summary else "", Look.PLAIN))
