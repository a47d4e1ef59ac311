"""What a load balancer was ordered, and what it still knows of it after its process was killed and started."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest

from contract.forgetful_suite import ForgetfulSuite, Memories, Memory
from contract.server_rig import CENTRAL, FUNCTIONS, haproxy, started_anew, thaw
from contract.test_haproxy_actions import DRAIN, SWITCH, Balancer
from holdfast.ports.action import Task
from holdfast.ports.forgetful import Forgetful
from holdfast.providers.haproxy.traffic import LoadBalancerDrainAction, LoadBalancerSwitchAction


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Balancer]:
    with haproxy(tmp_path, closed=True) as found:
        yield Balancer(*found)


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Balancer]:
    with haproxy(tmp_path, closed=False) as found:
        yield Balancer(*found)


def memories(balancer: Balancer, action: Forgetful, task: Task, state: str, directory: Path) -> Memories:
    """`state`: what the task's order means for each server, in HAProxy's word."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Memory]:
        with ExitStack() as running:

            async def restart() -> None:
                again = started_anew(balancer.process, directory, balancer.binding.admin_host, balancer.binding.admin_port)
                balancer.process = running.enter_context(again)

            async def set_as_ordered() -> None:
                for function in FUNCTIONS:
                    for number in (1, 2):
                        await balancer.api.command(f"set server {function}/{function}-{number} state {state}")

            yield Memory(action, task, balancer.held_back, balancer.cut, restart, set_as_ordered)
            if balancer.process.poll() is None:
                thaw(balancer.process)

    return opened


class TestLoadBalancerSwitch(ForgetfulSuite):
    implementations = (LoadBalancerSwitchAction,)

    @pytest.fixture
    def memories(self, closed: Balancer, tmp_path: Path) -> Memories:
        return memories(closed, LoadBalancerSwitchAction({CENTRAL: closed.binding}, timeout_seconds=1.0), SWITCH, "ready", tmp_path)


class TestLoadBalancerDrain(ForgetfulSuite):
    implementations = (LoadBalancerDrainAction,)

    @pytest.fixture
    def memories(self, serving: Balancer, tmp_path: Path) -> Memories:
        return memories(serving, LoadBalancerDrainAction({CENTRAL: serving.binding}, timeout_seconds=1.0), DRAIN, "maint", tmp_path)
