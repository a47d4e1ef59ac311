"""The fence against processes that resist: sessions that go on, a stopped parent, forks, orphans, ones that change their group."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from holdfast.agent import fence, groups
from holdfast.agent.fence import Target
from holdfast.agent.guarding import Guarding
from holdfast.agent.launch import GroupLauncher
from holdfast.agent.pulse import boot_seconds
from lab.fencing_rig import wait_for

WRITER = """
import os, sys, time
# A parent with children that acknowledge for ever; each forks now and then, and one lets itself be adopted.
def acknowledge():
    with open("acknowledged", "a", buffering=1) as file:
        while True:
            file.write(f"{time.clock_gettime(time.CLOCK_BOOTTIME)}\\n")
            time.sleep(0.001)
for number in range(3):
    if os.fork() == 0:
        acknowledge()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        acknowledge()
    os._exit(0)
while True:
    if os.fork() == 0:
        time.sleep(0.01)
        os._exit(0)
    os.wait()
"""

THREADS = """
import socket, sys, threading, time
# A server with many threads, as Redis is one: they share its sockets, and the last of them to end closes those.
listener = socket.create_server(("127.0.0.1", 0))
for number in range(40):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
print(listener.getsockname()[1], flush=True)
kept = [listener.accept() for _ in range(1)]
time.sleep(60)
"""

FIRST_THREAD_ENDS = """
import ctypes, socket, threading, time
# A server whose first thread is gone: to look at, a zombie without a working directory, and yet it answers.
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
def serve():
    session, _ = listener.accept()
    while True:
        session.sendall(b".")
        time.sleep(0.01)
threading.Thread(target=serve).start()
ctypes.CDLL(None).pthread_exit(None)
"""

AGENT = """
import sys, time
from pathlib import Path
from holdfast.agent.fence import Group, Target
from holdfast.agent.guarding import Guarding
from holdfast.agent.pulse import boot_seconds
group = Group(sys.argv[3], Path(sys.argv[4])) if sys.argv[3] else None
guarding = Guarding(Path(sys.argv[1]), [Target("store", Path(sys.argv[2]), group)], 0.02)
while not guarding.watch():
    time.sleep(0.01)
guarding.set_deadline(boot_seconds() + 0.6)
guarding.arm("store")
print("armed", flush=True)
time.sleep(60)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="holdfast-fence-")).resolve()
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _hierarchies() -> list[str]:
    """The versions of control groups that root may make on this machine, each once (Debian 12 has v2 alone), and doing without.

    Seen with the test's own eyes: what the agent overlooks must not be left out here too.
    """
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    open_ = [(system, options.split(",")) for _, _, system, options, *_ in mounts if "rw" in options.split(",")]
    freezer = any(system == "cgroup" and "freezer" in options for system, options in open_)
    unified = any(system == "cgroup2" for system, _ in open_)
    return [*(["v1"] if freezer else []), *(["v2"] if unified else []), "none"]


HIERARCHIES = _hierarchies()


@pytest.fixture(params=HIERARCHIES)
def target(request: pytest.FixtureRequest, folder: Path) -> Iterator[Target]:
    group = groups.find_group(f"holdfast-test-{os.getpid()}-{request.param}", request.param)
    if os.geteuid() != 0 and group is None and request.param != "none":
        pytest.skip("needs permission to make control groups: run as root")
    assert (group is not None) == (request.param != "none")
    assert group is None or group.kind == request.param
    made = Target("store", folder / "store", group)
    made.directory.mkdir()
    try:
        yield made
    finally:
        fence.fence(made)
        for process in _started:
            process.wait()
        _started.clear()
        assert groups.remove_group(group)


_started: list["subprocess.Popen[bytes]"] = []


def start(target: Target) -> "subprocess.Popen[bytes]":
    process = GroupLauncher(target, None).start([sys.executable, "-c", WRITER], log=target.directory / "log")
    _started.append(process)
    wait_for(lambda: acknowledged(target) and len(fence.members(target)) >= 5, 5, "it acknowledges")
    return process


