"""A PostgreSQL that is killed leaves shared memory in the kernel: it is seen, taken away with its folder, and another's is let alone."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.lab import processes
from holdfast.lab.postgres_setup import PostgresSetupError, prepare
from lab.fencing_rig import wait_for
from lab.postgres_store_rig import BIN, OS_USER, PASSWORDS, pair, processes_in
from lab.removal import remove
from lab.traces import left_since


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="holdfast-traces-"))
    made.chmod(0o755)
    try:
        yield made
    finally:
        remove(made)


def test_the_memory_of_a_killed_server_is_left_when_only_its_folder_goes_and_gone_when_it_is_released_first(folder: Path) -> None:
    since = time.time()
    with pair() as both:
        both.west.store.start_writer(0, 1)
        claimed = processes.claimed_segments(both.root)
        assert len(claimed) == 1
        processes.release_shared_memory(both.root)
        assert left_since(since) == []
        assert both.west.ask("SELECT 1").one() == ("1",), "what is in use is let alone"
        both.west.launcher.kill_everything()
        assert left_since(since) == [], "its folder still knows it"
        shutil.copy(both.root / "west" / "postmaster.pid", folder / "postmaster.pid")
        (both.root / "west" / "postmaster.pid").unlink()
        assert left_since(since, folder) != []
        processes.release_shared_memory(folder)
        assert left_since(since) == []


def test_a_sweep_clears_away_after_those_whom_it_ends_even_where_their_folder_is_gone() -> None:
    since = time.time()
    with pair() as both:
        both.west.store.start_writer(0, 1)
        (both.root / "west" / "postmaster.pid").unlink()
        assert processes.sweep("no lab of this name", both.root) == []
        both.west.launcher.kill_everything()  # nobody is left: only to take note of their ends
        assert left_since(since) == []


@pytest.mark.parametrize("program", ["--boot", "--single"])
def test_a_preparation_whose_postgresql_is_killed_in_the_middle_leaves_nothing(folder: Path, program: str) -> None:
    since = time.time()
    script = (
        "import sys; from pathlib import Path; from lab.postgres_store_rig import *; from holdfast.lab.postgres_setup import *\n"
        "try: prepare(Path(sys.argv[1]) / 'west', Path(sys.argv[1]) / 'east', bin_directory=BIN, os_user=OS_USER, passwords=PASSWORDS)\n"
        "except PostgresSetupError as error: print(error)"
    )
    command, environment = [sys.executable, "-c", script, str(folder)], {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as preparing:
        assert preparing.stdout is not None
        wait_for(lambda: _running(folder / "west", program), 30, f"postgres {program} runs")
        for process in _running(folder / "west", program):
            os.kill(process, signal.SIGKILL)
        assert "failed with status" in preparing.stdout.read()
    assert list(folder.iterdir()) == []
    assert left_since(since) == []


def _running(data: Path, mode: str) -> list[int]:
    """PostgreSQLs of that mode that have their memory already."""
    if not (data / "postmaster.pid").exists() or not processes.claimed_segments(data):
        return []
    return [each for each in processes_in(data) if _is_postgres(Path(f"/proc/{each}"), mode.encode())]


def _is_postgres(process: Path, mode: bytes) -> bool:
    """Not one that has ended since it was listed: initdb starts one after the other."""
    try:
        return (process / "comm").read_text() == "postgres\n" and mode in (process / "cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_what_the_lab_makes_keeps_its_shared_memory_in_its_folder_from_the_start(folder: Path) -> None:
    prepare(folder / "west", folder / "east", bin_directory=BIN, os_user=OS_USER, passwords=PASSWORDS)
    for region in ("west", "east"):
        settings = (folder / region / "postgresql.conf").read_text().splitlines()
        kinds = [line.split("#")[0].split("=")[1].strip() for line in settings if line.startswith("dynamic_shared_memory_type")]
        assert kinds[-1] == "mmap"
    assert {entry.name for entry in folder.iterdir()} == {"west", "east"}
    with pytest.raises(PostgresSetupError, match="already holds files"):
        prepare(folder / "west", folder / "east", bin_directory=BIN, os_user=OS_USER, passwords=PASSWORDS)
