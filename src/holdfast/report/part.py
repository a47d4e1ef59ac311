"""What every piece of the report is: frozen, and read leniently."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

Seconds = Annotated[float, AfterValidator(lambda seconds: round(seconds, 3))]
"""To the millisecond: what the judge compares is what the reader sees."""


class ReportPart(BaseModel):
    """A piece of the report. Unknown fields are ignored when reading, so that an older program reads a newer report."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)
