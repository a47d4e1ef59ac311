"""What a simulated lost region's agent wrote down, as the report reads it. Never here: writing it down (see `effects`)."""

from collections import Counter

from holdfast.report.divergence import Divergence, DivergenceComponent, DivergencePart
from holdfast.simulation.world import SimulatedWorld


def held_there(world: SimulatedWorld) -> dict[tuple[str, str], str]:
    """Everything that was written down as held by the home region alone, under the names of the plan's components."""
    exports = [entries for (region, _), entries in world.exported.items() if region == world.home]
    return {(world.component(kind), key): "only-here" for entries in exports for kind, key in entries}


def divergence(world: SimulatedWorld, now_seconds: float) -> Divergence | None:
    """The export of what the home region held alone; None where there was none."""
    exports = [epoch for region, epoch in world.exported if region == world.home]
    if not exports:
        return None
    held = Counter(component for component, _ in held_there(world))
    return Divergence(
        incident="simulated",
        run="reprotect",
        source=world.home,
        target=world.dr,
        order=(0, max(exports), 0, 0),
        exported_seconds=now_seconds,
        components=tuple(_component(world.component(kind), kind, held[world.component(kind)]) for kind in ("postgres", "redis", "bucket")),
    )


def _component(name: str, kind: str, only_here: int) -> DivergenceComponent:
    part = DivergencePart(name="all", file=f"{name}/all", bytes=0, sha256="", only_here=only_here, differs=0, deleted_here=0)
    return DivergenceComponent(component=name, kind=kind, status="exported", how="compared", parts=(part,), looked_at=True)
