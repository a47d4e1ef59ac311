"""What `holdfast serve` is told in its file (YAML or JSON, holdfast/serve/v1). Secrets stand in files of their own."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from holdfast.console.serving.incoming import SignalRule


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class SignOnSettings(_Part):
    """Single sign-on over OpenID Connect. `people`: value of `claim` → person of the plan; who isn't in it gets in nowhere."""

    issuer: str
    client_id: str
    client_secret_file: Path
    claim: str = "email"
    people: dict[str, str]


class ChatSettings(_Part):
    """Slack's buttons. Who presses is the person of the plan whose `chat` is the user's identifier."""

    signing_secret_file: Path
    replies_to: str = "https://hooks.slack.com/"
    """What came of a press is said only to addresses that begin so."""


class PhoneSettings(_Part):
    """Twilio's key presses and replies. Who answers is the person of the plan whose `phone` it is."""

    token_file: Path


class PagingSettings(_Part):
    """PagerDuty's webhooks. `people`: identifier of the user there → person of the plan."""

    secret_files: tuple[Path, ...] = Field(min_length=1)
    people: dict[str, str] = Field(default_factory=dict)


class AlertSettings(_Part):
    """Which alerts mean which signal of the plan, the first rule that fits. `keys`: name → file of a signed webhook's key."""

    alertmanager: tuple[SignalRule, ...] = ()
    aws_health: tuple[SignalRule, ...] = ()
    webhook: tuple[SignalRule, ...] = ()
    keys: dict[str, Path] = Field(default_factory=dict)
    most_a_minute: int = Field(default=120, ge=1)


class ServeSettings(_Part):
    """The whole file."""

    schema_: Literal["holdfast/serve/v1"] = Field(alias="schema", default="holdfast/serve/v1")
    host: str = "127.0.0.1"
    port: int = Field(default=27300, ge=0, le=65535)
    public_url: str | None = None
    """The address that people and senders use, such as https://holdfast.example.com; what it listens on when absent."""
    directory: Path | None = None
    """Where accounts, tokens and keys stand; `serve` in the controller's state directory when absent."""
    session_minutes: float = Field(default=480.0, gt=0)
    broken_glass_minutes: float = Field(default=30.0, gt=0, le=55)
    sign_on: SignOnSettings | None = None
    chat: ChatSettings | None = None
    phone: PhoneSettings | None = None
    paging: PagingSettings | None = None
    alerts: AlertSettings = AlertSettings()
    feed_file: Path | None = None
    status_folder: Path | None = None
