"""What every piece of the plan is: frozen, and strict about its keys."""

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A piece of the plan: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    if not TYPE_CHECKING:  # to the types every key is there

        def __getattr__(self, name: str) -> Any:
            """Asked only for what isn't there: a key of a plan with holes (see `unfinished`) stops whoever reads it."""
            if name in type(self).model_fields:
                raise NotSaidError(self, name)
            return super().__getattr__(name)

    @classmethod
    def field_named(cls, key: str) -> str:
        """The attribute that a key of the plan's file stands for."""
        return next((name for name, field in cls.model_fields.items() if field.alias == key), key)


class NotSaidError(Exception):
    """Somebody read a key that an unfinished plan doesn't say. No AttributeError: nothing may take it for a default."""

    def __init__(self, part: Part, key: str) -> None:
        super().__init__(f"the plan doesn't say '{key}' here")
        self.part, self.key = part, key


Priority = Literal["P1", "P2", "P3", "P4"]
