"""The report's files: report.json and report.html in one directory, each there whole or not at all.

Never here: printing, and any other place than the directory given.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from holdfast.report.format import read_report, report_json
from holdfast.report.model import Report
from holdfast.report.page import page

JSON_NAME, PAGE_NAME = "report.json", "report.html"


@dataclass(frozen=True, slots=True)
class Written:
    """Where the files are."""

    json: Path
    page: Path


def write(report: Report, directory: Path) -> Written:
    """Write both files; the page first, so that a report.json always has its page. Raises OSError when the directory can't be written."""
    directory.mkdir(parents=True, exist_ok=True)
    written = Written(directory / JSON_NAME, directory / PAGE_NAME)
    write_whole(written.page, page(report))
    write_whole(written.json, report_json(report))
    return written


def write_whole(path: Path, text: str) -> None:
    """A reader sees the old file or the new one, never a part; after a power cut too."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with aside.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def read(directory: Path) -> Report:
    """The report in a directory. Raises OSError, and pydantic's ValidationError when the file is no report."""
    return read_report((directory / JSON_NAME).read_text(encoding="utf-8"))
