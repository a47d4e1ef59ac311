"""The one place that wires providers to ports."""

import math
from collections.abc import Mapping, Sequence

from holdfast.console.observer import Rhythm
from holdfast.health.score import AGENT_NAME
from holdfast.plan.bindings import Bindings, BucketBinding, ComponentBinding, DnsBinding, LoadBalancerBinding, PostgresBinding, RedisBinding
from holdfast.plan.model import Plan, Profile
from holdfast.ports.clock import Clock
from holdfast.ports.probe import ObservationSource, Probe
from holdfast.providers.dns.probe import DnsProbe
from holdfast.providers.dns.resolver import CachingResolver
from holdfast.providers.http.observations import HttpObservationSource
from holdfast.providers.http.probe import AgentProbe, EntryProbe, Site, TransactionProbe, ZoneProbe
from holdfast.providers.postgres.probe import PostgresProbe
from holdfast.providers.redis.probe import RedisProbe
from holdfast.providers.s3.probe import BucketProbe


def probes_for(plan: Plan, bindings: Bindings, profile: Profile, clock: Clock) -> list[Probe]:
    """Everything that one observer looks at: functions through DNS, and every region's entry, stores, agent and zones."""
    return [rhythm.probe for rhythm in rhythms_for(plan, bindings, profile, clock)]


def rhythms_for(plan: Plan, bindings: Bindings, profile: Profile, clock: Clock) -> list[Rhythm]:
    """The probes of one observer, each with how many of its looks may wait at once."""
    site = Site(bindings.site, clock, profile.probe_timeout, bindings.source_address)
    agents = [AgentProbe(site, region, AGENT_NAME, agent) for region, agent in bindings.agents.items()]
    zones = [
        ZoneProbe(site, region, zone, binding)
        for region, named in bindings.zones.items()
        for zone, binding in named.items()
        if region in plan.regions and zone in plan.regions[region].zones
    ]
    single: list[Probe] = [*_component_probes(plan, bindings, site), *agents, *zones]
    return [*_transactions(plan, bindings, profile, site), *(Rhythm(probe) for probe in single)]


def sources_for(bindings: Bindings, profile: Profile) -> list[ObservationSource]:
    """Where a controller at this site gets what the observers saw."""
    return [
        HttpObservationSource(site, url, timeout_seconds=profile.probe_timeout, source_address=bindings.source_address)
        for site, url in bindings.observers.items()
    ]


def _transactions(plan: Plan, bindings: Bindings, profile: Profile, site: Site) -> list[Rhythm]:
    resolver = CachingResolver(
        bindings.resolver_host,
        bindings.resolver_port,
        site.clock,
        timeout_seconds=site.timeout_seconds,
        source_address=site.source_address,
    )
    regions = {address: region for dns in _dns_bindings(bindings)[:1] for region, address in dns.entries.items()}
    rhythms = []
    for name, binding in bindings.functions.items():
        if name not in plan.functions:
            continue
        # A slow function is degraded by the plan's number, not silent: so a look waits that long, and the next ones don't wait for it.
        patience = max(profile.probe_timeout, plan.functions[name].degraded.p95_latency_above)
        patient = Site(site.name, site.clock, patience, site.source_address)
        probe = TransactionProbe(patient, name, binding, resolver.address, regions)
        rhythms.append(Rhythm(probe, most_at_once=math.ceil(patience / profile.probe_every) + 1))
    return rhythms


def _component_probes(plan: Plan, bindings: Bindings, site: Site) -> list[Probe]:
    probes = [
        probe
        for component, regions in bindings.components.items()
        for region in regions
        if component in plan.components and region in plan.regions
        for probe in [_component_probe(component, region, regions, site)]
        if probe is not None
    ]
    return [*probes, *_dns_probes(bindings, site)]


def _component_probe(component: str, region: str, regions: Mapping[str, ComponentBinding], site: Site) -> Probe | None:
    """What looks at one component in one region. None where transactions (the cluster) or questions by name (DNS) look at it."""
    clock, seconds = site.clock, site.timeout_seconds
    match regions[region]:
        case PostgresBinding() as binding:
            return PostgresProbe(site.name, component, region, binding, clock, timeout_seconds=seconds)
        case RedisBinding() as binding:
            return RedisProbe(site.name, component, region, binding, clock, timeout_seconds=seconds)
        case BucketBinding():
            buckets = {name: bucket for name, bucket in regions.items() if isinstance(bucket, BucketBinding)}
            return BucketProbe(site.name, component, region, buckets, clock, timeout_seconds=seconds)
        case LoadBalancerBinding() as binding:
            return EntryProbe(site, region, component, binding.entry_host, binding.entry_port)
    return None


def _dns_probes(bindings: Bindings, site: Site) -> Sequence[Probe]:
    return [
        DnsProbe(
            site.name,
            function,
            binding.dns_name,
            dns,
            site.clock,
            timeout_seconds=site.timeout_seconds,
            source_address=site.source_address,
        )
        for dns in _dns_bindings(bindings)[:1]
        for function, binding in bindings.functions.items()
    ]


def _dns_bindings(bindings: Bindings) -> list[DnsBinding]:
    """DNS stands under every region alike, so the first is all."""
    return [binding for regions in bindings.components.values() for binding in regions.values() if isinstance(binding, DnsBinding)]
