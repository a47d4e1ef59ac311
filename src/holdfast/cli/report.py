"""`holdfast report`: show a report again, from its report.json alone."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from holdfast.cli.output import CommandError, ExitCode, print_next, screen

if TYPE_CHECKING:
    from holdfast.report.model import Report

_EXIT = {"pass": ExitCode.FINE, "fail": ExitCode.NOT_SO, "unknown": ExitCode.UNKNOWN}
ReportFormat = Annotated[
    Literal["text", "json", "html"],
    Parameter(name=["--output", "-o"], help="`text` for people, `json` for programs, `html` writes report.html beside the report.json."),
]


def report(directory: Path, *, output: ReportFormat = "text") -> int:
    """Show the report in a directory. Exits 0 when its verdict is *pass*, 1 when it is *fail*, 3 when it is *unknown*.

    Example: `holdfast report var/demo`

    Parameters
    ----------
    directory:
        Where report.json is, or that file itself.
    output:
        How to show it.
    """
    place = directory.parent if directory.name == "report.json" else directory
    found = _read(place)
    if output == "json":
        from holdfast.report.model import report_json

        screen().file.write(report_json(found))
    elif output == "html":
        _write_page(found, place)
    else:
        from holdfast.report.terminal import summary

        screen().print(summary(found, str(place)))
    return _EXIT[found.verdict]


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
