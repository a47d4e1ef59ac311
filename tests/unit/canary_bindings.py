"""Bindings for tests that reach nothing by them."""

from pathlib import Path
from typing import Any

from holdfast.plan.bindings import Bindings


def some_bindings(**changes: Any) -> Bindings:
    """Whole, and of nowhere."""
    nowhere = Path("/nonexistent")
    values: dict[str, Any] = {
        "environment": "test",
        "site": "outside",
        "resolver_host": "127.0.0.1",
        "resolver_port": 1,
        "controller": {"url": "http://127.0.0.1:1", "host": "127.0.0.1", "port": 1, "token_file": nowhere, "lease_key_file": nowhere},
        "agents": {},
        "components": {},
        "functions": {},
        "observers": {},
        "state_directory": nowhere,
    }
    return Bindings.model_validate({**values, **changes})


def controller_at(port: int, token: Path) -> dict[str, Any]:
    """How bindings name a controller that listens on loopback."""
    return {"url": f"http://127.0.0.1:{port}", "host": "127.0.0.1", "port": port, "token_file": token, "lease_key_file": token}
