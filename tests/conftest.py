"""What holds for every test: which ones need something that may not be here, and the list of what was left out and why.

Markers say what a test needs (`root`, `shared`, `prove`; see pyproject.toml). A test that can't run here is skipped with the
reason; one that belongs to `make prove` is set aside. Both are named in the last lines of the run.
"""

import os
import shutil
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what it runs in the background with Ctrl-C ignored, and every child inherits that: a test that sends one would wait.
    signal.signal(signal.SIGINT, signal.default_int_handler)
for _end in (signal.SIGTERM, signal.SIGHUP):
    if signal.getsignal(_end) is signal.SIG_DFL:  # ended from outside, or without its terminal, it cleans up like one broken off
        signal.signal(_end, signal.default_int_handler)

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PARTS = ("beside", "servers", "alone")

# A property says what holds for every input, never how quick a busy machine is. `make test` tries the same inputs each time, so that it
# fails for what was changed; `make prove` goes looking for others, and for longer.
settings.register_profile("holdfast", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("searching", deadline=None, max_examples=500, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("holdfast")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--prove", action="store_true", help="run only what takes longer: the tests marked `prove`")
    parser.addoption(
        "--part",
        choices=("all", *PARTS),
        default="all",
        help="alone: tests of a whole lab and of time, which want the machine for themselves; servers: the others of tests/lab, for one "
        "process, which follow one another and mostly wait; beside: what bears all of these and each other beside it",
    )


def _absent(item: pytest.Item) -> str | None:
    """Why this test can't run here, or None."""
    if item.get_closest_marker("root") and os.geteuid() != 0:
        return "needs root (control groups, processes of other users): run as root"
    if item.get_closest_marker("shared") and not SHARED.is_dir():
        return "needs the project's shared folder beside this clone"
    if item.path.is_relative_to(ROOT / "tests" / "browser") and not any(map(shutil.which, BROWSERS)):
        return "needs Chromium: Debian's package (Ubuntu's is a snap, which `make setup` leaves alone)"
    return None


def _part_of(item: pytest.Item) -> str:
    """Which of PARTS a test belongs to."""
    if item.get_closest_marker("alone"):
        return "alone"
    return "servers" if item.path.is_relative_to(ROOT / "tests" / "lab") else "beside"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Set aside what wasn't asked for, and skip what can't run."""
    proving, part = bool(config.getoption("--prove")), config.getoption("--part")
    kept: list[pytest.Item] = []
    aside: list[pytest.Item] = []
    other_part: list[pytest.Item] = []
    for item in items:
        if part not in ("all", _part_of(item)):
            other_part.append(item)
            continue
        (kept if bool(item.get_closest_marker("prove")) == proving else aside).append(item)
        reason = _absent(item)
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))
    if aside or other_part:
        config.hook.pytest_deselected(items=[*aside, *other_part])
        items[:] = kept
    config.stash[_ASIDE] = len(aside)


_ASIDE = pytest.StashKey[int]()
_SAID = pytest.StashKey[int]()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist tells the main process how many tests it set aside."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["aside"] = session.config.stash.get(_ASIDE, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Every worker collects everything, so that one worker's number is the number."""
    node.config.stash[_SAID] = max(node.config.stash.get(_SAID, 0), getattr(node, "workeroutput", {}).get("aside", 0))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """The last lines: what was left out, and why. A worker of pytest-xdist leaves them to the main process."""
    if hasattr(config, "workerinput"):
        return
    reasons: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", []):
        text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[text.removeprefix("Skipped: ")] += 1
    aside = max(config.stash.get(_ASIDE, 0), config.stash.get(_SAID, 0))
    if aside:
        reasons["runs in `make test`" if config.getoption("--prove") else "takes longer than `make test` may: runs in `make prove`"] += (
            aside
        )
    together = os.environ.get("HOLDFAST_LEFT_OUT")
    if together:  # several runs in a row: the script that began them says it once, at the very end
        with Path(together).open("a", encoding="utf-8") as file:
            file.writelines(f"{count}\t{' '.join(reason.split())}\n" for reason, count in reasons.items())
    terminalreporter.section("left out", sep="-")
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"{count} left out: {reason}")
    if not reasons:
        terminalreporter.write_line("nothing was left out")
