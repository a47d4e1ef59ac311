"""Journals made up line by line."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from holdfast.journal.record import GENESIS, Record, following

Line = tuple[float, str, str, Mapping[str, Any]]
"""Moment, kind, incident and body of a record."""


def lines_of(records: Iterable[Record]) -> list[Line]:
    """Records without what chains them."""
    return [(record.at_seconds, record.kind, record.incident, record.body) for record in records]


def chained(lines: Iterable[Line]) -> tuple[Record, ...]:
    """The lines as they stand, in one unbroken chain."""
    head, records = (0, GENESIS), list[Record]()
    for line in lines:
        records.append(following(head, *line))
        head = (records[-1].sequence, records[-1].hash)
    return tuple(records)


def in_order(lines: Sequence[Line]) -> tuple[Record, ...]:
    """The lines by their moments, those of one moment as they stand, in one unbroken chain."""
    return chained(sorted(lines, key=lambda line: line[0]))
