"""One OpenID provider: discovery, authorization code with PKCE, and what its token says about who it is.

Rules: only what its published keys signed is believed, for this client, this sign-on (nonce) and not yet expired; only with an asymmetric
algorithm. Groups and roles of the provider mean nothing here: a claim names a person of the plan by the configuration's list, or nobody.
"""

import secrets
import warnings
from collections.abc import Mapping
from typing import Any

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

TIMEOUT_SECONDS = 5.0
LEEWAY_SECONDS = 30
_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]


class ProviderFailed(Exception):
    """The provider can't be reached, said no, or said what can't be believed; the text says which."""


class OidcProvider:
    """A client of one issuer. `people`: value of `claim` → person."""

    def __init__(self, issuer: str, client_id: str, client_secret: str, back_url: str, claim: str, people: Mapping[str, str]) -> None:
        self._issuer = issuer.rstrip("/")
        self._client_id = client_id
        self._client_secret = client_secret
        self._back_url = back_url
        self._claim = claim
        self._people = people

    async def begin(self) -> tuple[str, dict[str, object]]:
        """Where to send the person, and what to remember. Raises ProviderFailed."""
        found = await self._discovered()
        nonce, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
        async with self._client() as client:
            url, state = client.create_authorization_url(found["authorization_endpoint"], code_verifier=verifier, nonce=nonce)
        return str(url), {"state": state, "nonce": nonce, "verifier": verifier}

    async def finish(self, query: Mapping[str, str], remembered: Mapping[str, object]) -> str:
        """The person who came back. Raises ProviderFailed."""
        if not secrets.compare_digest(query.get("state", "").encode(), str(remembered["state"]).encode()):
            raise ProviderFailed("this answer belongs to another sign-on: begin again")
        if "code" not in query:
            raise ProviderFailed(f"single sign-on said no: {query.get('error', 'no reason given')[:100]}")
        found = await self._discovered()
        try:
            async with self._client() as client:
                token = await client.fetch_token(
                    found["token_endpoint"], grant_type="authorization_code", code=query["code"], code_verifier=str(remembered["verifier"])
                )
            async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS) as plain:  # the keys are public: no token goes along
                keys = KeySet.import_key_set((await plain.get(found["jwks_uri"])).raise_for_status().json())
            claims = self._believed(str(token.get("id_token", "")), keys, str(remembered["nonce"]))
        except (JoseError, ValueError, KeyError) as error:
            raise ProviderFailed(f"single sign-on's token can't be believed: {type(error).__name__}") from error
        except Exception as error:  # whatever the provider's answer provoked in the library: nobody is signed in by it
            raise ProviderFailed(f"single sign-on gave no token: {type(error).__name__}") from error
        value = str(claims.get(self._claim, ""))
        if self._claim == "email" and claims.get("email_verified") is False:
            raise ProviderFailed("single sign-on has not verified this e-mail address")
        if value not in self._people:
            raise ProviderFailed("single sign-on knows you, but you are nobody in the plan")
        return self._people[value]

    async def stands(self) -> str:
        """Whether it answers now."""
        try:
            await self._discovered()
        except ProviderFailed as error:
            return str(error)
        return "it answers"

    def _client(self) -> Any:
        """Authlib's client. It is imported here and quietly: it warns every program that it will want another HTTP library one day."""
        with warnings.catch_warnings():
            import authlib.deprecate  # type: ignore[import-untyped]  # noqa: F401  # puts its own filter first, so it goes before ours

            warnings.simplefilter("ignore")
            from authlib.integrations.httpx_client import AsyncOAuth2Client  # type: ignore[import-untyped]  # it has none
        return AsyncOAuth2Client(
            self._client_id, self._client_secret, redirect_uri=self._back_url, scope="openid email profile",
            code_challenge_method="S256", timeout=TIMEOUT_SECONDS,
        )  # fmt: skip

    async def _discovered(self) -> dict[str, Any]:
        url = f"{self._issuer}/.well-known/openid-configuration"
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS) as client:
                found = (await client.get(url)).raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise ProviderFailed(f"single sign-on at {self._issuer} does not answer ({type(error).__name__})") from error
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if (
            not isinstance(found, dict)
            or str(found.get("issuer", "")).rstrip("/") != self._issuer
            or not all(name in found for name in names)
        ):
            raise ProviderFailed(f"{url} does not describe this issuer")
        return found

    def _believed(self, text: str, keys: KeySet, nonce: str) -> dict[str, Any]:
        token = jwt.decode(text, keys, algorithms=_ALGORITHMS)
        rules = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True},
            aud={"essential": True, "value": self._client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        rules.validate(token.claims)
        if str(token.claims["iss"]).rstrip("/") != self._issuer:
            raise ValueError("another issuer")
        if isinstance(token.claims["aud"], list) and len(token.claims["aud"]) > 1 and token.claims.get("azp") != self._client_id:
            raise ValueError("made for another client")
        return dict(token.claims)
