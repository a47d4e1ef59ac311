"""The reference plan's text, and ways to break it in one place."""

from pathlib import Path

from holdfast.plan.loader import LoadedPlan, PlanError, Problem, load_bytes
from holdfast.plan.model import Plan

REFERENCE = Path(__file__).resolve().parents[2] / "examples" / "voicehive" / "plan.yaml"
TEXT = REFERENCE.read_text(encoding="utf-8")


def changed(*edits: tuple[str, str]) -> str:
    """The reference plan with the first occurrence of each text replaced; every text must be there."""
    text = TEXT
    for old, new in edits:
        assert old in text, f"the reference plan no longer holds {old!r}"
        text = text.replace(old, new, 1)
    return text


def loaded(text: str) -> LoadedPlan:
    return load_bytes(text.encode(), Path("plan.yaml"))


def plan_with(*edits: tuple[str, str]) -> Plan:
    return loaded(changed(*edits)).plan


def problems(text: str | bytes) -> tuple[Problem, ...]:
    """What keeps a text from loading; nothing when it loads."""
    try:
        load_bytes(text if isinstance(text, bytes) else text.encode(), Path("plan.yaml"))
    except PlanError as error:
        return error.problems
    return ()


def only_problem(*edits: tuple[str, str]) -> str:
    """The one problem that these edits cause, as a person reads it."""
    found = problems(changed(*edits))
    assert len(found) == 1, "\n".join(map(str, found))
    return str(found[0])


def line_of(text: str, within: str = TEXT) -> int:
    """Line on which a text first stands."""
    return within[: within.index(text)].count("\n") + 1
