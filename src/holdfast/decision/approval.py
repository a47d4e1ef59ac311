"""Approvals: distinct people, N of M by role, never the requester, bound to the hash of exactly what they saw.

A proposal is what people are asked; its hash covers the plan, the parameters, the epoch and the expiry (invariant 6), so
that an approval of anything else counts for nothing. Pure: who may approve is given, time is passed in.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

REQUESTER_HOLDFAST = "holdfast"
"""Requester of everything that a trigger proposes: not a person, so nobody is excluded by it."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is to be approved. `loss_bound_seconds` is None when it isn't known; then a human must accept that."""

    proposal: str
    run: str
    step: str
    action: str
    source: str
    target: str
    mode: str
    era: int
    epoch: int
    loss_bound_seconds: float | None
    estimated_writes: int | None
    above_rpo: bool
    expires_seconds: float
    count: int
    roles: tuple[str, ...]
    requester: str
    hash: str


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's yes to one hash."""

    person: str
    role: str
    hash: str
    accepts_loss: bool


def proposal_hash(plan_digest: str, parameters: Mapping[str, object]) -> str:
    """SHA-256 (hex) over the plan's digest and everything that the people are shown."""
    canonical = json.dumps([plan_digest, parameters], sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def objection(
    proposal: Proposal, given: tuple[Approval, ...], person: str, approved_hash: str, roles_of: Mapping[str, tuple[str, ...]], now: float
) -> str | None:
    """Why this approval can't count (a sentence), or None. `roles_of`: person → roles that the person fills."""
    if now >= proposal.expires_seconds:
        return "the proposal has expired; a new one will be made if the cause is still there"
    if approved_hash != proposal.hash:
        return "what was approved is not what is proposed now; look at the proposal again and approve that"
    if person == proposal.requester:
        return f"{person} requested this and can't approve it"
    if person not in roles_of:
        known = ", ".join(sorted(name for name, roles in roles_of.items() if set(roles) & set(proposal.roles)))
        return f"{person} is nobody who may approve here; it can be: {known}"
    if not set(roles_of[person]) & set(proposal.roles):
        return f"{person} fills none of the roles {', '.join(proposal.roles)}"
    if any(approval.person == person for approval in given):
        return f"{person} has approved already; another person is needed"
    return None


def role_used(proposal: Proposal, person: str, roles_of: Mapping[str, tuple[str, ...]]) -> str:
    """The first of the rule's roles that the person fills."""
    return next(role for role in proposal.roles if role in roles_of[person])


def is_satisfied(proposal: Proposal, given: tuple[Approval, ...]) -> bool:
    """Whether enough distinct people said yes and, above the RPO or with an unknown loss, one of them accepted the loss by name."""
    valid = [approval for approval in given if approval.hash == proposal.hash]
    enough = len({approval.person for approval in valid}) >= proposal.count
    loss_known_and_small = proposal.loss_bound_seconds is not None and not proposal.above_rpo
    return enough and (loss_known_and_small or any(approval.accepts_loss for approval in valid))
