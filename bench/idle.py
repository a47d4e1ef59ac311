"""What everything of Holdfast costs while nothing happens: shares of one core over half a minute of a lab at rest with its clients.

Run: python -m bench.idle [SECONDS]. Exit code 1 when the controller takes 3 % of a core or more.
"""

import os
import shutil
import sys
import time
from pathlib import Path

from holdfast.drill.drilling import RunningDrill
from holdfast.drill.settings import DrillSettings
from holdfast.lab import processes
from holdfast.lab.running import start_lab
from holdfast.plan.loader import load

PLACE = Path("var/idle")
PLAN = Path("examples/voicehive/plan.yaml")
LIMIT_PERCENT = 3.0
KINDS = {
    "controller": ("holdfast", "run", "--exercise"),
    "observer (each)": ("holdfast", "observe"),
    "agent (each)": ("holdfast.agent", "--config"),
    "guard (each)": ("guard.json",),
}


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    shutil.rmtree(PLACE, ignore_errors=True)
    lab = start_lab(PLACE / "lab", PLAN, "default", "asynchronous")
    settings = DrillSettings(PLAN, "regional-outage", PLACE, profile="default")
    drill = RunningDrill(settings, load(PLAN), lambda _: None, lambda _: None, lab, exercise="bench")
    try:
        drill.start_controller()
        drill.start_clients()
        time.sleep(10.0)  # what starts is not at rest
        pids: dict[str, list[int]] = {kind: [] for kind in KINDS}
        for process in processes.find(lab.identifier, lab.directory):
            for kind, words in KINDS.items():
                if all(word in process.command for word in words):
                    pids[kind].append(process.pid)
        before = {pid: _ticks(pid) for found in pids.values() for pid in found}
        time.sleep(seconds)
        used = {pid: (_ticks(pid) - ticks) / os.sysconf("SC_CLK_TCK") for pid, ticks in before.items()}
    finally:
        drill.stop_parts()
        lab.down()
    shares = {kind: 100 * sum(used[pid] for pid in found) / max(len(found), 1) / seconds for kind, found in pids.items()}
    for kind, share in shares.items():
        print(f"{kind:18}{share:6.2f} % of a core  ({len(pids[kind])} running)")
    return int(not pids["controller"] or shares["controller"] >= LIMIT_PERCENT)


if __name__ == "__main__":
    sys.exit(main())
