"""The controller's own API: whoever can't prove who asks gets nothing, on every route that there is, and touches nothing behind it."""

import json
from collections.abc import Iterator
from typing import Any, cast

import httpx
import pytest
from starlette.routing import Route
from starlette.testclient import TestClient

from holdfast.console.api import MOST_BODY_BYTES, Api
from holdfast.fencing.signing import SIGNATURE_HEADER, new_nonce, sign_request

TOKEN, LEASE_KEY = "a long token of the controller", b"a key of sixteen bytes and more"
OPEN = {"/healthz"}
SIGNED = {"/v1/lease"}
ASKED = {"region": "eu-west-1", "era": 0, "epoch": 1, "instance": "one", "ttl_seconds": 3.0}


class Untouched:
    """Stands behind the API and must not be reached."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was reached by somebody who proved nothing")


def application() -> Any:
    behind = cast(Any, Untouched())
    return Api(behind, behind, behind, TOKEN, LEASE_KEY).application()


ROUTES = [(method, route.path) for route in application().routes if isinstance(route, Route) for method in sorted(route.methods or ())]


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with TestClient(application()) as made:
        yield made


def signed(key: bytes, path: str = "/v1/lease", at_seconds: float = 0.0) -> tuple[bytes, dict[str, str]]:
    body, signature = sign_request(key, path, ASKED, new_nonce(), at_seconds)
    return body, {SIGNATURE_HEADER: signature}


def test_every_route_is_open_to_all_or_asks_for_a_proof() -> None:
    paths = {path for _, path in ROUTES}
    assert paths == OPEN | SIGNED | {"/v1/state", "/v1/records", "/v1/commands"}, "a new route: say here who may use it"


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer "},
        {"authorization": TOKEN},
        {"authorization": f"bearer {TOKEN}"},
        {"authorization": f"Bearer {TOKEN} "},
        {"authorization": f"Bearer {TOKEN[:-1]}"},
        {"authorization": f"Bearer {TOKEN}x"},
        {"authorization": "Basic YTpi"},
        {"cookie": f"token={TOKEN}"},
        {SIGNATURE_HEADER: "00" * 32},
    ],
)
def test_who_proves_nothing_gets_nothing(client: httpx.Client, method: str, path: str, headers: dict[str, str]) -> None:
    command = json.dumps({"id": "1", "verb": "approve", "by": "aoife-brennan"}).encode()
    answer = client.request(method, path, headers=headers, content=command if method == "POST" else None)
    if path in OPEN:
        assert (answer.status_code, answer.text) in ((200, "ok\n"), (200, ""))
        return
    assert answer.status_code == (403 if path in SIGNED else 401)
    assert TOKEN not in answer.text and LEASE_KEY.decode() not in answer.text


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_no_route_takes_another_method(client: httpx.Client, method: str) -> None:
    for path in {path for _, path in ROUTES}:
        assert client.request(method, path, headers={"authorization": f"Bearer {TOKEN}"}).status_code == 405


def test_a_lease_is_asked_for_with_the_lease_key_alone(client: httpx.Client) -> None:
    for key, path in ((b"another key of sixteen bytes", "/v1/lease"), (LEASE_KEY, "/v1/orders")):
        body, headers = signed(key, path)
        assert client.post("/v1/lease", content=body, headers=headers).status_code == 403
    body, headers = signed(LEASE_KEY)
    assert client.post("/v1/lease", content=body.replace(b"eu-west-1", b"eu-west-2"), headers=headers).status_code == 403
    assert client.post("/v1/lease", content=body, headers={"authorization": f"Bearer {TOKEN}"}).status_code == 403, (
        "the token is for people"
    )


def test_what_is_too_large_is_refused_before_it_is_read(client: httpx.Client) -> None:
    large = b"{" + b" " * MOST_BODY_BYTES + b"}"
    assert client.post("/v1/lease", content=large).status_code == 403
    answer = client.post("/v1/commands", content=large, headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 400 and "larger than" in answer.json()["error"]
