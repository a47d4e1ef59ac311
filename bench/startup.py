"""How long `holdfast --help` takes, as a person waits for it: a whole process, its median of eleven. Exit code 1 from 0.3 s on."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

TIMES = 11
LIMIT_SECONDS = 0.3
HOLDFAST = Path(sys.executable).with_name("holdfast")


def main() -> int:
    found = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        subprocess.run([str(HOLDFAST), "--help"], stdout=subprocess.DEVNULL, check=True)
        found.append(time.perf_counter() - begun)
    median = statistics.median(found)
    print(f"holdfast --help, {TIMES} times: minimum {min(found):.2f} s, median {median:.2f} s, maximum {max(found):.2f} s")
    return int(median >= LIMIT_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
