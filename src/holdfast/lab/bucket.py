"""A bucket of the lab over plain HTTP: what its copier and its supervisor need of S3, and no more.

The storage accepts any signature (see `storage`), so the header only says who is asking. Errors are OSError: no answer in time, no
connection, or an answer that is not the one wanted.
"""

import http.client
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

TIMEOUT_SECONDS = 2.0
LIST_TIMEOUT_SECONDS = 15.0
"""A busy storage needs seconds to list a thousand keys; whoever gives up and asks again keeps it busy for ever."""
_NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"
_COPIED_HEADERS = ("content-type", "content-encoding", "cache-control")


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

    def make(self) -> None:
        """Create the bucket."""
        body = f"<CreateBucketConfiguration><LocationConstraint>{self.region}</LocationConstraint></CreateBucketConfiguration>"
        self._request("PUT", f"/{self.name}", body.encode(), {})

    def get(self, key: str) -> StoredObject | None:
        """An object, or None when there is none of that name."""
        status, headers, content = self._exchange("GET", self._path(key), b"", {})
        if status == 404:
            return None
        if status != 200:
            raise OSError(f"the storage at {self.host}:{self.port} answered {status} for {key}")
        own = {name: value for name, value in headers.items() if name in _COPIED_HEADERS or name.startswith("x-amz-meta-")}
        return StoredObject(content, own)

    def put(self, key: str, stored: StoredObject) -> None:
        """Write an object."""
        self._request("PUT", self._path(key), stored.content, stored.headers)

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
        credential = f"Credential=lab/20240101/{self.region}/s3/aws4_request, SignedHeaders=host, Signature=0"
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout_seconds)
        try:
            connection.request(method, path, body or None, {**headers, "Authorization": f"AWS4-HMAC-SHA256 {credential}"})
            answer = connection.getresponse()
            content = answer.read()
        except http.client.HTTPException as error:
            raise OSError(f"the storage at {self.host}:{self.port} broke off: {error!r}") from error
        finally:
            connection.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content
