"""`holdfast top`: what the controller knows, once a second, until q or Ctrl-C. It reads the controller's API and touches nothing else.

A frame is made by `console.view` and `console.frame`; here is only the terminal: what it understands, its size, and that it is left as it
was found, whatever ends the view. The controller is asked beside the drawing, so that a silent one delays no key.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from holdfast.cli.output import CommandError, ExitCode, OutputFormat, print_json
from holdfast.cli.reach import DEFAULT_LAB, LabDirectory, controller_of

if TYPE_CHECKING:
    from holdfast.console.frame import Line
    from holdfast.console.view import Heard
    from holdfast.providers.controller.client import ControllerClient

EVERY_SECONDS = 1.0
ANSWER_SECONDS = 1.0
"""The first frame waits so long for the first answer."""
DUMB_EVERY_SECONDS = 30.0
"""A terminal that can't be drawn over gets a new frame when something other than a figure changed, else this often."""
_STYLES = {
    "plain": "",
    "muted": "2",
    "strong": "1",
    "done": "32",
    "running": "34",
    "needs-person": "1;33",
    "failed": "1;31",
    "unknown": "90",
    "exercise": "1;35",
}
_ASCII = str.maketrans({"✓": "+", "▶": ">", "⏸": "!", "✕": "x", "→": ">", "─": "-", "◀": "<", "…": ".", "·": "-", "−": "-", "\u202f": " "})


def top(
    *,
    once: Annotated[bool, Parameter(name=["--once"], negative="", help="Print one frame and end.")] = False,
    lab: LabDirectory = DEFAULT_LAB,
    output: OutputFormat = "text",
) -> int:
    """Show both regions, the links, every function's clock, the step under way and who must act, once a second. q ends it.

    `--once` prints one frame, `-o json` one frame as data. Exit code 3 when no controller answers.

    Example: `holdfast top`
    """
    listener = _Listener(controller_of(lab))
    if output == "json" or once or not sys.stdout.isatty():
        return _print_once(listener, output)
    if os.environ.get("TERM", "dumb") in ("dumb", ""):
        return _print_changes(listener)
    return _draw(listener)


class _Listener:
    """Asks the controller and remembers what it said last."""

    def __init__(self, client: "ControllerClient") -> None:
        self._client = client
        self._state: dict[str, Any] | None = None
        self._at = self._silent_since = time.monotonic()
        self._why = "it was not asked yet"
        self.asked = threading.Event()
        self._lock = threading.Lock()

    def ask(self) -> None:
        """One question; returns when it is answered or given up."""
        from holdfast.providers.controller.client import ControllerRefused, ControllerSilent

        try:
            state = self._client.state()
        except (ControllerSilent, ControllerRefused, OSError) as error:
            with self._lock:
                self._why = str(error)
        else:
            with self._lock:
                self._state, self._at, self._silent_since, self._why = state, time.monotonic(), time.monotonic(), ""

        self.asked.set()

    def follow(self) -> None:
        """Ask again and again; for a thread of its own."""
        while True:
            self.ask()
            time.sleep(EVERY_SECONDS)

    def heard(self) -> "Heard":
        """What is known now."""
        from holdfast.console.view import Heard

        now = time.monotonic()
        with self._lock:
            silent = now - self._silent_since if self._why else None
            return Heard(self._state, now - self._at, silent, self._why)


def _lines(listener: _Listener, width: int, height: int, hint: str = "") -> "tuple[Line, ...]":
    from holdfast.console.frame import frame
    from holdfast.console.view import view

    return frame(view(listener.heard(), time.time()), width, height, hint)


def _print_once(listener: _Listener, output: str) -> int:
    from holdfast.console.view import view

    listener.ask()
    heard = listener.heard()
    if heard.state is None:
        raise CommandError(heard.why_silent, ExitCode.UNKNOWN)
    if output == "json":
        print_json({"schema": "holdfast/top/v1", **asdict(view(heard, time.time()))})
        return ExitCode.FINE
    width, height = _size()
    colour = sys.stdout.isatty() and _has_colour()
    for line in _lines(listener, width, max(height, 60)):
        sys.stdout.write(_rendered(line, colour) + "\n")
    return ExitCode.FINE


