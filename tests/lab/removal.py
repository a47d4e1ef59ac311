"""Taking away a folder in which PostgreSQLs ran, as every rig of the tests does it."""

import shutil
from pathlib import Path

from holdfast.lab.processes import release_shared_memory


def remove(directory: Path) -> None:
    """Remove a folder whose servers have ended, and first what the killed ones left in the kernel: only their files say what that is, and
    where 4096 such pieces have gathered, no PostgreSQL of the machine starts any more."""
    release_shared_memory(directory)
    # Once forgivingly: what was killed a moment ago may have been removing files of its own.
    shutil.rmtree(directory, ignore_errors=True)
    if directory.exists():
        shutil.rmtree(directory)
