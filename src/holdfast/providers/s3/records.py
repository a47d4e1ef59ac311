"""What transactions left in a bucket: the objects whose names carry a request's identifier behind a named prefix. Reads only.

Whose write an object was stands in its metadata, which a listing does not show; a bucket's writer is not fenced anyway.
"""

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from holdfast.ledger.contents import StoredRecord
from holdfast.plan.bindings import BucketBinding

_CONNECT_SECONDS = 3
_READ_SECONDS = 20


class BucketUnreadable(Exception):
    """Its contents are not known, for the reason in the text."""


def stored_records(binding: BucketBinding, begins: str, first: str, last: str) -> dict[str, StoredRecord]:
    """Name → record, for requests from `first` to `last` (to the end when empty) that begin with `begins`. Raises BucketUnreadable."""
    records: dict[str, StoredRecord] = {}
    try:
        client = boto3.client(
            "s3",
            endpoint_url=binding.endpoint,
            aws_access_key_id=binding.access_key,
            aws_secret_access_key=binding.secret_key_file.read_text(encoding="utf-8").strip(),
            region_name=binding.region,
            config=Config(connect_timeout=_CONNECT_SECONDS, read_timeout=_READ_SECONDS, retries={"total_max_attempts": 1}),
        )
        for prefix in binding.records:
            # Names are listed in order, so everything older is passed over by the store itself.
            pages = client.get_paginator("list_objects_v2").paginate(
                Bucket=binding.bucket, Prefix=prefix + begins, StartAfter=prefix + first
            )
            for page in pages:
                for stored in page.get("Contents", ()):
                    if not last or stored["Key"].removeprefix(prefix) <= last:
                        records[stored["Key"]] = StoredRecord(None, None, stored["LastModified"].timestamp())
    except (BotoCoreError, ClientError, OSError) as error:
        raise BucketUnreadable((str(error).splitlines() or [type(error).__name__])[0]) from error
    return records
