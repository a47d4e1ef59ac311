"""`holdfast journal`: read the journal, prove that nobody changed it, hand it on.

It opens the file read-only, beside a running controller or without one, and never writes to it.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from holdfast.cli.output import CommandError, ExitCode, OutputFormat, State, complain, print_json, print_next, screen, state_text, table

if TYPE_CHECKING:
    from datetime import datetime

    from rich.text import Text

    from holdfast.journal.record import Record
    from holdfast.providers.sqlite.journal import JournalReader

app = App(name="journal", help="Read the journal and prove that nobody changed it.", result_action="return_value")

DEFAULT_FILE = Path("var/lab/controller/journal.db")
_BODY_CHARACTERS = 400
_ALARMING = {"failed", "refused"}


@app.command
def verify(
    file: Path = DEFAULT_FILE,
    *,
    head: Annotated[str | None, Parameter(help="A head that was noted earlier, RECORD:HASH, as this command prints it.")] = None,
    output: OutputFormat = "text",
) -> int:
    """Walk the hash chain from the first record to the last. Exit code 1 when it is broken, 3 when its end can't be told.

    Who can write the file can also cut its end off, and the file beside it that says how far it had come. So note the head where that
    person can't write, and compare with --head.

    Example: `holdfast journal verify var/lab/controller/journal.db`
    Example: `holdfast journal verify --head 301:9f2c41d07b3e5a68`

    Parameters
    ----------
    file:
        The journal.
    output:
        How to print.
    """
    noted = None if head is None else _noted(head)
    with _opened(file) as journal:
        fault = journal.fault()
        if fault is None and noted is not None:
            wrong = journal.against(*noted)
            fault = None if wrong is None else f"{file}: {wrong}"
        sequence, last = journal.head() if fault is None else (None, None)
        end_known = noted is not None or journal.knows_its_end()
    if output == "json":
        told = {"file": str(file), "whole": fault is None, "fault": fault, "records": sequence, "head": last}
        print_json({**told, "noted": head, "end_known": end_known})
    elif fault is not None:
        screen().print(state_text(State.FAILED, f"broken: {fault}"))
        screen().print("Keep the file as it is: it is evidence. What is whole can still be read.")
        print_next(f"holdfast journal show {file}")
    else:
        _say_whole(file, f"{sequence}:{last}", noted is not None, end_known)
    if fault is not None:
        return ExitCode.NOT_SO
    return ExitCode.FINE if end_known else ExitCode.UNKNOWN


def _say_whole(file: Path, head: str, compared: bool, end_known: bool) -> None:
    records = head.partition(":")[0]
    if not end_known:
        said = f"{records} records follow from one another; whether there were more can't be told: {file.name}.lock is not beside the file"
        screen().print(state_text(State.UNKNOWN, said))
        print_next(f"holdfast journal verify {file} --head RECORD:HASH")
        return
    also = ", the noted head is one of them" if compared else ""
    screen().print(state_text(State.DONE, f"whole: {records} records{also}; head {head}"))
    screen().print("Note the head where nobody who can write this file can: only it proves later that the end was not cut off.")
    print_next(f"holdfast journal show {file}")


def _noted(text: str) -> tuple[int, str]:
    """The record and its hash, or the beginning of it. Raises CommandError."""
    sequence, _, digest = text.strip().partition(":")
    if not sequence.isdecimal() or int(sequence) < 1 or len(digest) < 16 or set(digest) - set("0123456789abcdef"):
        raise CommandError(
            f"--head is RECORD:HASH as `holdfast journal verify` prints it, with 16 digits of the hash at least, not '{text}'"
        )
    return int(sequence), digest


@app.command
def show(file: Path = DEFAULT_FILE, *, incident: str | None = None, output: OutputFormat = "text") -> int:
    """What happened, record by record.

    Example: `holdfast journal show --incident inc-1-1`

    Parameters
    ----------
    file:
        The journal.
    incident:
        Only this incident's records.
    output:
        How to print.
    """
    with _opened(file) as journal:
        records, fault = _whole_part(journal, incident)
        proved = journal.proved()[0]
    if output == "json":
        print_json([_plain(record) for record in records])
    else:
        _print_records(records, file, incident, proved if fault is not None else None, fault)
        if fault is not None:
            return ExitCode.NOT_SO  # it stands in the first line
    return _say(fault)


@app.command
def export(file: Path = DEFAULT_FILE, *, incident: str | None = None) -> int:
    """Every record as one line of JSON, with its hash: for archives and other programs.

    Example: `holdfast journal export > journal.jsonl`

    Parameters
    ----------
    file:
        The journal.
    incident:
        Only this incident's records. (The chain of hashes is whole only in the whole journal.)
    """
    with _opened(file) as journal:
        records, fault = _whole_part(journal, incident)
    for record in records:
        sys.stdout.write(json.dumps(_plain(record), ensure_ascii=False, sort_keys=True) + "\n")
    return _say(fault)


@contextmanager
def _opened(file: Path) -> Iterator["JournalReader"]:
    from holdfast.ports.journal_store import JournalBroken
    from holdfast.providers.sqlite.journal import JournalReader

    try:
        reader = JournalReader(file)
    except JournalBroken as error:
        raise CommandError(str(error)) from error
    with reader:
        yield reader


def _whole_part(journal: "JournalReader", incident: str | None) -> tuple[list["Record"], str | None]:
    """The records as far as they can be read, and what is wrong with the journal."""
    from holdfast.ports.journal_store import JournalBroken

    records: list[Record] = []
    try:
        records.extend(journal.read() if incident is None else journal.read_incident(incident))
    except JournalBroken as error:
        return records, journal.fault() or str(error)
    return records, journal.fault()


def _say(fault: str | None) -> int:
    if fault is None:
        return ExitCode.FINE
    complain(f"the journal is broken: {fault}")
    return ExitCode.NOT_SO


def _plain(record: "Record") -> dict[str, Any]:
    return {
        "sequence": record.sequence,
        "at_seconds": record.at_seconds,
        "kind": record.kind,
        "incident": record.incident,
        "body": record.body,
        "previous": record.previous,
        "hash": record.hash,
    }


def _print_records(records: list["Record"], file: Path, incident: str | None, proved: int | None, fault: str | None) -> None:
    """`proved`: the last record that the chain proves, where it is broken."""
    if fault is not None:
        screen().print(state_text(State.FAILED, f"broken: {fault}"))
        screen().print(f"The chain proves records up to {proved}; nothing after that proves itself.", markup=False)
    where = f"{file}" + (f", incident {incident}" if incident else "")
    if not records:
        screen().print(f"No records in {where}.", markup=False)
        return
    first = _moment(records[0].at_seconds)
    screen().print(f"{len(records)} records in {where}, from {first:%Y-%m-%d %H:%M} (UTC{first:%z})", markup=False)
    exercises = _exercises(records)
    rows = [
        (
            str(record.sequence),
            _time(record),
            _proven_kind(record, proved),
            _incident(record, exercises),
            _plain_text(_summary(record.body)),
        )
        for record in records
    ]
    screen().print(table(("record", "day, time", "what", "incident", "detail"), rows, numbers=("record",)))
    print_next(f"holdfast journal verify {file}")


def _plain_text(text: str) -> "Text":
    """What stands in records is data: it is never read as markup."""
    from rich.text import Text

    return Text(text)


def _exercises(records: list["Record"]) -> set[str]:
    from holdfast.journal.kinds import Kind

    return {record.incident for record in records if record.kind == Kind.INCIDENT_OPENED and record.body.get("kind") == "exercise"}


def _incident(record: "Record", exercises: set[str]) -> "Text":
    from holdfast.cli.output import exercise_line

    return exercise_line(record.incident) if record.incident in exercises else _plain_text(record.incident)


def _proven_kind(record: "Record", proved: int | None) -> "Text":
    if proved is None or record.sequence <= proved:
        return _kind(record)
    return state_text(State.FAILED if record.sequence == proved + 1 else State.UNKNOWN, f"not proved: {record.kind}")


def _kind(record: "Record") -> "Text":
    outcome = str(record.body.get("outcome", ""))
    if outcome in _ALARMING or record.kind.endswith(".failed"):
        state = State.FAILED
    elif outcome == "unknown":
        state = State.UNKNOWN
    elif record.kind.endswith((".intended", ".started")):
        state = State.RUNNING
    elif record.kind.endswith((".waiting", "proposal.made")):
        state = State.NEEDS_PERSON
    else:
        state = State.DONE
    return state_text(state, record.kind)


def _moment(at_seconds: float) -> "datetime":
    from datetime import datetime

    return datetime.fromtimestamp(at_seconds).astimezone()


def _time(record: "Record") -> str:
    moment = _moment(record.at_seconds)
    return f"{moment:%d %H:%M:%S}.{moment.microsecond // 1000:03d}"


def _summary(body: Mapping[str, Any]) -> str:
    said = {key: value for key, value in body.items() if value not in (None, "", {}, [])}
    text = ", ".join(f"{key}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}" for key, value in said.items())
    return text if len(text) <= _BODY_CHARACTERS else text[: _BODY_CHARACTERS - 1] + "…"
