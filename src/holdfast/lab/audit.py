"""What each region's stores hold, for the exact count of lost writes and for the proof that there was one writer.

    python -m holdfast.lab.audit --bindings FILE --region REGION [--out FILE]

Reads only. A store that cannot be read is *unknown*, with the reason; it is never taken for empty. Keys are those of ledgers:
`calls/<request>` in PostgreSQL, `session/…` in Redis, `recordings/…` in the bucket.
The file is `{"schema": "holdfast/audit/v1", "region", "stores": [...]}`.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from holdfast.canary.records import every_record as contents
from holdfast.canary.records import read, write
from holdfast.plan.bindings import Bindings

__all__ = ["contents", "main", "read", "write"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write what a region's stores hold; 2 when some store could not be read."""
    parser = argparse.ArgumentParser(prog="python -m holdfast.lab.audit", description="Read what a region's stores hold.")
    parser.add_argument("--bindings", type=Path, required=True, metavar="FILE")
    parser.add_argument("--region", required=True)
    parser.add_argument("--out", type=Path, default=None, metavar="FILE")
    options = parser.parse_args(arguments)
    bindings = Bindings.model_validate_json(options.bindings.read_text(encoding="utf-8"))
    found = contents(bindings, options.region)
    if options.out is not None:
        write(options.out, options.region, found)
    for store in found:
        print(store.problem or f"{store.store} in {store.region}: {len(store.records or ())} records")
    return 2 if any(store.records is None for store in found) else 0


if __name__ == "__main__":
    sys.exit(main())
