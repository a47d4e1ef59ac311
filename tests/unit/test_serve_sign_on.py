"""Single sign-on against a small OpenID provider on loopback: who it says they are, and everything that must not be believed."""

import base64
import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from free_ports import free_port
from unit.serve_rig import SECRET, Served, running, serving, with_accounts

KEY = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig", "alg": "RS256"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig", "alg": "RS256"})


@dataclass
class Provider:
    """An OpenID provider that can be told to lie."""

    url: str
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=lambda: {"alg": "RS256", "kid": "k1"})
    key: Any = field(default_factory=lambda: KEY)
    asked: dict[str, dict[str, str]] = field(default_factory=dict)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self.describe),
                Route("/authorize", self.authorize),
                Route("/token", self.token, methods=["POST"]),
                Route("/jwks", self.jwks),
            ]
        )

    async def describe(self, _: Request) -> Response:
        ends = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/jwks"}
        return JSONResponse({"issuer": self.url, **{name: self.url + path for name, path in ends.items()}})

    async def authorize(self, request: Request) -> Response:
        given = dict(request.query_params)
        assert given["response_type"] == "code" and given["code_challenge_method"] == "S256"
        self.asked["code-1"] = given
        return RedirectResponse(f"{given['redirect_uri']}?{urlencode({'code': 'code-1', 'state': given['state']})}", status_code=303)

    async def token(self, request: Request) -> Response:
        sent = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        begun = self.asked.pop(sent["code"], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(sent["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        login = base64.b64encode(f"holdfast:{SECRET}".encode()).decode()
        if begun is None or begun["code_challenge"] != challenge or request.headers.get("authorization") != f"Basic {login}":
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        now = int(time.time())
        usual = {
            "iss": self.url,
            "aud": "holdfast",
            "sub": "1",
            "iat": now,
            "exp": now + 60,
            "nonce": begun["nonce"],
            "email": "one@example.com",
        }
        claims = {name: value for name, value in {**usual, **self.claims}.items() if value is not None}
        return JSONResponse({"access_token": "a", "token_type": "Bearer", "id_token": jwt.encode(self.header, claims, self.key)})

    async def jwks(self, _: Request) -> Response:
        return JSONResponse(KeySet([KEY]).as_dict(private=False))


@contextmanager
def signed_on(tmp_path: Path) -> Iterator[tuple[Served, Provider]]:
    port = free_port()
    provider = Provider(f"http://127.0.0.1:{port}")
    (tmp_path / "client").write_text(SECRET)
    settings = {
        "issuer": provider.url,
        "client_id": "holdfast",
        "client_secret_file": str(tmp_path / "client"),
        "people": {"one@example.com": "exercise-one", "gone@example.com": "somebody-who-left"},
    }
    with running(provider.app(), port), serving(tmp_path, sign_on=settings) as served:
        yield served, provider


def go(served: Served) -> httpx.Response:
    """As a browser: to the provider and back."""
    return served.browser.get("/sign-on", follow_redirects=True)


def test_whom_the_provider_knows_and_the_configuration_names_is_signed_in_as_that_person(tmp_path: Path) -> None:
    with signed_on(tmp_path) as (served, _):
        page = go(served)
        assert page.status_code == 200 and page.url.path == "/"
        served.paper.lose_region()
        served.page_with("Approve as exercise-one")


LIES: list[tuple[str, dict[str, Any]]] = [
    ("another audience", {"aud": "somebody-else"}),
    ("another issuer", {"iss": "https://elsewhere.example"}),
    ("expired", {"exp": 1}),
    ("without an end", {"exp": None}),
    ("another sign-on", {"nonce": "replayed"}),
    ("without a nonce", {"nonce": None}),
    ("nobody of the list", {"email": "two@example.com"}),
    ("somebody who is not in the plan", {"email": "gone@example.com"}),
    ("an address that was not verified", {"email_verified": False}),
    ("a group that sounds mighty", {"email": "two@example.com", "groups": ["admins", "incident-commander"]}),
]


@pytest.mark.parametrize(("lie", "claims"), LIES, ids=[name for name, _ in LIES])
def test_a_token_that_says_anything_else_signs_nobody_in(tmp_path: Path, lie: str, claims: dict[str, Any]) -> None:
    with signed_on(tmp_path) as (served, provider):
        provider.claims = claims
        assert go(served).status_code == 401, lie
        assert served.browser.get("/api/state").status_code == 401


def test_a_token_that_another_key_signed_is_not_believed(tmp_path: Path) -> None:
    with signed_on(tmp_path) as (served, provider):
        provider.key = OTHER_KEY
        assert go(served).status_code == 401


def test_an_answer_that_was_not_asked_for_here_signs_nobody_in(tmp_path: Path) -> None:
    with signed_on(tmp_path) as (served, _):
        assert served.browser.get("/sign-on/back?code=code-1&state=x").status_code == 401
        begun = served.browser.get("/sign-on")
        assert urlsplit(begun.headers["location"]).path == "/authorize"
        assert served.browser.get("/sign-on/back?code=code-1&state=x").status_code == 401
        state = parse_qs(urlsplit(begun.headers["location"]).query)["state"][0]
        assert served.browser.get(f"/sign-on/back?error=access_denied&state={state}").status_code == 401


def test_when_the_provider_is_down_the_page_says_so_and_two_people_break_the_glass(tmp_path: Path) -> None:
    with_accounts(tmp_path)
    settings = {
        "issuer": f"http://127.0.0.1:{free_port()}",
        "client_id": "holdfast",
        "client_secret_file": str(tmp_path / "secret"),
        "people": {},
    }
    with serving(tmp_path, sign_on=settings) as served:
        answer = served.browser.get("/sign-on")
        assert answer.status_code == 503 and "does not answer" in answer.text and "/break-glass" in answer.text
        both = {"name": "glass-1", "name_2": "glass-2", "password": "a long enough password", "password_2": "a long enough password"}
        assert served.browser.post("/break-glass", data={**both, "because": "sso is down"}).status_code == 303
        assert any("does not answer" in str(record.body.get("sign_on")) for record in served.paper.records)
