"""What people let go on unprotected: from which word to which, and what was lost of it. Synchronous mode promises nothing for that time.

Rules: an order counts by what came of it. One that was refused changed nothing; one of which nobody knows what came leaves it *unknown*
whether writes waited. A stretch begins with the order to drop (whoever waits is acknowledged at once) and ends when each write waits again,
or when the region is promoted anew: nobody's old word is about that. It may have begun long before the incident and outside of it.
Never here: what a store does by itself, such as one that was just promoted and that nobody follows yet.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from holdfast.decision.protection import DROPPED
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.ledger.entry import LedgerEntry
from holdfast.plan.model import Plan
from holdfast.report.lost import LetGo
from holdfast.report.model import Finding, Verdict
from holdfast.report.wording import count, duration


@dataclass(frozen=True, slots=True)
class Word:
    """A person's order about one component, and what came of it."""

    ordered: Record
    outcome: str | None
    """succeeded, refused, failed or unknown; None: the journal doesn't say."""
    detail: str
    settled_seconds: float | None

    @property
    def drops(self) -> bool:
        """Whether it drops protection."""
        return bool(self.ordered.body["mode"] == DROPPED)

    @property
    def about(self) -> tuple[str, str]:
        """(component, region)."""
        return str(self.ordered.body["component"]), str(self.ordered.body["region"])


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which a component's writes did not wait, by a person's word. `certain`: it is known that they did not."""

    word: Word
    from_seconds: float
    until_seconds: float | None
    """None: for as long as the journal tells."""
    certain: bool

    def holds(self, entry: LedgerEntry) -> bool:
        """Whether this write was acknowledged in it."""
        until = self.until_seconds
        inside = entry.answered_seconds >= self.from_seconds and (until is None or entry.answered_seconds < until)
        return inside and (entry.store, entry.region) == self.word.about


def words(records: Sequence[Record]) -> tuple[Word, ...]:
    """Every order, oldest first, whatever incident it belongs to."""
    came = {str(record.body["ask"]): record for record in records if record.kind == Kind.PROTECTION_CHANGED}
    found = []
    for record in records:
        if record.kind == Kind.PROTECTION_ORDERED:
            end = came.get(str(record.body["ask"]))
            outcome, detail = (str(end.body["outcome"]), str(end.body["detail"])) if end is not None else (None, "")
            found.append(Word(record, outcome, detail, end.at_seconds if end is not None else None))
    return tuple(found)


def stretches(records: Sequence[Record]) -> tuple[Stretch, ...]:
    """Every stretch in the journal. Where an order to protect again came to nothing known, the rest of it is uncertain."""
    ordered = words(records)
    return tuple(part for word in ordered if word.drops and word.outcome != "refused" for part in _parts(records, ordered, word))


def _parts(records: Sequence[Record], ordered: Sequence[Word], word: Word) -> Iterator[Stretch]:
    began, certain = word.ordered.at_seconds, word.outcome == "succeeded"
    later = [one for one in ordered if one.about == word.about and one.ordered.sequence > word.ordered.sequence and not one.drops]
    ends = [one.settled_seconds for one in later if one.outcome == "succeeded" and one.settled_seconds is not None]
    ends += [at for at, region in _promotions(records) if region == word.about[1] and at >= began]
    until = min(ends, default=None)
    doubts = [one.ordered.at_seconds for one in later if one.outcome not in ("succeeded", "refused")]
    doubt = min((at for at in doubts if until is None or at < until), default=None)
    if not certain or doubt is None:
        yield Stretch(word, began, until, certain)
        return
    yield Stretch(word, began, doubt, certain=True)
    yield Stretch(word, doubt, until, certain=False)


def _promotions(records: Sequence[Record]) -> list[tuple[float, str]]:
    """When a region was given the right to write, where that wasn't withdrawn again."""
    withdrawn = [(record.body["era"], record.body["epoch"]) for record in records if record.kind == Kind.EPOCH_WITHDRAWN]
    opened = (record for record in records if record.kind == Kind.EPOCH_OPENED)
    return [(one.at_seconds, str(one.body["target"])) for one in opened if (one.body["era"], one.body["epoch"]) not in withdrawn]


