"""An agent's word about orders, with its durable state in a folder and nothing that it would do."""

from pathlib import Path

from holdfast.agent import state as states
from holdfast.agent.authority import Authority
from holdfast.agent.state import Records, StateFile
from holdfast.fencing.promise import Epoch, Timing


def agent(folder: Path, region: str, epoch: int, holder: str) -> Authority:
    """The agent of a region that knows this epoch and its holder."""
    file, state = StateFile(folder), states.fresh(region, Epoch(0, epoch), holder, ["postgres", "redis"])
    file.write(state)
    return Authority(state, file, Records(folder, region, b"a key of sixteen bytes"), Timing(0.01, 0.25))
