"""A message of the plan as it would look, with made-up facts: for whoever writes a plan."""

from collections.abc import Iterable
from dataclasses import dataclass

from holdfast.communications.duty import recipients
from holdfast.communications.facts import ExpectedBack, IncidentFacts
from holdfast.communications.obligations import all_messages
from holdfast.communications.places import delivered, places_of
from holdfast.communications.rendering import field_values, filled_words, words_of
from holdfast.plan.model import Message, Plan
from holdfast.plan.people import Occasion
from holdfast.plan.problems import did_you_mean
from holdfast.plan.values import spoken_duration
from holdfast.plan.wordlists import CHANNELS

_START_SECONDS = 1_798_761_600.0
"""A moment that says by itself that it is made up: midnight of a new year."""
_AHEAD_SECONDS = 600.0
"""So long after the message service is expected back."""


class PreviewError(ValueError):
    """What was asked for is not in the plan."""


@dataclass(frozen=True, slots=True)
class ChannelPreview:
    """One channel: who is reached by it, and what it says."""

    channel: str
    recipients: tuple[str, ...]
    subject: str
    body: str
    short: str


@dataclass(frozen=True, slots=True)
class Preview:
    """A message over its channels."""

    message: str
    when: str
    channels: tuple[ChannelPreview, ...]


def previewed(plan: Plan, message: str, channel: str | None, audience: str | None, exercise: str | None) -> Preview:
    """The message with made-up facts. Raises PreviewError for a message, channel or audience that isn't there."""
    known = all_messages(plan)
    if message not in known:
        raise PreviewError(f"there is no message '{message}'; {did_you_mean(message, known)}")
    text = known[message]
    _must_be(channel, CHANNELS, "there is no channel")
    _must_be(audience, text.audience, f"{message} has no audience")
    facts, scenario, now = _facts(plan, text, exercise)
    if audience is not None:
        text = text.model_copy(update={"audience": (audience,)})
    words = filled_words(words_of(plan, message), field_values(plan, scenario, facts, now), facts)
    told = recipients(plan, text, facts)
    over = text.channels if channel is None else (channel,)
    places = places_of(plan, text.audience, told, over, Occasion.of(exercise))
    return Preview(
        message,
        f"{plan.scenarios[scenario].name}, severity {facts.severity}, {spoken_duration(now - facts.started_seconds)} after the impact",
        tuple(
            ChannelPreview(
                one, tuple(found.recipient.name for found in delivered((one,), told, places)), words.subject, words.body, words.short
            )
            for one in over
        ),
    )


def _must_be(wanted: str | None, known: Iterable[str], said: str) -> None:
    if wanted is not None and wanted not in known:
        raise PreviewError(f"{said} '{wanted}'; {did_you_mean(wanted, known)}")


def _facts(plan: Plan, message: Message, exercise: str | None) -> tuple[IncidentFacts, str, float]:
    scenario = next(iter(message.scenarios or plan.scenarios))
    severity = next(iter(sorted(message.severities)), "P1")
    hit = message.functions or tuple(name for name, function in plan.functions.items() if function.priority == severity)
    after = message.due if message.counts_from == "start" else 1800.0 + message.due
    restored = _START_SECONDS + 1800.0 if message.counts_from == "restored" else None
    commander = next((role.primary for role in plan.roles.values()), None)
    facts = IncidentFacts(
        incident="inc-1-1",
        started_seconds=_START_SECONDS,
        source=plan.primary_region(),
        target=plan.dr_region(),
        severity=severity,
        functions=hit,
        commander=commander,
        exercise=exercise,
        state="recovery under way" if restored is None else "service is back",
        expected_back=ExpectedBack(_START_SECONDS + after + _AHEAD_SECONDS),
        restored_seconds=restored,
        cost_usd=next((tier.revenue_loss_usd for tier in plan.financial_tiers if tier.end is None or after < tier.end), None),
        aware_seconds=_START_SECONDS + 60.0,
    )
    return facts, scenario, _START_SECONDS + after
