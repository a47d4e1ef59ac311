"""Which findings the plan's comments ask to ignore, and what is wrong with those comments.

Rules: a finding is ignored when a comment with its code and a reason covers the line of one of its places. It stays in the report, with
the reason. A comment without a reason ignores nothing. Comments hide findings from readers, never from a run: what is an error stops it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from holdfast.checks.finding import Finding, Severity
from holdfast.checks.rules import ALL, ignore_reason, ignore_unknown, ignore_unused
from holdfast.plan.comments import Ignore
from holdfast.plan.problems import Position, Positions


@dataclass(frozen=True, slots=True)
class Ignored:
    """A finding that a comment asks to ignore."""

    finding: Finding
    ignore: Ignore


@dataclass(frozen=True, slots=True)
class Remark:
    """A finding about a comment, which has no place in the plan but a position in its file."""

    finding: Finding
    position: Position


@dataclass(frozen=True, slots=True)
class Judged:
    """All findings of a plan and its comments: those that count, those ignored, and those about the comments."""

    findings: tuple[Finding, ...]
    ignored: tuple[Ignored, ...]
    remarks: tuple[Remark, ...]

    @property
    def counting(self) -> tuple[Finding, ...]:
        """What is not ignored, remarks included."""
        return (*self.findings, *(remark.finding for remark in self.remarks))


def judged(findings: Iterable[Finding], ignores: Iterable[Ignore], positions: Positions) -> Judged:
    """Findings held against comments."""
    wishes = tuple(ignores)
    valid: dict[tuple[str, str, int], Ignore] = {}
    for wish in wishes:
        if wish.reason:
            valid |= {(wish.path, wish.code, line): wish for line in wish.lines}
    kept: list[Finding] = []
    ignored: list[Ignored] = []
    for finding in findings:
        found = _wish_for(finding, valid, positions)
        if found is None:
            kept.append(finding)
        else:
            ignored.append(Ignored(finding, found))
    used = {one.ignore for one in ignored}
    remarks = tuple(remark for wish in wishes if wish not in used for remark in _remarks(wish))
    return Judged(tuple(kept), tuple(ignored), remarks)


def _wish_for(finding: Finding, valid: dict[tuple[str, str, int], Ignore], positions: Positions) -> Ignore | None:
    for place in finding.places if valid else ():
        for position in (positions.nearest(place), positions.key(place)):
            wish = valid.get((position.path, finding.code, position.line))
            if wish is not None:
                return wish
    return None


def _remarks(wish: Ignore) -> Iterable[Remark]:
    position = Position(wish.line, wish.column, wish.path)
    if wish.code not in {rule.code for rule in ALL}:
        said, code, severity = f"no rule has the code '{wish.code}'", ignore_unknown.CODE, Severity.WARNING
        hint = "correct it; `holdfast explain` lists the codes"
    elif not wish.reason:
        said, code, severity = (
            f"this asks to ignore {wish.code} and doesn't say why: it is not ignored",
            ignore_reason.CODE,
            Severity.WARNING,
        )
        hint = f"write '# holdfast: ignore {wish.code} because …'"
    else:
        said, code, severity = f"there is no {wish.code} here to ignore", ignore_unused.CODE, Severity.NOTE
        hint = "remove the comment"
    yield Remark(Finding(code, severity, said, (), hint), position)
