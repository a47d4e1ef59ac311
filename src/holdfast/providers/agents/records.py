"""An agent's local records, as the port LocalRecords wants them: only those that the agent's own key signed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from holdfast.fencing.signing import record_is_genuine
from holdfast.providers.agents.client import AgentClient, AgentSilent

_FIELDS = {"n", "at_seconds", "what", "detail", "signature"}


class AgentRecords:
    """Implements `holdfast.ports.local_records.LocalRecords`."""

    def __init__(self, client: AgentClient, key_file: Path) -> None:
        self.region = client.region
        self._client = client
        self._key_file = key_file

    async def after(self, number: int) -> Sequence[Mapping[str, Any]]:
        """Records with a higher number. A record that isn't genuine ends the import: AgentSilent says which."""
        try:
            key = self._key_file.read_bytes().strip()
        except OSError as error:
            said = f"the key of the agent of {self.region} can't be read, so nothing was imported: {self._key_file}: {error.strerror}"
            raise AgentSilent(said) from error
        records = (await self._client.records(number)).get("records")
        if not isinstance(records, list) or not all(isinstance(record, dict) and record.keys() >= _FIELDS for record in records):
            raise AgentSilent(f"the agent of {self.region} answers with something else than its records; nothing was imported")
        for record in records:
            if not record_is_genuine(key, record):
                raise AgentSilent(
                    f"record {record.get('n')} of the agent of {self.region} is not signed with its key; nothing was imported"
                )
        return records
