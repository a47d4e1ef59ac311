"""A client of the controller's API for the command line and drills: standard library only, so that commands start quickly.

Every call is bounded; a controller that can't be reached is a `ControllerSilent` with what to do next.
"""

import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TIMEOUT_SECONDS = 5.0


class ControllerSilent(Exception):
    """No controller answers at the address. The text says what to do."""


class ControllerRefused(Exception):
    """The controller answered with an error."""


class ControllerClient:
    """One controller, reached at `url` with the token in `token_file`."""

    def __init__(self, url: str, token_file: Path) -> None:
        self._url = url
        self._token_file = token_file

    def state(self) -> dict[str, Any]:
        """The read model (`holdfast/state/v1`)."""
        return self._call("/v1/state", None)

    def records(self, after: int = 0) -> list[dict[str, Any]]:
        """Journal records after a sequence number, at most 1,000."""
        return list(self._call(f"/v1/records?after={after}", None)["records"])

    def command(self, verb: str, by: str, arguments: Mapping[str, Any] | None = None, identifier: str = "") -> str:
        """Give a command; returns the controller's answer in words. `identifier`: makes a repeat harmless; one is made up otherwise."""
        body = {"id": identifier or uuid.uuid4().hex, "verb": verb, "by": by, "arguments": dict(arguments or {})}
        return str(self._call("/v1/commands", body)["answer"])

    def _call(self, path: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        try:
            token = self._token_file.read_text().strip()
        except FileNotFoundError as error:
            raise ControllerSilent(f"no controller can be asked: {self._token_file} is gone. Was the lab stopped?") from error
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        # The address comes from the bindings file, which only the lab or the installation writes.
        request = urllib.request.Request(self._url + path, data=data, headers=headers)  # noqa: S310
        try:
            # No proxy of the environment: the token is the controller's alone.
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            raise ControllerRefused(_refusal(self._url, error)) from error
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            raise ControllerSilent(f"no controller answers at {self._url} ({_why(error)}). Start one with `holdfast run PLAN`.") from error


def _refusal(url: str, error: urllib.error.HTTPError) -> str:
    """The controller's own words, where it gave any."""
    body = error.read(4000).decode(errors="replace")
    try:
        said = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        said = body
    return f"the controller at {url} answered {error.code}: {said}"


def _why(error: OSError) -> str:
    """In a few words, without the names that programs give to errors."""
    inner = error.reason if isinstance(error, urllib.error.URLError) and isinstance(error.reason, OSError) else error
    if isinstance(inner, TimeoutError):
        return f"no answer within {TIMEOUT_SECONDS:g} s"
    return (inner.strerror or str(inner)).lower()
