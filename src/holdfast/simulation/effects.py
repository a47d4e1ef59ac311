"""What each block is about in the simulated world: whom it needs, whether its effect is there, how it is brought about and proved.

`EFFECTS` holds one entry for every block that a provider carries out. Effects read and change the world at once and never wait;
waiting, silence and faults are the business of `actions`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from holdfast.fencing.promise import Epoch
from holdfast.ledger.entry import RequestResult
from holdfast.plan.parameters import side_of
from holdfast.ports.action import Answer, Finding, Task
from holdfast.simulation.application import (
    deploy,
    deployed,
    fresh_answers,
    lacks_stores,
    rolled_out,
    scale,
    scaled,
    scaled_region,
    start_fresh,
    started_fresh,
)
from holdfast.simulation.looks import Bring, Look, found
from holdfast.simulation.region import SimulatedRegion
from holdfast.simulation.stores import LogStore, StoreRole
from holdfast.simulation.world import DNS, STORE_KINDS, TICK_SECONDS, SimulatedWorld


class TooMuchLostError(Exception):
    """A promotion would lose more than people approved."""

    def __init__(self, lost_seconds: float, bound_seconds: float) -> None:
        super().__init__(f"the replica is {lost_seconds:.1f} s behind, and people approved a loss of at most {bound_seconds:.1f} s")
        self.lost_seconds = lost_seconds


@dataclass(frozen=True, slots=True)
class Effect:
    """One block in the simulated world. `effectors`: the sites that must answer."""

    effectors: Callable[[SimulatedWorld, Task], tuple[str, ...]]
    holds: Look
    bring: Bring
    proved: Look | None = None
    """How it is proved, where that is more than that it holds."""
    act_seconds: float = field(default=0.2)
    lacks: Callable[[SimulatedWorld, Task], str | None] = field(default=lambda _world, _task: None)
    """What an act waits for before it can be brought about, in words."""
    through_agent: bool = False
    """Whether it is the site's agent who does it: a dead one answers as little as a lost site."""
    through_bucket: bool = False
    """Whether it is done in the site's bucket: a silent one answers as little."""


def _target(_world: SimulatedWorld, task: Task) -> tuple[str, ...]:
    return (task.target,)


def _source(_world: SimulatedWorld, task: Task) -> tuple[str, ...]:
    return (task.source,)


def _both(_world: SimulatedWorld, task: Task) -> tuple[str, ...]:
    return (task.source, task.target)


def _dns(_world: SimulatedWorld, _task: Task) -> tuple[str, ...]:
    return (DNS,)


def _of_parameter(_world: SimulatedWorld, task: Task) -> tuple[str, ...]:
    return (scaled_region(task),)


# -- writers ------------------------------------------------------------------------------------------------------------------


def _store(world: SimulatedWorld, task: Task, region: str) -> LogStore:
    return world.regions[region].store_of(task.block.partition(".")[0])


def _promoted(world: SimulatedWorld, task: Task) -> Finding:
    store = _store(world, task, task.target)
    yes = store.role is not StoreRole.STANDBY and (store.epoch, world.regions[task.target].agent.holder) == (task.order.epoch, task.target)
    return found(yes, f"{task.target} is the writer under epoch {store.epoch}", f"{task.target} is {store.role.value}, epoch {store.epoch}")


def _promote(world: SimulatedWorld, task: Task) -> Mapping[str, Any]:
    agent, store = world.regions[task.target].agent, _store(world, task, task.target)
    agent.orders.obey(task.block, task.order)
    _hold_to_what_was_promised(task, store)
    agent.take_up(task.order)
    if store.epoch < task.order.epoch or store.role is StoreRole.STANDBY:
        store.promote(task.order.epoch)
    if task.block.startswith("postgres"):
        world.synchronous_with = None  # nobody copies the new writer yet: it is unprotected, and says so
    return {"epoch": task.order.epoch, "highest_order": task.order.as_list()}


def _restore(world: SimulatedWorld, task: Task) -> Mapping[str, Any]:
    region = world.regions[task.target]
    region.agent.orders.obey("postgres.promote", task.order)
    region.agent.take_up(task.order)
    if region.postgres.role is StoreRole.STANDBY:
        if not region.archive.log:
            raise PermissionError(f"no archived log reached {task.target}")
        _hold_to_what_was_promised(task, region.archive)
        region.postgres.restore(region.archive)
        region.postgres.promote(task.order.epoch)
    world.synchronous_with = None
    return {"epoch": task.order.epoch, "kept": len(region.postgres.kept), "highest_order": task.order.as_list()}


