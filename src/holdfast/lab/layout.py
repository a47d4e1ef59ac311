"""Where a lab keeps its files: everything lies below one directory, and every path is named here.

Pure. Never here: creating or removing anything (see `ground`).
"""

from dataclasses import dataclass
from pathlib import Path

DEFAULT_DIRECTORY = Path("var/lab")
MARK = "holdfast-lab"
"""A file of this name says that a directory belongs to a lab, so that it may be emptied."""

SCHEMA = "holdfast/lab/v1"


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one lab. `directory` is absolute."""

    directory: Path

    @property
    def mark(self) -> Path:
        """Says that this directory is a lab's."""
        return self.directory / MARK

    @property
    def lock(self) -> Path:
        """Held by the supervisor and the sweeper as long as anything of the lab may live."""
        return self.directory / "lab.lock"

    @property
    def description(self) -> Path:
        """What the running lab is: number, plan, profile, where its supervisor listens."""
        return self.directory / "lab.json"

    @property
    def processes(self) -> Path:
        """Each process that the supervisor started: name, pid, start time."""
        return self.directory / "processes.json"

    @property
    def secrets(self) -> Path:
        """Passwords, keys and tokens, one file each, for the owner's eyes only."""
        return self.directory / "secrets"

    @property
    def log(self) -> Path:
        """What every process said; stays after `lab down`."""
        return self.directory / "log"

    @property
    def ledgers(self) -> Path:
        """What clients were told; stays after `lab down`."""
        return self.directory / "ledgers"

    @property
    def controller(self) -> Path:
        """The controller's state with its journal; stays after `lab down`."""
        return self.directory / "controller"

    @property
    def received(self) -> Path:
        """What arrived at the far ends of the channels; stays after `lab down`."""
        return self.directory / "received"

    @property
    def configuration(self) -> Path:
        """Configuration files of the lab's own servers."""
        return self.directory / "configuration"

    @property
    def previous(self) -> Path:
        """Logs, ledgers and journal of the lab that ran here before."""
        return self.directory / "previous"

    def bindings(self, site: str) -> Path:
        """Where one site finds everything."""
        return self.directory / f"bindings.{site}.json"

    def secret(self, name: str) -> Path:
        """One secret."""
        return self.secrets / name

    def log_of(self, process: str) -> Path:
        """What one process said."""
        return self.log / f"{process}.log"

    def configuration_of(self, name: str) -> Path:
        """One configuration file."""
        return self.configuration / name

    def site(self, site: str) -> Path:
        """What the servers of one site keep."""
        return self.directory / "sites" / site

    @property
    def kept(self) -> tuple[Path, ...]:
        """What stays when a lab goes down: what an auditor could ask for."""
        return (self.log, self.ledgers, self.controller, self.received)
