"""Ports that nobody uses, below the range from which the system takes those of outgoing connections.

A port out of that range is free when it is looked at and may be an outgoing connection's a moment later: a server that is then started on
it can't listen, once in a while.
"""

import random
import socket

_CHOICE = random.SystemRandom()  # tests side by side must not draw the same row
_LOWEST, _HIGHEST = 12_000, 32_000


def free_port(host: str = "127.0.0.1", kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port of `host` on which a server of this kind can listen now."""
    for _ in range(1000):
        port = _CHOICE.randint(_LOWEST, _HIGHEST)
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise AssertionError(f"no free port on {host} between {_LOWEST} and {_HIGHEST}")
