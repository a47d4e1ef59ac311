"""A key that its first user makes: whoever comes second, in whatever process, reads the same one, whole."""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

SHORTEST_BYTES = 16


def key_in(path: Path) -> bytes:
    """The key in a file. Raises OSError for one that anybody could guess: an empty file would let everybody in."""
    content = path.read_bytes().strip()
    if len(content) < SHORTEST_BYTES:
        raise OSError(f"{path} holds {len(content)} bytes; a secret has at least {SHORTEST_BYTES}")
    return content


def own_key(path: Path) -> bytes:
    """The key in a file, made where there is none, readable by its owner only. Raises OSError."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        made = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_hex(32).encode())
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):  # somebody was faster: theirs counts
                os.link(made, path)
        finally:
            made.unlink()
    return key_in(path)
