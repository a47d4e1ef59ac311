"""`make bench`: every measurement in this folder, one after the other, in one run on one machine."""

import runpy
from pathlib import Path

for script in sorted(Path(__file__).parent.glob("*.py")):
    if not script.name.startswith("__"):
        print(f"bench/{script.name}", flush=True)
        runpy.run_path(str(script), run_name="__main__")
