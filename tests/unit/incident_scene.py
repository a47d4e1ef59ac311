"""A real incident that lies behind us, on disk: its journal, the canary's ledgers and surveys, and the exports of its runs."""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from holdfast.canary.files import CanaryFiles
from holdfast.canary.incident import IncidentSources, incident_facts
from holdfast.canary.records import write as write_contents
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.ledger.contents import StoreContents
from holdfast.ledger.entry import LedgerEntry
from holdfast.ledger.reading import LedgerWriter
from holdfast.plan.bindings import PostgresBinding, RedisBinding, TableBinding
from holdfast.providers.file.divergence import EXPORTS, FIRST_RUN, directory_of
from holdfast.providers.sqlite.journal import SqliteJournal
from holdfast.report.build import build
from holdfast.report.divergence import JSON_NAME, Divergence, divergence_json
from holdfast.report.facts import ReportFacts
from holdfast.report.model import Report
from unit.canary_bindings import some_bindings
from unit.chains import chained, lines_of
from unit.report_facts import DR, END_SECONDS, HOME, IMPACT, INCIDENT, ReportStory, voicehive

NOWHERE = Path("/nowhere")
DATABASE = PostgresBinding(
    host="127.0.0.1", port=1, database="voicehive", user="holdfast", password_file=NOWHERE, records={"calls": TableBinding()}
)
CACHE = RedisBinding(host="127.0.0.1", port=1, password_file=NOWHERE, records=("session:",))
Rows = Sequence[Mapping[str, object]]


def call(after_seconds: float, **other: object) -> dict[str, object]:
    """A row of `calls` that the first region wrote under the first epoch, so long after the impact."""
    written = datetime.fromtimestamp(IMPACT + after_seconds, UTC).isoformat()
    return {"request": "voice-00099", "epoch": 1, "region": HOME, "written_at": written, **other}


@dataclass
class Scene:
    """An incident that lies behind us, on disk."""

    facts: ReportFacts
    sources: IncidentSources
    records: tuple[Record, ...]

    def survey(self, region: str, after_seconds: float, contents: Sequence[StoreContents]) -> None:
        """Write what the canary read of a region so long after the impact."""
        name = f"{IMPACT + after_seconds:017.6f}.{region}.json"
        write_contents(CanaryFiles(self.sources.ledgers).contents / name, region, contents)

    def directory(self, run: str = FIRST_RUN) -> Path:
        """Where the export of a run stands."""
        return directory_of(self.sources.journal.parent / EXPORTS, INCIDENT, run)

    def export(
        self, run: str = FIRST_RUN, rows: Rows = (), *, lacks: Collection[str] = (), place: Mapping[str, Any] | None = None, **head: object
    ) -> None:
        """Write what a run exported of its source, and that the journal knows it: `rows` that only it held, of calls or of `place`.

        `lacks`: components that nobody could look at; `head`: what else the export says of itself.
        """
        where = {"table": ["public", "calls"], **(place or {})}
        lines = [{"id": f"calls/{number}", "change": "only-here", **where, "here": row} for number, row in enumerate(rows)]
        content = "".join(json.dumps(line) + "\n" for line in lines).encode()
        self.directory(run).mkdir(parents=True)
        (self.directory(run) / "rows").write_bytes(content)
        part = {"name": "calls", "file": "rows", "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        counts = {"only_here": len(rows), "differs": 0, "deleted_here": 0}
        source, target = (HOME, DR) if run == FIRST_RUN else (DR, HOME)
        how = head.pop("how", "compared")
        components = [
            {"component": name, "kind": kind, "status": "missing", "detail": f"{name} gave no answer"}
            if name in lacks
            else {"component": name, "kind": kind, "status": "exported", "how": how, "looked_at": True, "parts": parts}
            for name, kind, parts in (("database", "postgres", [part | counts]), ("cache", "redis", []))
        ]
        end = next(record for record in self.records if self._ends_export(record, run))
        said = {
            "incident": INCIDENT,
            "run": run,
            "source": source,
            "target": target,
            "order": (0, 2, 1, 20),
            "exported_seconds": end.at_seconds,
        }
        found = Divergence.model_validate({**said, **head, "components": components})
        (self.directory(run) / JSON_NAME).write_text(divergence_json(found), encoding="utf-8")
        self.journal_says(run, hashlib.sha256((self.directory(run) / JSON_NAME).read_bytes()).hexdigest())

    def journal_says(self, run: str, digest: str) -> None:
        """Write the journal anew: the run's export ended with this digest."""
        told = zip(self.records, lines_of(self.records), strict=True)
        self.journal(
            chained(
                (at, kind, incident, {**body, "facts": {"sha256": digest}} if self._ends_export(record, run) else body)
                for record, (at, kind, incident, body) in told
            )
        )

    def journal(self, records: tuple[Record, ...]) -> None:
        """Write another journal in place of the one that is there."""
        self.records = records
        for file in self.sources.journal.parent.glob(f"{self.sources.journal.name}*"):
            file.unlink()
        with SqliteJournal(self.sources.journal) as journal:
            journal.append(records)

    @staticmethod
    def _ends_export(record: Record, run: str) -> bool:
        return record.kind == Kind.STEP_FINISHED and (record.body["run"], record.body["block"]) == (run, "divergence.export")

    def report(self, now_seconds: float = IMPACT + END_SECONDS) -> Report:
        """What is made of it."""
        return build(incident_facts(self.sources, INCIDENT, now_seconds))


def rules_of(report: Report) -> dict[str, str]:
    """Rule → what it says."""
    return {rule.name: rule.result for rule in report.rules}


class Setting(Protocol):
    """Puts an incident on disk, without the entries that are to be left out."""

    def __call__(self, story: ReportStory, skip: Callable[[LedgerEntry], bool] = ...) -> Scene: ...


Stores = Mapping[str, Sequence[StoreContents]]


def setting(folder: Path) -> Setting:
    """Puts incidents into a folder; their stores are read from what their stories say."""

    def made(story: ReportStory, skip: Callable[[LedgerEntry], bool] = lambda _: False) -> Scene:
        facts = story.facts()
        with SqliteJournal(folder / "journal.db") as journal:
            journal.append(facts.records)
        for function, entries in facts.ledgers.items():
            writer = LedgerWriter(folder / "canary" / f"{function}.jsonl")
            writer.write(entry for entry in entries if not skip(entry))
            writer.close()
        bindings = some_bindings(components={"database": {HOME: DATABASE, DR: DATABASE}, "cache": {HOME: CACHE, DR: CACHE}})
        held: Stores = {contents[0].region: contents for contents in (facts.at_end, facts.after_failover)}
        sources = IncidentSources(
            voicehive(), bindings, folder / "journal.db", folder / "canary", look=lambda _, region, since: tuple(held[region])
        )
        return Scene(facts, sources, tuple(facts.records))

    return made
