"""Kubernetes objects as plain JSON values, and the two ways of patching them. Pure.

Only what the lab's cluster serves: apps/v1 Deployments, autoscaling/v1 Scales, v1 ConfigMaps, v1 Services, v1 Pods to look at, and Status
for refusals. The lab's manifests are those of a company that prepared for a second set of instances: the label `holdfast/set` stands
in each Deployment's selector and template, and in each Service's selector.
"""

import copy
from collections.abc import Iterable, Mapping
from typing import Any

Object = dict[str, Any]

_MERGE_KEYS = {"containers": "name", "env": "name", "ports": "containerPort", "volumes": "name", "initContainers": "name"}
"""Lists that a strategic patch merges element by element, and the field that tells elements apart; all others are replaced."""


class ApiError(Exception):
    """A refusal in the API's own words."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason

    def as_status(self) -> Object:
        """The Status object that stands in the answer."""
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": str(self),
            "reason": self.reason,
            "code": self.code,
        }


def merge_patch(value: Any, patch: Any) -> Any:
    """RFC 7386: objects are merged, null removes, everything else replaces."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(value) if isinstance(value, dict) else {}
    for key, change in patch.items():
        if change is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), change)
    return result


def strategic_patch(value: Any, patch: Any, key: str = "") -> Any:
    """As a merge patch, but lists with a merge key are merged by it; `$patch: delete` removes an element."""
    if isinstance(patch, list) and key in _MERGE_KEYS and isinstance(value, list):
        return _merge_list(value, patch, _MERGE_KEYS[key])
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(value) if isinstance(value, dict) else {}
    for name, change in patch.items():
        if change is None:
            result.pop(name, None)
        else:
            result[name] = strategic_patch(result.get(name), change, name)
    return result


def _merge_list(value: list[Any], patch: list[Any], merge_key: str) -> list[Any]:
    result = list(value)
    for change in patch:
        if not isinstance(change, dict) or merge_key not in change:
            raise ApiError(400, "BadRequest", f"each element of the list must be an object with the merge key {merge_key!r}")
        places = [place for place, element in enumerate(result) if element.get(merge_key) == change[merge_key]]
        if change.get("$patch") == "delete":
            result = [element for place, element in enumerate(result) if place not in places]
        elif places:
            result[places[0]] = strategic_patch(result[places[0]], change)
        else:
            result.append(copy.deepcopy(change))
    return result


def new_deployment(name: str, namespace: str, uid: str, created: str, image: str, replicas: int) -> Object:
    """A Deployment with one container named like itself."""
    labels = {"app": name, "holdfast/set": "first"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": uid,
            "creationTimestamp": created,
            "generation": 1,
            "labels": labels,
            "annotations": {},
        },
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": name, "image": image}]}},
        },
        "status": {},
    }


def new_config_map(name: str, namespace: str, uid: str, created: str, data: Mapping[str, str]) -> Object:
    """A ConfigMap."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, "uid": uid, "creationTimestamp": created, "annotations": {}},
        "data": dict(data),
    }


def new_service(name: str, namespace: str, uid: str, created: str, selector: Mapping[str, str]) -> Object:
    """A Service in front of the Pods that carry these labels."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace, "uid": uid, "creationTimestamp": created, "annotations": {}},
        "spec": {"type": "ClusterIP", "selector": dict(selector), "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
    }


def labels_of(deployment: Object) -> dict[str, str]:
    """The labels of a Deployment's Pods."""
    labels: dict[str, str] = deployment["spec"]["template"]["metadata"]["labels"]
    return labels


def scale_of(deployment: Object) -> Object:
    """The Scale view of a Deployment."""
    metadata = deployment["metadata"]
    shown = {key: metadata[key] for key in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")}
    selector = ",".join(f"{key}={value}" for key, value in deployment["spec"]["selector"]["matchLabels"].items())
    return {
        "apiVersion": "autoscaling/v1",
        "kind": "Scale",
        "metadata": shown,
        "spec": {"replicas": deployment["spec"]["replicas"]},
        "status": {"replicas": deployment["status"].get("replicas", 0), "selector": selector},
    }


def list_of(kind: str, api_version: str, resource_version: int, items: Iterable[Object]) -> Object:
    """A list object."""
    return {"apiVersion": api_version, "kind": f"{kind}List", "metadata": {"resourceVersion": str(resource_version)}, "items": list(items)}


def check_deployment(changed: Object, before: Object) -> None:
    """What the lab's cluster cannot run is refused whole. Raises ApiError."""
    _check_identity(changed, before)
    spec = changed.get("spec", {})
    replicas = spec.get("replicas")
    if type(replicas) is not int or replicas < 0:
        raise ApiError(422, "Invalid", f"spec.replicas: must be a whole number of at least 0, not {replicas!r}")
    if spec.get("selector") != before["spec"]["selector"]:
        raise ApiError(422, "Invalid", "spec.selector: the field is immutable")
    labels = spec.get("template", {}).get("metadata", {}).get("labels")
    selected = (spec.get("selector") or {}).get("matchLabels")
    if not _are_texts(labels) or not _are_texts(selected) or not selected or not selected.items() <= labels.items():
        raise ApiError(422, "Invalid", "spec.template.metadata.labels: `selector` does not match template `labels`")
    try:
        containers = spec["template"]["spec"]["containers"]
        images = [container["image"] for container in containers]
    except (KeyError, TypeError):
        raise ApiError(422, "Invalid", "spec.template.spec.containers: each needs a name and an image") from None
    if len(images) != 1 or not isinstance(images[0], str) or not image_version(images[0]):
        raise ApiError(422, "Invalid", f"spec.template.spec.containers: the lab runs one container with a tagged image, not {images!r}")


def check_config_map(changed: Object, before: Object) -> None:
    """ConfigMaps hold text only. Raises ApiError."""
    _check_identity(changed, before)
    if not _are_texts(changed.get("data", {})):
        raise ApiError(422, "Invalid", "data: must be an object of texts")


def check_service(changed: Object, before: Object) -> None:
    """What no Service can be is refused whole. Raises ApiError."""
    _check_identity(changed, before)
    spec = changed.get("spec", {})
    if not _are_texts(spec.get("selector")) or not spec["selector"]:
        raise ApiError(422, "Invalid", "spec.selector: the lab's Services select by labels, an object of texts")
    if spec.get("ports") != before["spec"]["ports"]:
        raise ApiError(422, "Invalid", "spec.ports: the lab's Services keep their one port")


def _are_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def _check_identity(changed: Object, before: Object) -> None:
    metadata = changed.get("metadata")
    if not isinstance(metadata, dict):
        raise ApiError(422, "Invalid", "metadata: must be an object")
    for field in ("name", "namespace"):
        if metadata.get(field) != before["metadata"][field]:
            raise ApiError(422, "Invalid", f"metadata.{field}: cannot be changed")
    for field in ("labels", "annotations"):
        if not _are_texts(metadata.get(field, {})):
            raise ApiError(422, "Invalid", f"metadata.{field}: must be an object of texts")


def image_of(deployment: Object) -> str:
    """The image of the Deployment's one container."""
    return str(deployment["spec"]["template"]["spec"]["containers"][0]["image"])


def image_version(image: str) -> str:
    """The tag of an image; empty when it has none."""
    name, colon, tag = image.rpartition(":")
    return tag if colon and name and "/" not in tag else ""


def image_repository(image: str) -> str:
    """An image without its tag."""
    tag = image_version(image)
    return image.removesuffix(f":{tag}") if tag else image
