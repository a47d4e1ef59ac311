"""Keeps what is known of the audiences that have a directory: reads each again and again, and holds the last answer when one is silent.

Rules: a directory that doesn't answer takes nobody away: the last good copy counts, with its age; without one, nobody knows who is in the
audience, and that is told. Copies outlive the controller: they lie in its state directory, readable by its user only, and each answer
replaces the one before, so that whoever was forgotten by the directory is forgotten here with the next answer. Never in the journal.
"""

import asyncio
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from holdfast.communications.recipients import Directory, Member, Membership
from holdfast.ports.audience import AudienceSource, DirectoryUnreadableError
from holdfast.ports.clock import Clock

EVERY_SECONDS = 300.0
"""A list of contacts changes over days; an incident must not wait for it."""


class Audiences:
    """`directory` is what is known now."""

    def __init__(self, sources: Mapping[str, AudienceSource], copies: Path, clock: Clock) -> None:
        self._sources = sources
        self._copies = copies
        self._clock = clock
        self._known: dict[str, Membership] = {name: self._copy(name) for name in sources}

    def directory(self) -> Directory:
        """What is known now."""
        return Directory(dict(self._known))

    async def run(self) -> None:
        """Read them all, again and again."""
        while self._sources:
            await self.read()
            await self._clock.sleep(EVERY_SECONDS)

    async def read(self) -> None:
        """Read them all once."""
        await asyncio.gather(*(self._read(name, source) for name, source in self._sources.items()))

    async def _read(self, name: str, source: AudienceSource) -> None:
        try:
            members = await source.members()
        except DirectoryUnreadableError as error:
            known = self._known[name]
            self._known[name] = Membership(known.members, known.as_of_seconds, str(error))
            return
        self._known[name] = Membership(members, self._clock.wall_seconds())
        with suppress(OSError):  # without room for a copy, this controller still knows
            await asyncio.to_thread(self._keep, name, self._known[name])

    def _keep(self, name: str, known: Membership) -> None:
        self._copies.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self._copies / f"{name}.new"
        text = json.dumps({"as_of_seconds": known.as_of_seconds, "members": [asdict(member) for member in known.members or ()]})
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._copies / f"{name}.json")

    def _copy(self, name: str) -> Membership:
        try:
            kept = json.loads((self._copies / f"{name}.json").read_text(encoding="utf-8"))
            members = tuple(Member(entry["identifier"], entry["name"], entry["addresses"]) for entry in kept["members"])
            return Membership(members, float(kept["as_of_seconds"]), "not asked yet since the controller began")
        except (OSError, ValueError, KeyError, TypeError):
            return Membership(None, None, "its directory has not answered yet")
