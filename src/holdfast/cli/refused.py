"""What `holdfast check` says of a plan that doesn't load.

Every problem with its place, for editors and CI. Where only keys are missing, the rules look at what is there all the same, and those that
needed what is missing are named; where anything else is wrong, no rule can look, and that is said. Silence never means that all is well.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.cli.findings import CHECK_SCHEMA, and_ignored, counting, print_table, quoted, relative, shown_of, today_of, values_of
from holdfast.cli.output import State, complain, print_json, print_next, screen, state_text

if TYPE_CHECKING:
    from holdfast.checks.sarif import Shown
    from holdfast.checks.unfinished import Looked
    from holdfast.plan.loader import LoadedUnfinished, PlanError

_NO_RULE_LOOKED = (
    "no rule has looked for contradictions yet: they step over missing keys, except in 'contacts', and over nothing else that is wrong"
)


def say_refused(path: Path, error: "PlanError", output: str, standard: str | None = None) -> None:
    """Print the problems, and what was found beside them, as text, JSON or SARIF. `standard`: what should have been looked at instead."""
    from holdfast.plan.loader import PlanError, load_unfinished

    try:
        loaded = load_unfinished(error, path)
    except PlanError as of_contacts:
        loaded, error = None, PlanError((*error.problems, *of_contacts.problems))
    looked, shown = (None, []) if loaded is None else _so_far(loaded)
    if output == "json":
        print_json(_refused(path, error, looked, shown) | ({} if standard is None else {"not_checked_against": standard}))
    elif output == "sarif":
        from holdfast.checks.sarif import sarif_of_problems

        print_json(sarif_of_problems(error.problems, relative, shown, _unlooked(looked)))
    else:
        if standard is not None:
            complain(f"{standard} was not checked: what a standard asks for is looked up in a plan that loads, and this one doesn't yet")
        _say_problems(path, error, looked)
        if loaded is not None and looked is not None:
            _say_so_far(loaded, looked, shown)


def _so_far(loaded: "LoadedUnfinished") -> "tuple[Looked, list[Shown]]":
    """What the rules found in a plan that only lacks keys."""
    from holdfast.checks.unfinished import check_unfinished, judged_so_far

    looked = check_unfinished(loaded.unfinished, today_of(loaded.unfinished.plan.timezone))
    return looked, shown_of(loaded, judged_so_far(looked, loaded.ignores, loaded.positions))


def _say_problems(path: Path, error: "PlanError", looked: "Looked | None") -> None:
    """Problems as `file:line:column: …`, one a line, where editors and CI look for them."""
    problems = error.problems
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    lines = [f"the plan doesn't load, {count}:", *error.lines()]
    if looked is None:
        lines += [*([] if error.unseen else [_NO_RULE_LOOKED]), f"next: {_next(path, error)}"]
    complain("\n".join(lines))


def _next(path: Path, error: "PlanError") -> str:
    return f"correct {'it' if len(error.problems) == 1 else 'them'}, then: holdfast check {quoted(str(path))}"


def _say_so_far(loaded: "LoadedUnfinished", looked: "Looked", shown: "list[Shown]") -> None:
    from rich.text import Text

    number = len(counting(shown))
    count = "1 finding" if number == 1 else f"{number} findings"
    said = f"what is there was looked at all the same: {count}, true whatever is written for what is missing{and_ignored(shown)}"
    screen().print(state_text(State.UNKNOWN, said))
    print_table(loaded, shown)
    if looked.stopped:
        screen().print(Text(_unlooked(looked), style="bold"))
    print_next(f"add what is missing, then: holdfast check {quoted(str(loaded.path))}")


def _unlooked(looked: "Looked | None") -> str:
    """Which kinds of findings were not looked for, or not to the end, and which missing keys they need; empty where all were."""
    if looked is None:
        return _NO_RULE_LOOKED
    if not looked.stopped:
        return ""
    needed: dict[str, list[str]] = {}
    for stopped in looked.stopped:
        needed.setdefault(".".join(map(str, stopped.lacks)), []).append(f"{stopped.rule.code} ({stopped.rule.title})")
    return "not looked for to the end: " + "; ".join(f"{', '.join(rules)}: needs {key}" for key, rules in needed.items())


def _refused(path: Path, error: "PlanError", looked: "Looked | None", shown: "list[Shown]") -> dict[str, Any]:
    from holdfast.checks import ALL

    stopped = [(rule, None) for rule in ALL] if looked is None else [(one.rule, list(one.lacks)) for one in looked.stopped]
    return {
        "schema": CHECK_SCHEMA,
        "path": str(path),
        "loads": False,
        "plan": None,
        "problems": [
            {
                "path": problem.path,
                "line": problem.line,
                "column": problem.column,
                "message": problem.message,
                "value": problem.value,
                "hint": problem.hint,
            }
            for problem in error.problems
        ],
        "not_looked_at": error.unseen,
        "not_looked_for": [{"code": rule.code, "title": rule.title, "needs": needs} for rule, needs in stopped],
        **values_of(shown),
    }
