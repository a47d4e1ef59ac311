"""Wires a controller: journal, promises, observers, the action behind every block, the channels, and its API."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import uvicorn
from pydantic import BaseModel

from holdfast import __version__
from holdfast.app import sources_for
from holdfast.app_channels import Channels, channels_for, links_for, read_secret
from holdfast.conduct.attesting import attested_regions
from holdfast.console.api import Api
from holdfast.console.narrating import Narrator
from holdfast.console.narration import Line
from holdfast.controller.audiences import Audiences
from holdfast.controller.clock_steps import KeptClock
from holdfast.controller.hearing import belongs_to, hear
from holdfast.controller.keeper import Keeper
from holdfast.controller.loop import Controller
from holdfast.controller.reminding import Reminding
from holdfast.controller.settings import Settings
from holdfast.controller.watch import Watch
from holdfast.fencing.promise import LONGEST_TTL_SECONDS, Epoch, Timing
from holdfast.plan.bindings import (
    Bindings,
    BucketBinding,
    ClusterBinding,
    DnsBinding,
    LoadBalancerBinding,
    PostgresBinding,
    RedisBinding,
)
from holdfast.plan.channel_bindings import SecretReference
from holdfast.plan.loader import LoadedPlan
from holdfast.plan.model import Plan
from holdfast.ports.action import Action
from holdfast.ports.audience import AudienceSource
from holdfast.ports.clock import Clock
from holdfast.ports.divergence import DivergenceSource
from holdfast.ports.forgetful import Forgetful
from holdfast.providers.agents.actions import (
    PostgresPromoteAction,
    PostgresReprotectAction,
    PostgresRestoreAction,
    RedisPromoteAction,
    RedisReprotectAction,
)
from holdfast.providers.agents.client import AgentClient, AgentSilent
from holdfast.providers.agents.exports import AgentExport
from holdfast.providers.agents.fence import FenceAction
from holdfast.providers.agents.protection import AgentProtector
from holdfast.providers.agents.records import AgentRecords
from holdfast.providers.agents.withdraw import WithdrawAction
from holdfast.providers.clock.system import SystemClock
from holdfast.providers.dns.switch import DnsSwitchAction
from holdfast.providers.file.contacts import CsvAudience, member_of
from holdfast.providers.file.divergence import EXPORTS, DivergenceExportAction
from holdfast.providers.file.give_back import ExportGiver
from holdfast.providers.haproxy.traffic import LoadBalancerDrainAction, LoadBalancerSwitchAction, Turns
from holdfast.providers.http.audience import HttpAudience
from holdfast.providers.http.client import request
from holdfast.providers.kubernetes.fresh import FreshAction
from holdfast.providers.kubernetes.settings import SettingsAction
from holdfast.providers.kubernetes.workloads import DeployAction, ScaleAction
from holdfast.providers.postgres.give_back import PostgresGiver
from holdfast.providers.postgres.verify import PostgresVerifyAction
from holdfast.providers.postgres.verify import prove_writer as prove_postgres_writer
from holdfast.providers.redis.give_back import RedisGiver
from holdfast.providers.redis.verify import prove_writer as prove_redis_writer
from holdfast.providers.s3.activate import BucketActivateAction
from holdfast.providers.s3.divergence import BucketExport
from holdfast.providers.s3.reconcile import BucketReconcileAction
from holdfast.providers.s3.restore import BucketRestoreAction
from holdfast.providers.sqlite.journal import SqliteJournal
from holdfast.providers.sqlite.promises import SqlitePromises
from holdfast.providers.verification.performance import PerformanceWatchAction
from holdfast.providers.verification.smoke import SmokeTestAction
from holdfast.providers.verification.transaction import Entries, Entry

log = logging.getLogger(__name__)

Replication = Literal["asynchronous", "synchronous"]

TELL_EVERY_SECONDS = 0.1
SHORTEST_SECRET_BYTES = 16
HEARS_SECONDS = 2.0
BELONGS_SECONDS = 1.0
"""How long each agent is waited for before a controller begins: one that takes over in mid-outage must not lose time over a lost region."""


_Kind = TypeVar("_Kind", bound=BaseModel)


def _bound(bindings: Bindings, kind: type[_Kind]) -> dict[str, _Kind]:
    """Region → binding of the (first) component of a kind."""
    for regions in bindings.components.values():
        found: dict[str, _Kind] = {region: binding for region, binding in regions.items() if isinstance(binding, kind)}
        if found:
            return found
    return {}


def _secret(path: Path) -> bytes:
    """A key or token. Raises OSError for one that anybody could guess: an empty file would let everybody in."""
    content = path.read_bytes().strip()
    if len(content) < SHORTEST_SECRET_BYTES:
        raise OSError(f"{path} holds {len(content)} bytes; a key or token has at least {SHORTEST_SECRET_BYTES}: write a random one there")
    return content


@dataclass(frozen=True, slots=True)
class Assembled:
    """A controller with everything around it, ready to run."""

    controller: Controller
    keeper: Keeper
    journal: SqliteJournal
    agents: Mapping[str, AgentClient]
    api: Api
    bound_to: str
    """The installation that the bindings name; empty when they name none."""
    audiences: Audiences
    channels: Channels
    reminding: tuple[Reminding, ...]


def actions_for(
    plan: Plan, bindings: Bindings, agents: Mapping[str, AgentClient], keeper: Keeper, clock: Clock, replication: Replication
) -> dict[str, Action]:
    """The action behind every block that a provider carries out."""
    source = bindings.source_address
    dns = next(iter(_bound(bindings, DnsBinding).values()))
    balancers, turns = _bound(bindings, LoadBalancerBinding), Turns()
    clusters = _bound(bindings, ClusterBinding)
    buckets = _bound(bindings, BucketBinding)
    databases = _bound(bindings, PostgresBinding)
    caches = _bound(bindings, RedisBinding)
    entries = Entries(
        functions=bindings.functions,
        regions={region: Entry(balancer.entry_host, balancer.entry_port) for region, balancer in balancers.items()},
        request=request,
        clock=clock,
        source_address=source,
    )
    names = [binding.dns_name for binding in bindings.functions.values()]
    return {
        "fence": FenceAction(agents, clock, keeper.remaining_seconds),
        "withdraw": WithdrawAction(agents, clock, keeper.has_consented),
        "postgres.promote": PostgresPromoteAction(agents, clock, prove_postgres_writer(databases)),
        "postgres.restore": PostgresRestoreAction(agents, clock, prove_postgres_writer(databases), timeout_seconds=280.0),
        "postgres.verify": PostgresVerifyAction(databases),
        "divergence.export": DivergenceExportAction(
            bindings.state_directory / EXPORTS, _divergence_sources(plan, agents, buckets, clock), clock
        ),
        "postgres.reprotect": PostgresReprotectAction(agents, clock, replication=replication),
        "redis.promote": RedisPromoteAction(agents, clock, prove_redis_writer(caches)),
        "redis.reprotect": RedisReprotectAction(agents, clock, replication=replication),
        "bucket.activate": BucketActivateAction(buckets, clock),
        "bucket.reconcile": BucketReconcileAction(buckets),
        "bucket.restore": BucketRestoreAction(buckets),
        "settings.update": SettingsAction(clusters, source_address=source),
        "application.scale": ScaleAction(clusters, source_address=source),
        "application.deploy": DeployAction(clusters, source_address=source),
        "application.fresh": FreshAction(clusters, bindings.functions, clock, source_address=source),
        "loadbalancer.switch": LoadBalancerSwitchAction(balancers, source_address=source, turns=turns),
        "loadbalancer.drain": LoadBalancerDrainAction(balancers, source_address=source, turns=turns),
        "dns.switch": DnsSwitchAction(dns, names, source_address=source),
        "smoke.test": SmokeTestAction(entries),
        "performance.watch": PerformanceWatchAction(entries, plan.functions),
    }


def _divergence_sources(
    plan: Plan, agents: Mapping[str, AgentClient], buckets: Mapping[str, BucketBinding], clock: Clock
) -> dict[str, tuple[str, DivergenceSource]]:
    """Every component that keeps data, and who writes down what only its lost region holds."""
    sources: dict[str, DivergenceSource] = {kind: AgentExport(agents, kind, clock) for kind in ("postgres", "redis")}
    sources["bucket"] = BucketExport(buckets)
    return {name: (component.kind, sources[component.kind]) for name, component in plan.components.items() if component.kind in sources}


Actions = Mapping[str, Action]


def as_they_are(actions: Actions) -> Actions:
    """Every block acts as its provider does."""
    return actions


def assemble(
    loaded: LoadedPlan,
    bindings: Bindings,
    *,
    scenario: str,
    profile: str,
    exercise: str | None,
    scale: float = 1.0,
    through: Callable[[Actions], Actions] = as_they_are,
) -> Assembled:
    """Open the journal and wire everything to it. `through`: what stands between the controller and its actions (tests break one there).

    Raises JournalConflict when another controller holds the journal, OSError for a key or token that can't be used.
    """
    plan, clock = loaded.plan, KeptClock(SystemClock())
    token, lease_key = _secret(bindings.controller.token_file).decode(), _secret(bindings.controller.lease_key_file)
    bindings.state_directory.mkdir(parents=True, exist_ok=True)
    journal = SqliteJournal(bindings.state_directory / "journal.db")
    timing = plan.profiles[profile]
    longest = min(max(known.lease for known in plan.profiles.values()), LONGEST_TTL_SECONDS)
    keeper = Keeper(SqlitePromises(journal.database), clock, Timing(timing.drift, timing.margin), longest, tuple(plan.regions))
    agents = {region: AgentClient(region, binding, clock) for region, binding in bindings.agents.items()}
    watch = Watch(plan, timing, scenario, sources_for(bindings, timing), clock)
    channels = channels_for(plan, bindings, clock)
    actions = through(actions_for(plan, bindings, agents, keeper, clock, bindings.replication))
    settings = Settings(
        plan,
        loaded.digest,
        scenario,
        profile,
        bindings.environment,
        __version__,
        exercise,
        scale,
        replication=bindings.replication,
        pagers=channels.pagers,
    )
    controller = Controller(
        settings,
        journal,
        clock,
        watch,
        actions,
        channels.notifiers,
        keeper,
        [AgentRecords(agent, bindings.agents[region].key_file) for region, agent in agents.items()],
        ExportGiver(
            bindings.state_directory / EXPORTS,
            {"postgres": PostgresGiver(_bound(bindings, PostgresBinding)), "redis": RedisGiver(_bound(bindings, RedisBinding))},
        ),
        AgentProtector(agents, clock),
    )
    audiences = Audiences(_audience_sources(loaded, bindings), bindings.state_directory / "audiences", clock)
    controller.directory = audiences.directory
    controller.telling.terms.update(channels.terms)
    controller.telling.links, controller.telling.receipt_within_seconds = links_for(bindings), channels.receipt_within_seconds
    api = Api(controller, keeper, journal, token, lease_key)
    forgetful = {block: action for block, action in actions.items() if isinstance(action, Forgetful)}
    reminding = tuple(Reminding(region, forgetful, controller.chronicle, clock, controller.room) for region in plan.regions)
    return Assembled(controller, keeper, journal, agents, api, bindings.installation, audiences, channels, reminding)


def _audience_sources(loaded: LoadedPlan, bindings: Bindings) -> dict[str, AudienceSource]:
    """The directory behind every audience that has one: an address, or a file beside the plan."""
    found: dict[str, AudienceSource] = {}
    for name, audience in loaded.plan.audiences.items():
        if audience.source is not None and audience.source.startswith(("https://", "http://")):
            bound = bindings.audiences.get(name)
            token = partial(_token, bound.token) if bound is not None else None
            found[name] = HttpAudience(audience.source, member_of, token)
        elif audience.source is not None:
            found[name] = CsvAudience(loaded.path.parent / audience.source)
    return found


def _token(reference: SecretReference) -> str:
    return read_secret(reference).value


async def _status(agent: AgentClient, timeout_seconds: float) -> Mapping[str, Any] | None:
    try:
        return await agent.status(timeout_seconds)
    except AgentSilent:
        return None


async def _belongs_to(assembled: Assembled) -> str:
    """Which installation this is, known to every agent's client from here on. Before anything is promised, ordered or answered: is this
    the journal of these agents? One that is silent refuses by itself what isn't its own. Raises JournalForeign."""
    agents = assembled.agents
    answers = await asyncio.gather(*(_status(agent, BELONGS_SECONDS) for agent in agents.values()))
    said = dict(zip(agents, answers, strict=True))
    identity = belongs_to(assembled.controller.chronicle.installation, assembled.bound_to, said) or secrets.token_hex(8)
    for agent in agents.values():
        agent.installation = identity
    return identity


