"""Run the clients of all functions in one process."""

import argparse
import asyncio
import json
import secrets
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import ValidationError

from holdfast.canary.client import Client, ClientSpecification
from holdfast.canary.resolver import Resolver
from holdfast.lab.clients.rates import DEFAULT_NEEDS_VERSION, DEFAULT_TIMEOUT_SECONDS, rates
from holdfast.ledger.entry import LedgerEntry
from holdfast.ledger.reading import LedgerWriter
from holdfast.plan.bindings import Bindings


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m holdfast.lab.clients", description="Send what VoiceHive's clients send, and keep ledgers."
    )
    parser.add_argument("--bindings", type=Path, required=True, metavar="FILE")
    parser.add_argument("--ledgers", type=Path, required=True, metavar="DIRECTORY")
    parser.add_argument("--functions", default="", metavar="NAME,NAME", help="default: all that the bindings name")
    parser.add_argument("--rate", action="append", default=[], metavar="FUNCTION=NUMBER", help="requests a second")
    parser.add_argument("--timeout", type=float, default=DEFAULT_TIMEOUT_SECONDS, metavar="SECONDS")
    parser.add_argument(
        "--needs-version", default=DEFAULT_NEEDS_VERSION, metavar="VERSION", help="older instances refuse; empty: any will do"
    )
    parser.add_argument("--status", type=Path, default=None, metavar="FILE", help="default: status.json beside the ledgers")
    parser.add_argument("--for", dest="duration", type=float, default=None, metavar="SECONDS", help="default: until a signal")
    return parser.parse_args(arguments)


class _Ledger:
    """A drill's ledger: an entry has left the process, which is enough where only the client is killed and never the machine."""

    def __init__(self, writer: LedgerWriter) -> None:
        self._writer = writer

    async def keep(self, entries: Sequence[LedgerEntry]) -> None:
        """Keep the entries of one request."""
        self._writer.write(entries)


def _namer(function: str) -> Callable[[float, int], str]:
    prefix = f"{function}-{secrets.token_hex(4)}"
    return lambda _, number: f"{prefix}-{number:07d}"


async def _tell(clients: dict[str, Client], status_file: Path) -> None:
    while True:
        await asyncio.sleep(1.0)
        _write_status(clients, status_file)


def _write_status(clients: dict[str, Client], status_file: Path) -> None:
    status = {"at_seconds": time.time(), "functions": {name: client.take_status() for name, client in clients.items()}}
    fresh = status_file.with_suffix(".new")
    fresh.write_text(json.dumps(status), encoding="utf-8")
    fresh.replace(status_file)


async def _run(clients: dict[str, Client], status_file: Path, duration_seconds: float | None) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    if duration_seconds is not None:
        loop.call_later(duration_seconds, ended.set)
    telling = asyncio.create_task(_tell(clients, status_file))
    try:
        async with asyncio.TaskGroup() as group:
            for client in clients.values():
                group.create_task(client.run(ended))
    finally:
        telling.cancel()
        _write_status(clients, status_file)


def main(arguments: Sequence[str] | None = None) -> int:
    """Send until a signal; 1 with a sentence when the clients cannot start."""
    options = _arguments(arguments)
    try:
        bindings = Bindings.model_validate_json(options.bindings.read_text(encoding="utf-8"))
        chosen = [name for name in options.functions.split(",") if name] or list(bindings.functions)
        unknown = [name for name in chosen if name not in bindings.functions]
        if unknown:
            raise ValueError(f"--functions: {', '.join(unknown)} not in {options.bindings}; there are {', '.join(bindings.functions)}")
        wanted = rates(chosen, options.rate)
        ledgers = {name: LedgerWriter(options.ledgers / f"{name}.jsonl") for name in chosen}
    except ValidationError as error:
        print(f"{options.bindings} is not a file of bindings: {error}", file=sys.stderr)
        return 1
    except (OSError, ValueError) as error:
        print(f"the clients cannot start: {error}", file=sys.stderr)
        return 1
    failed = False
    resolver = Resolver(bindings.resolver_host, bindings.resolver_port, bindings.source_address)
    clients = {
        name: Client(
            ClientSpecification(
                name,
                bindings.functions[name],
                wanted[name],
                options.timeout,
                bindings.source_address,
                _namer(name),
                {"needs_version": options.needs_version},
            ),
            resolver,
            _Ledger(ledgers[name]),
        )
        for name in chosen
    }
    try:
        asyncio.run(_run(clients, options.status or options.ledgers / "status.json", options.duration))
    except* OSError as errors:
        print(f"the clients stopped: a ledger or the status file cannot be written: {errors.exceptions[0]}", file=sys.stderr)
        failed = True
    finally:
        for ledger in ledgers.values():
            ledger.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
