"""One cluster's API: reading objects, and changing them only as long as they are what was read.

Orders are compared where the effect happens: every change carries the object's resourceVersion (the API answers 409 when somebody was
faster, and the object is read and compared again) and writes the order obeyed into an annotation, in the same request. Blocks
that change the same object at the same time (scale and deploy) carry orders of the same activation but different steps, so each has an
annotation of its own: a block refuses a higher order of its own, and any order of a later epoch or controller.
Rules: silence is TimeoutError, a broken connection ConnectionError, a *no* of the API `ApiRefusal`. The environment's proxies are not used.
Never here: deleting anything.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self

import httpx

from holdfast.fencing.order import Order
from holdfast.plan.bindings import ClusterBinding

ANNOTATION = "holdfast/order"
_ROUNDS = 20  # a roll-out changes its Deployment at each instance that comes or goes
_NOT_FOUND, _CONFLICT = 404, 409
_CONTENT = {"PATCH": "application/merge-patch+json", "PUT": "application/json", "POST": "application/json"}

Patch = dict[str, Any]
Found = Mapping[str, Any]


class ApiRefusal(Exception):
    """The API answered, and the answer is no: nothing was changed."""


class AlreadyThere(ApiRefusal):
    """An object of this name was made meanwhile."""


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

    # -- where things stand -----------------------------------------------------------------------------------------------

    def deployment_name(self, function: str) -> str:
        """A function's Deployment as the bindings name it. Raises ApiRefusal for a function that they don't know."""
        name = self.binding.deployments.get(function)
        if name is None:
            raise ApiRefusal(f"the bindings name no Deployment for {function} in {self.binding.url}; nothing was changed")
        return name

    def deployment_path(self, name: str) -> str:
        """Where a Deployment of this name stands; without a name, where all stand."""
        return f"/apis/apps/v1/namespaces/{self.binding.namespace}/deployments/{name}".rstrip("/")

    def service_path(self, function: str) -> str:
        """Where a function's Service stands. Raises ApiRefusal where the bindings name none."""
        name = self.binding.services.get(function)
        if name is None:
            raise ApiRefusal(
                f"the bindings name no Service for {function} in {self.binding.url}: add it to `services`; nothing was changed"
            )
        return f"{self._core()}/services/{name}"

    def settings_path(self) -> str:
        """Where the application's settings stand."""
        return f"{self._core()}/configmaps/{self.binding.settings_config_map}"

    def _core(self) -> str:
        return f"/api/v1/namespaces/{self.binding.namespace}"

    # -- reading ----------------------------------------------------------------------------------------------------------

    async def read(self, path: str) -> dict[str, Any]:
        """One object."""
        answer = await self._request("GET", path)
        self._expect_success("GET", path, answer)
        return _object(path, answer)

    async def read_if_there(self, path: str) -> dict[str, Any] | None:
        """One object, or None where there is none."""
        answer = await self._request("GET", path)
        if answer.status_code == _NOT_FOUND:
            return None
        self._expect_success("GET", path, answer)
        return _object(path, answer)

    async def pods(self, labels: Mapping[str, str]) -> list[dict[str, Any]]:
        """The Pods that carry these labels."""
        path = f"{self._core()}/pods"
        answer = await self._request("GET", path, query={"labelSelector": ",".join(f"{name}={value}" for name, value in labels.items())})
        self._expect_success("GET", path, answer)
        try:
            return list(answer.json()["items"])
        except (ValueError, KeyError, TypeError) as error:
            raise ApiRefusal(f"{path}: the cluster's answer is no list of Kubernetes objects") from error

    async def post_to_pod(self, name: str, port: int, path: str, body: Patch) -> httpx.Response:
        """What one Pod itself answers, through the API's proxy. A Pod that can't be reached is an answer of the API too: 502 or 503."""
        return await self._request("POST", f"{self._core()}/pods/{name}:{port}/proxy{path}", body)

    # -- changing ---------------------------------------------------------------------------------------------------------

    async def change(self, path: str, block: str, order: Order, patch_of: Callable[[Found], Patch]) -> dict[str, Any]:
        """Patch one object on condition that it is still as read. `patch_of` makes a merge patch from what was read."""

        def stamped(found: Found) -> Patch:
            metadata = {"resourceVersion": found["metadata"]["resourceVersion"], "annotations": {annotation_of(block): order.as_text()}}
            return {**patch_of(found), "metadata": metadata}

        return await self._conditionally("PATCH", path, block, order, stamped)

    async def replace(
        self, path: str, block: str, order: Order, annotations: Mapping[str, str], specification_of: Callable[[Found], Patch]
    ) -> dict[str, Any]:
        """Give one object another `spec`, whole, and these annotations besides its own, on condition that it is still as read."""

        def stamped(found: Found) -> Patch:
            noted = {**(found["metadata"].get("annotations") or {}), **annotations, annotation_of(block): order.as_text()}
            return {**found, "metadata": {**found["metadata"], "annotations": noted}, "spec": specification_of(found)}

        return await self._conditionally("PUT", path, block, order, stamped)

    async def create(self, path: str, wanted: Patch) -> dict[str, Any]:
        """Make one object in the collection at `path`. Raises AlreadyThere when one of its name exists."""
        answer = await self._request("POST", path, wanted)
        if answer.status_code == _CONFLICT:
            raise AlreadyThere(f"{path} has {wanted['metadata']['name']} already: {_said(answer)}")
        self._expect_success("POST", path, answer)
        return _object(path, answer)

    async def _conditionally(
        self, method: Literal["PATCH", "PUT"], path: str, block: str, order: Order, body_of: Callable[[Found], Patch]
    ) -> dict[str, Any]:
        for _ in range(_ROUNDS):
            found = await self.read(path)
            compare(path, found, block, order)
            answer = await self._request(method, path, body_of(found))
            if answer.status_code == _CONFLICT:
                continue
            self._expect_success(method, path, answer)
            return _object(path, answer)
        raise ApiRefusal(f"{path} changes faster than it can be changed: find out who else changes it, and stop one of the two")

    # -- the wire ---------------------------------------------------------------------------------------------------------

    async def _request(self, method: str, path: str, body: Patch | None = None, query: Mapping[str, str] | None = None) -> httpx.Response:
        headers = {"authorization": f"Bearer {self._token()}"}
        if body is not None:
            headers["content-type"] = _CONTENT[method]
        try:
            return await self._client.request(method, path, json=body, headers=headers, params=query)
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


