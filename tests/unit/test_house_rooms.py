"""The order of the rooms: the contracts name every room, hold, and can fail; what import-linter can't see is looked at here."""

import ast
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "holdfast"
CONTRACTS: list[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
PURE = {module.removeprefix("holdfast.") for module in CONTRACTS[3]["source_modules"]}
READS_FILES = {"plan/regular_files.py", "plan/document.py", "ledger/reading.py", "report/write.py"}
"""The only modules of pure rooms that may open files: the plan's, ledgers, and what a report is written to."""
MOST_LINES_OF_A_FUNCTION, MOST_LINES_OF_A_FILE = 70, 400


def rooms() -> set[str]:
    single = {path.stem for path in SOURCE.glob("*.py")} - {"__init__", "__main__"}
    return {path.name for path in SOURCE.iterdir() if (path / "__init__.py").is_file()} | single


def layers() -> list[set[str]]:
    return [{name.strip().strip("()") for name in layer.split("|")} for layer in CONTRACTS[0]["layers"]]


def modules(folder: str = "") -> Iterator[Path]:
    yield from sorted((SOURCE / folder).rglob("*.py"))


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Every module that a file imports, wherever in it the import stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, f"{'.' * node.level}{node.module or ''}"


def places(findings: Iterator[tuple[Path, int, str]]) -> list[str]:
    return [f"{path.relative_to(ROOT)}:{line}: {what}" for path, line, what in findings]


def test_every_room_stands_in_the_order_and_in_the_drawing() -> None:
    named = set().union(*layers()) - {"__main__"}
    assert rooms() <= named
    drawing = (ROOT / "docs" / "architecture.md").read_text()
    assert [room for room in sorted(rooms()) if f"`{room}/`" not in drawing and f"`{room}.py`" not in drawing] == []


def test_the_agent_is_kept_from_every_room_but_fencing() -> None:
    forbidden = {module.removeprefix("holdfast.") for module in CONTRACTS[2]["forbidden_modules"]}
    assert forbidden == rooms() - {"agent", "fencing"}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The house, to break things in."""
    shutil.copytree(SOURCE, tmp_path / "holdfast", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(folder: Path) -> tuple[int, str]:
    script = (
        f"import sys; sys.path.insert(0, {str(folder)!r}); from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


BREACHES = [
    pytest.param("plan", "import holdfast.cli.main", 0, id="a call backwards"),
    pytest.param("health", "def late():\n    from holdfast.controller import loop", 0, id="a late call backwards"),
    pytest.param("simulation", "import holdfast.app", 0, id="two rooms of one storey"),
    pytest.param("providers/dns", "import holdfast.providers.http.client", 1, id="providers that know each other"),
    pytest.param("agent", "import holdfast.plan.model", 2, id="an agent that needs the plan"),
    pytest.param("decision", "import asyncio", 3, id="a pure room that waits"),
    pytest.param("runbook", "from time import monotonic", 3, id="a pure room with a clock"),
    pytest.param("journal", "import redis", 3, id="a pure room that talks"),
    pytest.param("controller", "import holdfast.simulation", 4, id="production that knows the simulator"),
]


@pytest.mark.parametrize(("room", "breach", "contract"), BREACHES)
def test_each_contract_can_fail(copy: Path, room: str, breach: str, contract: int) -> None:
    (copy / "holdfast" / room / "breach.py").write_text(breach + "\n")
    code, said = lint(copy)
    assert code == 1, said
    broken = [line for line in said.splitlines() if line.endswith("BROKEN")]
    assert any(line.startswith(CONTRACTS[contract]["name"]) for line in broken), said


def test_a_room_that_stands_nowhere_is_noticed(copy: Path) -> None:
    (copy / "holdfast" / "attic").mkdir()
    (copy / "holdfast" / "attic" / "__init__.py").write_text("")
    code, said = lint(copy)
    assert code == 1
    assert "attic" in said


def test_agent_and_fencing_run_on_the_standard_library() -> None:
    def strangers() -> Iterator[tuple[Path, int, str]]:
        neighbours = {path.stem for path in modules("agent")}  # the guard is run as a file and finds its neighbours beside it
        for path in [*modules("agent"), *modules("fencing")]:
            for line, name in imported(path):
                ours = name.startswith(("holdfast.agent", "holdfast.fencing")) or (path.stem == "guard" and name in neighbours)
                if name.startswith(".") or (name.split(".")[0] not in sys.stdlib_module_names and not ours):
                    yield path, line, f"imports {name}"

    assert places(strangers()) == []


def test_the_guard_loads_nothing_of_holdfast() -> None:
    """With neither site packages nor this project on the path, as if everything else were broken."""
    look = "import guard; print([name for name in sys.modules if name.split('.')[0] == 'holdfast'])"
    script = f"import sys; sys.path.insert(0, {str(SOURCE / 'agent')!r}); {look}"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_pure_rooms_ask_nobody_for_the_time_and_open_no_files() -> None:
    def found() -> Iterator[tuple[Path, int, str]]:
        for room in sorted(PURE):
            for path in modules(room):
                for node in ast.walk(ast.parse(path.read_text())):
                    if not isinstance(node, ast.Call):
                        continue
                    called = node.func
                    name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
                    owner = ast.unparse(called.value) if isinstance(called, ast.Attribute) else ""
                    if name in ("now", "utcnow", "today") and owner in ("datetime", "date", "datetime.datetime", "datetime.date"):
                        yield path, node.lineno, f"asks for the time: {ast.unparse(called)}"
                    files = name in ("open", "read_text", "read_bytes", "write_text", "write_bytes")
                    if files and str(path.relative_to(SOURCE)) not in READS_FILES:
                        yield path, node.lineno, f"opens a file: {ast.unparse(called)}"

    assert places(found()) == []


def test_functions_and_files_stay_short() -> None:
    def long() -> Iterator[tuple[Path, int, str]]:
        for path in modules():
            text = path.read_text()
            lines = text.count("\n")
            if lines > MOST_LINES_OF_A_FILE:
                yield path, 1, f"{lines} lines; the house rule is {MOST_LINES_OF_A_FILE}"
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    size = (node.end_lineno or node.lineno) - node.lineno + 1
                    if size > MOST_LINES_OF_A_FUNCTION:
                        yield path, node.lineno, f"{node.name}: {size} lines; the house rule is {MOST_LINES_OF_A_FUNCTION}"

    assert places(long()) == []


def test_nothing_is_left_for_later() -> None:
    words = ("TODO", "FIXME", "XXX", "NotImplementedError")

    def left() -> Iterator[tuple[Path, int, str]]:
        for path in modules():
            for number, line in enumerate(path.read_text().splitlines(), 1):
                yield from ((path, number, word) for word in words if word in line)

    assert places(left()) == []


def test_every_ignored_rule_says_why() -> None:
    section = (ROOT / "pyproject.toml").read_text().split("[tool.ruff.lint]", 1)[1].split("[tool.ruff.lint.pylint]", 1)[0]
    ignoring = section.split("ignore = [", 1)[1]
    unexplained = [line for line in ignoring.splitlines() if line.strip().startswith('"') and "#" not in line]
    assert unexplained == []
