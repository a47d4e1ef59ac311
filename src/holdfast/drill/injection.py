"""What a drill takes away from the primary region, and how that comes back: the only part in which drills differ, besides the plan.

Rules: each word of a plan's exercise (`takes_away`) has one entry here. Nothing is decided and no store of the plan is written.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from holdfast.lab.faults import Faults
from holdfast.lab.ground import LabProblem
from holdfast.lab.running import Lab


@dataclass(frozen=True, slots=True)
class Injection:
    """One way to lose something. `says`: what is done, for people; `back`: how it comes back."""

    says: str
    takes_away: Callable[[Lab, Faults, str], None]
    back: str
    gives_back: Callable[[Lab, Faults, str], None]


def _cut(lab: Lab, _: Faults, region: str) -> None:
    lab.cut(region)


def _heal(lab: Lab, _: Faults, _region: str) -> None:
    lab.heal()


def _thaw(_: Lab, faults: Faults, _region: str) -> None:
    faults.thaw()


INJECTIONS: Mapping[str, Injection] = {
    "region": Injection("every link of {region} is cut", _cut, "the links of {region} are healed", _heal),
    "database-host": Injection(
        "the database's host in {region} hangs: the server is killed, its agent stands still",
        lambda _, faults, region: faults.hang_database_host(region),
        "the database's host in {region} goes on",
        _thaw,
    ),
    "application": Injection(
        "every instance in {region} is killed and none can be started",
        lambda _, faults, region: faults.kill_application(region),
        "instances in {region} can be started again",
        _thaw,
    ),
    "bucket": Injection(
        "the object storage in {region} stands still and answers nothing",
        lambda _, faults, region: faults.hang_storage(region),
        "the object storage in {region} goes on",
        _thaw,
    ),
}
"""By the word in the plan."""


def at_last(faults: Faults) -> None:
    """Whatever still stands still goes on, so that the lab can end in order."""
    with suppress(LabProblem, OSError):
        faults.thaw()
