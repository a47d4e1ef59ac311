"""`holdfast report`: show a report again, from its report.json alone; or make the one of an incident, from its journal and ledgers."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from holdfast.cli.canary import DEFAULT_LEDGERS
from holdfast.cli.output import CommandError, ExitCode, print_next, screen
from holdfast.cli.reach import DEFAULT_LAB

if TYPE_CHECKING:
    from holdfast.report.model import Report

_EXIT = {"pass": ExitCode.FINE, "fail": ExitCode.NOT_SO, "unknown": ExitCode.UNKNOWN}
ReportFormat = Annotated[
    Literal["text", "json", "html"],
    Parameter(name=["--output", "-o"], help="`text` for people, `json` for programs, `html` writes report.html beside the report.json."),
]


def report(
    directory: Path,
    *,
    incident: Annotated[str | None, Parameter(help="Make the report of this incident first; `last` is the last one.")] = None,
    plan: Annotated[Path | None, Parameter(help="With --incident: the plan.")] = None,
    bindings: Path = DEFAULT_LAB / "bindings.witness.json",
    ledgers: Path = DEFAULT_LEDGERS,
    journal: Annotated[Path | None, Parameter(help="With --incident: the journal; without it, the one in the bindings' state.")] = None,
    output: ReportFormat = "text",
) -> int:
    """Show the report in a directory. Exits 0 when its verdict is *pass*, 1 when it is *fail*, 3 when it is *unknown*.

    With --incident it is made first, and can be made again: from the journal, the canary's ledgers, and what the stores hold now.

    Example: `holdfast report var/demo`
    Example: `holdfast report var/inc-1-1 --incident inc-1-1 --plan examples/voicehive/plan.yaml --ledgers var/canary`

    Parameters
    ----------
    directory:
        Where report.json is, or that file itself; with --incident, where to write it.
    bindings:
        With --incident: where things are, as seen from here.
    ledgers:
        With --incident: where `holdfast canary` keeps its ledgers.
    output:
        How to show it.
    """
    place = directory.parent if directory.name == "report.json" else directory
    if incident is not None:
        _make(place, None if incident == "last" else incident, plan, bindings, ledgers, journal)
    found = _read(place)
    if output == "json":
        from holdfast.report.format import report_json

        screen().file.write(report_json(found))
    elif output == "html":
        _write_page(found, place)
    else:
        from holdfast.report.terminal import summary

        screen().print(summary(found, str(place)))
    return _EXIT[found.verdict]


def _make(place: Path, incident: str | None, plan: Path | None, bindings: Path, ledgers: Path, journal: Path | None) -> None:
    """Gather an incident's facts and write its report."""
    import time

    from holdfast.canary.incident import IncidentProblem, IncidentSources, incident_facts
    from holdfast.cli.canary import bindings_in
    from holdfast.cli.run import loaded_plan
    from holdfast.ledger.reading import LedgerError
    from holdfast.ports.journal_store import JournalBroken
    from holdfast.report.build import build
    from holdfast.report.write import write

    if plan is None:
        raise CommandError("--incident needs the plan too: add --plan FILE")
    if not ledgers.is_dir():
        raise CommandError(f"there are no ledgers in {ledgers}; `holdfast canary` writes them, or name where they are with --ledgers")
    places = bindings_in(bindings)
    sources = IncidentSources(loaded_plan(plan), places, journal or places.state_directory / "journal.db", ledgers)
    try:
        made = build(incident_facts(sources, incident, time.time()))
        place.mkdir(parents=True, exist_ok=True)
        write(made, place)
    except (IncidentProblem, JournalBroken, LedgerError) as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"the report can't be made: {error}") from error


def _read(place: Path) -> "Report":
    from pydantic import ValidationError

    from holdfast.report.write import JSON_NAME, read

    file = place / JSON_NAME
    try:
        return read(place)
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}. A drill writes it: `holdfast drill run --directory {place}`") from error
    except (ValidationError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} is not a report of the format holdfast/report/v1:\n{_said(error)}") from error


def _said(error: Exception) -> str:
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return f"  {error}"
    places = [f"  {'.'.join(map(str, fault['loc'])) or 'the file'}: {fault['msg']}" for fault in error.errors()]
    more = [f"  and {len(places) - 10} more"] if len(places) > 10 else []
    return "\n".join(places[:10] + more)


def _write_page(found: "Report", place: Path) -> None:
    from holdfast.report.page import page
    from holdfast.report.write import PAGE_NAME, write_whole

    file = place / PAGE_NAME
    try:
        write_whole(file, page(found))
    except OSError as error:
        raise CommandError(
            f"{file} can't be written: {error.strerror}. Copy report.json to a directory of your own and name that"
        ) from error
    screen().print(f"{'EXERCISE ' if found.exercise else ''}written: {file}", markup=False)
    print_next(f"xdg-open {file}")
