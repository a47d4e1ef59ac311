"""Small files of the doors' own: read whole, written whole or not at all, readable by their owner only."""

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def kept(path: Path) -> dict[str, Any]:
    """What stands in the file; nothing where there is none yet."""
    try:
        return dict(json.loads(path.read_text()))
    except FileNotFoundError:
        return {}


def keep(path: Path, content: Mapping[str, Any]) -> None:
    """Durably, in the place of what stood there."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
