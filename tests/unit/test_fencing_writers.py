"""However messages are delayed, doubled and dropped, and whoever restarts: never two writers, and epochs only grow."""

from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from unit.fencing_world import DRIFT, TTL, World, walk

RATES = st.floats(min_value=1.0, max_value=1.0 + DRIFT)
AGENTS = st.sampled_from(["a", "b"])
SITES = st.sampled_from(["a", "b", "c"])


class Writers(RuleBasedStateMachine):
    """Hypothesis chooses what happens next."""

    @initialize(a=RATES, b=RATES, c=RATES)
    def begin(self, a: float, b: float, c: float) -> None:
        self.world = World((a, b, c))

    @rule(seconds=st.one_of(st.floats(0.0, 0.5), st.floats(0.0, 4.0), st.sampled_from([TTL, TTL + 0.2, TTL * (1 + DRIFT) + 0.25])))
    def time_passes(self, seconds: float) -> None:
        self.world.now += seconds

    @rule(holder=AGENTS, grantor=SITES)
    def holder_asks(self, holder: str, grantor: str) -> None:
        self.world.ask(holder, grantor)

    @rule(holder=AGENTS)
    def holder_renews_at_once(self, holder: str) -> None:
        """The usual case: asked, answered, without delay."""
        for grantor in ("a", "b", "c"):
            before = len(self.world.messages)
            self.world.ask(holder, grantor)
            for _ in range(2):
                if len(self.world.messages) > before:
                    self.world.deliver(len(self.world.messages) - 1, keep=False)

    @rule(pairs=st.sets(st.sampled_from(["ab", "bc", "ac"])))
    def links_are_cut_or_healed(self, pairs: set[str]) -> None:
        self.world.cut = {frozenset(pair) for pair in pairs}

    @precondition(lambda self: self.world.messages)
    @rule(data=st.data(), keep=st.sampled_from([False, False, False, True]))
    def message_arrives(self, data: st.DataObject, keep: bool) -> None:
        self.world.deliver(data.draw(st.integers(0, len(self.world.messages) - 1)), keep=keep)

    @precondition(lambda self: self.world.messages)
    @rule(data=st.data())
    def message_is_lost(self, data: st.DataObject) -> None:
        self.world.messages.pop(data.draw(st.integers(0, len(self.world.messages) - 1)))

    @precondition(lambda self: self.world.messages)
    @rule()
    def newest_message_arrives(self) -> None:
        self.world.deliver(len(self.world.messages) - 1, keep=False)

    @rule()
    def controller_opens_an_activation(self) -> None:
        self.world.open_activation()

    @rule(verb=st.sampled_from(["prepare", "consent", "consent"]))
    def controller_orders_the_target(self, verb: str) -> None:
        self.world.order(verb, self.world.target)

    @rule()
    def controller_orders_the_fence(self) -> None:
        self.world.order("fence", self.world.source)

    @rule(graceful=st.booleans(), waits=st.floats(0.0, 4.0))
    def activation_runs_on(self, graceful: bool, waits: float) -> None:
        """A stretch of the usual course, so that deep histories are reached often."""
        world = self.world
        world.open_activation()
        if graceful:
            world.order("fence", world.source)
            self._deliver_all_new()
        world.order("prepare", world.target)
        self._deliver_all_new()
        world.now += waits
        world.order("consent", world.target)
        self._deliver_all_new()
        world.promote()

    def _deliver_all_new(self) -> None:
        for _ in range(4):
            if not self.world.messages or self.world.messages[-1]["kind"] in {"ask", "granted", "refused", "promote"}:
                break
            self.world.deliver(len(self.world.messages) - 1, keep=False)

    @rule()
    def controller_promotes(self) -> None:
        self.world.promote()

    @rule()
    def controller_turns_back(self) -> None:
        self.world.turn_back()

    @rule(name=AGENTS)
    def agent_restarts(self, name: str) -> None:
        agent = self.world.agent(name)
        agent.restart(self.world.now)

    @rule()
    def controller_restarts(self) -> None:
        self.world.controller_restarts()

    @rule()
    def controller_loses_its_journal(self) -> None:
        self.world.controller_loses_its_journal()

    @rule(region=AGENTS)
    def controller_hears(self, region: str) -> None:
        self.world.controller_hears(region)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            event(f"epochs written under: {min(len(self.world.epochs_written), 4)}")

    @invariant()
    def one_writer(self) -> None:
        if hasattr(self, "world"):
            self.world.write()


class TestThereIsNeverASecondWriter(Writers.TestCase):  # type: ignore[misc,valid-type]
    """`Writers`, many times over."""

    settings = settings(max_examples=300, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck))


def test_long_histories_have_one_writer_at_a_time_and_get_somewhere() -> None:
    worlds = [walk(seed, 400) for seed in range(1500)]
    assert sum(len(world.epochs_written) for world in worlds) > 2 * len(worlds), (
        "the histories must move the right to write, or they show nothing"
    )
    assert sum(world.writes for world in worlds) > 50 * len(worlds)
