"""Redis sessions from before the cut, and a guard or an agent stopped at the very moment of it: nobody gets another acknowledgement."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress

import pytest

from holdfast.agent.pulse import boot_seconds
from lab.fencing_rig import TTL, AgentSide, rig, wait_for
from lab.fencing_sessions import assert_silent_after

GROUPS = ["auto", "none"]


def stop(side: AgentSide, what: str) -> None:
    """SIGSTOP to the named processes of a region, in the order of their names."""
    assert side.process is not None
    agent = side.process.pid
    for each in what.split(" and "):
        pid = {"agent": lambda: agent, "guard": side.guard, "redis-server": side.redis_server}[each]()
        assert pid
        os.kill(pid, signal.SIGSTOP)


def keeps_every_guard_stopped(side: AgentSide) -> Callable[[], None]:
    """What stops the guard that runs, and at each further call whichever replaced it."""
    stopped: set[int] = set()

    def look() -> None:
        if (guard := side.guard()) and guard not in stopped:
            with suppress(ProcessLookupError):
                os.kill(guard, signal.SIGSTOP)
                stopped.add(guard)

    return look


@pytest.mark.parametrize("cgroup", GROUPS)
@pytest.mark.parametrize("stopped", ["", "redis-server", "agent", "guard", "redis-server and agent"])
def test_no_redis_session_from_before_the_cut_is_acknowledged_after_the_lease(stopped: str, cgroup: str) -> None:
    with rig(cgroup=cgroup) as made:
        wait_for(lambda: made.west.status()["stores"]["redis"]["role"] == "writer", 10, "west's Redis is the writer")
        sessions = made.redis_sessions()
        wait_for(lambda: all(session.acknowledged for session in sessions), 5, "sessions write")
        assert made.west.process is not None
        agent = made.west.process.pid
        cut = made.isolate_west()
        if stopped:
            stop(made.west, stopped)
        promoted = made.fail_over()
        assert_silent_after(sessions, min(cut + TTL, promoted))
        with made.east.connect_redis() as elsewhere:
            assert elsewhere.command("SET", "written:elsewhere", "x", timeout_seconds=5) == "OK", "east's Redis is the writer now"
        for session in sessions:
            assert session.over.wait(2), "the server that held the session is gone, stopped or not"
        os.kill(agent, signal.SIGCONT)
        made.heal()
        wait_for(lambda: made.west.status()["epoch"] == 2, 10, "west hears of the higher epoch")
        wait_for(lambda: made.west.status()["stores"]["redis"]["duty"] == "barred", 5, "west's Redis stays fenced")
        assert_silent_after(sessions, min(cut + TTL, promoted))


@pytest.mark.parametrize("cgroup", GROUPS)
def test_an_agent_whose_guard_is_stopped_as_the_cut_comes_fences_alone(cgroup: str) -> None:
    with rig(cgroup=cgroup) as made:
        sessions = [*made.sessions(), *made.redis_sessions()]
        wait_for(lambda: all(session.acknowledged for session in sessions), 5, "sessions write")
        keep_stopped = keeps_every_guard_stopped(made.west)
        keep_stopped()
        cut = made.isolate_west()

        def over() -> bool:
            keep_stopped()
            return all(session.over.is_set() for session in sessions)

        wait_for(over, TTL + 2, "sessions end")
        assert boot_seconds() < cut + TTL + 0.5
        assert_silent_after(sessions, cut + TTL)
        wait_for(lambda: made.west.did("fenced"), 2, "the agent's own fence is on record")


@pytest.mark.parametrize("cgroup", GROUPS)
def test_a_guard_whose_agent_is_stopped_as_the_cut_comes_fences_alone(cgroup: str) -> None:
    with rig(cgroup=cgroup) as made:
        sessions = [*made.sessions(), *made.redis_sessions()]
        wait_for(lambda: all(session.acknowledged for session in sessions), 5, "sessions write")
        stop(made.west, "agent")
        cut = made.isolate_west()
        wait_for(lambda: all(session.over.is_set() for session in sessions), TTL + 2, "sessions end")
        assert_silent_after(sessions, cut + TTL)
        assert made.west.process is not None
        os.kill(made.west.process.pid, signal.SIGCONT)
        wait_for(lambda: made.west.did("guard-fenced"), 5, "the guard's fence is on record")
        made.heal()
        wait_for(made.west.writes, 15, "starts again, unasked")
