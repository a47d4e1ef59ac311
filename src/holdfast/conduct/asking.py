"""What a message asks of whoever it goes to: to say that they have it and, of who may decide on what is proposed, to decide."""

from dataclasses import replace

from holdfast.communications import Recipient
from holdfast.conduct.assessment import roles_of
from holdfast.conduct.situation import Asked, Situation
from holdfast.decision.replay import IncidentState

ANSWER_SECONDS = 86_400.0
"""How long the link counts by which somebody says that it is theirs."""


def asked_of(situation: Situation, incident: IncidentState, recipient: Recipient) -> Asked | None:
    """What a person is asked for: to say that it is theirs and, where they may decide on what is proposed and have not, to decide.

    At a place that many look at: to decide, where one of them may.
    """
    person = recipient.person
    if person is None:
        of_people = (_asked(situation, incident, one) for one in recipient.people)
        decides = next((asked for asked in of_people if asked.approve_hash is not None), None)
        return None if decides is None else replace(decides, person=None)
    return _asked(situation, incident, person)


def _asked(situation: Situation, incident: IncidentState, person: str) -> Asked:
    proposal = incident.proposal
    until = situation.now + ANSWER_SECONDS
    if proposal is None or person == proposal.requester or any(approval.person == person for approval in incident.approvals):
        return Asked(person, until)
    if not set(roles_of(situation.plan, incident, situation.now).get(person, ())) & set(proposal.roles):
        return Asked(person, until)
    return Asked(person, until, proposal.hash, proposal.expires_seconds)
