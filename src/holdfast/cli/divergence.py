"""`holdfast divergence`: what only the lost side held, as it was exported, and giving chosen rows and keys back.

Showing reads the controller's files and nothing else; giving back is the controller's, which journals it first. Thin: no logic lives here.
"""

import json
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from holdfast.cli.output import CommandError, ExitCode, OutputFormat, State, print_json, print_next, screen, state_text, table
from holdfast.cli.reach import DEFAULT_LAB, LabDirectory, bindings_of, controller_of, give

if TYPE_CHECKING:
    from holdfast.providers.controller.client import ControllerClient
    from holdfast.report.divergence import Divergence

app = App(name="divergence", help="What only the lost side held: show it, and give chosen rows back.", result_action="return_value")

MOST_AT_ONCE = 500
WAIT_SECONDS = 130.0
_WORDS = {
    "applied": State.DONE,
    "already": State.DONE,
    "conflict": State.NEEDS_PERSON,
    "refused": State.FAILED,
    "unknown": State.UNKNOWN,
}
Directory = Annotated[
    Path | None, Parameter(name=["--directory"], help="The directory of the exports, where it is not the running lab's controller's.")
]


@app.default
def show(
    incident: str,
    *,
    entries: Annotated[bool, Parameter(negative="", help="List every row, key and object instead of counting them.")] = False,
    directory: Directory = None,
    lab: LabDirectory = DEFAULT_LAB,
    output: OutputFormat = "text",
) -> int:
    """Show what only the lost side held in an incident. Exits 3 when some component could not be exported.

    Example: `holdfast divergence inc-1-1`
    """
    from holdfast.providers.file.divergence import EXPORTS, read
    from holdfast.providers.file.divergence import entries as entries_in

    place = (directory or bindings_of(lab).state_directory / EXPORTS) / incident
    try:
        found = read(place)
        listed = list(entries_in(found, place)) if entries else []
    except FileNotFoundError as error:
        raise CommandError(f"nothing was exported for {incident}: {place} has no whole export", ExitCode.NOT_SO) from error
    except (OSError, ValueError) as error:
        raise CommandError(f"the export in {place} can't be read: {error}", ExitCode.UNKNOWN) from error
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
    return ExitCode.FINE if found.complete else ExitCode.UNKNOWN


def _headline(found: "Divergence") -> tuple[State, str]:
    if not found.complete:
        return State.UNKNOWN, f"what only {found.source} held is not exported whole"
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
    out.print(f"Files, one JSON object a line: {place}", markup=False)
    if any(part.only_here for component in found.components if component.kind != "bucket" for part in component.parts):
        out.print(f"Every ID: holdfast divergence {found.incident} --entries", markup=False)
        print_next(f"holdfast divergence apply {found.incident} --only ID --as NAME")
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
    lab: LabDirectory = DEFAULT_LAB,
    output: OutputFormat = "text",
) -> int:
    """Give chosen rows and keys back to the region that serves, only where it has nothing under their key.

    A conflict is shown and never overwritten; asking again changes nothing.

    Example: `holdfast divergence apply inc-1-1 --only calls/4711 --as aoife-brennan`
    """
    chosen = list(dict.fromkeys(name for one in only for name in _named(one)))
    if not chosen:
        raise CommandError("nothing was chosen; nothing was done")
    client, results = controller_of(lab), []
    for start in range(0, len(chosen), MOST_AT_ONCE):
        results += _given(client, incident, chosen[start : start + MOST_AT_ONCE], by)
    whole = all(result["result"] in ("applied", "already") for result in results)
    unknown = any(result["result"] == "unknown" for result in results)
    if output == "json":
        print_json({"incident": incident, "results": results})
    else:
        out = screen()
        counts = Counter(str(result["result"]) for result in results)
        told = ", ".join(f"{count} {result}" for result, count in counts.items())
        out.print(state_text(State.DONE if whole else State.NEEDS_PERSON, f"{len(results)} chosen to be given back: {told}"))
        rows = [[one["id"], state_text(_WORDS[one["result"]], one["result"]), one["detail"]] for one in results]
        out.print(table(["id", "result", "detail"], rows))
        print_next(f"holdfast divergence {incident} --entries")
    return ExitCode.FINE if whole else ExitCode.UNKNOWN if unknown else ExitCode.NOT_SO


def _named(one: str) -> list[str]:
    """Identifiers that an argument stands for."""
    path = Path(one)
    if not path.is_file():
        return [one]
    names = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith("{"):
            try:
                names.append(str(json.loads(line)["id"]))
            except (ValueError, KeyError) as error:
                raise CommandError(f"{path}:{number}: no entry of an export: {error!r}; nothing was done") from error
        elif line.strip():
            names.append(line.strip())
    return names


def _given(client: "ControllerClient", incident: str, chosen: list[str], by: str) -> list[dict[str, Any]]:
    """Give the command and wait for what became of it in the journal."""
    from holdfast.providers.controller.client import ControllerRefused, ControllerSilent

    wish, known, until = uuid.uuid4().hex, 0, time.monotonic() + WAIT_SECONDS
    give(client, "reapply", by, {"incident": incident, "only": chosen}, wish)
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
    return [{"id": name, "result": "unknown", "detail": detail} for name in chosen]
