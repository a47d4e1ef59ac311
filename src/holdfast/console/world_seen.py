"""The world of `holdfast plan`, out of the controller's read model and a look at what it doesn't watch. Pure."""

from collections.abc import Mapping
from typing import Any

from holdfast.conduct.world import Copy, World, top_of


def world_seen(
    state: Mapping[str, Any], versions: Mapping[str, str | None], instances: Mapping[str, int | None], sizes: Mapping[str, int | None]
) -> World:
    """Everything that is known now. `versions`, `instances`, `sizes`: as `World` has them."""
    return World(
        plan_digest=state["plan"]["digest"],
        serving=state["serving"],
        era=state["era"],
        epoch=state["epoch"],
        versions=versions,
        sizes=sizes,
        instances=instances,
        copies={link["component"]: _copy(state, link) for link in state["links"]},
        names={function["function"]: function["served_from"] for function in state["functions"]},
        health={f"{side['region']}/{thing['title']}": thing["health"] for side in state["sides"] for thing in side["things"]},
    )


def _copy(state: Mapping[str, Any], link: Mapping[str, Any]) -> Copy:
    losses = {loss["component"]: loss for loss in state["loss"]["components"]}
    known = losses.get(link["component"], {})
    titles = [thing["title"] for side in state["sides"] for thing in side["things"] if thing["name"] == link["component"]]
    bound = known.get("bound_seconds")
    return Copy(
        title=next(iter(titles), link["component"]),
        region=link["to"],
        follows=link["follows"],
        lag_seconds=link["lag_seconds"],
        bound_seconds=bound,
        may_lose_seconds=top_of(bound, state["loss"]["swing_seconds"]),
    )
