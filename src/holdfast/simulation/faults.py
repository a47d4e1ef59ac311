"""What an exercise takes away from the simulated home region, and how it comes back: what `drill.injection` does to the lab.

Never here: what follows from a fault.
"""

from holdfast.plan.model import Exercise
from holdfast.simulation.world import SimulatedWorld


def take_away(world: SimulatedWorld, exercise: Exercise | None) -> None:
    """Without an exercise in the plan: the whole region."""
    home = world.regions[world.home]
    match exercise.takes_away if exercise is not None else "region":
        case "region":
            world.links.cut(world.home)
        case "database-host":
            home.agent.hang()
        case "application":
            home.runs_nothing = True
        case "bucket":
            home.bucket_silent = True


def give_back(world: SimulatedWorld) -> None:
    """Whatever was taken away is there again."""
    home = world.regions[world.home]
    world.links.heal_all()
    home.agent.alive, home.runs_nothing, home.bucket_silent = True, False, False


def written_in(world: SimulatedWorld) -> dict[str, str]:
    """Kind of store → the region whose store is written, by the settings of the application that serves."""
    serving = next(iter(world.dns.values()))
    return dict(world.regions[serving].stores_of)
