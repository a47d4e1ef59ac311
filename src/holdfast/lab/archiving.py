"""What the DR region of a lab can restore its PostgreSQL from: the primary's log as it is written, and one base backup.

PostgreSQL's own `pg_receivewal` brings the log over the link between the regions, so a cut link ends it like everything else; the base
backup is taken by `pg_basebackup` once the log flows, so nothing is missing between the two. Both say that they are `holdfast-archive`:
neither is a replica. A company has its own tool for this; the agent only needs to know the two directories.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from holdfast.agent.os_user import View, as_user
from holdfast.lab.addresses import Host, Port
from holdfast.lab.blueprint import REPLICATION_USER, Blueprint
from holdfast.lab.ground import LabProblem
from holdfast.lab.readiness import NotReady, Question

_BACKUP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Archiving:
    """The archive of one region."""

    blueprint: Blueprint
    region: str
    bin_directory: Path
    os_user: str | None
    view: View | None = None

    @property
    def received(self) -> Path:
        """Where the other region's log arrives."""
        return received_directory(self.blueprint, self.region)

    @property
    def backup(self) -> Path:
        """The base backup."""
        return backup_directory(self.blueprint, self.region)

    def make_folders(self) -> None:
        """Both directories, for the server's user."""
        for directory in (self.received, self.backup):
            directory.mkdir(parents=True, mode=0o700)
            if self.os_user is not None and os.geteuid() == 0:
                shutil.chown(directory, self.os_user, self.os_user)

    def receiving(self) -> tuple[str, ...]:
        """The command that brings the log, for ever."""
        return self._command("pg_receivewal", "-D", str(self.received), "-d", self._conninfo(), "-w", "-s", "1")

    def arrives(self) -> Question:
        """The first log is here."""

        async def ask() -> None:
            if not any(self.received.glob("*.partial")):
                raise NotReady("no log of the primary has arrived yet")

        return ask

    def take_backup(self, password: str) -> None:
        """Take the base backup. Raises LabProblem."""
        command = self._command("pg_basebackup", "-D", str(self.backup), "-d", self._conninfo(), "-w", "-X", "none", "-c", "fast")
        environment = {**os.environ, "PGPASSWORD": password, "LC_ALL": "C.UTF-8"}
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_BACKUP_SECONDS, env=environment, cwd=self.backup, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise LabProblem(f"the base backup for {self.region} could not be taken: {error}") from error
        if done.returncode != 0:
            raise LabProblem(f"the base backup for {self.region} could not be taken: {done.stderr.strip()[-600:]}")

    def _command(self, program: str, *arguments: str) -> tuple[str, ...]:
        return tuple(as_user([str(self.bin_directory / program), *arguments], self.os_user, self.view))

    def _conninfo(self) -> str:
        there = self.blueprint.at(self.region, self.blueprint.peer(self.region), Host.POSTGRES, Port.POSTGRES)
        return (
            f"host={there.host} port={there.port} user={REPLICATION_USER} application_name=holdfast-archive connect_timeout=3 "
            "tcp_user_timeout=5000 keepalives_idle=2 keepalives_interval=1 keepalives_count=3 gssencmode=disable"
        )


def received_directory(blueprint: Blueprint, region: str) -> Path:
    """Where the other region's log arrives in this one."""
    return blueprint.layout.site(region) / "received"


def backup_directory(blueprint: Blueprint, region: str) -> Path:
    """Where a region keeps its base backup."""
    return blueprint.layout.site(region) / "backup"
