"""What every piece of the plan is: frozen, and strict about its keys."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A piece of the plan: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


Priority = Literal["P1", "P2", "P3", "P4"]
