"""`make bench`: the measurements of this folder, one after the other, in one run on one machine. Exit code 1 when one misses its aim."""

import subprocess
import sys

SCRIPTS = (
    "startup",
    "plan_size",
    "check_size",
    "forecast_size",
    "import_growth",
    "journal",
    "makespan",
    "messages",
    "mailing",
    "clocks",
    "incident_clocks",
    "idle",
    "outage",
)

missed = []
for script in SCRIPTS:
    print(f"\n== bench.{script}", flush=True)
    if subprocess.run([sys.executable, "-m", f"bench.{script}"], check=False).returncode:
        missed.append(script)
print(f"\nmissed their aim: {', '.join(missed)}" if missed else "\nevery aim was reached")
sys.exit(bool(missed))
