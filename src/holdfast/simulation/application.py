"""Scaling, deploying and starting afresh a simulated region's application. What serves stands in the region's `deployments`."""

from collections.abc import Mapping
from typing import Any

from holdfast.plan.parameters import region_of, replicas_of
from holdfast.ports.action import Answer, Finding, Task
from holdfast.simulation.looks import Look, found
from holdfast.simulation.region import Deployment
from holdfast.simulation.world import SimulatedWorld

TAKES_SECONDS: Mapping[str, float] = {"application.scale": 2.0, "application.deploy": 3.0}
"""How long wishes take to come true, where that is not at once."""


def scaled_region(task: Task) -> str:
    """The region that a step with the parameter `region` is about."""
    return region_of(task.parameters, task.source, task.target)


def scaled(world: SimulatedWorld, task: Task) -> Finding:
    """Whether what serves is told its size; in the region that is left, whether nothing else is wished for."""
    deployments = world.regions[scaled_region(task)].deployments
    other = [
        name for name, count in replicas_of(task.parameters, world.plan.functions).items() if deployments[name].wished_replicas != count
    ]
    if scaled_region(task) == task.source:
        resting = world.regions[task.source].resting
        other += [f"{name}, the set that does not serve" for name, one in resting.items() if one.wished_replicas]
    return found(not other, "told so", f"other counts wished for: {', '.join(other)}")


def scale(world: SimulatedWorld, task: Task) -> Mapping[str, Any]:
    """Wish for a size."""
    region, now = world.regions[scaled_region(task)], world.clock.steady_seconds()
    for name, count in replicas_of(task.parameters, world.plan.functions).items():
        region.deployments[name].wish(now, TAKES_SECONDS[task.block], replicas=count)
    if region.name == task.source:
        for resting in region.resting.values():
            resting.wish(now, 0.0, replicas=0)
    return {}


def deployed(world: SimulatedWorld, task: Task) -> Finding:
    """Whether what serves is told its version."""
    deployments = world.regions[task.target].deployments
    other = [name for name, one in deployments.items() if one.wished_version != str(task.parameters["version"])]
    return found(not other, "told so", f"another version wished for: {', '.join(other)}")


def deploy(world: SimulatedWorld, task: Task) -> Mapping[str, Any]:
    """Wish for a version."""
    for deployment in world.regions[task.target].deployments.values():
        deployment.wish(world.clock.steady_seconds(), TAKES_SECONDS[task.block], version=str(task.parameters["version"]))
    return {}


def started_fresh(world: SimulatedWorld, task: Task) -> Finding:
    """A fresh set that is of another size or version by now is none any more."""
    region, wanted = world.regions[task.target], replicas_of(task.parameters, world.plan.functions)
    told = all(
        (region.deployments[name].wished_replicas, region.deployments[name].wished_version) == (count, str(task.parameters["version"]))
        for name, count in wanted.items()
    )
    yes = told and region.fresh_for == _activation(task)
    return found(yes, f"a fresh set serves in {task.target}", f"no fresh set of this activation serves in {task.target}")


def start_fresh(world: SimulatedWorld, task: Task) -> Mapping[str, Any]:
    """Serve from a set that is new; what served before rests beside it as it is."""
    region, activation = world.regions[task.target], _activation(task)
    region.orders_of("application").obey(task.block, task.order)
    fresh = {
        name: Deployment(count, str(task.parameters["version"]))
        for name, count in replicas_of(task.parameters, world.plan.functions).items()
    }
    if region.fresh_for != activation:
        region.resting |= {name: region.deployments[name] for name in fresh}
    region.deployments |= fresh
    region.fresh_for = activation
    return {}


def _activation(task: Task) -> str:
    return f"{task.order.era}.{task.order.epoch}/{task.incident}/{task.run}"


def lacks_stores(world: SimulatedWorld, task: Task) -> str | None:
    """A real transaction needs the stores that the application is told to use."""
    of = world.regions[task.target].stores_of
    for name in dict.fromkeys(region for kind, region in of.items() if kind != "bucket"):
        if not world.links.answers(task.target, name) or not world.writes_here(name):
            return f"an acknowledged transaction: the stores in {name} take no writes"
    return None


def fresh_answers(world: SimulatedWorld, task: Task) -> Finding:
    """Whether the fresh set serves, and has the stores for a real transaction."""
    started, lacking = started_fresh(world, task), lacks_stores(world, task)
    return started if started.answer is not Answer.YES or lacking is None else Finding(Answer.NO, lacking)


def rolled_out(look: Look) -> Look:
    """The same look, and everything wished for is there."""

    def proved(world: SimulatedWorld, task: Task) -> Finding:
        told = look(world, task)
        if told.answer is not Answer.YES:
            return told
        region = world.regions[scaled_region(task)]
        waiting = [name for name, one in region.deployments.items() if not one.settled]
        return found(not waiting, "rolled out and ready", f"not ready yet: {', '.join(waiting)}")

    return proved
