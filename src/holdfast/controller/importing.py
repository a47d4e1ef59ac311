"""Bringing the agents' local records into the journal: what an isolated agent did counts from when it did it, and is marked late."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.conduct.situation import Write
from holdfast.controller.chronicle import Chronicle
from holdfast.controller.room import JournalRoom
from holdfast.journal.kinds import Kind
from holdfast.ports.clock import Clock
from holdfast.ports.journal_store import JournalFull
from holdfast.ports.local_records import LocalRecords

log = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
LATE_SECONDS = 5.0
"""A record that is older than this when it arrives is marked late: nobody could read it when it mattered."""


def writes(region: str, records: Sequence[Mapping[str, Any]], incident: str, now: float) -> list[Write]:
    """The journal's records of an agent's own."""
    return [
        Write(
            Kind.AGENT_RECORD,
            incident,
            {
                "region": region,
                "number": record["n"],
                "at_seconds": record["at_seconds"],
                "what": record["what"],
                "detail": record["detail"],
                "facts": record.get("facts", {}),
                "signature": record["signature"],
                "late": now - float(record["at_seconds"]) > LATE_SECONDS,
            },
        )
        for record in records
    ]


async def keep_importing(chronicle: Chronicle, source: LocalRecords, clock: Clock, room: JournalRoom) -> None:
    """Fetch and append until cancelled. A silent agent is asked again; a full disk is waited out."""
    while True:
        try:
            known = chronicle.installation.agent_records.get(source.region, 0)
            records = await source.after(known)
            if records:
                incident = chronicle.installation.open_incident()
                chronicle.append(writes(source.region, records, incident.incident if incident else "", clock.wall_seconds()))
        except (ConnectionError, TimeoutError) as silence:
            log.debug("records of %s: %s", source.region, silence)
        except JournalFull as full:
            room.lacks(full)
        await clock.sleep(EVERY_SECONDS)
