"""One bucket behind an S3-compatible endpoint: boto3 in threads of its own, short time-outs, and no retries of its own.

Rules: silence is TimeoutError, a broken connection or a server's fault ConnectionError, a *no* of the storage `StorageRefusal`. A
call that is no longer waited for ends by its own time-outs, in its own pool, and holds nobody else up. The environment's proxies and
credentials are not used. Never here: deleting anything.
"""

import asyncio
import base64
import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import Lock
from typing import Any, TypeVar

from holdfast.plan.bindings import BucketBinding

WRITER_KEY = "holdfast/writer.json"
REPLICATION_KEY = "holdfast/replication.json"
MARKER_PREFIX = "holdfast/marker/"
OWN_PREFIX = "holdfast/"
"""What Holdfast itself keeps in a bucket."""
PAGE_OBJECTS = 1000
_THREADS = 8
_SERVER_FAULT = 500
_T = TypeVar("_T")
_making_client = Lock()
"""A session is not to be used by two threads at once; clients are."""


@functools.cache
def _session() -> Any:
    """One for all clients: reading botocore's description of S3 takes a good part of a second."""
    import boto3

    return boto3.session.Session()


class StorageRefusal(Exception):
    """The storage answered, and the answer is no: nothing was changed."""


class SecretUnreadable(OSError, StorageRefusal):
    """The storage was not asked: the secret for it can't be read here. An act has done nothing; a look says nothing."""


class Changed(Exception):
    """The object is no longer the one that was read."""


@dataclass(frozen=True, slots=True)
class Retention:
    """An object lock: until then nobody can remove this version of the object, under COMPLIANCE not even who owns the bucket."""

    mode: str
    until_seconds: float
    legal_hold: bool = False


NOT_HELD = Retention("", 0.0)


@dataclass(frozen=True, slots=True)
class Stored:
    """One object as it was read. `metadata` keys are lower case; `version` is empty where the bucket keeps none."""

    body: bytes
    etag: str
    metadata: Mapping[str, str]
    modified_seconds: float
    version: str = ""
    retention: Retention = NOT_HELD

    def json(self) -> dict[str, Any]:
        """The body as a JSON object. Raises StorageRefusal for anything else: such an object is not trusted, and not overwritten."""
        try:
            value = json.loads(self.body)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise StorageRefusal(f"an object of Holdfast's own is not JSON ({self.body[:40]!r}): look who wrote it, and restore it")
        return value


@dataclass(frozen=True, slots=True)
class Entry:
    """One object as a listing shows it."""

    etag: str
    size_bytes: int
    modified_seconds: float


