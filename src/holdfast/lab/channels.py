"""The channels of a lab: where each leads, with a second way for each, and the doors through which answers come back.

Every far end stands outside and takes real protocols (see `receivers`); nobody real stands behind any, so all messages go there, those of
an exercise and others. Pure. Never here: starting anything (see `parts`).
"""

import secrets as random_secrets
from collections.abc import Callable, Mapping
from typing import Any

from holdfast.lab.addresses import Host, Port
from holdfast.lab.blueprint import OUTSIDE_SITE, Blueprint, Endpoint
from holdfast.plan.channel_bindings import (
    ChannelBinding,
    InAppWay,
    PagerDutyWay,
    SecretReference,
    SlackWay,
    SlackWebhookWay,
    SmsWay,
    SmtpWay,
    StatusPageWay,
    VoiceWay,
    WebhookWay,
)

ACCOUNT = "AC00000000000000000000000000000000"
"""Of the telephone service."""
SENDER = "holdfast@voicehive.test"
NUMBER = "+353209120100"
EXERCISE_MAIL = "{recipient}@exercise.test"
EXERCISE_NUMBER = "+353209120199"
RECEIVERS: Mapping[str, Port] = {
    "pagerduty": Port.PAGES,
    "slack": Port.CHAT,
    "slack-second": Port.CHAT_SECOND,
    "smtp": Port.MAIL,
    "smtp-second": Port.MAIL_SECOND,
    "twilio": Port.TELEPHONE,
    "twilio-second": Port.TELEPHONE_SECOND,
    "webhook": Port.WEBHOOKS,
    "webhook-second": Port.WEBHOOKS_SECOND,
}
"""Receiver → where it listens. What arrived stands in the file of its name."""
RECEIPT_SECONDS = 120.0
"""On the plan's clock: so long the telephone service has to say that a message arrived."""


def secrets(blueprint: Blueprint) -> dict[str, str]:
    """Secrets of the channels, by name. The address of a webhook is one."""
    made_up = ("chat.signing", "pages.signing", "telephone.token", "webhook.key")
    return {
        **{name: random_secrets.token_urlsafe(24) for name in made_up},
        "pages.key": random_secrets.token_hex(16),
        "chat.token": f"xoxb-{random_secrets.token_hex(16)}",
        "chat-second.url": f"{_far(blueprint, Port.CHAT_SECOND).url}/services/T1/B1/{random_secrets.token_hex(8)}",
        "webhook.url": f"{_far(blueprint, Port.WEBHOOKS).url}/partners",
        "webhook-second.url": f"{_far(blueprint, Port.WEBHOOKS_SECOND).url}/partners",
    }


def channels_of(blueprint: Blueprint) -> dict[str, ChannelBinding]:
    """Channel of the plan → its ways, as the controller reaches them. A channel that the lab has no far end for is not bound."""
    return {channel: _MAKERS[channel](blueprint) for channel in sorted(blueprint.plan.channels()) if channel in _MAKERS}


def _far(blueprint: Blueprint, port: Port) -> Endpoint:
    return blueprint.at(blueprint.witness, OUTSIDE_SITE, Host.RECEIVERS, port)


def _secret(blueprint: Blueprint, name: str) -> SecretReference:
    return SecretReference(file=blueprint.layout.secret(name))


def _pages(blueprint: Blueprint) -> ChannelBinding:
    """Whom PagerDuty can't page gets a text message."""
    first = PagerDutyWay(routing_key=_secret(blueprint, "pages.key"), url=f"{_far(blueprint, Port.PAGES).url}/v2/enqueue")
    second = SmsWay(**_telephone(blueprint, Port.TELEPHONE_SECOND))
    return ChannelBinding(first=first, second=second, laboratory=True, second_exercise_address=EXERCISE_NUMBER)


def _chat(blueprint: Blueprint) -> ChannelBinding:
    first = SlackWay(token=_secret(blueprint, "chat.token"), api_url=f"{_far(blueprint, Port.CHAT).url}/api")
    second = SlackWebhookWay(url=_secret(blueprint, "chat-second.url"))
    return ChannelBinding(first=first, second=second, laboratory=True)


def _mail(blueprint: Blueprint) -> ChannelBinding:
    relays = (_far(blueprint, port) for port in (Port.MAIL, Port.MAIL_SECOND))
    first, second = (SmtpWay(host=relay.host, port=relay.port, sender=SENDER, starttls=False) for relay in relays)
    return ChannelBinding(first=first, second=second, laboratory=True, exercise_address=EXERCISE_MAIL)