def in_force(records: Sequence[Record], source: str, impact_seconds: float, fenced_seconds: float) -> tuple[Stretch, ...]:
    """The stretches of the lost region that reach into the time between impact and fence: what was taken back before is none of it."""
    return tuple(
        part
        for part in stretches(records)
        if part.word.about[1] == source
        and part.from_seconds < fenced_seconds
        and (part.until_seconds is None or part.until_seconds > impact_seconds)
    )


def let_go(plan: Plan, found: Iterable[Stretch], lost: Sequence[LedgerEntry], impact_seconds: float) -> tuple[LetGo, ...]:
    """The stretches as the report has them, each with what was lost of its writes."""
    return tuple(
        LetGo(
            component=component,
            name=plan.components[component].name if component in plan.components else component,
            region=region,
            by=str(part.word.ordered.body["by"]),
            role=part.word.ordered.body["role"],
            because=str(part.word.ordered.body["because"]),
            certain=part.certain,
            start_seconds=part.from_seconds - impact_seconds,
            end_seconds=None if part.until_seconds is None else part.until_seconds - impact_seconds,
            lost=sum(part.holds(entry) for entry in lost),
        )
        for part in found
        for component, region in (part.word.about,)
    )


def lost_in(found: Sequence[Stretch], lost: Sequence[LedgerEntry]) -> tuple[int, int]:
    """Lost writes that nothing was promised for, since they did not wait; and those of which nobody knows whether they did."""
    certain = [any(part.certain and part.holds(entry) for part in found) for entry in lost]
    either = [any(part.holds(entry) for part in found) for entry in lost]
    return sum(certain), sum(either) - sum(certain)


def protection_findings(
    records: Sequence[Record], found: Sequence[Stretch], shown: Sequence[LetGo], impact_seconds: float, until_seconds: float
) -> Iterator[Finding]:
    """What was unprotected when it mattered, then what else was ordered in the incident's time: each by what came of it.

    `shown`: `found` as the report has it, one by one.
    """
    for part in shown:
        yield Finding(about=part.component, result="unknown", sentence=_unprotected(part))
    told = [part.word for part in found]
    for word in words(records):
        if word not in told and impact_seconds <= word.ordered.at_seconds <= until_seconds:
            result, sentence = _ordered(word)
            yield Finding(about=word.about[0], result=result, sentence=sentence)


def _unprotected(part: LetGo) -> str:
    when = f"{duration(abs(part.start_seconds))} {'before' if part.start_seconds < 0 else 'after'} impact"
    lost = f"{count(part.lost, 'acknowledged write')} of that time {'is' if part.lost == 1 else 'are'} known to be lost"
    if part.certain:
        return f"{part.by} ({part.role}) dropped its protection in {part.region} {when}: {part.because}. {lost}."
    doubt = f"From {when} on nobody knows whether it was protected in {part.region}, since what came of an order is not known"
    return f"{doubt}. {part.by} ({part.role}) had ordered to drop it: {part.because}. {lost}."


def _ordered(word: Word) -> tuple[Verdict, str]:
    body = word.ordered.body
    why = f": {body['because']}" if word.drops else ""
    if word.outcome == "succeeded":
        if word.drops:
            return "unknown", f"{body['by']} ({body['role']}) dropped its protection in {body['region']}{why}."
        return "pass", f"{body['by']} let each write in {body['region']} wait for its copy again."
    wish = f"{body['by']} ordered to {'drop its protection' if word.drops else 'protect it again'} in {body['region']}{why}"
    if word.outcome == "refused":
        return "pass", f"{wish}. It was refused and changed nothing: {word.detail}."
    return "unknown", f"{wish}. What came of it is unknown{f' ({word.outcome}: {word.detail})' if word.outcome else ''}."
