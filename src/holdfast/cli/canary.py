"""`holdfast canary`: the clients' truth in production, measured all the time, as a service in the foreground."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from holdfast.cli.output import CommandError, ExitCode, OutputFormat

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.canary.upkeep import Word
    from holdfast.plan.bindings import Bindings

DEFAULT_BINDINGS = Path("var/lab/bindings.outside.json")
DEFAULT_LEDGERS = Path("var/canary")
_MEGABYTE = 1024 * 1024


def canary(
    plan: Path,
    *,
    bindings: Path = DEFAULT_BINDINGS,
    ledgers: Path = DEFAULT_LEDGERS,
    function: Annotated[tuple[str, ...], Parameter(help="Only these functions; may be given several times.")] = (),
    keep_megabytes: int = 64,
    duration: Annotated[str | None, Parameter(name="--for", help="End after this time, such as 10m; else run until told to end.")] = None,
    output: OutputFormat = "text",
) -> int:
    """Make each function's synthetic transaction again and again, and keep a durable ledger of what was answered.

    It writes marked records of a test customer through the public entry, as the plan says per function, and nothing else.
    It prints outages as they begin and end, full disks and steps of the clock; `-o json` prints each as a line.

    Example: `holdfast canary examples/voicehive/plan.yaml --bindings var/lab/bindings.outside.json --ledgers var/canary`

    Parameters
    ----------
    plan:
        The plan; it names the transactions and how often they are made.
    bindings:
        Where things are, as seen from here: outside the regions, where customers are.
    ledgers:
        Where ledgers are kept; one canary a directory.
    keep_megabytes:
        Room for packed ledgers of each function; the oldest are thrown away. Availability is kept beyond them.
    output:
        How to print.
    """
    from holdfast.canary.service import CanaryProblem, CanarySettings, Service, measurable, only_one
    from holdfast.cli.run import loaded_plan

    loaded = loaded_plan(plan).plan
    places = bindings_in(bindings)
    known = measurable(loaded, places)
    chosen = function or known
    strange = [name for name in chosen if name not in known]
    if strange or not chosen:
        raise CommandError(_nothing_to_do(strange, known, plan, bindings))
    if keep_megabytes < 1:
        raise CommandError("--keep-megabytes must be at least 1")
    settings = CanarySettings(loaded, places, ledgers, tuple(chosen), keep_megabytes * _MEGABYTE, _seconds(duration))
    say = _sayer(output)
    try:
        with only_one(ledgers):
            service = Service(settings, say)
            _begin(say, settings.functions, ledgers)
            asyncio.run(service.run())
    except CanaryProblem as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(
            f"the canary can't write to {ledgers}: {error.strerror or error}. Make room there, and start it again"
        ) from error
    return ExitCode.FINE


def _begin(say: "Callable[[Word], None]", functions: tuple[str, ...], ledgers: Path) -> None:
    import time

    from holdfast.canary.upkeep import Word

    say(Word(time.time(), "running", f"measuring {', '.join(functions)}; ledgers in {ledgers}"))


def bindings_in(file: Path) -> "Bindings":
    """The bindings in a file. Raises CommandError."""
    from pydantic import ValidationError

    from holdfast.plan.bindings import Bindings

    try:
        return Bindings.model_validate_json(file.read_bytes())
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}. Name another with --bindings; `holdfast lab up` writes the lab's") from error
    except ValidationError as error:
        raise CommandError(f"{file} is not a file of bindings: {error}") from error


def _nothing_to_do(strange: list[str], known: tuple[str, ...], plan: Path, bindings: Path) -> str:
    if not known:
        return f"no function has both a `canary` in {plan} and an address in {bindings}, so there is nothing to measure"
    return f"{', '.join(strange)}: no `canary` in {plan}, or no address in {bindings}; there are {', '.join(known)}"


def _seconds(duration: str | None) -> float | None:
    from holdfast.plan.values import duration_seconds

    try:
        return None if duration is None else duration_seconds(duration)
    except ValueError as error:
        raise CommandError(f"--for: {error}") from error


def _sayer(output: str) -> "Callable[[Word], None]":
    if output == "json":
        return _say_json
    from datetime import datetime

    from rich.text import Text

    from holdfast.cli.output import State, screen, state_text

    states = {"done": State.DONE, "running": State.RUNNING, "failed": State.FAILED, "unknown": State.UNKNOWN}
    out = screen()

    def say(word: "Word") -> None:
        moment = datetime.fromtimestamp(word.at_seconds).astimezone()
        out.print(Text.assemble(f"{moment:%Y-%m-%d %H:%M:%S}  ", state_text(states[word.state]), "  ", word.text))
        out.file.flush()

    return say


def _say_json(word: "Word") -> None:
    import json
    import sys
    from dataclasses import asdict

    sys.stdout.write(json.dumps(asdict(word), ensure_ascii=False) + "\n")
    sys.stdout.flush()
