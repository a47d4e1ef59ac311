"""How people are reached, kept apart from the plan: a file of its own, perhaps encrypted, so that personal data can be erased from it.

    contacts: contacts.yaml
    contacts: { file: contacts.enc, key: { environment: HOLDFAST_CONTACTS_KEY } }     # or key: { file: keys/contacts.key }

The file maps people of the plan to `email`, `phone` and `chat`. An encrypted one is a Fernet token of that YAML; the plan names where the
key is, never the key. What stands there is no part of the plan's digest.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError, model_validator

from holdfast.plan.document import read
from holdfast.plan.part import Part
from holdfast.plan.problems import PlanError, Position, Problem, did_you_mean, shown

REACHED_BY = ("email", "phone", "chat")
"""Keys of a person that are personal data and may stand in the contacts' file."""
_TOKEN = b"gAAAA"
"""How every Fernet token begins."""
_LONGEST_KEY_BYTES = 4096


class ContactsKey(Part):
    """Where the key of an encrypted file is: in a variable of the environment, or in a file."""

    environment: str | None = None
    file: str | None = None
    """Path from the plan's folder, or an absolute one."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.environment is None) == (self.file is None):
            raise ValueError("a key is in one place; write { environment: NAME } or { file: PATH }")
        return self


class Contacts(Part):
    """The file with the people's contact data. Written as its path alone where it isn't encrypted."""

    file: str
    """Path from the plan's folder, or an absolute one."""
    key: ContactsKey | None = None

    @model_validator(mode="before")
    @classmethod
    def _path_alone(cls, data: Any) -> Any:
        return {"file": data} if isinstance(data, str) else data


class Contact(Part):
    """How one person is reached."""

    email: str | None = None
    phone: str | None = None
    chat: str | None = None


def contacts_of(
    contacts: Contacts, people: Mapping[str, Any], folder: Path, where: Problem, reader: Callable[[Path], bytes]
) -> Mapping[str, Contact]:
    """Person → how they are reached. Raises PlanError with every problem; `where` is the place that names the file."""
    path = folder / contacts.file
    content = reader(path)
    if contacts.key is not None:
        content = decrypted(content, key_of(contacts.key, folder, where, reader), str(path))
    elif content.startswith(_TOKEN):
        said = "this file is encrypted, and the plan names no key for it"
        raise PlanError([_at(where, said, str(path), "add 'key: { environment: NAME }'")])
    document = read(content, str(path))
    problems = list(document.problems)
    found: dict[str, Contact] = {}
    for person, entry in document.data.items() if isinstance(document.data, dict) else ():
        position = document.positions.key((person,))
        if person not in people:
            problems.append(_of(path, position, "the plan has nobody of this name", shown(person), did_you_mean(person, people)))
            continue
        doubled = [key for key in REACHED_BY if isinstance(entry, dict) and key in entry and getattr(people[person], key) is not None]
        if doubled:
            problems.append(_of(path, position, f"the plan itself says this person's {' and '.join(doubled)} too", person, "keep one"))
        try:
            found[person] = Contact.model_validate(entry)
        except ValidationError as error:
            wrong = ", ".join(str(part) for part in error.errors()[0]["loc"]) or "its form"
            hint = f"a person has {', '.join(REACHED_BY)}, each text in quotes"
            problems.append(_of(path, position, f"this can't be read: {wrong}", shown(person), hint))
    if not isinstance(document.data, dict):
        problems.append(_of(path, Position(1, 1), "this must be a mapping of people to how they are reached", None, "see docs/plan.md"))
    if problems:
        raise PlanError(problems)
    return found


def key_of(key: ContactsKey, folder: Path, where: Problem, reader: Callable[[Path], bytes]) -> bytes:
    """The key itself. Raises PlanError where it isn't."""
    if key.environment is not None:
        held = os.environ.get(key.environment, "")
        if not held:
            raise PlanError([_at(where, "the key of the contacts is not in the environment", key.environment, f"set {key.environment}")])
        return held.encode()
    path = folder / str(key.file)
    try:
        return reader(path)[:_LONGEST_KEY_BYTES].strip()
    except PlanError as error:
        said = f"the key of the contacts can't be read: {error.problems[0].message}"
        raise PlanError([_at(where, said, str(path), "bring the key file here, or name it by another path")]) from None


def decrypted(content: bytes, key: bytes, path: str) -> bytes:
    """The YAML in an encrypted file. Raises PlanError when the key is not its key."""
    from cryptography.fernet import Fernet, InvalidToken

    try:
        return Fernet(key).decrypt(content.strip())
    except InvalidToken:
        said, hint = "the key does not open this file", "use the key that it was encrypted with; a file that was changed opens with none"
    except ValueError:
        said, hint = "the key of the contacts is no Fernet key", "it is 32 bytes in base64; `holdfast contacts encrypt` makes one"
    raise PlanError([Problem(path, 1, 1, said, None, hint)])


def encrypted(content: bytes, key: bytes) -> bytes:
    """As a Fernet token. Raises ValueError when the key is none."""
    from cryptography.fernet import Fernet

    return Fernet(key).encrypt(content)


def _at(where: Problem, message: str, value: str, hint: str) -> Problem:
    return Problem(where.path, where.line, where.column, message, f"'{value}'", hint)


def _of(path: Path, position: Position, message: str, value: str | None, hint: str) -> Problem:
    return Problem(str(path), position.line, position.column, message, value, hint)
