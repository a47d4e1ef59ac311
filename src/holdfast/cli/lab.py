"""`holdfast lab`: two regions, a witness and an outside on this machine, to play with and to drill on.

What the parts are and how they start lives in `holdfast.lab`; here only what a person types and reads.
"""

import sys
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from holdfast.cli.output import CommandError, ExitCode, OutputFormat, State, print_json, print_next, screen, state_text, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from holdfast.lab.running import Lab

app = App(name="lab", help="Two regions, a witness and an outside on this machine, out of real servers.")

Directory = Annotated[Path, Parameter(name=["--directory", "-d"], help="The lab's folder.")]
DEFAULT_DIRECTORY = Path("var/lab")
DEFAULT_PLAN = Path("examples/voicehive/plan.yaml")


@contextmanager
def _clear_errors() -> "Iterator[None]":
    from holdfast.lab.ground import LabProblem

    try:
        yield
    except LabProblem as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"the lab does not answer ({error}). `holdfast lab down` ends it", ExitCode.UNKNOWN) from error


@app.command
def up(
    plan: Path = DEFAULT_PLAN,
    *,
    profile: str = "default",
    replication: Literal["asynchronous", "synchronous"] | None = None,
    storage: Literal["moto", "versitygw"] | None = None,
    directory: Directory = DEFAULT_DIRECTORY,
    output: OutputFormat = "text",
) -> int:
    """Start the lab, and return when every part does its work. It stays until `holdfast lab down`.

    Example: `holdfast lab up --profile fast`

    Parameters
    ----------
    plan
        The plan whose regions and functions are built.
    profile
        Which of the plan's profiles sets the lease.
    replication
        How PostgreSQL replicates; without it as the plan says.
    storage
        The S3 server: `versitygw`, a real one that `make storage` installs, or `moto`, a stand-in. Without it the real one, if it is
        installed.
    """
    from holdfast.lab.running import Lifetime, start_lab

    begun = time.monotonic()
    with _clear_errors(), _progress(output) as progress:
        lab = start_lab(directory, plan, profile, replication, lifetime=Lifetime.STAYS, progress=progress, storage=storage)
    if output == "json":
        print_json(lab.description)
        return ExitCode.FINE
    from rich.text import Text

    screen().print(
        Text.assemble(
            state_text(State.DONE, "up"),
            f" in {time.monotonic() - begun:.1f} s: lab {lab.description['number']} in {directory}, storage {lab.description['storage']}",
        )
    )
    print_next(f"holdfast run {plan} --profile {profile}" + ("" if directory == DEFAULT_DIRECTORY else f" --lab {directory}"))
    return ExitCode.FINE


@contextmanager
def _progress(output: str) -> "Iterator[Callable[[Mapping[str, Any]], None]]":
    if output == "json":
        yield lambda event: None
        return
    if not sys.stdout.isatty():
        yield _say_step
        return
    from rich.live import Live
    from rich.text import Text

    waiting: dict[str, str] = {}
    with Live(Text(""), console=screen(), transient=True, refresh_per_second=10) as live:

        def follow(event: Mapping[str, Any]) -> None:
            if event["event"] == "starting":
                waiting[event["part"]] = _called(event)
            else:
                waiting.pop(event["part"], None)
                live.console.print(_step(event))
            live.update(Text.assemble(state_text(State.RUNNING, "waiting for"), " ", ", ".join(waiting.values())))

        yield follow


def _say_step(event: Mapping[str, Any]) -> None:
    if event["event"] == "ready-part":
        screen().print(_step(event))


def _step(event: Mapping[str, Any]) -> "Text":
    from rich.text import Text

    return Text.assemble(state_text(State.DONE, "ready"), f"  {_called(event)}  {event['seconds']:.1f} s")


def _called(event: Mapping[str, Any]) -> str:
    return f"{event['title']} ({event['site']})" if event["site"] else str(event["title"])


