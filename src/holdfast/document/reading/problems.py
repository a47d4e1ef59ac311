"""What keeps a document from being read at all."""


class DocumentError(Exception):
    """A document that can't be read. `line` counts from 1; None where the whole file is meant."""

    def __init__(self, message: str, line: int | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.line, self.hint = message, line, hint

    def placed(self, path: str) -> str:
        """What happened, where, and what to do next."""
        where = f"{path}:{self.line}:1" if self.line is not None else path
        return f"{where}: {self.message}" + (f" — {self.hint}" if self.hint else "")
