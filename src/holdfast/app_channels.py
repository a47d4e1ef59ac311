"""Wires the channels: for each of the plan's, guard → first way → second way, with secrets read from where the bindings say; and on what
terms the outbox hands over to it: its rate, and how long it may take.

And where answers come back: links in messages lead to the doors that the bindings name, sealed with the key that the doors have.
"""

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from holdfast.conduct.pagers import PAGER_WAYS, Pager
from holdfast.controller.channels import ExerciseGuard, Loud, Mailbox, NoRoom, OwnAddress, SecondWay, WithoutAddress
from holdfast.controller.outbox import Terms
from holdfast.controller.telling import Links
from holdfast.plan.bindings import Bindings
from holdfast.plan.channel_bindings import (
    ADDRESS_OF_WAY,
    AppriseWay,
    ChannelBinding,
    FileWay,
    InAppWay,
    PagerDutyWay,
    SecretReference,
    SlackWay,
    SlackWebhookWay,
    SmsWay,
    SmtpWay,
    StatusPageWay,
    VoiceWay,
    Way,
    WebhookWay,
)
from holdfast.plan.model import Plan
from holdfast.ports.clock import Clock
from holdfast.ports.notifier import Loudness, Notifier
from holdfast.ports.post import Post, Secret
from holdfast.providers.apprise.notifier import AppriseNotifier
from holdfast.providers.file.keys import own_key
from holdfast.providers.file.notifier import FileNotifier
from holdfast.providers.http.post import TIMEOUT_SECONDS, HttpPost
from holdfast.providers.inapp.notifier import InAppNotifier
from holdfast.providers.pagerduty.notifier import PagerDutyNotifier
from holdfast.providers.slack.notifier import SlackNotifier, SlackWebhookNotifier
from holdfast.providers.smtp.notifier import Relay, SmtpNotifier
from holdfast.providers.statuspage.notifier import StatusPageNotifier
from holdfast.providers.twilio.notifier import SmsNotifier, TwilioAccount, VoiceNotifier
from holdfast.providers.webhook.notifier import WebhookNotifier

PUBLIC = (PagerDutyWay, SlackWebhookWay, StatusPageWay, InAppWay, WebhookWay, AppriseWay)
"""Ways that lead to readers of their own, whomever a message is for: customers, partners, whoever is on call there, a room."""
LOUD: Mapping[type[Way], Loudness] = {
    SmsWay: Loudness.TEXT,
    VoiceWay: Loudness.CALL,
    PagerDutyWay: Loudness.CALL,
    AppriseWay: Loudness.CALL,  # of what stands behind it nothing is known
}
"""Ways that are heard where they arrive."""
ENDING_SECONDS = 2.0
"""So much longer than its ways may take is a channel waited for."""


@dataclass(frozen=True, slots=True)
class Channels:
    """The channels of one controller. `close` lets go of their connections; call it when nothing is under way any more."""

    notifiers: Mapping[str, Notifier]
    receipt_within_seconds: Mapping[str, float]
    """Channel → how long its receipts are waited for, where they are."""
    terms: Mapping[str, Terms]
    """Channel → how it is handed messages."""
    pagers: frozenset[Pager]
    """Ways that go on alerting until they hear more."""
    posts: Sequence[HttpPost]
    relays: Sequence[SmtpNotifier]

    async def close(self) -> None:
        """Let go of every connection."""
        for post in self.posts:
            await post.close()
        for relay in self.relays:
            await asyncio.to_thread(relay.close)


def channels_for(plan: Plan, bindings: Bindings, clock: Clock) -> Channels:
    """Every channel of the plan, the status page in its words. One that isn't bound writes to a file, which reaches nobody by itself.

    Raises OSError for a secret that can't be read.
    """
    posts = {TIMEOUT_SECONDS: HttpPost()}
    made: dict[str, Notifier] = {}
    terms: dict[str, Terms] = {}
    waits: dict[str, float] = {}
    pagers: set[Pager] = set()
    relays: list[SmtpNotifier] = []
    for channel in plan.channels():
        binding = _in_the_plans_words(bindings.channels.get(channel), plan)
        if binding is None:
            made[channel] = FileNotifier(bindings.state_directory / f"messages.{channel}.jsonl", clock)
        else:
            patience = max(binding.deadline_seconds, TIMEOUT_SECONDS)
            post = posts.setdefault(patience, HttpPost(patience))
            made[channel] = notifier_for(binding, bindings.environment, post, clock, relays)
            terms[channel] = terms_of(binding)
            pagers |= _pagers(channel, binding)
            if binding.second is not None and binding.receipt_within_seconds is not None:
                waits[channel] = binding.receipt_within_seconds
    return Channels(made, waits, terms, frozenset(pagers), tuple(posts.values()), relays)


def _pagers(channel: str, binding: ChannelBinding) -> set[Pager]:
    ways = {Pager(channel): binding.first, Pager(channel, second_way=True): binding.second}
    return {pager for pager, way in ways.items() if way is not None and way.kind in PAGER_WAYS}


def _in_the_plans_words(binding: ChannelBinding | None, plan: Plan) -> ChannelBinding | None:
    if binding is None or plan.status_page is None:
        return binding
    words, ways = plan.status_page.words(), {"first": binding.first, "second": binding.second}
    pages = {name: way for name, way in ways.items() if isinstance(way, StatusPageWay)}
    return binding.model_copy(update={name: way.model_copy(update={"words": {**way.words, **words}}) for name, way in pages.items()})


