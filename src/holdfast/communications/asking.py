"""Who is asked to decide on what is proposed, and over what: everybody who may, but whoever asked for it.

Rules: over a person's own reach, else over the channels of the incident's severity, as when somebody is called. It is to be handed over
within the first minutes, on the plan's clock; how long people have to answer is the approval rule's. Never here: what is proposed.
"""

from collections.abc import Iterable

from holdfast.communications.escalation import CallOut, answerable, outs, row_of
from holdfast.communications.facts import IncidentFacts
from holdfast.communications.recipients import person_recipient
from holdfast.plan.model import Plan, Words

DECISION = "decision"
"""How it is called among messages; it is no message of the plan."""
DECISION_WITHIN_SECONDS = 300.0
"""On the plan's clock: so soon whoever decides must hear of it."""
CALL_WORDS = Words(
    subject="{severity}: {plan}: you are called for {incident}",
    body=(
        "{plan}: {functions} hit since {started}, {elapsed} ago.\n"
        "State: {state}\nNeeded: {needs}\nWar room: {war_room}\nSay that you have it: holdfast ack {incident} --as NAME\n"
    ),
    short="{severity} {incident}: {functions} hit since {started}. Say that you have it: holdfast ack {incident}",
)
"""What somebody hears who is called to answer for an incident."""
DECISION_WORDS = Words(
    subject="{severity}: {plan}: decide on {incident}",
    body=(
        "{needs}.\n{functions} hit since {started}, {elapsed} ago.\nState: {state}\n"
        "Say what you decide: holdfast approve {incident} --as NAME\n"
    ),
    short="{severity} {incident}: {needs}. {functions} hit since {started}.",
)
"""What somebody hears who is asked to decide."""


def asked_to_decide(plan: Plan, facts: IncidentFacts, roles: Iterable[str], requester: str, at_seconds: float) -> tuple[CallOut, ...]:
    """Everybody who fills one of these roles, nobody twice; nobody where the plan says nothing about how people are called."""
    row = row_of(plan, facts.severity)
    if row is None:
        return ()
    people = answerable(plan, facts, at_seconds)
    named = dict.fromkeys(person for role in roles for person in people.get(role, ()) if person != requester)
    return tuple(outs(plan, facts, tuple(person_recipient(plan, person, DECISION) for person in named), row, at_seconds))
