"""Regions that stood alone: just promoted in synchronous mode, and followed by no copy yet. Nothing else held what they acknowledged.

Rules: it begins with the order to promote (the agent records the store as unprotected before it promotes it, since nobody follows it), and
ends when its copy in the other region is proved to follow it again, or when the region is fenced. A step that a person called done proves
nothing. A promotion that the journal doesn't show to have come about is none of it: the step itself is told as unknown.
Never here: a verdict. The plan has no third copy, so this is so after every failover; a reader must know it all the same.
What people let go on unprotected is another thing (see `unprotected`).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.plan.blocks import BLOCKS, BlockSpecification
from holdfast.plan.model import Plan
from holdfast.report.history import History, number
from holdfast.report.lost import StoodAlone
from holdfast.report.model import Finding
from holdfast.report.steps import DONE
from holdfast.report.unprotected import words
from holdfast.report.wording import duration

_End = tuple[float, Literal["followed", "fenced"]]


@dataclass(frozen=True, slots=True)
class _Promotion:
    """A store of a region became the writer. `other`: the region that is to follow it."""

    component: str
    region: str
    other: str
    ordered_seconds: float


def stood_alone(plan: Plan, replication: str, history: History, impact_seconds: float) -> tuple[StoodAlone, ...]:
    """Every such time of the incident, in order; none in asynchronous mode, in which nothing ever waits for a copy."""
    if replication != "synchronous":
        return ()
    return tuple(_as_shown(plan, history, promotion, impact_seconds) for promotion in _promotions(history))


def _as_shown(plan: Plan, history: History, promotion: _Promotion, impact_seconds: float) -> StoodAlone:
    known = plan.components.get(promotion.component)
    ends = [end for end in _ends(history, promotion) if end[0] >= promotion.ordered_seconds]
    at, by = min(ends, default=(None, None))
    return StoodAlone(
        component=promotion.component,
        name=promotion.component if known is None else known.name,
        region=promotion.region,
        other=promotion.other,
        start_seconds=promotion.ordered_seconds - impact_seconds,
        end_seconds=None if at is None else at - impact_seconds,
        ended_by=by,
    )


def _promotions(history: History) -> Iterator[_Promotion]:
    """Each counts from its first order. One that was refused changed nothing; after any other end it may have come about."""
    ordered: dict[tuple[str, str], _Promotion] = {}
    promoted: set[tuple[str, str]] = set()
    for step, record in _of_blocks(history, lambda block: block.grants_write):
        body = record.body
        if record.kind == Kind.STEP_INTENDED:
            about = (str(body["component"]), str(body["target"]))
            ordered.setdefault(step, _Promotion(*about, str(body["source"]), record.at_seconds))
        elif body["outcome"] == "refused":
            ordered.pop(step, None)
        elif body["outcome"] in DONE and (found := ordered.get(step)) is not None and (step[0], found.component) not in promoted:
            promoted.add((step[0], found.component))
            yield found


def _ends(history: History, promotion: _Promotion) -> Iterator[_End]:
    for record in _followed(history, promotion):
        yield record.at_seconds, "followed"
    for word in words(history.records):
        if word.about == (promotion.component, promotion.region) and not word.drops and word.outcome == "succeeded":
            yield word.settled_seconds or word.ordered.at_seconds, "followed"  # refused where no copy is seen to be near
    for record in history.of(Kind.FENCE_CONFIRMED):
        if record.body.get("region") == promotion.region:
            yield number(record.body.get("at_seconds")) or record.at_seconds, "fenced"


def _followed(history: History, promotion: _Promotion) -> Iterator[Record]:
    """Ends of steps that made the other region's copy follow this one, proved."""
    ordered: set[tuple[str, str]] = set()
    for step, record in _of_blocks(history, lambda block: block.overwrites_source):
        body = record.body
        if record.kind == Kind.STEP_INTENDED:
            if (body["component"], body["target"]) == (promotion.component, promotion.region):
                ordered.add(step)
        elif step in ordered and body["outcome"] in DONE and body.get("verified") == "yes":
            yield record


def _of_blocks(history: History, wanted: Callable[[BlockSpecification], bool]) -> Iterator[tuple[tuple[str, str], Record]]:
    """Orders and ends of the steps whose block is such a one, each with its (run, step)."""
    for record in history.of(Kind.STEP_INTENDED, Kind.STEP_FINISHED):
        block = BLOCKS.get(str(record.body["block"]))
        if block is not None and wanted(block):
            yield (str(record.body["run"]), str(record.body["step"])), record


def alone_findings(found: Sequence[StoodAlone]) -> Iterator[Finding]:
    """One sentence for each: what is over is noted, what is still so is not known to end well."""
    for part in found:
        yield Finding(about=part.name, result="unknown" if part.end_seconds is None else "pass", sentence=_told(part))


def _told(part: StoodAlone) -> str:
    began = f"the order to promote it {duration(part.start_seconds)} after impact"
    if part.end_seconds is None:
        until = f"until {part.other} follows it again, and no record says that it does."
        return f"Since {began} nothing else holds what {part.region} acknowledges {until}"
    when = f"{duration(part.end_seconds)} after impact, {duration(part.end_seconds - part.start_seconds)} in all"
    if part.ended_by == "fenced":
        return (
            f"From {began} until {part.region} was fenced ({when}) nothing else held what it acknowledged: {part.other} never followed it."
        )
    return f"From {began} until {part.other} followed it again ({when}) nothing else held what {part.region} acknowledged."


def in_one_line(found: Sequence[StoodAlone]) -> Iterator[str]:
    """A line for each region and end: how long each of its components stood alone."""
    groups: dict[tuple[str, str, str | None], list[StoodAlone]] = {}
    for part in found:
        groups.setdefault((part.region, part.other, part.ended_by), []).append(part)
    for (region, other, ended_by), parts in groups.items():
        if ended_by is None:
            named = ", ".join(part.name for part in parts)
            yield f"Nothing else holds what {region} acknowledges until {other} follows it again: {named}."
            continue
        lasted = ", ".join(f"{part.name} {duration((part.end_seconds or 0.0) - part.start_seconds)}" for part in parts)
        until = f"{other} followed it again" if ended_by == "followed" else f"it was fenced, and {other} never followed it"
        yield f"Nothing else held what {region} acknowledged until {until}: {lasted}."