@app.command
def status(*, directory: Directory = DEFAULT_DIRECTORY, output: OutputFormat = "text") -> int:
    """What runs where, what has ended, and which links are cut. Exit code 1 when a part has ended.

    Example: `holdfast lab status -o json`
    """
    with _clear_errors():
        found = _attach(directory).status()
    ended = [part for part in found["parts"] if part["state"] == "ended"]
    if output == "json":
        print_json(found)
        return ExitCode.NOT_SO if ended else ExitCode.FINE
    screen().print(_headline(found, ended))
    parts = [part for part in found["parts"] if part["process"] or part["detail"]]
    rows = [[part["site"] or "everywhere", part["title"], _state_of(part), part["address"]] for part in parts]
    screen().print(table(["site", "part", "state", "address"], rows))
    for line in _links(found["links"]):
        screen().print(line)
    following = "heal" if any(not link["open"] for link in found["links"]) else f"cut {found['regions'][0]}"
    print_next(_next(following, directory))
    return ExitCode.NOT_SO if ended else ExitCode.FINE


def _headline(found: Mapping[str, Any], ended: list[dict[str, Any]]) -> "Text":
    from rich.text import Text

    means = f"profile {found['profile']}, {found['replication']} replication, storage {found['storage']}"
    what = f" lab {found['number']}: {means}, plan {found['plan']}"
    if ended:
        return Text.assemble(state_text(State.FAILED, f"{len(ended)} ended"), what)
    return Text.assemble(state_text(State.DONE, "up") if found["state"] == "up" else state_text(State.RUNNING, found["state"]), what)


def _state_of(part: Mapping[str, Any]) -> "Text":
    if part["detail"].startswith("unknown"):
        return state_text(State.UNKNOWN, part["detail"])
    if "stopped" in part["detail"]:
        return state_text(State.FAILED, part["detail"])
    if part["state"] == "up":
        return state_text(State.DONE, part["detail"] or "up")
    if part["state"] == "starting":
        return state_text(State.RUNNING, "starting")
    age = time.time() - part["ended_seconds"]
    return state_text(State.FAILED, f"{part['detail']} {age:.0f} s ago")


def _links(links: list[dict[str, Any]]) -> "Iterator[Text]":
    from rich.text import Text

    for link in links:
        where = f" {link['from']} → {link['to']}"
        if not link["open"]:
            yield Text.assemble(state_text(State.FAILED, "cut"), where)
        if link["delay_seconds"]:
            yield Text.assemble(state_text(State.RUNNING, "late"), where, f" by {link['delay_seconds'] * 1000:.0f} ms")


OneWayOption = Annotated[str | None, Parameter(name="--one-way", help="Only what comes `in`, what goes `out`, or one link: `FROM:TO`.")]


@app.command
def cut(
    place: str | None = None, *, one_way: OneWayOption = None, directory: Directory = DEFAULT_DIRECTORY, output: OutputFormat = "text"
) -> int:
    """Cut a region, one of its zones, `witness` or `outside` off from everybody else: bytes are held, nothing is answered.

    In force on return. Example: `holdfast lab cut eu-west-1`, `holdfast lab cut eu-west-1b`, `holdfast lab cut --one-way eu-west-1:witness`

    Parameters
    ----------
    place
        What is cut off; not needed when `--one-way` names a link.
    """
    from holdfast.lab.running import OneWay

    link = _link(place, one_way)
    with _clear_errors():
        lab = _attach(directory)
        if link is not None:
            lab.cut_link(*link)
            said = f"what {link[0]} sends to {link[1]} is held; the other way is as it was"
            return _done(output, said, _next(f"heal --one-way {one_way}", directory), {"cut": None, "one_way": one_way})
        if place is None:
            raise CommandError("name what is cut off: `holdfast lab cut eu-west-1`, or one link: `--one-way FROM:TO`")
        if one_way not in (None, "in", "out"):
            raise CommandError(f"--one-way is `in`, `out`, or a link `FROM:TO`, not '{one_way}'")
        lab.cut(place, OneWay(one_way) if one_way else None)
    ways = {None: "both ways", "in": "nothing comes in", "out": "nothing gets out"}[one_way]
    return _done(output, f"{place} is cut off, {ways}", _next("heal", directory), {"cut": place, "one_way": one_way})