def _print_changes(listener: _Listener) -> int:
    """For a terminal that can only go on: a frame whenever more than its figures changed."""
    from holdfast.console.frame import plain

    threading.Thread(target=listener.follow, daemon=True).start()
    listener.asked.wait(ANSWER_SECONDS)
    before, printed = "", -DUMB_EVERY_SECONDS
    while True:
        width, _ = _size()
        text = "\n".join(_encodable(plain(line)) for line in _lines(listener, width, 60))
        told = "".join(char for char in text if not char.isdigit())
        if told != before or time.monotonic() - printed >= DUMB_EVERY_SECONDS:
            sys.stdout.write(text + "\n\n")
            sys.stdout.flush()
            before, printed = told, time.monotonic()
        time.sleep(EVERY_SECONDS)


def _draw(listener: _Listener) -> int:
    threading.Thread(target=listener.follow, daemon=True).start()
    listener.asked.wait(ANSWER_SECONDS)
    colour = _has_colour()
    with _own_screen():
        while True:
            width, height = _size()
            lines = _lines(listener, width, height, "q ends")
            # Over what stands there, each line cleared to its end, the rest below: no flicker, and one write a frame.
            text = "\x1b[H" + "".join(f"{_rendered(line, colour)}\x1b[K\n" for line in lines[:-1])
            sys.stdout.write(text + f"{_rendered(lines[-1], colour)}\x1b[K\x1b[J")
            sys.stdout.flush()
            if _ended_within(EVERY_SECONDS):
                return ExitCode.FINE


def _rendered(line: "Line", colour: bool) -> str:
    if not colour:
        return _encodable("".join(text for text, _ in line))
    return "".join(f"\x1b[{_STYLES[look]}m{_encodable(text)}\x1b[0m" if _STYLES[look] else _encodable(text) for text, look in line)


def _encodable(text: str) -> str:
    """Printable whatever the terminal's character set, and without anything that could steer it."""
    clean = "".join(char if char.isprintable() else " " for char in text)
    encoding = sys.stdout.encoding or "ascii"
    try:
        clean.encode(encoding)
    except UnicodeEncodeError:
        clean = clean.translate(_ASCII).encode(encoding, "replace").decode(encoding)
    return clean


def _has_colour() -> bool:
    return not os.environ.get("NO_COLOR")


def _size() -> tuple[int, int]:
    """Columns and rows; 80 × 24 where nobody says."""
    from shutil import get_terminal_size

    size = get_terminal_size((80, 24))
    return size.columns, size.lines


def _ended_within(seconds: float) -> bool:
    """Whether q was typed, or the keyboard went away, before the time was over or another key asked for a new frame."""
    import select

    ready, _, _ = select.select([sys.stdin], [], [], seconds)
    if not ready:
        return False
    typed = os.read(sys.stdin.fileno(), 64)
    return not typed or any(key in typed for key in b"qQ\x04")


@contextlib.contextmanager
def _own_screen() -> Iterator[None]:
    """The alternate screen without a cursor, keys as they are typed; everything put back at the end, also after SIGTERM or a hang-up."""
    import termios
    import tty

    def ended(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    watched = sys.stdin.isatty()
    before = termios.tcgetattr(sys.stdin.fileno()) if watched else None
    handlers = {number: signal.signal(number, ended) for number in (signal.SIGTERM, signal.SIGHUP)}
    handlers[signal.SIGWINCH] = signal.signal(signal.SIGWINCH, lambda number, frame: None)
    try:
        if watched:
            tty.setcbreak(sys.stdin.fileno())
        sys.stdout.write("\x1b[?1049h\x1b[?25l\x1b[2J")
        yield
    except KeyboardInterrupt:
        pass  # the ordinary way to end it
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.write("\x1b[0m\x1b[?25h\x1b[?1049l")
            sys.stdout.flush()
        if before is not None:
            termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, before)
        for number, handler in handlers.items():
            signal.signal(number, handler)
