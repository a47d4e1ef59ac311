"""Start a store's processes where fencing finds them: in the store's control group, with its directory, in a session of their own.

A shell of one line writes its own id into the group and becomes the program, so the program never runs outside the group and no Python runs
between fork and exec of a process with threads. A group that a fence left frozen holds it right there.

Never here: whether it may start (see `writers`).
"""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from holdfast.agent.fence import Target
from holdfast.agent.os_user import View, as_user
from holdfast.agent.store import Finished, StoreFailure

_ENTER = 'echo $$ > "$0" && exec "$@"'


class GroupLauncher:
    """Implements `store.Launcher` for one store."""

    def __init__(self, target: Target, os_user: str | None, view: View | None = None) -> None:
        self._target = target
        self._os_user = os_user
        self._view = view

    def start(self, arguments: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None) -> "subprocess.Popen[bytes]":
        """See `store.Launcher`."""
        try:
            with log.open("ab") as output:
                return subprocess.Popen(
                    self._command(arguments),
                    cwd=self._directory(),
                    env={**os.environ, **(environment or {})},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except OSError as error:
            raise self._failure(arguments, error) from error

    def run(self, arguments: Sequence[str], *, timeout_seconds: float, environment: Mapping[str, str] | None = None) -> Finished:
        """See `store.Launcher`."""
        try:
            child = subprocess.Popen(
                self._command(arguments),
                cwd=self._directory(),
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise self._failure(arguments, error) from error
        try:
            output, _ = child.communicate(timeout=timeout_seconds)
        except subprocess.TimeoutExpired as error:
            os.killpg(child.pid, signal.SIGKILL)
            child.communicate()
            raise StoreFailure(
                f"{arguments[0]} took longer than {timeout_seconds:.0f} s in {self._target.directory} and was killed"
            ) from error
        return Finished(child.returncode, output.decode(errors="replace"))

    def _command(self, arguments: Sequence[str]) -> list[str]:
        command = as_user(arguments, self._os_user, self._view)
        if self._target.group is None:
            return command
        return ["/bin/sh", "-c", _ENTER, str(self._target.group.entry), *command]

    def _directory(self) -> Path:
        directory = self._target.directory
        return directory if directory.is_dir() else directory.parent

    def _failure(self, arguments: Sequence[str], error: OSError) -> StoreFailure:
        return StoreFailure(
            f"cannot start {arguments[0]} for {self._target.name}: {error.strerror or error} ({error.filename}): is it installed?"
        )