def _link(place: str | None, one_way: str | None) -> tuple[str, str] | None:
    """The one link that is meant, if one is. Raises CommandError."""
    if one_way is None or ":" not in one_way:
        return None
    origin, _, destination = one_way.partition(":")
    if place is not None or not origin or not destination:
        raise CommandError("a link stands alone and names both ends: `--one-way eu-west-1:witness`")
    return origin, destination


@app.command
def heal(
    place: str | None = None, *, one_way: OneWayOption = None, directory: Directory = DEFAULT_DIRECTORY, output: OutputFormat = "text"
) -> int:
    """Open every link again, or those of one place, or one link; what was held flows.

    Example: `holdfast lab heal`, `holdfast lab heal eu-west-1b`, `holdfast lab heal --one-way eu-west-1:witness`

    Parameters
    ----------
    place
        Whose links; without it all. A region's zones keep their own links as they are.
    """
    link = _link(place, one_way)
    if one_way is not None and link is None:
        raise CommandError(f"to heal one way, name the link: `--one-way FROM:TO`, not '{one_way}'")
    with _clear_errors():
        lab = _attach(directory)
        if link is not None:
            lab.heal_link(*link)
            return _done(output, f"{link[0]} reaches {link[1]} again", _next("status", directory), {"healed": one_way})
        lab.heal(place)
    said = "every link is open" if place is None else f"every link of {place} is open"
    return _done(output, said, _next("status", directory), {"healed": place or True})


@app.command
def delay(region: str, length: str, *, directory: Directory = DEFAULT_DIRECTORY, output: OutputFormat = "text") -> int:
    """Let everything to and from a region or zone arrive later, each way. `0s` ends it.

    Example: `holdfast lab delay eu-central-1 30ms`

    Parameters
    ----------
    region
        Whose links.
    length
        How much later, such as 30ms or 2s; 60s at most.
    """
    from holdfast.plan.values import duration_seconds

    try:
        seconds = duration_seconds(length)
    except ValueError as error:
        raise CommandError(str(error)) from error
    with _clear_errors():
        _attach(directory).delay(region, seconds)
    return _done(output, f"{region} is {length} away, each way", _next("status", directory), {"region": region, "delay_seconds": seconds})


@app.command
def down(*, directory: Directory = DEFAULT_DIRECTORY, output: OutputFormat = "text") -> int:
    """Stop everything and remove it. Logs, ledgers and the controller's journal stay in the lab's folder. Fine when no lab runs.

    End the controller first, with Ctrl-C where `holdfast run` shows it: without its lab it ends too, and says so.

    Example: `holdfast lab down`
    """
    from holdfast.lab.ground import LabProblem

    begun = time.monotonic()
    try:
        lab = _attach(directory)
    except LabProblem as error:
        return _done(output, str(error), _next("up", directory), {"down": True, "ran": False})
    with _clear_errors():
        controller = lab.controller_runs()
        lab.down()
    also = "; a controller was still running on it: it ends by itself now, and its journal stays" if controller else ""
    return _done(
        output,
        f"down in {time.monotonic() - begun:.1f} s; logs are in {directory / 'log'}{also}",
        _next("up", directory),
        {"down": True, "ran": True, "controller_ran": controller},
    )


def _next(what: str, directory: Path) -> str:
    return f"holdfast lab {what}" + ("" if directory == DEFAULT_DIRECTORY else f" --directory {directory}")


def _attach(directory: Path) -> "Lab":
    from holdfast.lab.running import Lab

    return Lab.attach(directory)


def _done(output: str, text: str, following: str, value: Mapping[str, Any]) -> int:
    if output == "json":
        print_json(value)
        return ExitCode.FINE
    from rich.text import Text

    screen().print(Text.assemble(state_text(State.DONE), " ", text))
    print_next(following)
    return ExitCode.FINE