class Bucket:
    """One bucket. Not for objects that don't fit into memory."""

    def __init__(self, binding: BucketBinding, *, timeout_seconds: float) -> None:
        self._binding = binding
        self._timeout_seconds = timeout_seconds
        self._client: Any = None
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="s3")

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        return f"bucket {self._binding.bucket} at {self._binding.endpoint}"

    def prepare(self) -> None:
        """Make the client now, beside whatever else happens, so that nobody waits for it in an incident. It asks the storage nothing.

        What goes wrong here goes wrong again, and is told, when the bucket is used.
        """
        self._threads.submit(self._connected)

    def close(self) -> None:
        """Let go of connections and threads. Calls in hand end by their time-outs."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._client is not None:
            self._client.close()

    async def get(self, key: str) -> Stored | None:
        """One object, or None when there is none."""
        return await self._call(self._get, key)

    async def get_with_lock(self, key: str) -> Stored | None:
        """One object, or None when there is none; its retention too where the storage tells that only to who asks for the head."""
        stored = await self._call(self._get, key)
        if stored is None or not stored.version or stored.retention is not NOT_HELD:
            return stored
        head = await self._call(self._head, key, stored.version)
        return stored if head is None else replace(stored, retention=head.retention)

    async def head(self, key: str) -> Stored | None:
        """One object without its body, or None when there is none."""
        return await self._call(self._head, key)

    async def put(self, key: str, body: bytes, metadata: Mapping[str, str] | None = None, retention: Retention = NOT_HELD) -> None:
        """Write an object; where the bucket keeps versions, a new one. A retention that has run out already is left out."""
        await self._call(self._put, key, body, dict(metadata or {}), _lock_arguments(body, retention))

    async def put_if_unchanged(self, key: str, body: bytes, metadata: Mapping[str, str], seen: Stored | None) -> None:
        """Write an object on condition that it is still as it was read (`None`: not there). Raises Changed."""
        condition = {"IfNoneMatch": "*"} if seen is None else {"IfMatch": seen.etag}
        await self._call(self._put, key, body, dict(metadata), condition)

    async def keeps_versions(self) -> bool:
        """Whether what is overwritten stays as an older version."""
        return await self._call(self._keeps_versions)

    async def takes_locks(self) -> bool:
        """Whether an object can be kept under a retention here."""
        return await self._call(self._takes_locks)

    async def etags(self) -> dict[str, str]:
        """Key → ETag of every object."""
        return {key: entry.etag for key, entry in (await self.entries()).items()}

    async def entries(self, limit: int | None = None) -> dict[str, Entry]:
        """Key → what the listing says of every object, or of the first `limit`."""
        return await self._call(self._entries, limit)

    async def deleted(self) -> dict[str, str]:
        """Key → newest real version of every object that a deletion hides."""
        return await self._call(self._deleted)

    async def put_version_again(self, key: str, version: str) -> None:
        """Write an older version as the newest one."""
        await self._call(self._put_version_again, key, version)

    async def _call(self, work: Callable[..., _T], *arguments: Any) -> _T:
        from botocore import exceptions

        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, functools.partial(work, *arguments))
        except (exceptions.ConnectTimeoutError, exceptions.ReadTimeoutError):
            raise TimeoutError(f"{self.place} did not answer within {self._timeout_seconds:g} s") from None
        except exceptions.ClientError as error:
            raise self._worded(error) from error
        except exceptions.BotoCoreError as error:
            raise ConnectionError(f"{self.place} can't be reached: {error}") from error

    def _worded(self, error: Any) -> Exception:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code = error.response.get("Error", {}).get("Code", "")
        if status in (409, 412):
            return Changed(f"{self.place}: the object was changed in between")
        if status >= _SERVER_FAULT:
            return ConnectionError(f"{self.place} answers {status} {code}: it may or may not have happened")
        return StorageRefusal(f"{self.place} answers {status} {code}: correct the bindings, or allow the key to do this")

    def _connected(self) -> Any:
        with _making_client:
            if self._client is None:
                self._client = self._made()
            return self._client

    def _made(self) -> Any:
        from botocore.config import Config

        try:
            secret = self._binding.secret_key_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SecretUnreadable(f"the secret key in {self._binding.secret_key_file} can't be read: {error.strerror}") from error
        return _session().client(
            "s3",
            endpoint_url=self._binding.endpoint,
            aws_access_key_id=self._binding.access_key,
            aws_secret_access_key=secret,
            region_name=self._binding.region,
            config=Config(
                connect_timeout=self._timeout_seconds,
                read_timeout=self._timeout_seconds,
                retries={"total_max_attempts": 1},
                proxies={},
                max_pool_connections=_THREADS,
                s3={"addressing_style": "path"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def _get(self, key: str) -> Stored | None:
        client = self._connected()
        try:
            answer = client.get_object(Bucket=self._binding.bucket, Key=key)
        except client.exceptions.NoSuchKey:
            return None
        return _stored(answer["Body"].read(), answer)

    def _head(self, key: str, version: str = "") -> Stored | None:
        client = self._connected()
        of_version = {"VersionId": version} if version else {}
        try:
            answer = client.head_object(Bucket=self._binding.bucket, Key=key, **of_version)
        except client.exceptions.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return None
            raise
        return _stored(b"", answer)

    def _put(self, key: str, body: bytes, metadata: dict[str, str], further: dict[str, Any]) -> None:
        self._connected().put_object(Bucket=self._binding.bucket, Key=key, Body=body, Metadata=metadata, **further)

    def _takes_locks(self) -> bool:
        client = self._connected()
        try:
            answer = client.get_object_lock_configuration(Bucket=self._binding.bucket)
        except client.exceptions.ClientError as error:
            if error.response["Error"].get("Code") == "ObjectLockConfigurationNotFoundError":
                return False
            raise
        return bool(answer.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled")

    def _keeps_versions(self) -> bool:
        return bool(self._connected().get_bucket_versioning(Bucket=self._binding.bucket).get("Status") == "Enabled")

    def _entries(self, limit: int | None) -> dict[str, Entry]:
        found: dict[str, Entry] = {}
        for page in (
            self._connected()
            .get_paginator("list_objects_v2")
            .paginate(Bucket=self._binding.bucket, PaginationConfig={"PageSize": PAGE_OBJECTS})
        ):
            for entry in page.get("Contents", ()):
                if limit is not None and len(found) >= limit:
                    return found
                found[entry["Key"]] = Entry(entry["ETag"], entry["Size"], entry["LastModified"].timestamp())
        return found

    def _deleted(self) -> dict[str, str]:
        hidden: set[str] = set()
        newest: dict[str, tuple[float, str]] = {}
        for page in self._connected().get_paginator("list_object_versions").paginate(Bucket=self._binding.bucket):
            hidden |= {marker["Key"] for marker in page.get("DeleteMarkers", ()) if marker["IsLatest"]}
            for entry in page.get("Versions", ()):
                found = (entry["LastModified"].timestamp(), entry["VersionId"])
                if entry["Key"] not in newest or found[0] > newest[entry["Key"]][0]:
                    newest[entry["Key"]] = found
        return {key: newest[key][1] for key in hidden if key in newest}

    def _put_version_again(self, key: str, version: str) -> None:
        client = self._connected()
        found = client.get_object(Bucket=self._binding.bucket, Key=key, VersionId=version)
        stored = _stored(found["Body"].read(), found)
        self._put(key, stored.body, dict(stored.metadata), _lock_arguments(stored.body, stored.retention))


def _stored(body: bytes, answer: Mapping[str, Any]) -> Stored:
    retention, until = NOT_HELD, answer.get("ObjectLockRetainUntilDate")
    held = answer.get("ObjectLockLegalHoldStatus") == "ON"
    if until is not None or held:
        retention = Retention(answer.get("ObjectLockMode", ""), until.timestamp() if until is not None else 0.0, held)
    version = answer.get("VersionId", "")
    return Stored(body, answer["ETag"], answer.get("Metadata", {}), answer["LastModified"].timestamp(), version, retention)


def _lock_arguments(body: bytes, retention: Retention) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    if retention.mode and retention.until_seconds > datetime.now(UTC).timestamp():
        until = datetime.fromtimestamp(retention.until_seconds, UTC)
        arguments |= {"ObjectLockMode": retention.mode, "ObjectLockRetainUntilDate": until}
    if retention.legal_hold:
        arguments["ObjectLockLegalHoldStatus"] = "ON"
    if arguments:  # S3 takes a lock only with a proof that the content arrived whole
        arguments["ContentMD5"] = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode("ascii")
    return arguments
