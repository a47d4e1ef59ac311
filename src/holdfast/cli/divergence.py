"""`holdfast divergence`: what only the lost side held, as it was exported, and giving chosen rows and keys back.

Showing reads the controller's files and nothing else; giving back is the controller's, which journals it first. Thin: no logic lives here.
"""

import errno
import json
import re
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from holdfast.cli.output import CommandError, ExitCode, OutputFormat, State, print_json, print_next, screen, state_text, table
from holdfast.cli.reach import DEFAULT_LAB, LabDirectory, bindings_of, controller_of, give

if TYPE_CHECKING:
    from holdfast.providers.controller.client import ControllerClient
    from holdfast.report.divergence import Divergence

app = App(
    name="divergence",
    help="What only the lost side held: show it, and give chosen rows back.\n\nExample: `holdfast divergence inc-1-1 --entries`",
    result_action="return_value",
)

MOST_AT_ONCE = 500
MOST_CHARACTERS = 40_000
"""Of the identifiers in one command: the controller takes no larger message than 64 KiB."""
WAIT_SECONDS = 130.0
_WORDS = {
    "applied": State.DONE,
    "already": State.DONE,
    "conflict": State.NEEDS_PERSON,
    "refused": State.FAILED,
    "withheld": State.NEEDS_PERSON,
    "unknown": State.UNKNOWN,
}
_FINE = {"applied", "already"}
_MOST_SHOWN = 20
_FILES = {".jsonl", ".txt", ".csv"}
_INCIDENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
Run = Annotated[
    Literal["reprotect", "way-back"],
    Parameter(help="`reprotect`: what the region held that was lost. `way-back`: what DR held when home was reached without it."),
]
Directory = Annotated[
    Path | None, Parameter(name=["--directory"], help="The directory of the exports, where it is not the running lab's controller's.")
]


@app.default
def show(
    incident: str | None = None,
    *,
    run: Run = "reprotect",
    entries: Annotated[bool, Parameter(negative="", help="List every row, key and object instead of counting them.")] = False,
    directory: Directory = None,
    lab: LabDirectory = DEFAULT_LAB,
    output: OutputFormat = "text",
) -> int:
    """Show what only the lost side held in an incident; without one, of which incidents there is something to show.

    Exits 3 when some component could not be exported.

    Example: `holdfast divergence inc-1-1`
    """
    from holdfast.providers.file.divergence import EXPORTS, directory_of, read
    from holdfast.providers.file.divergence import entries as entries_in

    root = directory or bindings_of(lab).state_directory / EXPORTS
    if incident is None:
        return _list(root, output)
    place = directory_of(root, _checked(incident), run)
    try:
        found = read(place)
        listed = list(entries_in(found, place)) if entries else []
    except FileNotFoundError as error:
        raise CommandError(_nothing(root, incident, place), ExitCode.NOT_SO) from error
    except (OSError, ValueError) as error:
        raise CommandError(f"the export in {place} can't be read: {error}", ExitCode.UNKNOWN) from error
    if (found.incident, found.run) != (incident, run):
        raise CommandError(f"{place} holds the export of {found.incident}, run {found.run}: it was put there by hand", ExitCode.UNKNOWN)
    if output == "json":
        more = {"entries": [entry.value for entry in listed]} if entries else {}
        print_json({**found.model_dump(mode="json", by_alias=True), "directory": str(place), **more})
    else:
        out = screen()
        out.print(state_text(*_headline(found)))
        if entries:
            out.print(table(["change", "component", "id"], [[entry.change, entry.component, entry.identifier] for entry in listed]))
        else:
            out.print(_counts(found))
        _print_rest(found, place)
    return ExitCode.FINE if found.complete and not found.unexamined else ExitCode.UNKNOWN


def _checked(incident: str) -> str:
    if not _INCIDENT.fullmatch(incident):
        raise CommandError(f"{incident!r} is no name of an incident; `holdfast status` and `holdfast journal show` name them, as inc-1-1")
    return incident


def _nothing(root: Path, incident: str, place: Path) -> str:
    from holdfast.report.divergence import JSON_NAME

    others = sorted(path.parent.name for path in root.glob(f"*/{JSON_NAME}"))
    there = f"; there are exports of {', '.join(others)}" if others else ""
    return (
        f"nothing was exported for {incident}: {place} has no whole export{there}. "
        "It is made when the lost region answers again and `holdfast failback` was given"
    )


