"""Single sign-on against a small OpenID provider on loopback: who it says they are, and everything that must not be believed."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from free_ports import free_port
from unit.oidc_provider import OTHER_KEY, signed_on
from unit.serve_rig import Served, serving, with_accounts


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
