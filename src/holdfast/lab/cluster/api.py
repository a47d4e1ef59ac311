"""The API of the lab's cluster: routes, tokens, conflicts, patches. What runs is the business of `deployment`.

Every write goes through `_store`: checked whole, compared with the resource version that the caller named, then made visible at once.
"""

import copy
import hmac
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote

from holdfast.lab.application.web import Call, Reply
from holdfast.lab.cluster.objects import (
    ApiError,
    Object,
    check_config_map,
    check_deployment,
    check_service,
    list_of,
    merge_patch,
    scale_of,
    strategic_patch,
)

_PATCHES: dict[str, Callable[[Any, Any], Any]] = {
    "application/merge-patch+json": merge_patch,
    "application/strategic-merge-patch+json": strategic_patch,
}
_OPEN_PATHS = ("/version", "/readyz", "/livez", "/healthz")
_VERSION = {"major": "1", "minor": "29", "gitVersion": "v1.29.0+holdfast-lab", "platform": "linux/amd64"}
_VERBS = ["get", "list", "patch", "update"]
_RESOURCES = {
    "/api/v1": [("configmaps", "ConfigMap"), ("services", "Service"), ("pods", "Pod"), ("pods/proxy", "PodProxyOptions")],
    "/apis/apps/v1": [("deployments", "Deployment"), ("deployments/scale", "Scale")],
}
_KINDS = {
    "deployments": ("Deployment", "apps/v1"),
    "configmaps": ("ConfigMap", "v1"),
    "services": ("Service", "v1"),
    "pods": ("Pod", "v1"),
}
_CHECKS = {"deployments": check_deployment, "configmaps": check_config_map, "services": check_service}


@dataclass(frozen=True, slots=True)
class Workings:
    """What stands behind the API."""

    pods: Callable[[], dict[str, Object]]
    changed: Callable[[str, Object], None]
    """Called after each stored write, with the collection and the object."""
    created: Callable[[Object], None]
    """Called with a new Deployment before it is stored. Raises ApiError for one that can't run here."""
    deleted: Callable[[Object], None]
    ask: Callable[[str, int, Call, str], Awaitable[Reply]]
    """Pod, port, request and the path there → what the Pod answers."""


