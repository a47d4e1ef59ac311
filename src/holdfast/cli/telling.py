"""How lines of a run are shown: time of day, state, text; EXERCISE in front of every line of one."""

from collections.abc import Callable
from datetime import datetime

from holdfast.cli.output import State, exercise_line, screen, state_text
from holdfast.console.narration import Line

_STATES = {
    "done": State.DONE,
    "running": State.RUNNING,
    "needs-person": State.NEEDS_PERSON,
    "failed": State.FAILED,
    "unknown": State.UNKNOWN,
}


def teller(exercise: bool) -> Callable[[Line], None]:
    """A function that prints a line."""
    from rich.text import Text

    out = screen()

    def tell(line: Line) -> None:
        moment = datetime.fromtimestamp(line.at_seconds).astimezone()
        whole = Text.assemble(
            moment.strftime("%H:%M:%S"), f".{moment.microsecond // 100000}  ", state_text(_STATES[line.state]), "  ", line.text
        )
        out.print(exercise_line(whole) if exercise else whole)

    return tell