async def _hear(assembled: Assembled, tell: Callable[[Line], None], clock: Clock) -> tuple[Epoch, int]:
    """See `hear`."""

    async def status(region: str) -> Mapping[str, Any] | None:
        return await _status(assembled.agents[region], HEARS_SECONDS)

    def waits_for(silent: frozenset[str]) -> None:
        text = f"waits to hear the agents of {', '.join(sorted(silent))}: this controller has no memory of what it promised"
        tell(Line(clock.wall_seconds(), "unknown", text))
        assembled.controller.hears = silent

    controller = assembled.controller

    def attested() -> frozenset[str]:
        return attested_regions(controller.chronicle.installation.attested)

    new = controller.chronicle.is_new
    return await hear(assembled.keeper, assembled.agents, status, clock, waits_for, journal_is_new=new, attested=attested)


async def _narrate(journal: SqliteJournal, tell: Callable[[Line], None], clock: Clock, after: int) -> None:
    narrator = Narrator()
    while True:
        new = list(journal.read(after))
        after = new[-1].sequence if new else after
        for said in narrator.told(new, clock.wall_seconds()):
            with suppress(OSError):  # A terminal that was closed must not end the controller in the middle of an incident.
                tell(said)
        await clock.sleep(TELL_EVERY_SECONDS)