class Api:
    """Answers requests about one namespace."""

    def __init__(self, token: str, namespace: str, collections: Mapping[str, dict[str, Object]], workings: Workings) -> None:
        self._token = token
        self._namespace = namespace
        self._collections = collections
        self._workings = workings
        self._version = 0
        for objects in collections.values():
            for stored in objects.values():
                self.touch(stored)

    def touch(self, stored: Object) -> None:
        """The object changed: it gets a resource version of its own."""
        self._version += 1
        stored["metadata"]["resourceVersion"] = str(self._version)

    async def answer(self, call: Call) -> Reply:
        """One request."""
        try:
            reply = self._answer(call)
            return reply if isinstance(reply, Reply) else await reply
        except ApiError as error:
            return Reply(error.code, error.as_status())

    def _answer(self, call: Call) -> Reply | Awaitable[Reply]:
        if call.path in _OPEN_PATHS:
            return Reply(200, _VERSION if call.path == "/version" else "ok")
        shown = call.headers.get("authorization", "")
        if not hmac.compare_digest(shown.encode(), f"Bearer {self._token}".encode()):
            raise ApiError(401, "Unauthorized", "Unauthorized")
        if discovered := _discovery(call.path):
            return Reply(200, discovered)
        return self._route(call)

    def _route(self, call: Call) -> Reply | Awaitable[Reply]:
        parts = [unquote(part) for part in call.path.strip("/").split("/")]
        prefix = 2 if parts[0] == "api" else 3
        group, rest = "/" + "/".join(parts[:prefix]), parts[prefix:]
        if group not in _RESOURCES or len(rest) < 3 or rest[0] != "namespaces":
            raise ApiError(404, "NotFound", f"the lab's cluster does not serve {call.path}")
        if rest[1] != self._namespace:
            raise ApiError(404, "NotFound", f'namespaces "{rest[1]}" not found; the lab has "{self._namespace}"')
        collection, names = rest[2], rest[3:]
        if collection == "pods" and names[1:2] == ["proxy"]:
            return self._proxy(call, names[0], "/" + "/".join(names[2:]))
        if collection not in {resource for resource, _ in _RESOURCES[group]} or len(names) > 2:
            raise ApiError(404, "NotFound", f"the lab's cluster does not serve {call.path}")
        objects = self._workings.pods() if collection == "pods" else self._collections[collection]
        query = parse_qs(call.query)
        if not names:
            if (call.method, collection) == ("POST", "deployments"):
                return self._create(call, objects)
            return self._list(call, collection, objects, query)
        if names[0] not in objects:
            raise ApiError(404, "NotFound", f'{collection} "{names[0]}" not found')
        stored = objects[names[0]]
        if names[1:] == ["scale"] and collection == "deployments":
            return self._scale(call, stored, query)
        if names[1:] not in ([], ["status"]):
            raise ApiError(404, "NotFound", f"the lab's cluster does not serve {call.path}")
        if call.method == "GET":
            return Reply(200, stored)
        if (call.method, collection, names[1:]) == ("DELETE", "deployments", []):
            self._workings.deleted(objects.pop(names[0]))
            return Reply(200, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"})
        if names[1:] or collection == "pods":
            raise ApiError(405, "MethodNotAllowed", f"{call.method} is not served for {call.path}")
        return Reply(200, self._store(collection, stored, self._changed_object(call, stored), query))

    def _list(self, call: Call, collection: str, objects: dict[str, Object], query: dict[str, list[str]]) -> Reply:
        if call.method != "GET":
            raise ApiError(405, "MethodNotAllowed", f"{call.method} is not served for {call.path}: only Deployments are made")
        labels = _pairs(query.get("labelSelector", []))
        fields = _pairs(query.get("fieldSelector", []))
        found = [
            stored
            for stored in objects.values()
            if labels.items() <= stored["metadata"].get("labels", {}).items()
            and all(name.startswith("metadata.") and stored["metadata"].get(name[9:]) == value for name, value in fields.items())
        ]
        kind, api_version = _KINDS[collection]
        return Reply(200, list_of(kind, api_version, self._version, found))

    def _scale(self, call: Call, stored: Object, query: dict[str, list[str]]) -> Reply:
        if call.method == "GET":
            return Reply(200, scale_of(stored))
        wanted = self._changed_object(call, scale_of(stored))
        changed = copy.deepcopy(stored)
        changed["spec"]["replicas"] = wanted.get("spec", {}).get("replicas", 0)
        changed["metadata"]["resourceVersion"] = wanted.get("metadata", {}).get("resourceVersion")
        return Reply(200, scale_of(self._store("deployments", stored, changed, query)))

    async def _proxy(self, call: Call, named: str, path: str) -> Reply:
        pod, _, port = named.partition(":")
        if pod not in self._workings.pods():
            raise ApiError(404, "NotFound", f'pods "{pod}" not found')
        return await self._workings.ask(pod, int(port) if port.isdigit() else 80, call, path)

    def _create(self, call: Call, objects: dict[str, Object]) -> Reply:
        body = _body(call)
        metadata = body.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else None
        if not isinstance(metadata, dict) or not isinstance(name, str) or not isinstance(body.get("spec"), dict):
            raise ApiError(422, "Invalid", "metadata.name, spec: a Deployment needs both")
        if name in objects:
            raise ApiError(409, "AlreadyExists", f'deployments.apps "{name}" already exists')
        created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        server = {"namespace": self._namespace, "uid": str(uuid.uuid4()), "creationTimestamp": created, "generation": 1}
        made: Object = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"annotations": {}, **metadata, **server},
            "spec": copy.deepcopy(body["spec"]),
            "status": {},
        }
        check_deployment(made, made)
        self._workings.created(made)
        objects[name] = made
        self.touch(made)
        return Reply(201, made)

    def _changed_object(self, call: Call, stored: Object) -> Object:
        body = _body(call)
        if call.method == "PUT":
            return body
        if call.method != "PATCH":
            raise ApiError(405, "MethodNotAllowed", f"{call.method} is not served for {call.path}")
        kind = call.headers.get("content-type", "").partition(";")[0].strip()
        if kind not in _PATCHES:
            raise ApiError(415, "UnsupportedMediaType", f"{kind!r} is not served; use one of {', '.join(_PATCHES)}")
        changed: Object = _PATCHES[kind](stored, body)
        return changed

    def _store(self, collection: str, stored: Object, changed: Object, query: dict[str, list[str]]) -> Object:
        if not isinstance(changed.get("metadata", {}), dict):
            raise ApiError(422, "Invalid", "metadata: must be an object")
        named = changed.get("metadata", {}).get("resourceVersion")
        name = stored["metadata"]["name"]
        if named is not None and named != stored["metadata"]["resourceVersion"]:
            told = f'Operation cannot be fulfilled on {collection} "{name}": the object has been modified; read it again and change that'
            raise ApiError(409, "Conflict", told)
        result = copy.deepcopy(stored)
        for field in ("spec", "data"):
            if field in stored:
                result[field] = copy.deepcopy(changed.get(field, {}))
        identity = {field: stored["metadata"][field] for field in ("name", "namespace")}
        # A PUT may leave out what its path says; naming another is refused by the check.
        result["metadata"] = {**identity, **copy.deepcopy(changed.get("metadata") or {}), **_server_fields(stored)}
        _CHECKS[collection](result, stored)
        if result.get("spec") != stored.get("spec") and "generation" in stored["metadata"]:
            result["metadata"]["generation"] = stored["metadata"]["generation"] + 1
        if query.get("dryRun") == ["All"] or result == stored:
            return result
        stored.clear()
        stored.update(result)
        self.touch(stored)
        self._workings.changed(collection, stored)
        return stored


def _body(call: Call) -> dict[str, Any]:
    try:
        body = json.loads(call.body)
    except ValueError as error:
        raise ApiError(400, "BadRequest", f"the body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise ApiError(400, "BadRequest", "the body must be an object")
    return body


def _server_fields(stored: Object) -> Object:
    owned = ("uid", "creationTimestamp", "resourceVersion", "generation")
    return {name: stored["metadata"][name] for name in owned if name in stored["metadata"]}


def _pairs(selectors: list[str]) -> dict[str, str]:
    terms = [term for selector in selectors for term in selector.split(",") if term]
    return {name: value for name, _, value in (term.replace("==", "=").partition("=") for term in terms)}


def _discovery(path: str) -> Object | None:
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        version = {"groupVersion": "apps/v1", "version": "v1"}
        return {
            "kind": "APIGroupList",
            "apiVersion": "v1",
            "groups": [{"name": "apps", "versions": [version], "preferredVersion": version}],
        }
    if path in _RESOURCES:
        resources = [
            {"name": name, "singularName": "", "namespaced": True, "kind": kind, "verbs": _VERBS} for name, kind in _RESOURCES[path]
        ]
        return {
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": path.removeprefix("/apis/").removeprefix("/api/"),
            "resources": resources,
        }
    return None
