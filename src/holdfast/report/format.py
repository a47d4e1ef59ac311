"""report.json as text, and its JSON Schema.

Rules: what is written reads back as it was; lists of numbers take one line each, so that a person can still look at the file.
"""

import re
from typing import Any

from holdfast.report.model import Report

_NUMBERS = re.compile(r"\[\n\s*(-?\d+(?:\.\d+)?(?:,\n\s*-?\d+(?:\.\d+)?)*)\n\s*\]")
"""A list of nothing but numbers, as it is written with a line each. No text holds a line break in JSON, so no text can look like it."""


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of report.json, as it is checked in beside this module."""
    schema = Report.model_json_schema(by_alias=True, mode="validation")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:holdfast:report:v1",
        **schema,
        "title": "Holdfast report, version 1",
    }


def report_json(report: Report) -> str:
    """The text of report.json."""
    text = report.model_dump_json(by_alias=True, indent=2)
    return _NUMBERS.sub(lambda found: f"[{', '.join(number.strip() for number in found.group(1).split(','))}]", text) + "\n"


def read_report(text: str) -> Report:
    """Inverse of `report_json`. Raises pydantic's ValidationError, which names every field that is wrong."""
    return Report.model_validate_json(text)
