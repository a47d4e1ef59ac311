"""Version 1 of the journal: a journal that was written in November 2026 reads as it did then, and what is written now only adds fields.

`journal-v1.jsonl.gz` holds every record of one simulated exercise that passed. It is never made anew: a change that this test speaks
against would leave the journals of real nights unreadable.
"""

import gzip
import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from holdfast.decision.replay import replayed
from holdfast.decision.table import State
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record, first_break
from holdfast.simulation.exercise import exercise
from holdfast.simulation.stage import StageSettings
from unit.conduct_on_paper import DR, LOADED, PRIMARY

OLD = Path(__file__).with_name("journal-v1.jsonl.gz")


@cache
def old() -> tuple[Record, ...]:
    lines = gzip.decompress(OLD.read_bytes()).decode().splitlines()
    return tuple(Record(**json.loads(line)) for line in lines)


def fields(records: Iterable[Record]) -> Mapping[str, set[str]]:
    """Kind → the fields that every record of it has."""
    found: dict[str, set[str]] = {}
    for record in records:
        found[record.kind] = found[record.kind] & set(record.body) if record.kind in found else set(record.body)
    return found


def test_an_old_journal_is_whole_and_every_kind_in_it_is_still_known() -> None:
    assert len(old()) == 299 and first_break(old()) is None
    assert {record.kind for record in old()} <= set(Kind)


def test_an_old_journal_says_what_it_said_then() -> None:
    known = replayed(PRIMARY, old())
    (incident,) = known.incidents.values()
    assert (known.serving, known.era, known.epoch, known.open_incident()) == (PRIMARY, 0, 3, None)
    assert (incident.state, incident.source, incident.target, incident.severity) == (State.CLOSED, PRIMARY, DR, "P1")
    assert dict(incident.runs_finished) == {"failover": "succeeded", "reprotect": "succeeded", "way-back": "succeeded"}
    assert set(incident.functions) == {"voice", "pms", "authentication", "analytics", "configuration"}
    assert all(outage.back_seconds is not None for outage in incident.functions.values())
    assert [decision["approvers"] for decision in incident.decided.values()] == [["exercise-one", "exercise-two"]] * 2


def test_what_is_written_now_has_every_field_that_was_written_then() -> None:
    now = fields(exercise(StageSettings(LOADED, seed=1)).facts.records)
    lost: dict[str, Any] = {kind: gone for kind, names in fields(old()).items() if kind in now and (gone := names - now[kind])}
    assert lost == {}
    assert len(now.keys() & fields(old()).keys()) > 20
