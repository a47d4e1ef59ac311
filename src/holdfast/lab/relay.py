"""The network of a lab: one process that listens for every link and carries bytes, or doesn't.

Run as `python -m holdfast.lab.relay --config FILE`. It is told what to do over a line protocol on a loopback port (first line:
the token); every command is answered when it is in force:

    cut FROM TO · open FROM TO · heal · heal PLACE · delay FROM TO SECONDS · status

Answers are `ok`, a line of JSON (`status`), or `error` and a sentence. Never here: addresses (the configuration names every
listener), any knowledge of what the bytes mean.
"""

import argparse
import asyncio
import hmac
import json
import logging
import resource
import signal
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from holdfast.lab.datagrams import DatagramListener
from holdfast.lab.flow import CallerSide, Flow
from holdfast.lab.links import Links, UnknownLink

READY = "relay: ready"
BACKLOG = 1024
LONGEST_LINE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Listener:
    """One address that relays to a target at the site `to_site`, for callers of `from_site` or, when that is None, of any site."""

    host: str
    port: int
    target_host: str
    target_port: int
    to_site: str
    from_site: str | None = None
    datagrams: bool = False


@dataclass(frozen=True, slots=True)
class RelayConfig:
    """What the relay is started with. `callers` maps the first bytes of a source address (`127.9.1.`) to its place."""

    sites: tuple[str, ...]
    callers: Mapping[str, str]
    anybody_else: str
    listeners: tuple[Listener, ...]
    control_host: str
    control_port: int
    token: str
    zones: Mapping[str, str] = field(default_factory=dict)
    """Zone → its region."""

    def as_json(self) -> dict[str, Any]:
        """The configuration file's content."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "RelayConfig":
        """Inverse of `as_json`."""
        listeners = tuple(Listener(**listener) for listener in values["listeners"])
        return cls(**{**values, "sites": tuple(values["sites"]), "listeners": listeners})


class Relay:
    """All listeners of a lab and the state of its links."""

    def __init__(self, config: RelayConfig) -> None:
        self.links = Links(config.sites, config.zones)
        self._config = config
        self._flows: set[Flow] = set()
        self._open_listeners: list[asyncio.Server | asyncio.BaseTransport] = []

    async def open_all(self) -> None:
        """Open every listener. Raises OSError, naming the address, when one can't be had."""
        for listener in self._config.listeners:
            try:
                await self._open(listener)
            except OSError as error:
                raise OSError(error.errno, f"{listener.host}:{listener.port}: {error.strerror or error}") from error

    async def _open(self, listener: Listener) -> None:
        loop = asyncio.get_running_loop()
        target = (listener.target_host, listener.target_port)

        def route(transport: asyncio.Transport) -> Flow:
            caller = self._caller_site(listener, transport.get_extra_info("peername")[0])
            there, back = self.links.between(caller, listener.to_site), self.links.between(listener.to_site, caller)
            flow = Flow(there, back, target, self._flows.discard)
            self._flows.add(flow)
            return flow

        server = await loop.create_server(lambda: CallerSide(route), listener.host, listener.port, backlog=BACKLOG)
        self._open_listeners.append(server)
        if not listener.datagrams:
            return

        def route_datagram(address: str) -> Any:
            caller = self._caller_site(listener, address)
            return self.links.between(caller, listener.to_site), self.links.between(listener.to_site, caller)

        local = (listener.host, listener.port)
        transport, _ = await loop.create_datagram_endpoint(lambda: DatagramListener(target, route_datagram), local_addr=local)
        self._open_listeners.append(transport)

    def close(self) -> None:
        """Stop listening and end every connection."""
        for listener in self._open_listeners:
            listener.close()
        for flow in tuple(self._flows):
            flow.abort()

    def _caller_site(self, listener: Listener, address: str) -> str:
        if listener.from_site is not None:
            return listener.from_site
        prefix = address.rpartition(".")[0] + "."
        return self._config.callers.get(prefix, self._config.anybody_else)

    def status(self) -> dict[str, Any]:
        """The links and how many connections are relayed, as plain JSON values."""
        return {"links": self.links.status(), "connections": len(self._flows)}

    def obey(self, line: str) -> str:
        """Carry out one command; the answer says what became of it."""
        match line.split():
            case ["cut", origin, destination]:
                self.links.cut(origin, destination)
            case ["open", origin, destination]:
                self.links.open(origin, destination)
            case ["heal"]:
                self.links.heal()
            case ["heal", place]:
                self.links.heal_place(place)
            case ["delay", origin, destination, seconds]:
                self.links.delay(origin, destination, float(seconds))
            case ["status"]:
                return json.dumps(self.status())
            case _:
                return f"error the relay does not know the command '{line.strip()}'"
        return "ok"

    async def serve_control(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One control connection: the token first, then a command a line."""
        try:
            given = (await reader.readline()).decode("utf-8", "replace").strip()
            if not hmac.compare_digest(given.encode(), self._config.token.encode()):
                writer.write(b"error wrong token\n")
                return
            while line := (await reader.readline()).decode("utf-8", "replace"):
                try:
                    answer = self.obey(line)
                except (UnknownLink, ValueError) as error:
                    answer = f"error {error}"
                writer.write(answer.encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            return  # the caller left in the middle, or sent a line without end
        finally:
            writer.close()


async def run(config: RelayConfig) -> None:
    """Listen until SIGTERM."""
    relay = Relay(config)
    await relay.open_all()
    await asyncio.start_server(relay.serve_control, config.control_host, config.control_port, limit=LONGEST_LINE_BYTES)
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    print(READY, flush=True)
    await stopped.wait()
    relay.close()


def main() -> None:
    """Entry of the process."""
    parser = argparse.ArgumentParser(description="Carry bytes between the sites of a lab.")
    parser.add_argument("--config", type=Path, required=True)
    config = RelayConfig.from_json(json.loads(parser.parse_args().config.read_text(encoding="utf-8")))
    # Writing to a side that has just gone is the daily bread of a relay, not worth a line each.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        asyncio.run(run(config))
    except OSError as error:
        raise SystemExit(f"relay: can't listen on {error.strerror or error}; is something else using the address?") from error


if __name__ == "__main__":
    main()