def _hold_to_what_was_promised(task: Task, store: LogStore) -> None:
    promised = task.parameters.get("promised") or {}
    if not promised or store.role is not StoreRole.STANDBY:
        return
    lost = promised["stopped_seconds"] - (store.heartbeat_seconds() or 0.0)
    if lost > promised["loss_bound_seconds"] + TICK_SECONDS:
        raise TooMuchLostError(lost, promised["loss_bound_seconds"])


def _writes(world: SimulatedWorld, task: Task) -> Finding:
    promoted = _promoted(world, task)
    if promoted.answer is not Answer.YES:
        return promoted
    yes = world.writes_here(task.target) and _store(world, task, task.target).role is StoreRole.WRITER
    return found(yes, f"{promoted.detail}, and takes writes", "no lease yet: it takes no writes")


def _prove_write(world: SimulatedWorld, task: Task) -> Mapping[str, Any]:
    if not world.writes_here(task.target):
        raise PermissionError(f"{task.target} takes no writes")
    write = world.regions[task.target].postgres.append("", world.clock.wall_seconds())
    world.proofs[task.block, task.order.as_text()] = f"a write was committed under epoch {write.epoch}"
    return {"epoch": write.epoch}


def _was_proved(world: SimulatedWorld, task: Task) -> Finding:
    seen = world.proofs.get((task.block, task.order.as_text()))
    return found(seen is not None, seen or "", f"nothing was proved under order {task.order.as_text()}")


def _is_replica(world: SimulatedWorld, task: Task) -> Finding:
    store, upstream = _store(world, task, task.source), _store(world, task, task.target)
    yes = store.follows_truly(upstream)
    return found(
        yes, f"{task.source} follows {task.target}", f"{task.source} is {store.role.value} and follows {store.follows or 'nobody'}"
    )


def _make_replica(world: SimulatedWorld, task: Task) -> Mapping[str, Any]:
    source, target = world.regions[task.source], world.regions[task.target]
    store, upstream = _store(world, task, task.source), _store(world, task, task.target)
    source.agent.orders.obey(task.block, task.order)
    if upstream.role is not StoreRole.WRITER:
        raise PermissionError(f"{task.target} is not the writer: there is nothing to follow")
    before = list(store.log)
    store.become_replica(upstream)
    kind = task.block.partition(".")[0]
    kept = {write.key for write in upstream.log}
    world.thrown_away += [(task.source, kind, write.key) for write in before[len(store.log) :] if write.key and write.key not in kept]
    source.agent.follow(Epoch(task.order.era, upstream.epoch), target.agent.holder)
    if task.block.startswith("postgres") and world.plan.replication == "synchronous":
        world.synchronous_with = task.source
    return {"rewound_writes": len(before) - len(store.log)}


# -- what only the lost side holds --------------------------------------------------------------------------------------------


def _exported(world: SimulatedWorld, task: Task) -> Finding:
    entries = world.exported.get((task.source, task.order.epoch))
    return found(entries is not None, f"{len(entries or ())} differences are written down", "nothing is written down yet")


def _export(world: SimulatedWorld, task: Task) -> Mapping[str, Any]:
    source, target = world.regions[task.source], world.regions[task.target]
    entries = world.exported.setdefault((task.source, task.order.epoch), set())
    wanted = task.parameters.get("components") or list(world.plan.components)
    world.read_when_exported[task.source] = tuple(one for one in world.contents(task.source) if one.store in wanted)
    for kind in (kind for kind in ("postgres", "redis") if world.component(kind) in wanted):
        there = {write.key for write in target.store_of(kind).log}
        entries |= {(kind, write.key) for write in source.store_of(kind).log if write.key and write.key not in there}
    entries |= {("bucket", key) for key in source.bucket.objects if key not in target.bucket.objects}
    return {"differences": len(entries), "complete": True}


