"""Wires `holdfast serve`: the doors in front of a running controller, their keys and files, and single sign-on."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from holdfast.console.serving.accounts import Accounts, Tokens
from holdfast.console.serving.answering import Answering
from holdfast.console.serving.doors import Asked, Doors, Unanswered
from holdfast.console.serving.receiving import Receiving
from holdfast.console.serving.sessions import Sealer, Sessions
from holdfast.console.serving.settings import ServeSettings
from holdfast.console.serving.showing import Showing
from holdfast.console.serving.signing_in import SigningIn, SignOnFailed
from holdfast.console.serving.visits import Visits
from holdfast.plan.bindings import Bindings
from holdfast.plan.model import Plan, SignalTrigger
from holdfast.providers.controller.client import ControllerClient, ControllerRefused, ControllerSilent
from holdfast.providers.file.keys import key_in, own_key
from holdfast.providers.http.post import HttpPost
from holdfast.providers.oidc.provider import OidcProvider, ProviderFailed


class _Controller:
    """The running controller behind the doors."""

    def __init__(self, client: ControllerClient) -> None:
        self._client = client

    def state(self) -> dict[str, Any]:
        try:
            return self._client.state()
        except (ControllerSilent, ControllerRefused) as error:
            raise Unanswered(str(error)) from error

    def command(self, verb: str, by: str, arguments: Mapping[str, Any], identifier: str) -> str:
        try:
            return self._client.command(verb, by, arguments, identifier)
        except (ControllerSilent, ControllerRefused) as error:
            raise Unanswered(str(error)) from error


class _SignOn:
    """Single sign-on, with failures as the doors know them."""

    def __init__(self, provider: OidcProvider) -> None:
        self._provider = provider

    async def begin(self) -> tuple[str, dict[str, object]]:
        try:
            return await self._provider.begin()
        except ProviderFailed as error:
            raise SignOnFailed(str(error)) from error

    async def finish(self, query: dict[str, str], remembered: dict[str, object]) -> str:
        try:
            return await self._provider.finish(query, remembered)
        except ProviderFailed as error:
            raise SignOnFailed(str(error)) from error

    async def stands(self) -> str:
        return await self._provider.stands()


def directory_of(bindings: Bindings, settings: ServeSettings) -> Path:
    """Where accounts, tokens and keys stand."""
    return settings.directory or bindings.state_directory / "serve"


def served(bindings: Bindings, settings: ServeSettings, plan: Plan) -> ASGIApp:
    """The application in front of the bindings' controller. Raises OSError for a secret that is missing or too short."""
    client = ControllerClient(bindings.controller.url.rstrip("/"), bindings.controller.token_file)
    return application(_Controller(client), settings, plan, directory_of(bindings, settings))


def application(asked: Asked, settings: ServeSettings, plan: Plan, directory: Path) -> ASGIApp:
    """The application in front of any controller. Raises ValueError for settings that can mean nothing in this plan."""
    _check_signals(settings, plan)
    origin = (settings.public_url or f"http://{settings.host}:{settings.port}").rstrip("/")
    tokens, accounts = Tokens(directory / "tokens.json"), Accounts(directory / "accounts.json")
    sealer, link_key = Sealer(own_key(directory / "session.key")), own_key(directory / "link.key")
    answering = Answering(asked, plan)
    sign_on = None
    if (wanted := settings.sign_on) is not None:
        secret = key_in(wanted.client_secret_file).decode()
        people = {value: person for value, person in wanted.people.items() if person in plan.people}
        sign_on = _SignOn(OidcProvider(wanted.issuer, wanted.client_id, secret, f"{origin}/sign-on/back", wanted.claim, people))
    sessions = Sessions(sealer, directory / "ended.json", plan.people, accounts.mark)
    keys = {name: key_in(path) for name, path in settings.alerts.keys.items()}
    post = HttpPost()
    doors = (
        SigningIn(settings, answering, accounts, sealer, sessions, sign_on, time.time, origin),
        Visits(answering, sessions, link_key, time.time),
        Showing(settings),
        Receiving(settings, answering, _secrets(settings), keys, link_key, post, time.time, origin),
    )
    handlers = {route: handler for part in doors for route, handler in part.handlers().items()}
    return Doors(tokens, sessions, time.time, origin).application(handlers, post.close)


def _check_signals(settings: ServeSettings, plan: Plan) -> None:
    """An alert whose rule names no signal of the plan would count for nothing, and nobody would notice before it is needed."""
    rules = (*settings.alerts.alertmanager, *settings.alerts.aws_health, *settings.alerts.webhook)
    triggers = (trigger for scenario in plan.scenarios.values() for trigger in scenario.triggers)
    known = {trigger.signal for trigger in triggers if isinstance(trigger, SignalTrigger)}
    unknown = sorted({rule.signal for rule in rules} - known)
    if unknown:
        raise ValueError(f"alerts: the plan has no signal '{unknown[0]}'; it has: {', '.join(sorted(known)) or 'none'}")


def _secrets(settings: ServeSettings) -> dict[str, tuple[bytes, ...]]:
    found: dict[str, tuple[bytes, ...]] = {}
    if settings.chat is not None:
        found["chat"] = (key_in(settings.chat.signing_secret_file),)
    if settings.phone is not None:
        found["phone"] = (key_in(settings.phone.token_file),)
    if settings.paging is not None:
        found["paging"] = tuple(key_in(path) for path in settings.paging.secret_files)
    return found
