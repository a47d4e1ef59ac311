"""`holdfast contacts`: people's contact data in a file of its own, encrypted, so that it can be erased without touching the plan."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from holdfast.cli.output import CommandError, OutputFormat, State, print_json, print_next, screen, state_text, table

app = App(
    name="contacts",
    help="Keep people's e-mail and telephone apart from the plan, encrypted.\n\nExample: `holdfast contacts show plan.yaml`",
    result_action="return_value",
)

KeyFile = Annotated[Path, Parameter(name=["--key-file"], help="The key's file; made, readable by you alone, when it isn't there.")]


@app.command
def encrypt(file: Path, *, to: Annotated[Path, Parameter(name=["--to"])], key_file: KeyFile, output: OutputFormat = "text") -> None:
    """Encrypt a file of contacts. The plain one stays where it is: remove it yourself.

    Example: `holdfast contacts encrypt contacts.yaml --to contacts.enc --key-file contacts.key`

    Parameters
    ----------
    file
        YAML: each person of the plan with `email`, `phone` and `chat`.
    to
        Where the encrypted file is written.
    output
        For people or for programs.
    """
    from cryptography.fernet import Fernet

    from holdfast.plan.contacts import encrypted
    from holdfast.plan.document import read
    from holdfast.plan.loader import PlanError
    from holdfast.providers.file.writing import replaced

    try:
        content = file.read_bytes()
        read(content, str(file))
        made = not key_file.exists()
        if made:
            key_file.touch(mode=0o600, exist_ok=False)
            key_file.write_bytes(Fernet.generate_key() + b"\n")
        replaced(to, encrypted(content, key_file.read_bytes().strip()))
    except OSError as error:
        raise CommandError(f"{error.filename}: {error.strerror}; nothing was encrypted") from None
    except PlanError as error:
        raise CommandError("\n".join(["these are no contacts:", *error.lines()])) from None
    except ValueError:
        raise CommandError(f"{key_file} holds no Fernet key; name another file, and one is made there") from None
    if output == "json":
        print_json({"schema": "holdfast/contacts-encrypted/v1", "file": str(to), "key_file": str(key_file), "key_made": made})
        return
    new = f"; a new key is in {key_file}, keep it elsewhere too" if made else ""
    screen().print(state_text(State.DONE, f"{to} holds the contacts{new}"))
    print_next(f"write 'contacts: {{ file: {to.name}, key: {{ file: {key_file} }} }}' into the plan, then remove {file}")


@app.command
def show(plan: Path, *, output: OutputFormat = "text") -> None:
    """Show how each of the plan's people is reached, wherever that is written.

    Example: `holdfast contacts show plan.yaml`

    Parameters
    ----------
    plan
        The plan's file.
    output
        For people or for programs.
    """
    from holdfast.cli.run import loaded_plan

    people = loaded_plan(plan).plan.people  # who is called is worth knowing of a plan that isn't ready to run, too
    if output == "json":
        reached = {name: {"name": one.name, "email": one.email, "phone": one.phone, "chat": one.chat} for name, one in people.items()}
        print_json({"schema": "holdfast/contacts/v1", "people": reached})
        return
    without = [one.name for one in people.values() if not one.exercise and not (one.email or one.phone or one.chat)]
    state, said = (State.NEEDS_PERSON, f"nobody can reach {', '.join(without)}") if without else (State.DONE, "everybody can be reached")
    screen().print(state_text(state, said))
    rows = [[one.name, one.title, one.email or "", one.phone or "", one.chat or ""] for one in people.values() if not one.exercise]
    screen().print(table(["name", "title", "e-mail", "telephone", "chat"], rows))
    print_next(f"holdfast check {plan}")