def withdrawing(has_consented: Callable[[], bool]) -> Effect:
    """Block `withdraw`. `has_consented`: whether the controller consented to the epoch itself."""

    def told(world: SimulatedWorld, task: Task) -> Finding:
        region = str(task.parameters["region"])
        agent, epoch = world.regions[region].agent, Epoch(task.order.era, task.order.epoch)
        yes = agent.withdrawn is not None and agent.withdrawn >= epoch and agent.activation is None and agent.certificate is None
        yes = yes and (region != task.target or world.writes_here(region))
        return found(yes, f"{region} goes on as before", f"{region} was not told, or has no lease yet")

    def tell(world: SimulatedWorld, task: Task) -> Mapping[str, Any]:
        agent = world.regions[str(task.parameters["region"])].agent
        agent.orders.obey(task.block, task.order)
        agent.withdraw(task.order, controller_consented=has_consented(), now_seconds=world.clock.steady_seconds())
        return {}

    return Effect(lambda _world, task: (str(task.parameters["region"]),), told, tell, through_agent=True)


# -- buckets, settings --------------------------------------------------------------------------------------------------------


def _bucket_active(world: SimulatedWorld, task: Task) -> Finding:
    bucket, wanted = world.regions[task.target].bucket, (task.order.epoch, task.target)
    return found(bucket.writer == wanted and bucket.source == wanted, f"{task.target} is written", f"{bucket.writer[1]} is written")


def _activate_bucket(world: SimulatedWorld, task: Task) -> Mapping[str, Any]:
    region = world.regions[task.target]
    region.orders_of("bucket").obey(task.block, task.order)
    promised = task.parameters.get("promised") or {}
    if promised and region.bucket.writer[1] != task.target:
        lost = promised["stopped_seconds"] - region.bucket.arrived_until_seconds
        if lost > promised["loss_bound_seconds"] + TICK_SECONDS:
            raise TooMuchLostError(lost, promised["loss_bound_seconds"])
    region.bucket.writer = region.bucket.source = (task.order.epoch, task.target)
    return {}


def _nothing_deleted(world: SimulatedWorld, task: Task) -> Finding:
    hidden = world.regions[task.target].bucket.deleted
    return found(not hidden, "no object is hidden by a deletion", f"{len(hidden)} objects are hidden by a deletion")


def _restore_bucket(world: SimulatedWorld, task: Task) -> Mapping[str, Any]:
    return {"restored": world.regions[task.target].bucket.restore()}


def _buckets_alike(world: SimulatedWorld, task: Task) -> Finding:
    lacking = world.regions[task.source].bucket.differences(world.regions[task.target].bucket)
    return found(not lacking, "both buckets hold the same", f"{len(lacking)} objects are not on both sides", different=len(lacking))


def _buckets_alike_but_for_the_newest(world: SimulatedWorld, task: Task) -> Finding:
    source, target = world.regions[task.source].bucket, world.regions[task.target].bucket
    settled = world.clock.wall_seconds() - 2 * max(source.lag_seconds, target.lag_seconds)
    lacking = [
        key
        for key in source.differences(target)
        if all(write is None or write.at_seconds < settled for write in (source.objects.get(key), target.objects.get(key)))
    ]
    return found(not lacking, "both buckets hold the same", f"{len(lacking)} objects are not on both sides", different=len(lacking))


def _reconcile(world: SimulatedWorld, task: Task) -> Mapping[str, Any]:
    return {"copied": world.regions[task.source].bucket.reconcile(world.regions[task.target].bucket)}


def _wanted_stores(world: SimulatedWorld, task: Task) -> dict[str, str]:
    """Kind of store → the region whose store the step means."""
    sides = {"source": task.source, "target": task.target}
    return {kind: sides[side_of(task.parameters, world.component(kind))] for kind in STORE_KINDS}


def _settings_right(world: SimulatedWorld, task: Task) -> Finding:
    region, stores = scaled_region(task), world.regions[scaled_region(task)].stores_of
    return found(stores == _wanted_stores(world, task), f"{region} uses the stores that it should", f"{region} uses {stores}")


def _update_settings(world: SimulatedWorld, task: Task) -> Mapping[str, Any]:
    region = world.regions[scaled_region(task)]
    region.orders_of("application").obey(task.block, task.order)
    region.stores_of = _wanted_stores(world, task)
    return {}


# -- traffic and proof --------------------------------------------------------------------------------------------------------


def _admitting(region: SimulatedRegion, wanted: bool) -> Finding:
    says = "admits traffic" if region.admits else "admits nobody"
    return found(region.admits is wanted, f"{region.name} {says}", f"{region.name} {says}")


