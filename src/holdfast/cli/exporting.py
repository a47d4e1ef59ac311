"""`holdfast export PLAN`: the plan as Markdown, HTML or PDF, to hand to an auditor and to print for the night when nothing is online.

Exit: 0 written; 2 the plan doesn't load, or the file can't be written.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from holdfast.cli.findings import today_of
from holdfast.cli.output import CommandError, ExitCode, file_or_dash, print_json, print_next, screen

if TYPE_CHECKING:
    from holdfast.document.writing.blocks import Booklet

SCHEMA = "holdfast/export/v1"
ExportFormat = Literal["md", "html", "pdf"]
Target = Annotated[
    str | None,
    Parameter(
        name=["--output", "-o"],
        allow_leading_hyphen=True,
        validator=file_or_dash,
        help="The file to write; `json` names none and prints the summary as JSON, `-` is standard output.",
    ),
]


def export(plan: Path, *, format: ExportFormat = "pdf", output: Target = None) -> int:
    """Write the whole plan as one document: Markdown (which reads back as the same plan), HTML or PDF/A.

    Example: `holdfast export examples/voicehive/plan.yaml --format pdf -o plan.pdf`
    Example: `holdfast export examples/voicehive/plan.yaml --format md -o -`

    Parameters
    ----------
    plan
        The plan's file.
    format
        `md` reads back, `html` is one page that needs nothing else, `pdf` is PDF/A for archive and printer.
    output
        Without it: beside where you stand, named after the plan's file. An end such as `.html` must fit the format.
    """
    from holdfast.cli.run import loaded_plan

    loaded = loaded_plan(plan)
    file = Path(f"{plan.stem}.{format}") if output in (None, "json") else Path(str(output))
    if output != "-" and file.suffix not in (f".{format}", "") and file.suffix in (".md", ".html", ".pdf"):
        raise CommandError(f"{file} doesn't fit the format {format}; add `--format {file.suffix[1:]}`, or name the file *.{format}")
    if output != "-" and file.resolve() == plan.resolve():
        raise CommandError(f"{file} is the plan itself, and nothing was written; name another file with -o")
    made = _booklet(plan, loaded.plan.timezone)
    content = _content(made, format)
    if output == "-":
        screen().file.flush()
        _to_standard_output(content)
        return ExitCode.FINE
    _write(file, content)
    if output == "json":
        print_json({"schema": SCHEMA, "path": str(file), "format": format, "bytes": len(content), "digest": loaded.digest})
        return ExitCode.FINE
    screen().print(f"written: {file} ({len(content)} bytes), {made.footer}", markup=False)
    print_next(f"holdfast import {file} -o plan.yaml" if format == "md" else f"xdg-open {file}")
    return ExitCode.FINE


def _booklet(path: Path, timezone: str) -> "Booklet":
    from holdfast.checks import check
    from holdfast.cli.run import loaded_plan
    from holdfast.document.writing.booklet import booklet

    loaded = loaded_plan(path)
    return booklet(loaded.plan, loaded.digest, check(loaded.plan, today_of(timezone)))


def _content(made: "Booklet", format: ExportFormat) -> bytes:
    if format == "md":
        from holdfast.document.writing.markdown import markdown

        return markdown(made).encode()
    if format == "html":
        from holdfast.document.writing.html import html

        return html(made).encode()
    from holdfast.document.writing.typst import typst
    from holdfast.providers.typst.pdf import NotTypeset, pdf

    try:
        return pdf(typst(made))
    except NotTypeset as error:
        raise CommandError(f"the PDF can't be made: {error}. `--format html` prints as well", ExitCode.UNKNOWN) from error


def _to_standard_output(content: bytes) -> None:
    import sys

    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise CommandError(f"{file} can't be written: {error.strerror}. Name another file with -o") from error
