"""`holdfast oncall`: who is on call now, who is next, the turns as a calendar, out and in, and whether channels reach people."""

import sys
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from holdfast.cli import quiet_test
from holdfast.cli.output import CommandError, OutputFormat, State, print_json, print_next, screen, state_text, table

if TYPE_CHECKING:
    from holdfast.communications.oncall import Shift
    from holdfast.plan.model import Plan

app = App(name="oncall", result_action="return_value")
app.command(quiet_test.test)
app.command(quiet_test.tested)

_REFERENCE = Path("examples/voicehive/plan.yaml")
PlanFile = Annotated[Path, Parameter(help="The plan with the rotations.")]
At = Annotated[datetime | None, Parameter(help="A day and an hour instead of now, such as 2027-04-01T09:00; local time of the plan.")]


@app.default
def oncall(plan: PlanFile = _REFERENCE, *, at: At = None, output: OutputFormat = "text") -> None:
    """Who is on call in each rotation, until when, and who takes over.

    Example: `holdfast oncall examples/voicehive/plan.yaml`, `holdfast oncall plan.yaml --at 2027-12-25T03:00 -o json`
    """
    from holdfast.communications.oncall import next_hand_over, on_call, zone_of

    loaded = _with_rotations(plan)
    rows: list[dict[str, Any]] = []
    for name, rotation in loaded.rotations.items():
        zone = zone_of(rotation.timezone or loaded.timezone)
        moment = time.time() if at is None else at.replace(tzinfo=at.tzinfo or zone).timestamp()
        now, after = on_call(loaded, name, moment), next_hand_over(loaded, name, moment)
        rows.append({"rotation": name, "name": rotation.name, "now": _shift(loaded, now, zone), "next": _shift(loaded, after, zone)})
    if output == "json":
        print_json({"rotations": rows})
        return
    out = screen()
    empty = [row for row in rows if row["now"]["person"] is None]
    word = f"{len(rows)} rotation{'' if len(rows) == 1 else 's'}" + (
        f", nobody is on call in {len(empty)}: the role's primary is called" if empty else ""
    )
    out.print(state_text(State.NEEDS_PERSON if empty else State.DONE, word))
    shown = [[row["name"], row["now"]["name"], row["now"]["until"], row["next"]["name"]] for row in rows]
    out.print(table(["rotation", "on call", "until", "then"], shown))
    print_next(f"holdfast oncall export {plan} {rows[0]['rotation']}")


@app.command
def export(
    plan: PlanFile,
    rotation: str,
    *,
    weeks: Annotated[int, Parameter(help="How far ahead.")] = 12,
    out: Annotated[Path | None, Parameter(help="The file to write; standard output when absent.")] = None,
    output: OutputFormat = "text",
) -> None:
    """Write a rotation's turns as an iCalendar file, which calendars subscribe to or import.

    Example: `holdfast oncall export plan.yaml platform --weeks 26 --out platform.ics`
    """
    from holdfast.communications.calendars import calendar_of
    from holdfast.communications.oncall import shifts, zone_of

    loaded = _rotation(plan, rotation)
    if not 0 < weeks <= 520:
        raise CommandError(f"--weeks is from 1 to 520, not {weeks}. Nothing was written.")
    now = time.time()
    found = shifts(loaded, rotation, now, now + weeks * 7 * 86400)
    if output == "json":
        zone = zone_of(loaded.rotations[rotation].timezone or loaded.timezone)
        print_json({"rotation": rotation, "shifts": [_shift(loaded, shift, zone) for shift in found]})
        return
    content = calendar_of(loaded, rotation, found, now)
    if out is None:
        sys.stdout.write(content.decode().replace("\r\n", "\n"))
        return
    try:
        out.write_bytes(content)
    except OSError as error:
        raise CommandError(f"{out} can't be written: {error.strerror}. Nothing was changed.") from error
    screen().print(state_text(State.DONE, f"{len(found)} turns of {rotation} written to {out}"))
    print_next(f"holdfast oncall {plan}")


@app.command(name="import")
def import_(
    plan: PlanFile,
    rotation: str,
    calendar: Annotated[Path, Parameter(help="An .ics file of another tool, or an edited export.")],
    *,
    weeks: Annotated[int, Parameter(help="How far ahead repeated events are taken over.")] = 26,
    output: OutputFormat = "text",
) -> None:
    """Print what a calendar says otherwise than the rotation, as overrides to put into the plan. The plan is not changed.

    Example: `holdfast oncall import plan.yaml platform from-pagerduty.ics`
    """
    from holdfast.communications.calendars import CalendarError, overrides_from

    loaded = _rotation(plan, rotation)
    try:
        found = overrides_from(loaded, rotation, calendar.read_bytes(), time.time() + weeks * 7 * 86400)
    except OSError as error:
        raise CommandError(f"{calendar} can't be read: {error.strerror}. Nothing was taken over.") from error
    except CalendarError as error:
        raise CommandError(f"{calendar} can't be taken over as it is:\n{error}") from error
    written = [override.model_dump(mode="json", by_alias=True, exclude_defaults=True) for override in found]
    if output == "json":
        print_json({"rotation": rotation, "overrides": written})
        return
    out = screen()
    if not found:
        out.print(state_text(State.DONE, f"{calendar} says what {rotation} says by itself"))
        print_next(f"holdfast oncall {plan}")
        return
    import json

    out.print(state_text(State.DONE, f"{len(found)} overrides; put them into {plan} under rotations: {rotation}: overrides:"))
    for one in written:
        fields = ", ".join(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in one.items())
        out.print(f"- {{ {fields} }}", markup=False)
    print_next(f"holdfast check {plan}")


def _with_rotations(path: Path) -> "Plan":
    from holdfast.cli.run import loaded_plan

    plan = loaded_plan(path).plan
    if not plan.rotations:
        raise CommandError(f"{path} has no rotations: its roles have a primary and a backup only. docs/people.md shows how one is written")
    return plan


def _rotation(path: Path, name: str) -> "Plan":
    plan = _with_rotations(path)
    if name not in plan.rotations:
        raise CommandError(f"{path} has no rotation '{name}'; it has: {', '.join(plan.rotations)}")
    return plan


def _shift(plan: "Plan", shift: "Shift", zone: Any) -> dict[str, Any]:
    person = plan.people.get(shift.person) if shift.person is not None else None

    def local(at_seconds: float) -> str:
        return datetime.fromtimestamp(at_seconds, zone).isoformat(sep=" ", timespec="minutes")

    name = "nobody" if shift.person is None else person.name if person is not None else shift.person
    return {
        "person": shift.person,
        "name": f"{name} ({shift.because})" if shift.because else name,
        "from": local(shift.start_seconds),
        "until": local(shift.end_seconds),
        "because": shift.because,
    }