def _list(root: Path, output: OutputFormat) -> int:
    """Every export that can be read; what can't be is named as such."""
    from holdfast.providers.file.divergence import FIRST_RUN, read
    from holdfast.report.divergence import JSON_NAME
    from holdfast.report.wording import moment

    known: list[dict[str, Any]] = []
    for file in sorted([*root.glob(f"*/{JSON_NAME}"), *root.glob(f"*/*/{JSON_NAME}")]):
        name = " --run ".join(file.parent.relative_to(root).parts)
        try:
            found = read(file.parent)
        except (OSError, ValueError) as error:
            known.append({"export": name, "error": str(error).splitlines()[0]})
            continue
        numbers = {"differences": found.differences, "complete": found.complete}
        known.append({"export": name, "run": found.run, "region": found.source, "exported_seconds": found.exported_seconds, **numbers})
    if output == "json":
        print_json(known)
        return ExitCode.FINE
    if not known:
        screen().print(f"Nothing was exported yet: {root} has no export.", markup=False)
        print_next("holdfast status")
        return ExitCode.FINE
    rows = [
        [one["export"], one["region"], str(one["differences"]), moment(one["exported_seconds"], "UTC")]
        if "region" in one
        else [one["export"], state_text(State.UNKNOWN, f"can't be read: {one['error']}"), "", ""]
        for one in known
    ]
    screen().print(table(["incident", "held by", "entries", "exported at"], rows, numbers=["entries"]))
    print_next(
        f"holdfast divergence {next((one['export'] for one in reversed(known) if one.get('run') == FIRST_RUN), known[-1]['export'])}"
    )
    return ExitCode.FINE


def _headline(found: "Divergence") -> tuple[State, str]:
    if not found.complete:
        return State.UNKNOWN, f"what only {found.source} held is not exported whole"
    if found.unexamined:
        return State.UNKNOWN, f"{found.source} may have held more alone than these {found.differences}: not everything could be looked at"
    if not found.differences:
        return State.DONE, f"{found.source} held nothing that {found.target} did not have"
    return (
        State.NEEDS_PERSON,
        f"{found.source} alone held, or had otherwise, {found.differences} rows, keys and objects",
    )


def _counts(found: "Divergence") -> Any:
    rows: list[list[str | Any]] = []
    for component in found.components:
        if component.status == "missing":
            rows.append([component.component, "", "", "", state_text(State.UNKNOWN, component.detail)])
        elif not component.parts:
            rows.append([component.component, "0", "0", "0", state_text(State.DONE, component.how)])
        rows.extend(
            [
                f"{component.component} {part.name}",
                str(part.only_here),
                str(part.differs),
                str(part.deleted_here),
                state_text(State.DONE, component.how),
            ]
            for part in component.parts
        )
    numbers = ["only there", "different", "deleted there"]
    return table(["", *numbers, "how"], rows, numbers=numbers)


def _print_rest(found: "Divergence", place: Path) -> None:
    out = screen()
    for component in found.components:
        for sentence in component.unexamined:
            out.print(state_text(State.UNKNOWN, f"{component.component}: {sentence}"))
        for sentence in component.notes:
            out.print(f"{component.component}: {sentence}", markup=False)
    out.print(f"Files, one JSON object a line: {place}", markup=False)
    if any(part.only_here for component in found.components if component.kind != "bucket" for part in component.parts):
        out.print(f"Every ID: holdfast divergence {found.incident} --entries", markup=False)
        run = "" if found.run == "reprotect" else f" --run {found.run}"
        print_next(f"holdfast divergence apply {found.incident}{run} --only ID --as NAME")
    else:
        print_next("holdfast status")


