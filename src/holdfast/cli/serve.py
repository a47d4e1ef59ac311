"""`holdfast serve`, and the tokens and local accounts that let in. Thin: see `app_serve`."""

import getpass
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from holdfast.cli.output import CommandError, ExitCode, OutputFormat, State, print_json, print_next, screen, state_text, table
from holdfast.cli.reach import DEFAULT_LAB, LabDirectory, bindings_of

if TYPE_CHECKING:
    from holdfast.console.serving.accounts import Accounts, Tokens
    from holdfast.console.serving.settings import ServeSettings
    from holdfast.plan.bindings import Bindings

token = App(name="token", help="Tokens with which machines enter `holdfast serve`.", result_action="return_value")
account = App(name="account", help="Local accounts of people, for when single sign-on is down.", result_action="return_value")

BindingsFile = Annotated[Path | None, Parameter(name=["--bindings"], help="The bindings file; the lab's when absent.")]
SettingsFile = Annotated[Path | None, Parameter(name=["--config"], help="The server's settings (holdfast/serve/v1).")]


def serve(
    plan: Path,
    *,
    bindings: BindingsFile = None,
    lab: LabDirectory = DEFAULT_LAB,
    config: SettingsFile = None,
    output: OutputFormat = "text",
) -> int:
    """Serve the incident's pages, the status page, and the doors for alerts and answers, in front of a running controller.

    It never decides anything: what people answer there is given to the controller as a command. Ends with Ctrl-C.

    Example: `holdfast serve examples/voicehive/plan.yaml --lab var/lab --config serve.yaml`
    """
    import logging

    from holdfast.app_serve import served
    from holdfast.cli.run import loaded_plan
    from holdfast.console.serving.patience import server

    bound, settings = _bound(bindings, lab), _settings(config)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    try:
        application = served(bound, settings, loaded_plan(plan).plan)
    except (OSError, ValueError) as error:
        raise CommandError(f"{error}. Nothing was started.") from error
    url = settings.public_url or f"http://{settings.host}:{settings.port}"
    if output == "json":
        print_json({"url": url})
    else:
        screen().print(state_text(State.RUNNING, f"serving {url}"))
    sys.stdout.flush()
    try:
        server(application, settings.host, settings.port).run()
    except (KeyboardInterrupt, SystemExit) as ended:
        if isinstance(ended, SystemExit) and ended.code:
            raise CommandError(f"{settings.host}:{settings.port} can't be listened on; choose another 'port' in the settings") from ended
    return ExitCode.FINE


@token.command
def create(
    name: str,
    *,
    scope: Annotated[tuple[str, ...], Parameter(help="read, alert or feed; may be given more than once.")],
    expires: Annotated[str, Parameter(help="After how long it ends, such as 90d.")] = "90d",
    bindings: BindingsFile = None,
    lab: LabDirectory = DEFAULT_LAB,
    config: SettingsFile = None,
    output: OutputFormat = "text",
) -> int:
    """Make a token for a machine and show it this once. No token can approve or acknowledge anything.

    Example: `holdfast token create alertmanager --scope alert --expires 90d`
    """
    from holdfast.decision.access import MACHINE_SCOPES, Scope
    from holdfast.plan.values import duration_seconds

    unknown = [one for one in scope if one not in MACHINE_SCOPES]
    if unknown or not scope:
        raise CommandError(f"a token has the scopes {', '.join(sorted(MACHINE_SCOPES))}; not '{', '.join(unknown)}'. Nothing was made.")
    try:
        until = time.time() + duration_seconds(expires)
    except ValueError as error:
        raise CommandError(f"--expires: {error}. Nothing was made.") from error
    made = _tokens(bindings, lab, config).create(name, frozenset(Scope(one) for one in scope), until)
    if output == "json":
        print_json({"name": name, "token": made, "scopes": sorted(scope), "until_seconds": until})
        return ExitCode.FINE
    screen().print(state_text(State.DONE, f"the token of {name}, shown this once:"))
    screen().print(made, markup=False)
    print_next("holdfast token list")
    return ExitCode.FINE


@token.command(name="list")
def list_tokens(
    *, bindings: BindingsFile = None, lab: LabDirectory = DEFAULT_LAB, config: SettingsFile = None, output: OutputFormat = "text"
) -> int:
    """List the tokens, without what they are.

    Example: `holdfast token list`
    """
    known = _tokens(bindings, lab, config).listed()
    if output == "json":
        print_json(known)
        return ExitCode.FINE
    rows = [[name, one["name"], ", ".join(one["scopes"]), _left(one["until_seconds"])] for name, one in known.items()]
    screen().print(table(["token", "of", "scopes", "ends"], rows))
    print_next("holdfast token revoke TOKEN" if rows else "holdfast token create NAME --scope alert")
    return ExitCode.FINE