def _telephone(blueprint: Blueprint, port: Port) -> dict[str, Any]:
    answers = f"{blueprint.doors.url}/in/twilio"
    token, url = _secret(blueprint, "telephone.token"), _far(blueprint, port).url
    return {"account": ACCOUNT, "token": token, "sender": NUMBER, "api_url": url, "status_url": answers}


def _sms(blueprint: Blueprint) -> ChannelBinding:
    first, second = (SmsWay(**_telephone(blueprint, port)) for port in (Port.TELEPHONE, Port.TELEPHONE_SECOND))
    return _by_telephone(first, second)


def _phone(blueprint: Blueprint) -> ChannelBinding:
    answers = f"{blueprint.doors.url}/in/twilio"
    first, second = (VoiceWay(**_telephone(blueprint, port), answer_url=answers) for port in (Port.TELEPHONE, Port.TELEPHONE_SECOND))
    return _by_telephone(first, second)


def _by_telephone(first: SmsWay | VoiceWay, second: SmsWay | VoiceWay) -> ChannelBinding:
    return ChannelBinding(
        first=first, second=second, laboratory=True, exercise_address=EXERCISE_NUMBER, receipt_within_seconds=RECEIPT_SECONDS
    )


def _webhook(blueprint: Blueprint) -> ChannelBinding:
    names = ("webhook.url", "webhook-second.url")
    first, second = (WebhookWay(url=_secret(blueprint, name), key=_secret(blueprint, "webhook.key")) for name in names)
    return ChannelBinding(first=first, second=second, laboratory=True)


def _status_page(blueprint: Blueprint) -> ChannelBinding:
    pages = (blueprint.layout.controller / folder for folder in ("status", "status-second"))
    first, second = (StatusPageWay(folder=page, name=blueprint.plan.name, url=f"{blueprint.doors.url}/status/") for page in pages)
    return ChannelBinding(first=first, second=second, laboratory=True)


def _in_app(blueprint: Blueprint) -> ChannelBinding:
    first, second = (InAppWay(file=blueprint.layout.controller / name) for name in ("feed.jsonl", "feed-second.jsonl"))
    return ChannelBinding(first=first, second=second, laboratory=True)


_MAKERS: Mapping[str, Callable[[Blueprint], ChannelBinding]] = {
    "pagerduty": _pages,
    "slack": _chat,
    "email": _mail,
    "sms": _sms,
    "phone": _phone,
    "webhook": _webhook,
    "status-page": _status_page,
    "in-app": _in_app,
}


def receivers(blueprint: Blueprint) -> tuple[str, ...]:
    """Arguments with which the far ends are started."""
    layout, where = blueprint.layout, blueprint.home(OUTSIDE_SITE, Host.RECEIVERS, Port.PAGES)
    ports = (argument for name, port in RECEIVERS.items() for argument in ("--port", f"{name}={port.value}"))
    named = {
        "--token-file": "telephone.token",
        "--key-file": "webhook.key",
        "--chat-signing-file": "chat.signing",
        "--pages-signing-file": "pages.signing",
    }
    files = (argument for option, name in named.items() for argument in (option, str(layout.secret(name))))
    heard = ("--doors", blueprint.doors.url)
    return ("--directory", str(layout.received), "--host", where.host, "--account", ACCOUNT, *ports, *files, *heard)


def pager_user(person: str) -> str:
    """How the lab's PagerDuty calls a person of the plan: `exercise-one` is `PEXERCISEONE`."""
    return "P" + "".join(character for character in person.upper() if character.isalnum())


def doors(blueprint: Blueprint) -> dict[str, Any]:
    """Settings of `holdfast serve`: its public address, and what its doors need to know genuine senders."""
    layout, home = blueprint.layout, blueprint.home(blueprint.witness, Host.DOORS, Port.DOORS)
    pagers = {pager_user(name): name for name, one in blueprint.plan.people.items() if one.exercise}
    return {
        "schema": "holdfast/serve/v1",
        "host": home.host,
        "port": home.port,
        "public_url": blueprint.doors.url,
        "chat": {"signing_secret_file": str(layout.secret("chat.signing"))},
        "phone": {"token_file": str(layout.secret("telephone.token"))},
        "paging": {"secret_files": [str(layout.secret("pages.signing"))], "people": pagers},
        "feed_file": str(layout.controller / "feed.jsonl"),
        "status_folder": str(layout.controller / "status"),
    }
