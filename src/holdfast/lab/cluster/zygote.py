"""A process that has imported everything and forks application instances: an instance costs about ten milliseconds and little memory.

It reads one JSON command a line from standard input and says one JSON event a line on standard output:

    {"start": {...specification...}}   →  {"started": name, "pid": n}
    {"signal": pid, "number": n}       →  nothing; only its own living children can be hit
                                       →  {"exited": pid, "status": n} whenever one ended

Its end is the instances' end, however it comes: they ask the kernel to be killed with their parent. It starts no threads.
"""

import asyncio
import ctypes
import gc
import json
import os
import select
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from holdfast.lab.application.capacity import Capacity
from holdfast.lab.application.instance import InstanceSpecification, serve

_PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when its parent is gone; exits at once when that already happened."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _say(event: dict[str, Any]) -> None:
    os.write(1, (json.dumps(event) + "\n").encode())


def _specification(values: dict[str, Any]) -> InstanceSpecification:
    capacity = Capacity(**values.pop("capacity"))
    return InstanceSpecification(**{**values, "settings_file": Path(values["settings_file"])}, capacity=capacity)


def _become_instance(specification: InstanceSpecification, parent: int) -> None:
    """In the child: never returns."""
    status = 1
    try:
        end_with_parent(parent)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        os.dup2(nothing, 1)
        asyncio.run(serve(specification))
        status = 0
    except OSError as error:
        print(f"{specification.name}: cannot serve on {specification.host}:{specification.port}: {error}", file=sys.stderr, flush=True)
    except BaseException:  # whatever it was, a child must not return into its parent's loop
        traceback.print_exc()
    finally:
        os._exit(status)


def _obey(command: dict[str, Any], children: dict[int, str]) -> None:
    if "start" in command:
        specification, parent = _specification(command["start"]), os.getpid()
        child = os.fork()
        if child == 0:
            _become_instance(specification, parent)
        children[child] = specification.name
        _say({"started": specification.name, "pid": child})
    elif command.get("signal") in children:
        os.kill(command["signal"], command["number"])


def _reap(children: dict[int, str]) -> None:
    while children:
        child, status = os.waitpid(-1, os.WNOHANG)
        if child == 0:
            return
        del children[child]
        _say({"exited": child, "status": os.waitstatus_to_exitcode(status)})


def main() -> int:
    """Obey until standard input ends, then kill what is left."""
    end_with_parent(os.getppid())
    woken, wake = os.pipe()
    for end in (woken, wake):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the cluster decides, also when a person presses Ctrl-C
    gc.freeze()
    children: dict[int, str] = {}
    pending = b""
    while True:
        readable, _, _ = select.select([0, woken], [], [])
        if woken in readable:
            os.read(woken, 4096)
        if 0 in readable:
            data = os.read(0, 65536)
            if not data:
                break
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                _obey(json.loads(line), children)
        _reap(children)
    for child in children:
        os.kill(child, signal.SIGKILL)
    return 0


if __name__ == "__main__":
    sys.exit(main())
