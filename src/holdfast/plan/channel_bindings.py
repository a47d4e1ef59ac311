"""Where the plan's channels really are: one way or two for each, secrets by reference only."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from holdfast.plan.messages import PageState


class _Binding(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SecretReference(_Binding):
    """Where a secret stands: in a file, in an environment variable, or in the machine's keyring (`service/name`)."""

    file: Path | None = None
    environment: str | None = None
    keyring: str | None = None

    @model_validator(mode="after")
    def _one(self) -> "SecretReference":
        if sum(value is not None for value in (self.file, self.environment, self.keyring)) != 1:
            raise ValueError("name exactly one of file, environment, keyring")
        return self


class AudienceBinding(_Binding):
    """What the HTTP directory of an audience wants to see: a bearer token."""

    token: SecretReference


class PagerDutyWay(_Binding):
    """An integration of PagerDuty's Events API v2."""

    kind: Literal["pagerduty"] = "pagerduty"
    routing_key: SecretReference
    url: str = "https://events.pagerduty.com/v2/enqueue"


class SlackWay(_Binding):
    """A Slack app: its bot token needs chat:write, channels:manage, channels:read, channels:join, channels:history; im:write and
    im:history where people are written to alone. `room`: the war-room channel, else the plan's `war_room` names it."""

    kind: Literal["slack"] = "slack"
    token: SecretReference
    room: str | None = None
    api_url: str = "https://slack.com/api"


class SlackWebhookWay(_Binding):
    """Slack's incoming webhook; its address is the secret."""

    kind: Literal["slack-webhook"] = "slack-webhook"
    url: SecretReference


class SmtpWay(_Binding):
    """A mail relay."""

    kind: Literal["smtp"] = "smtp"
    host: str
    port: int = 587
    sender: str
    starttls: bool = True
    user: str | None = None
    password: SecretReference | None = None
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _no_password_in_the_clear(self) -> "SmtpWay":
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password go together")
        if self.password is not None and not self.starttls:
            raise ValueError("a password needs starttls: it would cross the network in the clear")
        return self


class _TelephoneWay(_Binding):
    account: str
    token: SecretReference
    sender: str
    """The number that sends or calls."""
    api_url: str = "https://api.twilio.com"
    status_url: str | None = None
    """Where the service reports deliveries."""


class SmsWay(_TelephoneWay):
    """Short messages."""

    kind: Literal["sms"] = "sms"


class VoiceWay(_TelephoneWay):
    """Calls. `answer_url` takes the pressed key."""

    kind: Literal["voice"] = "voice"
    answer_url: str | None = None


class WebhookWay(_Binding):
    """A signed webhook. A recipient's own address goes before `url`."""

    kind: Literal["webhook"] = "webhook"
    url: SecretReference
    key: SecretReference
    key_id: str = "1"


class StatusPageWay(_Binding):
    """The status page's folder. `words`: how it calls the four states where the plan (`status_page`) doesn't say."""

    kind: Literal["status-page"] = "status-page"
    folder: Path
    name: str
    url: str = ""
    words: dict[PageState, str] = Field(default_factory=dict)


class InAppWay(_Binding):
    """The feed's file."""

    kind: Literal["in-app"] = "in-app"
    file: Path


class AppriseWay(_Binding):
    """Any service that Apprise knows; its address is the secret."""

    kind: Literal["apprise"] = "apprise"
    url: SecretReference


class FileWay(_Binding):
    """A file of JSON lines. It reaches nobody by itself."""

    kind: Literal["file"] = "file"
    file: Path


Way = Annotated[
    PagerDutyWay | SlackWay | SlackWebhookWay | SmtpWay | SmsWay | VoiceWay | WebhookWay | StatusPageWay | InAppWay | AppriseWay | FileWay,
    Field(discriminator="kind"),
]


ADDRESS_OF_CHANNEL: Mapping[str, str] = {"email": "mail", "phone": "number", "sms": "number", "slack": "chat", "webhook": "url"}
"""Channel of the plan → what kind of address people have on it."""
ADDRESS_OF_WAY: Mapping[str, str] = {"smtp": "mail", "sms": "number", "voice": "number", "slack": "chat", "webhook": "url"}
"""Kind of way → what kind of address it takes. The others have one place for all."""
_REACHES_NOBODY_WITHOUT = frozenset({"mail", "number"})


class ChannelBinding(_Binding):
    """One channel: the way it goes, and the way it goes when that fails, refuses or is too slow."""

    first: Way
    second: Way | None = None
    exercise_only: bool = False
    """Nothing real stands behind either way: exercises go there for every recipient, real messages never."""
    laboratory: bool = False
    """Nothing real stands behind either way, and every message goes there, an exercise's and others: a lab."""
    exercise_address: str | None = None
    """Where an exercise's message goes whose recipient has no address on this channel; `{recipient}` stands for who it is meant for."""
    second_exercise_address: str | None = None
    """The same for the second way, where that takes another kind of address than the first."""
    per_second: float | None = Field(default=None, gt=0)
    """At most so many messages; no limit when absent."""
    deadline_seconds: float = Field(default=8.0, gt=0)
    """How long both ways together may take, from the moment that the message's turn has come."""
    receipt_within_seconds: float | None = Field(default=None, gt=0)
    """On the plan's clock: without a receipt by then, the message goes the second way too. None: receipts are not waited for."""

    @model_validator(mode="after")
    def _one_or_the_other(self) -> "ChannelBinding":
        if self.exercise_only and self.laboratory:
            raise ValueError("exercise_only keeps real messages away and laboratory takes them all: say one of them")
        return self

    @model_validator(mode="after")
    def _each_way_has_an_address(self) -> "ChannelBinding":
        second = None if self.second is None else ADDRESS_OF_WAY.get(self.second.kind)
        if self.exercise_address is None or second not in _REACHES_NOBODY_WITHOUT or self.second_exercise_address is not None:
            return self
        if ADDRESS_OF_WAY.get(self.first.kind) != second and self.second is not None:
            raise ValueError(
                f"exercise_address is for the first way ({self.first.kind}); the second ({self.second.kind}) takes another kind of address:"
                " name second_exercise_address"
            )
        return self

    def exercise_addresses(self) -> tuple[str | None, str | None]:
        """Where an exercise's message goes by the first and by the second way whose recipient has no address there."""
        second = None if self.second is None else ADDRESS_OF_WAY.get(self.second.kind)
        same = second == ADDRESS_OF_WAY.get(self.first.kind)
        return self.exercise_address, self.second_exercise_address or (self.exercise_address if same else None)
