"""Who may do what at the doors of `holdfast serve`: default deny, and a person answers only for themself.

Rules: nobody has a scope that wasn't given. A person is somebody of the plan and speaks as that person only; a machine never answers
for anybody, whatever its scopes. A signed link stands for one person and one deed about one thing. Who may approve is said by the rule's
roles; that is checked here once more before the controller checks it. Pure: who asks and what for are given.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """What a route needs."""

    OPEN = "open"
    """Anybody: signing in, the status page, whether the process lives."""
    SIGNED = "signed"
    """The message itself proves where it comes from; the route checks its signature."""
    LINK = "link"
    """The link itself proves whose it is and what for; its form comes from its own page."""
    READ = "read"
    """See the incident."""
    ANSWER = "answer"
    """Acknowledge, approve, refuse, confirm: as oneself."""
    ALERT = "alert"
    """Send alerts from outside."""
    FEED = "feed"
    """Read the in-app feed."""


class Kind(StrEnum):
    """What sort of asker it is."""

    NOBODY = "nobody"
    PERSON = "person"
    MACHINE = "machine"


FOR_ALL = frozenset({Scope.OPEN, Scope.SIGNED, Scope.LINK})
"""Routes that nobody has to sign in for."""
MACHINE_SCOPES = frozenset({Scope.READ, Scope.ALERT, Scope.FEED})
"""What a token of a machine can be given."""
PERSON_SCOPES = frozenset({Scope.READ, Scope.ANSWER, Scope.FEED})


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. `name`: a person's identifier in the plan, or the token's name. `through`: the way by which it was proved."""

    kind: Kind
    name: str = ""
    scopes: frozenset[Scope] = frozenset()
    through: str = ""


NOBODY = Principal(Kind.NOBODY)


def person(name: str, through: str) -> Principal:
    """Somebody of the plan who proved it."""
    return Principal(Kind.PERSON, name, PERSON_SCOPES, through)


def machine(name: str, scopes: Collection[Scope]) -> Principal:
    """A machine with a token: scopes that no machine can have fall away."""
    return Principal(Kind.MACHINE, name, frozenset(scopes) & MACHINE_SCOPES, "token")


def denied(principal: Principal, needs: Scope) -> str | None:
    """Why this asker may not enter a route that needs this, or None."""
    if needs in FOR_ALL:
        return None
    if principal.kind is Kind.NOBODY:
        return "sign in first, or send a token"
    if needs not in principal.scopes:
        return f"this needs the scope '{needs}', which {principal.name} does not have"
    if needs is Scope.ANSWER and principal.kind is not Kind.PERSON:
        return "only a person answers"
    return None


def denied_deed(
    principal: Principal, about: str, people: Collection[str], may_approve: Collection[str] | None = None, requester: str = ""
) -> str | None:
    """Why this asker may not answer as the person `about`, or None.

    `people`: those of the plan. `may_approve`: who fills a role of the rule, where it is an approval. `requester`: who asked for it.
    """
    if principal.kind is not Kind.PERSON or Scope.ANSWER not in principal.scopes:
        return "only a person answers"
    if principal.name != about:
        return f"{principal.name} answers only for {principal.name}"
    if about not in people:
        return f"'{about}' is nobody in the plan"
    if may_approve is not None and about not in may_approve:
        return f"{about} fills none of the roles that approve this"
    if may_approve is not None and about == requester:
        return f"{about} requested this and can't approve it"
    return None
