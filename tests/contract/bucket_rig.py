"""Two regions' buckets on one S3 server of the lab."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from subprocess import Popen
from typing import Any

import boto3
from botocore.config import Config

from contract.action_suite import Ground, Opens
from contract.server_rig import ACCESS_KEY, CENTRAL, SECRET_KEY, WEST, freeze, thaw
from holdfast.plan.bindings import BucketBinding
from holdfast.ports.action import Task
from holdfast.providers.s3.bucket import REPLICATION_KEY, WRITER_KEY

NUMBERS = count(1)
SESSION = boto3.session.Session()


@dataclass
class Buckets:
    """Two regions' buckets (on one server: what tells them apart is their name)."""

    bindings: dict[str, BucketBinding]
    client: Any
    process: Popen[bytes]

    def put(self, region: str, key: str, body: bytes | dict[str, Any], /, **metadata: str) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.client.put_object(Bucket=self.bindings[region].bucket, Key=key, Body=content, Metadata=metadata)

    def read(self, region: str) -> dict[str, tuple[bytes, dict[str, str]]]:
        bucket = self.bindings[region].bucket
        found = {}
        for entry in self.client.list_objects_v2(Bucket=bucket).get("Contents", ()):
            answer = self.client.get_object(Bucket=bucket, Key=entry["Key"])
            found[entry["Key"]] = (answer["Body"].read(), answer["Metadata"])
        return found

    async def snapshot(self) -> Any:
        return {region: {k: v for k, v in self.read(region).items() if "/marker/" not in k} for region in self.bindings}

    async def cut(self) -> None:
        freeze(self.process)

    def ground(self, action: Any, task: Task) -> Opens:
        @asynccontextmanager
        async def opened() -> AsyncIterator[Ground]:
            try:
                yield Ground(action, task, self.snapshot, self.cut)
            finally:
                thaw(self.process)
                action.close()

        return opened


def make_buckets(endpoint: str, process: Popen[bytes], secret: Path, *, locked: bool) -> Buckets:
    client = SESSION.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        region_name=WEST,
        config=Config(proxies={}, s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )
    bindings = {}
    for region in (WEST, CENTRAL):
        name = f"recordings-{region}-{next(NUMBERS)}"
        where: Any = {"LocationConstraint": WEST}
        client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=locked, CreateBucketConfiguration=where)
        bindings[region] = BucketBinding(
            endpoint=endpoint,
            bucket=name,
            access_key=ACCESS_KEY,
            secret_key_file=secret,
            peer_endpoint_from_inside=endpoint,
            region=WEST,
            copied="in-order",
        )
    found = Buckets(bindings, client, process)
    for region in (WEST, CENTRAL):
        found.put(region, WRITER_KEY, {"era": 0, "epoch": 1, "region": WEST})
        found.put(region, REPLICATION_KEY, {"from": WEST, "epoch": 1})
    return found
