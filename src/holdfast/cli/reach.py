"""Finding the controller from the command line: the bindings of the lab directory say where it listens."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from holdfast.cli.output import CommandError, ExitCode

if TYPE_CHECKING:
    from holdfast.plan.bindings import Bindings
    from holdfast.providers.controller.client import ControllerClient

LabDirectory = Annotated[Path, Parameter(name=["--lab"], help="The directory of the running lab.")]
DEFAULT_LAB = Path("var/lab")


def bindings_of(lab: Path, site: str = "witness") -> "Bindings":
    """The bindings of one site. Raises CommandError when no lab is there."""
    from holdfast.plan.bindings import Bindings

    file = lab / f"bindings.{site}.json"
    try:
        return Bindings.model_validate_json(file.read_text())
    except FileNotFoundError as error:
        raise CommandError(f"there is no lab in {lab} ({file} is missing). Start one: `holdfast lab up --directory {lab}`") from error
    except ValueError as error:
        raise CommandError(f"{file} is not a bindings file: {error}") from error


def is_there(lab: Path, site: str = "witness") -> bool:
    """Whether a lab says where things are: a lab that was stopped doesn't any more."""
    return (lab / f"bindings.{site}.json").is_file()


def profile_of(lab: Path) -> str | None:
    """The profile that a lab was started with; None where no lab says so."""
    return _said_by(lab, "profile")


def identity_of(lab: Path) -> str | None:
    """Which lab it is: another one in the same folder has another; None where no lab says so."""
    return _said_by(lab, "identity")


def _said_by(lab: Path, key: str) -> str | None:
    import json

    try:
        return str(json.loads((lab / "lab.json").read_text())[key])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def controller_of(lab: Path) -> "ControllerClient":
    """A client of the lab's controller."""
    from holdfast.providers.controller.client import ControllerClient

    binding = bindings_of(lab).controller
    return ControllerClient(f"http://{binding.host}:{binding.port}", binding.token_file)


def state_of(client: "ControllerClient") -> dict[str, object]:
    """The controller's read model. Raises CommandError (unknown) when no controller answers."""
    from holdfast.providers.controller.client import ControllerRefused, ControllerSilent

    try:
        return client.state()
    except (ControllerSilent, ControllerRefused) as error:
        raise CommandError(str(error), ExitCode.UNKNOWN) from error


def give(client: "ControllerClient", verb: str, by: str, arguments: dict[str, object], identifier: str = "") -> str:
    """Give a command (`identifier`: how the journal will call it); returns the answer.

    Raises CommandError when the controller refuses or can't be reached."""
    from holdfast.providers.controller.client import ControllerRefused, ControllerSilent

    try:
        answer = client.command(verb, by, arguments, identifier)
    except (ControllerSilent, ControllerRefused) as error:
        raise CommandError(str(error), ExitCode.UNKNOWN) from error
    if answer.startswith("refused"):
        raise CommandError(answer, ExitCode.NOT_SO)
    return answer
