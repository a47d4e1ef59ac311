"""When the source stopped writing for certain: the fence as it is noticed, or the end of the last promise to it, whichever was first.

A fence may be noticed long after the source had to stop: a controller that takes over counts a whole promise anew, because it doesn't
know when the dead one promised. What clients lost ended with the promises all the same, and is measured up to there.
"""

from holdfast.decision.replay import IncidentState
from holdfast.journal.kinds import Kind
from holdfast.plan.model import Profile


def stopped_seconds(
    incident: IncidentState, run: str, profile: Profile, noticed_seconds: float, agent_ended_seconds: float | None
) -> float:
    """The earliest moment that is certain. `agent_ended_seconds`: the end of the target's agent's last promise, None when not known.

    From the record that opens the epoch on, no controller promises anything for the old one, so its last promise ends one lease later.
    """
    opened = opened_seconds(incident, run)
    if opened is None or agent_ended_seconds is None:
        return noticed_seconds
    own_ended = opened + profile.lease * (1 + profile.drift) + profile.margin
    return min(noticed_seconds, max(own_ended, agent_ended_seconds))


def opened_seconds(incident: IncidentState, run: str) -> float | None:
    """When the run's epoch was opened."""
    moments = [record.at_seconds for record in incident.records if record.kind == Kind.EPOCH_OPENED and record.body["run"] == run]
    return moments[-1] if moments else None