async def run_controller(
    loaded: LoadedPlan,
    bindings: Bindings,
    *,
    scenario: str,
    profile: str,
    exercise: str | None,
    tell: Callable[[Line], None],
    scale: float = 1.0,
    through: Callable[[Actions], Actions] = as_they_are,
) -> None:
    """Run until cancelled. Raises JournalConflict when another controller holds or takes the journal, JournalForeign when it is of other
    agents."""
    clock = SystemClock()
    assembled = assemble(loaded, bindings, scenario=scenario, profile=profile, exercise=exercise, scale=scale, through=through)
    head = assembled.journal.head()[0]
    assembled.controller.room.told = lambda reason: tell(
        Line(clock.wall_seconds(), "failed", f"nothing is decided or ordered until the journal can be written: {reason}")
    )
    binding = bindings.controller
    server = uvicorn.Server(
        uvicorn.Config(
            assembled.api.application(), host=binding.host, port=binding.port, log_level="warning", access_log=False, lifespan="off"
        )
    )
    try:
        async with asyncio.TaskGroup() as group:
            keeper, controller = assembled.keeper, assembled.controller
            identity = await _belongs_to(assembled)
            serving: asyncio.Task[None] | None = None
            if controller.chronicle.is_new or keeper.unheard:
                # Without memory it promises nothing, so it may answer before its term begins: status, and people's word for the silent.
                serving = group.create_task(_serve(server, binding.host, binding.port))
            used, term = await _hear(assembled, tell, clock)
            controller.begin_term((keeper.epoch.era, keeper.epoch.epoch, keeper.holder), used, term, identity)
            if serving is None:
                group.create_task(_serve(server, binding.host, binding.port))
            group.create_task(assembled.audiences.run())
            group.create_task(assembled.controller.run())
            for reminding in assembled.reminding:
                group.create_task(reminding.run())
            group.create_task(_narrate(assembled.journal, tell, clock, head))
    finally:
        server.should_exit = True
        with suppress(Exception):
            await assembled.channels.close()
        with suppress(Exception):
            assembled.journal.close()


async def _serve(server: uvicorn.Server, host: str, port: int) -> None:
    try:
        await server.serve()
    except SystemExit as exit_:
        raise OSError(
            f"the controller can't listen on {host}:{port}; another program does. Stop it, or start the lab anew with `holdfast lab down`"
        ) from exit_
