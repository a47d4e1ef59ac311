"""`holdfast oncall test` and `tested`: whether people's channels reach them, without waking anybody."""

import time
from typing import Annotated, Any

from cyclopts import Parameter

from holdfast.cli.deciding import Person
from holdfast.cli.output import (
    CommandError,
    ExitCode,
    OutputFormat,
    State,
    exercise_line,
    print_json,
    print_next,
    screen,
    state_text,
    table,
)
from holdfast.cli.reach import DEFAULT_LAB, LabDirectory, controller_of, give, state_of

LOOK_SECONDS = 0.2
_STATES = {
    "delivered": (State.DONE, "delivered"),
    "handed-over": (State.DONE, "handed over"),
    "under-way": (State.RUNNING, "under way"),
    "not-bound": (State.FAILED, "not bound"),
    "failed": (State.FAILED, "failed"),
    "unknown": (State.UNKNOWN, "unknown"),
}


def test(
    *people: Annotated[str, Parameter(help="Whom; who has a role or a turn when absent, in an exercise everybody enrolled in it.")],
    by: Person,
    ring: Annotated[
        tuple[str, ...], Parameter(name=["--ring"], negative="", help="Test this too although it rings: phone, or sms at night.")
    ] = (),
    wait: Annotated[float, Parameter(help="So many seconds at most until every channel has said something.")] = 30.0,
    lab: LabDirectory = DEFAULT_LAB,
    output: OutputFormat = "text",
) -> int:
    """Test quietly whether people's channels reach them: no call, no pager, no text message at night, no incident.

    Every message says that it is a test. Customers, partners and vendors are never written to. Exit code 1 when somebody is not reached.

    Example: `holdfast oncall test --as aoife-brennan`, `holdfast oncall test tom-okafor --ring phone --as aoife-brennan`
    """
    client = controller_of(lab)
    give(client, "test-channels", by, {"people": list(people), "rings": list(ring)})
    ends = time.monotonic() + wait
    found: Any = state_of(client)["channel_test"]
    while found["under_way"] and time.monotonic() < ends:
        time.sleep(LOOK_SECONDS)
        found = state_of(client)["channel_test"]
    return _shown(found, output)


def tested(*, lab: LabDirectory = DEFAULT_LAB, output: OutputFormat = "text") -> int:
    """What the last quiet test found, and who has said since that it arrived. Exit code 1 when somebody was not reached.

    Example: `holdfast oncall tested`, `holdfast oncall tested -o json`
    """
    found: Any = state_of(controller_of(lab))["channel_test"]
    if found is None:
        raise CommandError("nobody's channels were tested yet; `holdfast oncall test --as NAME` does it", ExitCode.NOT_SO)
    return _shown(found, output)


def _shown(found: dict[str, Any], output: str) -> int:
    bad = [line for one in found["people"] for line in one["over"] if line["state"] in ("failed", "not-bound")]
    code = ExitCode.NOT_SO if found["unreached"] or bad else ExitCode.UNKNOWN if found["under_way"] else ExitCode.FINE
    if output == "json":
        print_json(found)
        return code
    out = screen()
    out.print(exercise_line(_first(found, len(bad))))
    rows = [row for one in found["people"] for row in _rows(one)]
    out.print(table(["person", "over", "state", "acknowledged"], rows))
    out.print("delivered: what the channel says; acknowledged: what the person says, by the message's link or `holdfast ack`", markup=False)
    print_next("holdfast oncall tested")
    return code


def _first(found: dict[str, Any], bad: int) -> Any:
    reached = sum(one["reached"] for one in found["people"])
    said, lost = f"{found['test']} reached {reached} of {len(found['people'])}", found["unreached"]
    broken = "; an incident was opened and broke it off" if found["broken_off"] else ""
    if lost:
        still = "; it is under way" if found["under_way"] else ""
        return state_text(State.FAILED, f"{said}; NOT reached: {', '.join(lost)}{still}{broken}")
    if found["under_way"]:
        return state_text(State.RUNNING, f"{found['test']} is under way; not every channel has said something{broken}")
    return state_text(State.DONE, f"{said}{broken}") if not bad else state_text(State.FAILED, f"{said}, but not over every channel{broken}")


def _rows(one: dict[str, Any]) -> list[list[Any]]:
    said = "" if one["acknowledged_by"] is None else f"by {one['acknowledged_by']}"
    rows: list[list[Any]] = []
    for line in one["over"]:
        rows.append([one["name"] if not rows else "", line["channel"], _state(line), said if not rows else ""])
    return rows or [[one["name"], "", state_text(State.FAILED, "the plan has no channel for this person"), said]]


def _state(line: dict[str, Any]) -> Any:
    if line["state"] == "left-out":
        state = State.NEEDS_PERSON if line["because"] == "no-address" else State.UNKNOWN
        return state_text(state, f"not tested: {line['says']}")
    state, word = _STATES[line["state"]]
    return state_text(state, f"{word}: {line['says']}" if line["says"] else word)
