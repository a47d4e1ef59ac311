"""One cluster's API: reading objects, and patching them only as long as they are what was read.

Orders are compared where the effect happens: every patch carries the object's resourceVersion (the API answers 409 when somebody was
faster, and the object is read and compared again) and writes the order obeyed into an annotation, in the same patch. Blocks
that change the same object at the same time (scale and deploy) carry orders of the same activation but different steps, so each has an
annotation of its own: a block refuses a higher order of its own, and any order of a later epoch or controller.
Rules: silence is TimeoutError, a broken connection ConnectionError, a *no* of the API `ApiRefusal`. The environment's proxies are not used.
"""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import httpx

from holdfast.fencing.order import Order
from holdfast.plan.bindings import ClusterBinding

ANNOTATION = "holdfast/order"
_ROUNDS = 20  # a roll-out changes its Deployment at each instance that comes or goes
_CONFLICT = 409

Patch = dict[str, Any]


class ApiRefusal(Exception):
    """The API answered, and the answer is no: nothing was changed."""


class HigherOrder(Exception):
    """The object has obeyed a higher order."""

    def __init__(self, path: str, seen: Order, order: Order) -> None:
        super().__init__(f"{path.rpartition('/')[2]} has obeyed order {seen.as_text()} already, {order.as_text()} is lower")
        self.seen = seen


class Cluster:
    """A session with one cluster's API."""

    def __init__(self, binding: ClusterBinding, *, timeout_seconds: float, source_address: str | None = None) -> None:
        self.binding = binding
        self._timeout_seconds = timeout_seconds
        transport = httpx.AsyncHTTPTransport(local_address=source_address, trust_env=False)
        self._client = httpx.AsyncClient(base_url=binding.url, timeout=timeout_seconds, transport=transport, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._client.aclose()

    def deployment_path(self, function: str) -> str:
        """Where a function's Deployment stands. Raises ApiRefusal for a function that the bindings don't know."""
        name = self.binding.deployments.get(function)
        if name is None:
            raise ApiRefusal(f"the bindings name no Deployment for {function} in {self.binding.url}; nothing was changed")
        return f"/apis/apps/v1/namespaces/{self.binding.namespace}/deployments/{name}"

    def settings_path(self) -> str:
        """Where the application's settings stand."""
        return f"/api/v1/namespaces/{self.binding.namespace}/configmaps/{self.binding.settings_config_map}"

    async def read(self, path: str) -> dict[str, Any]:
        """One object."""
        answer = await self._request("GET", path)
        self._expect_success("GET", path, answer)
        return _object(path, answer)

    async def change(self, path: str, block: str, order: Order, patch_of: Callable[[Mapping[str, Any]], Patch]) -> dict[str, Any]:
        """Patch one object on condition that it is still as read. `patch_of` makes a merge patch from what was read."""
        for _ in range(_ROUNDS):
            found = await self.read(path)
            _compare(path, found, block, order)
            patch = patch_of(found)
            metadata = {"resourceVersion": found["metadata"]["resourceVersion"], "annotations": {annotation_of(block): order.as_text()}}
            answer = await self._request("PATCH", path, {**patch, "metadata": metadata})
            if answer.status_code == _CONFLICT:
                continue
            self._expect_success("PATCH", path, answer)
            return _object(path, answer)
        raise ApiRefusal(f"{path} changes faster than it can be patched: find out who else changes it, and stop one of the two")

    async def _request(self, method: str, path: str, body: Patch | None = None) -> httpx.Response:
        headers = {"authorization": f"Bearer {self._token()}"}
        if body is not None:
            headers["content-type"] = "application/merge-patch+json"
        try:
            return await self._client.request(method, path, json=body, headers=headers)
        except httpx.TimeoutException:
            raise TimeoutError(f"the cluster at {self.binding.url} did not answer within {self._timeout_seconds:g} s") from None
        except httpx.HTTPError as error:
            raise ConnectionError(f"the cluster at {self.binding.url} can't be reached: {error}") from error

    def _token(self) -> str:
        try:
            return self.binding.token_file.read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            raise ApiRefusal(f"the cluster's token in {self.binding.token_file} can't be read: {error}; nothing was changed") from error

    def _expect_success(self, method: str, path: str, answer: httpx.Response) -> None:
        if answer.is_success:
            return
        text = f"the cluster at {self.binding.url} answers {answer.status_code} to {method} {path}: {_said(answer)}"
        if answer.is_server_error:
            raise ConnectionError(text)  # it may have happened all the same
        hint = {401: "; give it a valid token", 403: "; allow the token to do this", 404: "; correct the bindings"}
        raise ApiRefusal(text + hint.get(answer.status_code, ""))


def annotation_of(block: str) -> str:
    """The annotation that carries a block's order."""
    return f"{ANNOTATION}.{block}"


def _compare(path: str, found: Mapping[str, Any], block: str, order: Order) -> None:
    annotations = found.get("metadata", {}).get("annotations") or {}
    for name, text in annotations.items():
        if not name.startswith(ANNOTATION):
            continue
        try:
            seen = Order.from_text(text)
        except ValueError as error:
            raise ApiRefusal(f"{path}: annotation {name} can't be read: {error}; nothing was changed") from error
        later = (seen.era, seen.epoch, seen.term) > (order.era, order.epoch, order.term)
        if later or (name == annotation_of(block) and seen > order):
            raise HigherOrder(path, seen, order)


def _said(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:200]


def _object(path: str, answer: httpx.Response) -> dict[str, Any]:
    try:
        value = answer.json()
        value["metadata"]["resourceVersion"]
    except (ValueError, KeyError, TypeError) as error:
        raise ApiRefusal(f"{path}: the cluster's answer is no Kubernetes object") from error
    return dict(value)
