"""An agent's local records, as the port LocalRecords wants them: only those that the agent's own key signed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from holdfast.fencing.signing import record_is_genuine
from holdfast.providers.agents.client import AgentClient, AgentSilent


class AgentRecords:
    """Implements `holdfast.ports.local_records.LocalRecords`."""

    def __init__(self, client: AgentClient, key_file: Path) -> None:
        self.region = client.region
        self._client = client
        self._key_file = key_file

    async def after(self, number: int) -> Sequence[Mapping[str, Any]]:
        """Records with a higher number. A record that isn't genuine ends the import: AgentSilent says which."""
        key = self._key_file.read_bytes().strip()
        records = list((await self._client.records(number))["records"])
        for record in records:
            if not record_is_genuine(key, record):
                raise AgentSilent(
                    f"record {record.get('n')} of the agent of {self.region} is not signed with its key; nothing was imported"
                )
        return records
