"""A small OpenID provider on loopback, which speaks the published protocol and can be told to lie."""

import base64
import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from free_ports import free_port
from unit.serve_rig import SECRET, Served, running, serving

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
