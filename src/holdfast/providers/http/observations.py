"""Fetching what one observer saw, over HTTP: the port ObservationSource.

Rules: an observer that does not answer in time is a TimeoutError, one that can't be reached or answers nonsense a ConnectionError;
an observation that can't be read makes the whole answer nonsense. Never here: judging.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from holdfast.health.observation import Observation, Seen, Subject
from holdfast.providers.http.client import Connection


class HttpObservationSource:
    """One observer at its base URL, over a connection that is kept."""

    def __init__(self, site: str, url: str, *, timeout_seconds: float, source_address: str | None = None) -> None:
        self.site = site
        address = urlsplit(url)
        self._host, self._port = address.hostname or "", address.port or 80
        self._timeout_seconds = timeout_seconds
        self._source_address = source_address
        self._connection: Connection | None = None

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.drop()
            self._connection = None

    async def since(self, sequence: int) -> Sequence[Observation]:
        """Observations with a higher sequence, oldest first."""
        connection, self._connection = self._connection, None
        if connection is None or not connection.reusable:
            if connection is not None:
                connection.drop()
            connection = await Connection.open(
                self._host, self._port, timeout_seconds=self._timeout_seconds, source_address=self._source_address
            )
        answer = await connection.exchange(
            "GET",
            f"/v1/observations?after={sequence}",
            host_header=f"{self._host}:{self._port}",
            timeout_seconds=self._timeout_seconds,
        )
        if connection.reusable and self._connection is None:
            self._connection = connection
        else:
            connection.drop()  # another question, asked meanwhile, left its own
        if answer.status != 200:
            raise ConnectionError(f"the observer of {self.site} answered {answer.status}: {answer.body[:200].decode(errors='replace')}")
        try:
            return [read_observation(value) for value in json.loads(answer.body)["observations"]]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ConnectionError(f"the observer of {self.site} answered with something that can't be read: {error!r}") from error


def read_observation(value: Mapping[str, Any]) -> Observation:
    """An observation from its JSON object. Raises KeyError, TypeError or ValueError for anything else."""
    if not isinstance(value, dict):
        raise TypeError(f"an observation must be an object, not {type(value).__name__}")
    facts = value.get("facts", {})
    if not isinstance(facts, dict):
        raise TypeError(f"facts must be an object, not {type(facts).__name__}")
    return Observation(
        observer=str(value["observer"]),
        sequence=int(value["sequence"]),
        at_seconds=float(value["at_seconds"]),
        region=str(value["region"]),
        subject=Subject(value["subject"]),
        name=str(value["name"]),
        seen=Seen(value["seen"]),
        latency_seconds=float(value["latency_seconds"]),
        detail=str(value.get("detail", "")),
        facts=facts,
    )
