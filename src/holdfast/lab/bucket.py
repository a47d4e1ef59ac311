"""A bucket of the lab over plain HTTP: what its copier and its supervisor need of S3, and no more.

Requests are signed as S3 wants it. An object lock is read with its object and written with it. One connection is kept for the next
request: a storage that starts a thread for each spends more on that than on the object. For one thread. Errors are OSError: no answer in
time, no connection, or an answer that is not the one wanted.
"""

import base64
import hashlib
import http.client
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

TIMEOUT_SECONDS = 2.0
LIST_TIMEOUT_SECONDS = 15.0
"""A busy storage needs seconds to list a thousand keys; whoever gives up and asks again keeps it busy for ever."""
_NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"
_COPIED_HEADERS = ("content-type", "content-encoding", "cache-control")
_LOCK_PREFIX = "x-amz-object-lock-"
_LOCK_UNTIL = f"{_LOCK_PREFIX}retain-until-date"
_LOCK_MODE = f"{_LOCK_PREFIX}mode"
_MADE_BEFORE = 409


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object's content with the headers that belong to it."""

    content: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket at one address."""

    host: str
    port: int
    name: str
    region: str
    access_key: str = "lab"
    secret_key: str = field(default="lab", repr=False)
    _kept: list[http.client.HTTPConnection] = field(default_factory=list, repr=False, compare=False)

    def make(self) -> None:
        """Create the bucket, with versions and object lock; fine when it is there."""
        body = f"<CreateBucketConfiguration><LocationConstraint>{self.region}</LocationConstraint></CreateBucketConfiguration>"
        status, _, _ = self._exchange("PUT", f"/{self.name}", body.encode(), {"x-amz-bucket-object-lock-enabled": "true"})
        if status not in (200, _MADE_BEFORE):
            raise OSError(f"the storage at {self.host}:{self.port} answered {status} when bucket {self.name} was made")

    def get(self, key: str) -> StoredObject | None:
        """An object, or None when there is none of that name."""
        status, headers, content = self._exchange("GET", self._path(key), b"", {})
        if status == 404:
            return None
        if status != 200:
            raise OSError(f"the storage at {self.host}:{self.port} answered {status} for {key}")
        version = headers.get("x-amz-version-id", "")
        if version and _LOCK_MODE not in headers:  # the real server tells a lock only to who asks for the head
            status, head, _ = self._exchange("HEAD", f"{self._path(key)}?{urlencode({'versionId': version})}", b"", {})
            headers |= head if status == 200 else {}
        own = {name: value for name, value in headers.items() if name in _COPIED_HEADERS or name.startswith(("x-amz-meta-", _LOCK_PREFIX))}
        return StoredObject(content, own)

    def put(self, key: str, stored: StoredObject) -> None:
        """Write an object, under its lock if that still runs."""
        headers = dict(stored.headers)
        if _LOCK_UNTIL in headers and datetime.fromisoformat(headers[_LOCK_UNTIL]) <= datetime.now(UTC):
            headers = {name: value for name, value in headers.items() if not name.startswith(_LOCK_PREFIX)}
        if any(name.startswith(_LOCK_PREFIX) for name in headers):
            # S3 takes a lock only with a proof that the content arrived whole.
            headers["content-md5"] = base64.b64encode(hashlib.md5(stored.content, usedforsecurity=False).digest()).decode("ascii")
        self._request("PUT", self._path(key), stored.content, headers)

    def all_keys(self) -> Iterator[str]:
        """Every key, in order."""
        token: str | None = None
        while True:
            query = {"list-type": "2", "max-keys": "1000", **({"continuation-token": token} if token else {})}
            document = ElementTree.fromstring(self._request("GET", f"/{self.name}?{urlencode(query)}", b"", {}, LIST_TIMEOUT_SECONDS))  # noqa: S314  # the lab's own server
            yield from (key.text or "" for key in document.iter(f"{_NAMESPACE}Key"))
            following = document.find(f"{_NAMESPACE}NextContinuationToken")
            if following is None or not following.text:
                return
            token = following.text

    def changes(self, path: str, after: int) -> bytes:
        """What the storage says was written since."""
        return self._request("GET", f"{path}?after={after}", b"", {})

    def _path(self, key: str) -> str:
        return f"/{self.name}/{quote(key)}"

    def _request(self, method: str, path: str, body: bytes, headers: Mapping[str, str], timeout_seconds: float = TIMEOUT_SECONDS) -> bytes:
        status, _, content = self._exchange(method, path, body, headers, timeout_seconds)
        if status != 200:
            raise OSError(f"the storage at {self.host}:{self.port} answered {status} for {method} {path}")
        return content

    def _exchange(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], timeout_seconds: float = TIMEOUT_SECONDS
    ) -> tuple[int, dict[str, str], bytes]:
        signed = AWSRequest(method=method, url=f"http://{self.host}:{self.port}{path}", data=body or None, headers=dict(headers))
        signed.headers["X-Amz-Content-SHA256"] = hashlib.sha256(body).hexdigest()
        SigV4Auth(Credentials(self.access_key, self.secret_key), "s3", self.region).add_auth(signed)
        given = (method, path, body or None, dict(signed.headers.items()))
        if self._kept:
            try:
                return self._ask(self._kept.pop(), given, timeout_seconds)
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                pass  # It was closed while nothing was asked. Both verbs may be repeated.
        return self._ask(http.client.HTTPConnection(self.host, self.port), given, timeout_seconds)

    def _ask(
        self, connection: http.client.HTTPConnection, given: tuple[str, str, bytes | None, dict[str, str]], timeout_seconds: float
    ) -> tuple[int, dict[str, str], bytes]:
        connection.timeout = timeout_seconds
        if connection.sock is not None:
            connection.sock.settimeout(timeout_seconds)
        try:
            connection.request(*given)
            answer = connection.getresponse()
            content = answer.read()
        except BaseException as error:
            connection.close()
            if isinstance(error, http.client.HTTPException) and not isinstance(error, http.client.RemoteDisconnected):
                raise OSError(f"the storage at {self.host}:{self.port} broke off: {error!r}") from error
            raise
        if answer.will_close:
            connection.close()
        else:
            self._kept.append(connection)
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content