def acknowledged(target: Target) -> list[float]:
    file = target.directory / "acknowledged"
    return [float(line) for line in file.read_text().splitlines() if line] if file.exists() else []


@pytest.mark.parametrize("stopped", [False, True])
def test_nothing_runs_on_after_a_fence(target: Target, stopped: bool) -> None:
    process = start(target)
    if stopped:
        os.kill(process.pid, signal.SIGSTOP)
    done = fence.fence(target)
    end = boot_seconds()
    assert done.clean
    assert done.killed >= 5
    assert done.how == (f"cgroup-{target.group.kind}" if target.group else "stop-and-kill")
    assert process.wait(timeout=2) == -signal.SIGKILL
    time.sleep(0.1)
    assert max(acknowledged(target)) <= end
    assert not fence.members(target)


def test_an_orphan_outside_the_group_is_found_by_its_directory(target: Target) -> None:
    outside = subprocess.Popen([sys.executable, "-c", WRITER], cwd=target.directory)
    wait_for(lambda: acknowledged(target), 5, "it acknowledges")
    assert fence.fence(target).clean
    assert outside.wait(timeout=2) == -signal.SIGKILL
    assert not fence.members(target)


def test_a_process_that_the_first_look_missed_is_struck_at_the_next_and_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, target: Target
) -> None:
    family, missed = fence._family, [set[int]()]
    monkeypatch.setattr(fence, "_family", lambda *of: missed.pop() if missed else family(*of))
    outside = subprocess.Popen([sys.executable, "-c", WRITER], cwd=target.directory)
    wait_for(lambda: acknowledged(target), 5, "it acknowledges")
    assert fence.fence(target).clean
    outside.wait()


def _says(log: Path) -> bool:
    return log.exists() and log.read_text().endswith("\n")


def test_a_closed_group_holds_no_thread_whose_process_looks_dead_and_so_no_open_socket(target: Target) -> None:
    for attempt in range(20):
        log = target.directory / f"log-{attempt}"
        fence.open_group(target)
        _started.append(GroupLauncher(target, None).start([sys.executable, "-c", THREADS], log=log))
        wait_for(partial(_says, log), 5, "it listens")
        with socket.create_connection(("127.0.0.1", int(log.read_text())), timeout=2) as session, suppress(ConnectionError):
            assert fence.fence(target).clean
            fence.close(target)
            assert session.recv(1) == b"", "whoever waits for an answer hears that there will be none"


def test_a_process_whose_first_thread_has_ended_is_found_by_the_others(target: Target) -> None:
    log = target.directory / "log"
    with log.open("wb") as written:
        outside = subprocess.Popen([sys.executable, "-c", FIRST_THREAD_ENDS], cwd=target.directory, stdout=written)
    try:
        wait_for(partial(_says, log), 5, "it listens")
        wait_for(lambda: _state(outside.pid) == "Z", 5, "its first thread ends")
        with socket.create_connection(("127.0.0.1", int(log.read_text())), timeout=2) as session:
            assert session.recv(1) == b".", "it answers all the same"
            assert fence.members(target) == {outside.pid}
            done = fence.fence(target)
            assert (done.clean, done.killed) == (True, 1)
            with suppress(ConnectionError):
                while session.recv(4096):
                    pass
        assert outside.wait(timeout=2) == -signal.SIGKILL
    finally:
        outside.kill()
        outside.wait()


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_fence_of_nothing_is_clean_and_a_neighbour_is_left_alone(target: Target, folder: Path) -> None:
    (folder / "store-two").mkdir()
    neighbour = subprocess.Popen(["sleep", "60"], cwd=folder / "store-two")
    try:
        done = fence.fence(target)
        assert (done.clean, done.killed) == (True, 0)
        assert neighbour.poll() is None
    finally:
        neighbour.kill()
        neighbour.wait()