@token.command
def revoke(
    identifier: str,
    *,
    bindings: BindingsFile = None,
    lab: LabDirectory = DEFAULT_LAB,
    config: SettingsFile = None,
    output: OutputFormat = "text",
) -> int:
    """End a token now, by its identifier of `holdfast token list`.

    Example: `holdfast token revoke 3f9ac01b22de`
    """
    if not _tokens(bindings, lab, config).revoke(identifier):
        raise CommandError(f"there is no token {identifier}; `holdfast token list` shows them", ExitCode.NOT_SO)
    if output == "json":
        print_json({"revoked": identifier})
    else:
        screen().print(state_text(State.DONE, f"token {identifier} has ended"))
        print_next("holdfast token list")
    return ExitCode.FINE


@account.command(name="set")
def set_account(
    name: str,
    *,
    person: Annotated[str, Parameter(help="The person of the plan that it signs in.")],
    break_glass: Annotated[bool, Parameter(negative="", help="Opens nothing alone, only together with another such account.")] = False,
    bindings: BindingsFile = None,
    lab: LabDirectory = DEFAULT_LAB,
    config: SettingsFile = None,
    output: OutputFormat = "text",
) -> int:
    """Make a local account, or give it another password: asked for on a terminal, else read from standard input's first line.

    Example: `holdfast account set aoife --person aoife-brennan --break-glass`
    """
    password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    try:
        _accounts(bindings, lab, config).set(name, person, password, break_glass=break_glass)
    except ValueError as error:
        raise CommandError(f"{error}. Nothing was changed.") from error
    if output == "json":
        print_json({"account": name, "person": person, "break_glass": break_glass})
    else:
        screen().print(state_text(State.DONE, f"{name} signs in {person}{', only together with another' if break_glass else ''}"))
        print_next("holdfast serve PLAN")
    return ExitCode.FINE


@account.command(name="list")
def list_accounts(
    *, bindings: BindingsFile = None, lab: LabDirectory = DEFAULT_LAB, config: SettingsFile = None, output: OutputFormat = "text"
) -> int:
    """List the local accounts: whom each signs in, and whether alone.

    Example: `holdfast account list`
    """
    known = _accounts(bindings, lab, config).all()
    if output == "json":
        print_json({name: {"person": one.person, "break_glass": one.break_glass} for name, one in known.items()})
        return ExitCode.FINE
    rows = [[name, one.person, "together with another" if one.break_glass else "alone"] for name, one in known.items()]
    screen().print(table(["account", "signs in", "how"], rows))
    print_next("holdfast account remove NAME" if rows else "holdfast account set NAME --person PERSON --break-glass")
    return ExitCode.FINE


@account.command(name="remove")
def remove_account(
    name: str,
    *,
    bindings: BindingsFile = None,
    lab: LabDirectory = DEFAULT_LAB,
    config: SettingsFile = None,
    output: OutputFormat = "text",
) -> int:
    """Remove a local account now. Whoever is signed in by it is out at once.

    Example: `holdfast account remove aoife`
    """
    if not _accounts(bindings, lab, config).remove(name):
        raise CommandError(f"there is no account {name}; `holdfast account list` shows them", ExitCode.NOT_SO)
    if output == "json":
        print_json({"removed": name})
    else:
        screen().print(state_text(State.DONE, f"{name} signs nobody in any more, and whoever was in by it is out"))
        print_next("holdfast account list")
    return ExitCode.FINE


def _left(until_seconds: float) -> str:
    from holdfast.report.wording import duration

    left = until_seconds - time.time()
    return f"in {duration(left)}" if left > 0 else "has ended"


def _bound(file: Path | None, lab: Path) -> "Bindings":
    if file is None:
        return bindings_of(lab)
    from holdfast.plan.bindings import Bindings

    try:
        return Bindings.model_validate_json(file.read_text())
    except (OSError, ValueError) as error:
        raise CommandError(f"{file} is no bindings file: {error}") from error


def _settings(file: Path | None) -> "ServeSettings":
    from holdfast.console.serving.settings import ServeSettings

    if file is None:
        return ServeSettings()
    import yaml
    from pydantic import ValidationError

    try:
        return ServeSettings.model_validate(yaml.safe_load(file.read_text()))
    except ValidationError as error:
        wrong = [f"{file}: {'.'.join(str(part) for part in one['loc']) or 'the file'}: {one['msg']}" for one in error.errors()]
        raise CommandError("\n".join([*wrong, "see docs/serve.md"])) from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise CommandError(f"{file} can't be read: {' '.join(str(error).split())}") from error


def _tokens(bindings: Path | None, lab: Path, config: Path | None) -> "Tokens":
    from holdfast.app_serve import directory_of
    from holdfast.console.serving.accounts import Tokens

    return Tokens(directory_of(_bound(bindings, lab), _settings(config)) / "tokens.json")


def _accounts(bindings: Path | None, lab: Path, config: Path | None) -> "Accounts":
    from holdfast.app_serve import directory_of
    from holdfast.console.serving.accounts import Accounts

    return Accounts(directory_of(_bound(bindings, lab), _settings(config)) / "accounts.json")
