"""Which stand-ins say that they have it: whoever was called and is not meant to be silent."""

from collections.abc import Collection, Iterable

from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.plan.model import Plan


def to_acknowledge(plan: Plan, records: Iterable[Record], incident: str, unanswered: Collection[str]) -> tuple[str, ...]:
    """Stand-ins who were called in this incident and have not acknowledged since."""
    called: dict[str, int] = {}
    answered: dict[str, int] = {}
    for record in records:
        if record.incident != incident:
            continue
        if record.kind == Kind.ESCALATED:
            called |= dict.fromkeys((str(recipient) for _, recipient, _ in record.body["calls"]), record.sequence)
        elif record.kind == Kind.ACKNOWLEDGED:
            answered[record.body["person"]] = record.sequence
    return tuple(
        person
        for person, at in called.items()
        if answered.get(person, 0) < at and person not in unanswered and person in plan.people and plan.people[person].exercise
    )
