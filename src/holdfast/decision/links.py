"""Links and short codes that stand for one person's one answer: signed, expiring, and bound to what was seen.

Rules: a link to approve holds the proposal's hash, so any change of the proposal makes it worthless. It never acts when it is looked at:
mail filters and chat previews open every link. A code is for channels without links; six digits, so who takes it counts wrong tries.
Pure: the key and the time are given.
"""

import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum

from itsdangerous import BadData, URLSafeSerializer

_SALT = "holdfast-answer"
_CODE_DIGITS = 6


class Deed(StrEnum):
    """What a link lets its person do."""

    ACKNOWLEDGE = "ack"
    APPROVE = "approve"


class BadLink(ValueError):
    """Not a link that counts; the text says why."""


@dataclass(frozen=True, slots=True)
class Link:
    """One person's possible answer. `hash`: of the proposal, empty where none is answered. `until_seconds`: wall clock."""

    person: str
    deed: Deed
    incident: str
    hash: str
    until_seconds: float


def sealed(key: bytes, link: Link) -> str:
    """The link's last part, safe in an address."""
    fields = {"p": link.person, "d": link.deed.value, "i": link.incident, "h": link.hash, "u": link.until_seconds}
    return str(URLSafeSerializer(key, salt=_SALT, signer_kwargs={"digest_method": hashlib.sha256}).dumps(fields))


def opened(key: bytes, text: str, now: float) -> Link:
    """The link in a text. Raises BadLink for one that is forged or over."""
    try:
        fields = URLSafeSerializer(key, salt=_SALT, signer_kwargs={"digest_method": hashlib.sha256}).loads(text)
        link = Link(str(fields["p"]), Deed(fields["d"]), str(fields["i"]), str(fields["h"]), float(fields["u"]))
    except (BadData, KeyError, TypeError, ValueError) as error:
        raise BadLink("this link is not genuine, or was cut off when it was copied") from error
    if now >= link.until_seconds:
        raise BadLink("this link has expired; sign in to see what is asked now")
    return link


def code(key: bytes, person: str, proposal_hash: str) -> str:
    """The six digits that this person answers with to approve exactly this proposal."""
    digest = hmac.new(key, f"holdfast-code\n{person}\n{proposal_hash}".encode(), hashlib.sha256).digest()
    return str(int.from_bytes(digest[:8]) % 10**_CODE_DIGITS).zfill(_CODE_DIGITS)


def code_fits(key: bytes, person: str, proposal_hash: str, given: str) -> bool:
    """Whether these are the digits, compared in constant time."""
    return hmac.compare_digest(code(key, person, proposal_hash).encode(), given.encode())


def button(deed: Deed, incident: str, proposal_hash: str = "") -> str:
    """What a button in a chat carries. It isn't secret: the chat's own signature proves who pressed it."""
    return f"holdfast:{deed.value}:{incident}:{proposal_hash}"


def pressed(value: str) -> tuple[Deed, str, str]:
    """(deed, incident, hash) of a button. Raises BadLink."""
    parts = value.split(":")
    if len(parts) != 4 or parts[0] != "holdfast" or parts[1] not in tuple(Deed):
        raise BadLink("the button is none of Holdfast's")
    return Deed(parts[1]), parts[2], parts[3]
