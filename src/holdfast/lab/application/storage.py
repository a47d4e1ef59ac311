"""The application's use of the bucket: signed S3 requests over one small HTTP client.

boto3 blocks and costs several milliseconds a request; botocore's own signer over plain streams is enough for two verbs.
Who the writer is stands in the bucket itself (`holdfast/writer.json`) and is remembered for up to a second, so a bucket's mark
may be that much behind: buckets are reconciled, their writer is not fenced.
"""

import base64
import hashlib
import json
import time
from datetime import UTC, datetime

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from holdfast.lab.application.outcomes import ANSWER_SECONDS, CONNECT_SECONDS, RefusedError, UnknownError, Written
from holdfast.lab.application.settings import Settings
from holdfast.providers.http.client import Connection, Response

_WRITER_KEY = "holdfast/writer.json"
_REMEMBER_SECONDS = 1.0
_IDLE_LIMIT = 4


class Storage:
    """One bucket."""

    def __init__(self, settings: Settings) -> None:
        self._host, self._port = settings.storage_host, settings.storage_port
        self._bucket = settings.bucket
        self._signer = SigV4Auth(Credentials(settings.access_key, settings.secret_key), "s3", settings.storage_region)
        self._idle: list[Connection] = []
        self._closed = False
        self._retention_seconds = settings.storage_retention_seconds
        self._writer: tuple[float, str, int] | None = None

    async def write(self, key: str, content: bytes) -> Written:
        """Store an object. Raises RefusedError or UnknownError."""
        region, epoch = await self._who_writes()
        written_seconds = time.time()
        marks = {"x-amz-meta-region": region, "x-amz-meta-epoch": str(epoch), "x-amz-meta-written": f"{written_seconds:.6f}"}
        answer = await self._request("PUT", key, content, marks | self._lock(content, written_seconds))
        if answer.status >= 500:
            raise UnknownError(f"storage: status {answer.status} for PUT {key}")
        if answer.status != 200:
            raise RefusedError(f"storage: status {answer.status} for PUT {key}")
        return Written(key, region, epoch, written_seconds)

    def _lock(self, content: bytes, now_seconds: float) -> dict[str, str]:
        """What holds an object against removal, by anybody, until its retention ends; S3 wants the content's digest with it."""
        if not self._retention_seconds:
            return {}
        until = datetime.fromtimestamp(now_seconds + self._retention_seconds, UTC)
        return {
            "x-amz-object-lock-mode": "COMPLIANCE",
            "x-amz-object-lock-retain-until-date": until.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "content-md5": base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode("ascii"),
        }

    async def _who_writes(self) -> tuple[str, int]:
        now = time.monotonic()
        if self._writer is None or now - self._writer[0] > _REMEMBER_SECONDS:
            try:
                answer = await self._request("GET", _WRITER_KEY, b"", {})
            except UnknownError as error:
                raise RefusedError(f"storage: who writes is not known: {error}") from error
            if answer.status != 200:
                raise RefusedError(f"storage: {_WRITER_KEY} is missing from {self._bucket} (status {answer.status}), so nobody may write")
            mark = json.loads(answer.body)
            self._writer = (now, str(mark["region"]), int(mark["epoch"]))
        return self._writer[1], self._writer[2]

    async def _request(self, method: str, key: str, body: bytes, headers: dict[str, str]) -> Response:
        path = f"/{self._bucket}/{key}"
        host = f"{self._host}:{self._port}"
        signed = AWSRequest(method=method, url=f"http://{host}{path}", data=body, headers=dict(headers))
        signed.headers["X-Amz-Content-SHA256"] = hashlib.sha256(body).hexdigest()
        self._signer.add_auth(signed)
        connection = await self._connection()
        try:
            answer = await connection.exchange(
                method, path, host_header=host, timeout_seconds=ANSWER_SECONDS, body=body, headers=dict(signed.headers.items())
            )
        except (TimeoutError, ConnectionError) as error:
            raise UnknownError(f"storage: {error}") from error
        if self._closed or not connection.reusable or len(self._idle) >= _IDLE_LIMIT:
            connection.drop()
        else:
            self._idle.append(connection)
        return answer

    async def _connection(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable:
                return connection
            connection.drop()
        try:
            return await Connection.open(self._host, self._port, timeout_seconds=CONNECT_SECONDS)
        except (TimeoutError, ConnectionError) as error:
            raise RefusedError(f"storage: {error}") from error

    def close(self) -> None:
        """No connection stays."""
        self._closed = True
        while self._idle:
            self._idle.pop().drop()
