"""What each region's load balancer was told last, and whether that still stands: folded out of the journal, record by record.

A load balancer keeps what it was told only as long as its process lives. What stands here may be said to it again, under the very order
that it was given; nothing else may. Never here: asking the load balancer, or saying anything to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record

ADMITS = "loadbalancer.switch"
_REGION_OF = {ADMITS: "target", "loadbalancer.drain": "source"}
"""Block → which region of its run it speaks to."""
_DONE = ("succeeded", "settled")


@dataclass(frozen=True, slots=True)
class Admission:
    """The last word to one region's load balancer: let traffic in, or hold it back."""

    region: str
    incident: str
    intent: Mapping[str, Any]
    """The body of the record that was durable before it was said."""
    done: bool = False
    """Whether it is known to have been obeyed. A word that was only meant, failed or was skipped stands for nothing."""

    @property
    def admits(self) -> bool:
        """Whether it lets traffic in."""
        return bool(self.intent["block"] == ADMITS)

    @property
    def epoch(self) -> tuple[int, int]:
        """(era, epoch) of its order."""
        era, epoch, *_ = self.intent["order"]
        return era, epoch

    def stands(self, serving: str, in_force: tuple[int, int]) -> bool:
        """Whether it may be said again, now that `serving` holds the write epoch `in_force`.

        A region that doesn't hold the epoch is never let in, and the one that does is never held back: whoever was fenced or withdrawn
        since stays out. Only a run that moves no writer carries a number above the epoch in force; there the last word decides alone.
        """
        return self.done and (self.epoch > in_force or self.admits == (self.region == serving))


def after(known: Mapping[str, Admission], record: Record) -> Mapping[str, Admission]:
    """Region → its last word, after one more record."""
    body = record.body
    side = _REGION_OF.get(body["block"]) if record.kind in (Kind.STEP_INTENDED, Kind.STEP_FINISHED) else None
    if side is None:
        return known
    if record.kind == Kind.STEP_INTENDED:
        return {**known, body[side]: Admission(body[side], record.incident, body)}
    about = (record.incident, body["run"], body["step"])
    return {
        region: replace(word, done=body["outcome"] in _DONE) if (word.incident, word.intent["run"], word.intent["step"]) == about else word
        for region, word in known.items()
    }