async def all_of(work: Sequence[Any]) -> list[Any]:
    """Wait for every one of these to end, then return their results, or raise what matters most for what may be done next:
    a higher order before silence before a *no*."""
    results = await asyncio.gather(*work, return_exceptions=True)
    for kinds in (HigherOrder, (TimeoutError, ConnectionError), BaseException):
        for result in results:
            if isinstance(result, kinds):
                raise result
    return results


def annotation_of(block: str) -> str:
    """The annotation that carries a block's order."""
    return f"{ANNOTATION}.{block}"


def compare(path: str, found: Found, block: str, order: Order) -> None:
    """Raises HigherOrder when the object has obeyed a higher order."""
    annotations = found.get("metadata", {}).get("annotations") or {}
    for name, text in annotations.items():
        if not name.startswith(ANNOTATION):
            continue
        seen = _order(path, name, text)
        later = (seen.era, seen.epoch, seen.term) > (order.era, order.epoch, order.term)
        if later or (name == annotation_of(block) and seen > order):
            raise HigherOrder(path, seen, order)


def _order(path: str, name: str, text: str) -> Order:
    try:
        return Order.from_text(text)
    except ValueError as error:
        raise ApiRefusal(f"{path}: annotation {name} can't be read: {error}; nothing was changed") from error


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