def _switch_load_balancer(world: SimulatedWorld, task: Task) -> Mapping[str, Any]:
    world.regions[task.target].orders_of("loadbalancer").obey(task.block, task.order)
    world.regions[task.target].admits = True
    return {}


def _drain(world: SimulatedWorld, task: Task) -> Mapping[str, Any]:
    world.regions[task.source].orders_of("loadbalancer").obey(task.block, task.order)
    world.regions[task.source].admits = False
    return {}


def _serving_instances(world: SimulatedWorld, task: Task) -> Finding:
    region = world.regions[task.target]
    without = [name for name, one in region.deployments.items() if one.replicas == 0]
    return found(region.admits and not without, f"{task.target} admits traffic", f"nobody is up for {', '.join(without) or 'anything'}")


def _published(world: SimulatedWorld, task: Task) -> Finding:
    other = [name for name, region in world.dns.items() if region != task.target]
    return found(not other, f"all names lead to {task.target}", f"{', '.join(other)} lead elsewhere")


def _publish(world: SimulatedWorld, task: Task) -> Mapping[str, Any]:
    world.dns_orders.obey(task.block, task.order)
    world.dns = dict.fromkeys(world.dns, task.target)
    return {}


def _test_all(world: SimulatedWorld, task: Task) -> Mapping[str, Any]:
    region, wanted = scaled_region(task), _wanted_stores(world, task)
    results = {
        function: world.request_in(world.plan.witness, region, function, f"holdfast-{task.order.as_text()}-{function}")
        for function in world.plan.functions
    }
    failed = [f"{name}: {served.detail}" for name, served in results.items() if served.result is not RequestResult.ACKNOWLEDGED]
    meant = {world.component(kind): where for kind, where in wanted.items()} if task.block == "smoke.test" else {}
    elsewhere = [
        name for name, served in results.items() if any(write.region != meant.get(store, write.region) for store, write in served.writes)
    ]
    if failed or elsewhere:
        raise PermissionError("; ".join([*failed, *(f"{name}: written elsewhere" for name in elsewhere)]))
    world.proofs[task.block, task.order.as_text()] = f"{len(results)} functions served a real transaction in {region}"
    return {"functions": sorted(results)}


EFFECTS: dict[str, Effect] = {
    "postgres.promote": Effect(_target, _promoted, _promote, _writes, act_seconds=0.5, through_agent=True),
    "postgres.restore": Effect(_target, _promoted, _restore, _writes, act_seconds=3.0, through_agent=True),
    "postgres.verify": Effect(_target, _was_proved, _prove_write),
    "divergence.export": Effect(_source, _exported, _export, act_seconds=0.5, through_agent=True),
    "postgres.reprotect": Effect(_source, _is_replica, _make_replica, act_seconds=2.0, through_agent=True),
    "redis.promote": Effect(_target, _promoted, _promote, _writes, act_seconds=0.1, through_agent=True),
    "redis.reprotect": Effect(_source, _is_replica, _make_replica, act_seconds=1.0, through_agent=True),
    "bucket.activate": Effect(_target, _bucket_active, _activate_bucket, through_bucket=True),
    "bucket.reconcile": Effect(_both, _buckets_alike, _reconcile, _buckets_alike_but_for_the_newest, act_seconds=1.0, through_bucket=True),
    "bucket.restore": Effect(_target, _nothing_deleted, _restore_bucket, through_bucket=True),
    "settings.update": Effect(_of_parameter, _settings_right, _update_settings),
    "application.scale": Effect(_of_parameter, scaled, scale, rolled_out(scaled)),
    "application.deploy": Effect(_target, deployed, deploy, rolled_out(deployed)),
    "application.fresh": Effect(_target, started_fresh, start_fresh, fresh_answers, act_seconds=4.0, lacks=lacks_stores),
    "loadbalancer.switch": Effect(
        _target, lambda world, task: _admitting(world.regions[task.target], True), _switch_load_balancer, _serving_instances
    ),
    "loadbalancer.drain": Effect(_source, lambda world, task: _admitting(world.regions[task.source], False), _drain),
    "dns.switch": Effect(_dns, _published, _publish),
    "smoke.test": Effect(_of_parameter, _was_proved, _test_all),
    "performance.watch": Effect(_of_parameter, _was_proved, _test_all),
}
"""Every block that a provider carries out, but for `fence`, which waits: see `fence`."""