@app.command
def apply(
    incident: str,
    *,
    only: Annotated[
        list[str], Parameter(name=["--only"], negative="", help="Identifiers, or a file with one a line (a file of the export will do).")
    ],
    by: Annotated[str, Parameter(name=["--as"], help="Who you are: a person of the plan.")],
    run: Run = "reprotect",
    leave_conflicts: Annotated[
        bool, Parameter(negative="", help="Leave out what can't be taken and give the rest. Without it nothing is given back then.")
    ] = False,
    lab: LabDirectory = DEFAULT_LAB,
    output: OutputFormat = "text",
) -> int:
    """Give chosen rows and keys back to the region that serves, only where it has nothing under their key: all of them, or none.

    A conflict is shown and never overwritten; asking again changes nothing.

    Example: `holdfast divergence apply inc-1-1 --only calls/4711 --as aoife-brennan`
    """
    chosen = list(dict.fromkeys(name for one in only for name in _named(one)))
    if not chosen:
        raise CommandError("nothing was chosen; nothing was done")
    arguments = {"incident": _checked(incident), "run": run, "objections": "leave" if leave_conflicts else "stop"}
    client = controller_of(lab)
    results: list[dict[str, Any]] = []
    for portion in _portions(chosen):
        if not leave_conflicts and not all(result["result"] in _FINE for result in results):
            results += [{"id": name, "result": "withheld", "detail": "an earlier portion could not be taken"} for name in portion]
        else:
            results += _given(client, {**arguments, "only": portion}, by)
    if output == "json":
        print_json({"incident": incident, "run": run, "results": results})
    else:
        _print_results(incident, results)
    if all(result["result"] in _FINE for result in results):
        return ExitCode.FINE
    return ExitCode.UNKNOWN if any(result["result"] == "unknown" for result in results) else ExitCode.NOT_SO


def _print_results(incident: str, results: list[dict[str, Any]]) -> None:
    out = screen()
    counts = Counter(str(result["result"]) for result in results)
    told = ", ".join(f"{count} {result}" for result, count in counts.items())
    if set(counts) <= _FINE:
        out.print(state_text(State.DONE, f"given back: {told}"))
    elif "unknown" in counts:
        out.print(state_text(State.UNKNOWN, f"not known whether it was given back: {told}. Ask again: it changes nothing that was done"))
    elif "applied" in counts:
        out.print(state_text(State.NEEDS_PERSON, f"given back in part: {told}"))
    else:
        out.print(state_text(State.NEEDS_PERSON, f"nothing was given back: {told}"))
    shown = results if len(results) <= _MOST_SHOWN else [one for one in results if one["result"] not in _FINE][:_MOST_SHOWN]
    rows = [[one["id"], state_text(_WORDS[one["result"]], one["result"]), one["detail"]] for one in shown]
    out.print(table(["id", "result", "detail"], rows))
    if len(shown) < len(results):
        out.print(f"{len(results) - len(shown)} more: `-o json` lists every one.", markup=False)
    if "withheld" in counts:
        out.print("`--leave-conflicts` gives what is withheld back and leaves the others out.", markup=False)
    print_next(f"holdfast divergence {incident} --entries")


def _portions(chosen: list[str]) -> Iterator[list[str]]:
    """What one command may ask for, one after the other."""
    portion: list[str] = []
    for name in chosen:
        if portion and (len(portion) == MOST_AT_ONCE or sum(map(_length, portion)) + _length(name) > MOST_CHARACTERS):
            yield portion
            portion = []
        portion.append(name)
    yield portion


def _length(name: str) -> int:
    return len(json.dumps(name)) + 2


def _named(one: str) -> list[str]:
    """Identifiers that an argument stands for."""
    path = Path(one)
    try:
        if not path.is_file():
            if path.suffix in _FILES:
                raise CommandError(f"there is no file {path}; nothing was done")
            return [one]
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
            return [one]
        raise CommandError(f"{path} can't be read: {error}; nothing was done") from error
    names = []
    for number, line in enumerate(lines, start=1):
        if line.startswith("{"):
            try:
                names.append(str(json.loads(line)["id"]))
            except (ValueError, KeyError) as error:
                raise CommandError(f"{path}:{number}: no entry of an export: {error!r}; nothing was done") from error
        elif line.strip():
            names.append(line.strip())
    return names


def _given(client: "ControllerClient", arguments: dict[str, Any], by: str) -> list[dict[str, Any]]:
    """Give the command and wait for what became of it in the journal."""
    from holdfast.providers.controller.client import ControllerRefused, ControllerSilent

    wish, known, until = uuid.uuid4().hex, 0, time.monotonic() + WAIT_SECONDS
    give(client, "reapply", by, arguments, wish)
    while time.monotonic() < until:
        try:
            records = client.records(known)
        except (ControllerSilent, ControllerRefused):
            records = []  # another controller may take over, and does it then
        for record in records:
            known = record["sequence"]
            if record["kind"] == "divergence.applied" and record["body"]["reapply"] == wish:
                return list(record["body"]["results"])
        if not records:
            time.sleep(0.1)
    detail = "the controller has not said what became of it; ask again: it changes nothing that was done"
    return [{"id": name, "result": "unknown", "detail": detail} for name in arguments["only"]]
