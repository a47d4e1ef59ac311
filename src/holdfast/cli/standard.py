"""`holdfast check PLAN --standard NAME`: what of a standard the plan covers, where, and what is missing. Exit 1 when something is."""

from typing import TYPE_CHECKING

from holdfast.cli.output import CommandError, ExitCode, State, print_json, print_next, screen, state_text, table

if TYPE_CHECKING:
    from holdfast.checks.standards import Coverage, Lack
    from holdfast.plan.loader import LoadedPlan
    from holdfast.plan.problems import Place

SCHEMA = "holdfast/standard/v1"
_MOST_PLACES = 3


def refuse_unsayable(name: str, output: str) -> None:
    """Raises CommandError for a standard that Holdfast doesn't know, and for SARIF, which has no word for coverage."""
    from holdfast.checks.standards import STANDARDS
    from holdfast.plan.problems import did_you_mean

    if name not in STANDARDS:
        raise CommandError(f"no standard is called '{name}': {did_you_mean(name, STANDARDS)}")
    if output == "sarif":
        raise CommandError("a standard's coverage can't be said in SARIF\nnext: ask for '-o json'")


def say_standard(loaded: "LoadedPlan", name: str, output: str) -> int:
    """Print the coverage of a standard that Holdfast knows."""
    from rich.text import Text

    from holdfast.checks.standards import STANDARDS, covered

    standard = STANDARDS[name]
    coverage = covered(standard, loaded.plan)
    missing = [one for one in coverage if not one.is_whole]
    answer = ExitCode.NOT_SO if missing else ExitCode.FINE
    if output == "json":
        print_json(
            {
                "schema": SCHEMA,
                "standard": {"identifier": standard.identifier, "name": standard.name},
                "plan": {"name": loaded.plan.name, "version": loaded.plan.version, "digest": loaded.digest},
                "covered": len(coverage) - len(missing),
                "requirements": [_said(loaded, one) for one in coverage],
            }
        )
        return answer
    out = screen()
    headline = f"{standard.name}: {len(coverage) - len(missing)} of {len(coverage)} requirements are covered"
    out.print(Text.assemble(state_text(State.NEEDS_PERSON if missing else State.DONE, headline), f" — {loaded.plan.name}"))
    out.print()
    rows: list[list[str | Text]] = [
        [
            state_text(*_state(one)),
            one.requirement.clause,
            one.requirement.asks,
            "; ".join([*(_lacking(loaded, lack) for lack in one.answer.lacks), *_having(loaded, one)]),
        ]
        for one in coverage
    ]
    out.print(table(["", "clause", "asks for", "where, or what to write"], rows))
    out.print()
    print_next(
        f"holdfast check {loaded.path}" if not missing else f"write what is missing, then: holdfast check --standard {name} {loaded.path}"
    )
    return answer


def _state(one: "Coverage") -> "tuple[State, str]":
    if one.is_whole:
        return State.DONE, "covered"
    return (State.NEEDS_PERSON, "in part") if one.answer.has else (State.FAILED, "missing")


def _having(loaded: "LoadedPlan", one: "Coverage") -> list[str]:
    if not one.answer.has:
        return []
    return [("" if one.is_whole else "there already: ") + _where(loaded, one.answer.has)]


def _lacking(loaded: "LoadedPlan", lack: "Lack") -> str:
    """What to write, and where, each place as `holdfast set` takes it."""
    at = [f"{'.'.join(map(str, place))} ({_line(loaded, place)})" for place in lack.places]
    return lack.write + (f": {_few(at)}" if at else "")


def _where(loaded: "LoadedPlan", places: "tuple[Place, ...]") -> str:
    return _few([_line(loaded, place) for place in places])


def _few(said: list[str]) -> str:
    more = len(said) - _MOST_PLACES
    return ", ".join(said[:_MOST_PLACES]) + (f" and {more} more" if more > 0 else "")


def _line(loaded: "LoadedPlan", place: "Place") -> str:
    position = loaded.positions.key(place)
    return f"{position.path or loaded.path.name}:{position.line}"


def _said(loaded: "LoadedPlan", one: "Coverage") -> dict[str, object]:
    answer = one.answer
    return {
        "clause": one.requirement.clause,
        "source": one.requirement.source,
        "asks": one.requirement.asks,
        "covered": one.is_whole,
        "places": [_placed(loaded, place) for place in answer.has],
        "lacks": [{"write": lack.write, "places": [_placed(loaded, place) for place in lack.places]} for lack in answer.lacks],
        "hint": "; ".join(_lacking(loaded, lack) for lack in answer.lacks) or None,
    }


def _placed(loaded: "LoadedPlan", place: "Place") -> dict[str, object]:
    at = loaded.positions.key(place)
    return {"path": list(place), "file": at.path or str(loaded.path), "line": at.line, "column": at.column}
