"""Ask both grantors for the lease, each in a thread of its own, so that a silent one never delays the other.

Rules: the lease counts from the moment just before sending. A time-out is no answer, and teaches nothing. A refusal teaches the highest
epoch that the grantor knows; one of another installation teaches nothing. A connection is made for each request: one that a cut link holds
is given up, not waited for.

Never here: what a promise means (`authority`), when to fence (`keeper`).
"""

import http.client
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from holdfast.agent.authority import Authority
from holdfast.agent.configuration import Configuration, Remote
from holdfast.agent.pulse import boot_seconds
from holdfast.fencing.lease import RENEWALS
from holdfast.fencing.promise import Ask, Epoch
from holdfast.fencing.signing import SIGNATURE_HEADER, NotGenuine, new_nonce, open_answer, sign_request

_PATH = "/v1/lease"
_MOST_BYTES = 65536
_LONGEST_TIMEOUT_SECONDS = 2.0


class NoAnswer(Exception):
    """Nobody answered in time, or not genuinely: unknown, neither yes nor no."""


class Renewal:
    """Asks one grantor, for ever."""

    def __init__(self, configuration: Configuration, authority: Authority, grantor: Remote) -> None:
        self._authority = authority
        self._grantor = grantor
        self._region, self._peer = configuration.region, configuration.peer.name
        self._ttl_seconds = configuration.ttl_seconds
        # The controller's key is for leases only. To the other agent this one signs with its own key, which the other keeps for that.
        self._key = grantor.key if grantor.name == "controller" else configuration.key
        self._timeout_seconds = min(self._ttl_seconds / 3, _LONGEST_TIMEOUT_SECONDS)
        self.last = "not asked yet"

    @property
    def name(self) -> str:
        """Who is asked."""
        return self._grantor.name

    def run(self, ended: threading.Event) -> None:
        """Until ended. A region that has just been given the right to write asks at once: until it is promised, nobody writes anywhere."""
        pause, turns = 0.0, 0
        while True:
            turns = self._authority.wait_to_ask(turns, pause)
            if ended.is_set():
                return
            started = boot_seconds()
            try:
                self.once()
            except OSError as error:  # what was learnt could not be made durable: nothing was learnt, and it is asked again
                self.last = f"the answer could not be kept: {error.strerror}"
            pause = max(0.02, self._ttl_seconds / RENEWALS - (boot_seconds() - started))

    def once(self) -> None:
        """Ask once, if there is something to ask for."""
        ask = self._authority.asking(self._ttl_seconds) or self._memory_lost()
        if ask is None:
            self.last = "nothing to ask for"
            return
        sent = boot_seconds()
        try:
            answer = self._post(ask)
        except NoAnswer as error:
            self.last = f"no answer: {error}"
            return
        try:
            epoch = Epoch(int(answer["era"]), int(answer["epoch"]))
            granted, reason = answer["granted"] is True, str(answer.get("reason", ""))
            foreign = self._authority.not_ours(answer.get("installation"))
        except (KeyError, TypeError, ValueError) as error:
            self.last = f"an answer that makes no sense: {error!r}"
            return
        if foreign is not None:
            self.last = f"not heard: {foreign}"
            return
        self.last = "granted" if granted else f"refused: {reason}"
        if granted:
            self._authority.granted(self.name, ask.epoch, sent, ask.ttl_seconds)
            return
        holder = str(answer.get("holder") or self._peer)
        if self.name == "controller" and epoch >= Epoch(0, 0):  # one that lost its own memory tells nothing
            self._authority.hear(self.name, epoch, holder, _under_way(answer))
        self._authority.learn(epoch, holder)

    def _memory_lost(self) -> Ask | None:
        """Without memory, ask the controller for nothing, to hear what it knows."""
        if self.name not in self._authority.state.memory.unheard:
            return None
        return Ask(self._region, Epoch(-1, -1), self._authority.state.instance, self._ttl_seconds)

    def _post(self, ask: Ask) -> dict[str, Any]:
        nonce = new_nonce()
        payload: Mapping[str, Any] = {
            "region": ask.region,
            "era": ask.epoch.era,
            "epoch": ask.epoch.epoch,
            "ttl_seconds": ask.ttl_seconds,
            "instance": ask.instance,
            "installation": self._authority.state.installation,
        }
        body, signature = sign_request(self._key, _PATH, payload, nonce, time.time())
        place = urlsplit(self._grantor.url)
        connection = http.client.HTTPConnection(place.hostname or "", place.port or 80, timeout=self._timeout_seconds)
        try:
            connection.request("POST", _PATH, body, {"Content-Type": "application/json", SIGNATURE_HEADER: signature})
            response = connection.getresponse()
            content = response.read(_MOST_BYTES)
            if response.status != http.HTTPStatus.OK:
                raise NoAnswer(f"{self._grantor.url} answered {response.status}: {content[:200].decode(errors='replace')}")
            return open_answer(self._key, _PATH, content, response.headers.get(SIGNATURE_HEADER), nonce)
        except (OSError, http.client.HTTPException, NotGenuine) as error:
            raise NoAnswer(f"{self._grantor.url}: {str(error) or type(error).__name__}") from error
        finally:
            connection.close()


def _under_way(answer: Mapping[str, Any]) -> Epoch | None:
    value = answer.get("under_way")
    return Epoch(int(value[0]), int(value[1])) if isinstance(value, list) and len(value) == 2 else None