@pytest.mark.parametrize("target", [kind for kind in HIERARCHIES if kind != "none"], indirect=True)
def test_what_enters_a_closed_group_stands_still_until_it_is_opened(target: Target) -> None:
    fence.fence(target)
    fence.close(target)
    late = GroupLauncher(target, None).start(["/bin/sh", "-c", "echo ran > ran"], log=target.directory / "log")
    time.sleep(0.3)
    assert not (target.directory / "ran").exists()
    fence.open_group(target)
    assert late.wait(timeout=5) == 0
    assert (target.directory / "ran").exists()


def test_the_launcher_says_what_it_could_not_start_and_ends_what_takes_too_long(target: Target) -> None:
    launcher = GroupLauncher(target, None)
    assert launcher.run(["sh", "-c", "echo $PWD; exit 3"], timeout_seconds=5).status == 3
    with pytest.raises(Exception, match="took longer than 0 s"):
        launcher.run(["sleep", "60"], timeout_seconds=0.2)
    assert not fence.members(target)


def guarded(target: Target, folder: Path) -> Guarding:
    guarding = Guarding(folder, [target], 0.02)
    wait_for(guarding.watch, 5, "the guard ticks")
    return guarding


def test_the_guard_fences_at_the_deadline_and_whatever_comes_after_it(target: Target, folder: Path) -> None:
    guarding = guarded(target, folder)
    try:
        start(target)
        deadline = boot_seconds() + 0.5
        guarding.set_deadline(deadline)
        guarding.arm("store")
        wait_for(lambda: guarding.fences == 1, 3, "the fence")
        time.sleep(0.1)
        assert deadline - 0.2 < max(acknowledged(target)) < deadline + 0.15
        process = subprocess.Popen([sys.executable, "-c", WRITER], cwd=target.directory)
        assert process.wait(timeout=3) == -signal.SIGKILL
        said = [json.loads(line) for line in (folder / "guard.log").read_text().splitlines()]
        assert said[0]["fenced"][0]["clean"] is True
    finally:
        guarding.end()


def test_the_guard_leaves_alone_what_is_not_armed_and_what_has_time(target: Target, folder: Path) -> None:
    guarding = guarded(target, folder)
    try:
        process = start(target)
        guarding.set_deadline(boot_seconds() - 1)
        time.sleep(0.2)
        assert process.poll() is None
        guarding.set_deadline(boot_seconds() + 60)
        guarding.arm("store")
        time.sleep(0.2)
        assert process.poll() is None
    finally:
        guarding.end()


def test_a_guard_that_is_told_to_end_by_a_signal_fences_first(target: Target, folder: Path) -> None:
    guarding = guarded(target, folder)
    process = start(target)
    guarding.set_deadline(boot_seconds() + 60)
    guarding.arm("store")
    os.kill(guarding.pulse.get("guard_pid"), signal.SIGTERM)
    assert process.wait(timeout=3) == -signal.SIGKILL
    guarding.end()


def test_a_guard_whose_agent_is_gone_fences_at_the_deadline_and_ends(target: Target, folder: Path) -> None:
    process = start(target)
    agent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            AGENT,
            str(folder),
            str(target.directory),
            target.group.kind if target.group else "",
            str(target.group.path) if target.group else "",
        ],
        stdout=subprocess.PIPE,
    )
    assert agent.stdout is not None
    assert agent.stdout.readline() == b"armed\n"
    configuration = str(folder / "guard.json").encode()
    agent.kill()
    agent.wait()
    agent.stdout.close()
    assert process.poll() is None
    assert process.wait(timeout=3) == -signal.SIGKILL
    wait_for(lambda: not _running_with(configuration), 3, "the guard ends")


def _running_with(argument: bytes) -> bool:
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and argument in (entry / "cmdline").read_bytes().split(b"\0"):
                return True
    return False