def links_for(bindings: Bindings) -> Links | None:
    """What links in messages are made with; None where the bindings name no doors. Raises OSError for a key that can't be used."""
    if bindings.doors is None:
        return None
    file = bindings.doors.link_key_file or bindings.state_directory / "serve" / "link.key"
    return Links(bindings.doors.public_url, own_key(file))


def notifier_for(binding: ChannelBinding, source: str, post: Post, clock: Clock, relays: list[SmtpNotifier] | None = None) -> Notifier:
    """One channel with everything before it. `source` names the installation in what it sends; `relays` gets what keeps connections."""
    bound = [way for way in (binding.first, binding.second) if way is not None]
    ends = [_way(way, source, post, clock, binding.deadline_seconds) for way in bound]
    if relays is not None:
        relays.extend(end for end in ends if isinstance(end, SmtpNotifier))
    both = [Loud(end, LOUD[type(way)]) if type(way) in LOUD else end for way, end in zip(bound, ends, strict=True)]
    ways, boxed = (_one_after_the_other(binding, made) for made in (both, _boxed(binding, both)))
    rehearsed = _one_after_the_other(binding, _boxed(binding, [NoRoom(made) for made in both]))
    # A partner's own address would lead an exercise away from the receiver that is bound for it.
    target = WithoutAddress(boxed) if any(isinstance(way, WebhookWay) for way in bound) else boxed
    public = any(isinstance(way, PUBLIC) for way in bound)
    if binding.laboratory:
        return ExerciseGuard(boxed, target, public=public)
    if binding.exercise_only:
        return ExerciseGuard(None, target, public=public)
    if all(isinstance(way, FileWay) for way in bound):  # it reaches nobody by itself
        return ExerciseGuard(ways, target, public=public)
    return ExerciseGuard(ways, public=public, rehearsed=rehearsed)


def terms_of(binding: ChannelBinding) -> Terms:
    """How the outbox hands over to it. Both ways end by themselves, and say more than the bound could, before that is over."""
    return Terms(binding.deadline_seconds + ENDING_SECONDS, binding.per_second)


def _boxed(binding: ChannelBinding, ways: Sequence[Notifier]) -> list[Notifier]:
    """Each way with its mailbox of exercises, where it has one."""
    return [made if box is None else Mailbox(made, box) for made, box in zip(ways, binding.exercise_addresses(), strict=False)]


def _one_after_the_other(binding: ChannelBinding, ways: Sequence[Notifier]) -> Notifier:
    """Each with the recipient's address of its own kind."""
    bound = [way for way in (binding.first, binding.second) if way is not None]
    own = [OwnAddress(made, ADDRESS_OF_WAY.get(way.kind)) for made, way in zip(ways, bound, strict=True)]
    return own[0] if len(own) == 1 else SecondWay(own[0], own[1], binding.deadline_seconds)


def read_secret(reference: SecretReference) -> Secret:
    """Raises OSError, with the place and never the content, for one that isn't there."""
    if reference.file is not None:
        value, place = _from_file(reference.file), str(reference.file)
    elif reference.environment is not None:
        value, place = os.environ.get(reference.environment, ""), f"environment variable {reference.environment}"
    else:
        value, place = _from_keyring(reference.keyring or ""), f"keyring entry {reference.keyring}"
    if not value:
        raise OSError(f"{place} holds no secret; write it there")
    return Secret(value)


def _from_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise OSError(f"{path} holds no text; write the secret there, and nothing else") from None
    except OSError as error:
        raise OSError(f"{path} can't be read ({error.strerror}); write the secret there, readable by this user only") from None


def _from_keyring(entry: str) -> str:
    import importlib

    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        raise OSError(f"keyring entry {entry} can't be read: the package keyring is not installed; use file or environment") from None
    service, _, name = entry.partition("/")
    return str(keyring.get_password(service, name) or "")


def _way(way: Way, source: str, post: Post, clock: Clock, deadline_seconds: float) -> Notifier:
    match way:
        case PagerDutyWay():
            return PagerDutyNotifier(read_secret(way.routing_key), post, source, way.url)
        case SlackWay():
            return SlackNotifier(read_secret(way.token), post, way.room, way.api_url)
        case SlackWebhookWay():
            return SlackWebhookNotifier(read_secret(way.url), post)
        case SmsWay():
            return SmsNotifier(_account(way, post))
        case VoiceWay():
            return VoiceNotifier(_account(way, post), way.answer_url)
        case WebhookWay():
            return WebhookNotifier(read_secret(way.url), read_secret(way.key), way.key_id, f"holdfast/{source}", post, clock)
        case AppriseWay():
            return AppriseNotifier(read_secret(way.url))
        case _:
            return _local_way(way, clock, deadline_seconds)


def _local_way(way: SmtpWay | StatusPageWay | InAppWay | FileWay, clock: Clock, deadline_seconds: float) -> Notifier:
    """The ways that need no HTTP."""
    match way:
        case SmtpWay():
            password = None if way.password is None else read_secret(way.password)
            ca_file = None if way.ca_file is None else str(way.ca_file)
            patience = max(deadline_seconds, TIMEOUT_SECONDS)
            return SmtpNotifier(Relay(way.host, way.port, way.sender, way.starttls, way.user, password, ca_file, patience), clock)
        case StatusPageWay():
            return StatusPageNotifier(way.folder, clock, way.name, way.url, {str(state): words for state, words in way.words.items()})
        case InAppWay():
            return InAppNotifier(way.file, clock)
        case FileWay():
            return FileNotifier(way.file, clock)


def _account(way: SmsWay | VoiceWay, post: Post) -> TwilioAccount:
    return TwilioAccount(way.account, read_secret(way.token), way.sender, post, way.api_url, way.status_url)
