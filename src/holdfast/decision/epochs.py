"""Which epoch is in force, and which numbers were ever used: what the records of it change in an installation."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from holdfast.decision.observed import watched_after
from holdfast.journal.record import Record

if TYPE_CHECKING:
    from holdfast.decision.replay import Installation


def term_begun(before: "Installation", record: Record) -> Mapping[str, Any]:
    """A controller begins its term: what it heard of epochs counts, and only since now is anything watched."""
    body = record.body
    used = max(before.used, (body["era"], body["epoch"]), tuple(body.get("used", (0, 0))))
    known = {name: body[name] for name in ("era", "epoch", "serving")} | {"identity": body.get("installation") or before.identity}
    return {
        "term": body["term"],
        "steps_ordered": 0,
        "attested": (),
        "used": used,
        **known,
        **watched_after(before.observers_heard, record),
    }


def epoch_opened(before: "Installation", record: Record) -> Mapping[str, Any]:
    """Another region has the right to write."""
    body = record.body
    former = (before.era, before.epoch, body["source"])
    return {**numbered(before, record), "era": body["era"], "epoch": body["epoch"], "serving": body["target"], "former": former}


def numbered(before: "Installation", record: Record) -> Mapping[str, Any]:
    """A number was used: nothing is ever opened under it again."""
    return {"used": max(before.used, (record.body["era"], record.body["epoch"]))}


def epoch_withdrawn(_: "Installation", record: Record) -> Mapping[str, Any]:
    """The epoch before is in force again; the withdrawn one's number stays used."""
    era, epoch = record.body["back"]
    return {"era": era, "epoch": epoch, "serving": record.body["serving"], "former": None}
