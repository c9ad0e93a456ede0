"""One leader at any moment, whatever happens to the holder, and soon another when it is gone. Against a real API server."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from berth_e2e.cluster import Cluster
from berth_e2e.waiting import wait_for
from berth_operator.leadership import DURATION_SECONDS, RENEW_DEADLINE, RETRY_SECONDS

CONTENDER = Path(__file__).with_name("contender.py")
SOON = 3 * RETRY_SECONDS + 3
"""Taking over from one that gave the lease back, on a busy machine."""


class Contender:
    def __init__(self, kubeconfig: Path, lease: str, folder: Path, name: str, hours_wrong: float = 0.0) -> None:
        self.name = name
        self.file = folder / f"{name}.txt"
        self.file.touch()
        argv = [sys.executable, str(CONTENDER), str(kubeconfig), name, lease, str(self.file), str(hours_wrong)]
        self.process = subprocess.Popen(argv)

    @property
    def moments(self) -> list[float]:
        """When it might act."""
        lines = self.file.read_text().splitlines()
        return [float(line.split()[1]) for line in lines if line.startswith("leads ") and len(line.split()) == 2]

    def wait_leads(self, timeout: float, since: float = 0.0) -> float:
        """The first moment after `since` at which it leads."""
        return wait_for(f"{self.name} leads", lambda: next((m for m in self.moments if m > since), None), timeout)

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)


@pytest.fixture
def contend(cluster: Cluster, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., Contender]]:
    started: list[Contender] = []
    lease = f"lead-{zlib.crc32(request.node.name.encode()):08x}"

    def start(name: str, **options: float) -> Contender:
        started.append(Contender(cluster.kubeconfig, lease, tmp_path, name, **options))
        return started[-1]

    yield start
    for contender in started:
        contender.process.kill()
        contender.process.wait()
    never_two_at_once(started)


def never_two_at_once(contenders: list[Contender]) -> None:
    """Between two moments of one, there is none of another."""
    told = sorted((moment, c.name) for c in contenders for moment in c.moments)
    reigns = [name for i, (_, name) in enumerate(told) if i == 0 or told[i - 1][1] != name]
    assert len(reigns) <= len(contenders) + 1, f"leadership went to and fro: {reigns}"


def test_one_leads_and_the_other_follows_soon_when_it_gives_back(contend: Callable[..., Contender]) -> None:
    first = contend("first")
    first.wait_leads(SOON)
    second = contend("second")
    time.sleep(2 * RETRY_SECONDS)
    assert not second.moments
    given_back = time.monotonic()
    first.send(signal.SIGTERM)
    assert first.process.wait(10) == 0
    assert second.wait_leads(SOON) - given_back < SOON
    assert max(first.moments) < min(second.moments)


def test_two_that_start_together_do_not_both_lead(contend: Callable[..., Contender]) -> None:
    both = [contend("one"), contend("two")]
    wait_for("one of them leads", lambda: any(c.moments for c in both), SOON)
    time.sleep(2 * RETRY_SECONDS)
    assert sum(bool(c.moments) for c in both) == 1


@pytest.mark.slow
@pytest.mark.parametrize("hours_wrong", [-26.0, 26.0])
def test_a_killed_holder_is_followed_after_its_lease_whatever_the_clocks_say(
    contend: Callable[..., Contender], hours_wrong: float
) -> None:
    first = contend("first")
    first.wait_leads(SOON)
    second = contend("second", hours_wrong=hours_wrong)
    time.sleep(2 * RETRY_SECONDS + 1)
    assert not second.moments, "a wrong clock must not make it leader"
    killed = time.monotonic()
    first.send(signal.SIGKILL)
    took_over = second.wait_leads(DURATION_SECONDS + SOON)
    assert DURATION_SECONDS - RETRY_SECONDS - 1 < took_over - killed < DURATION_SECONDS + SOON


@pytest.mark.slow
def test_a_frozen_holder_wakes_up_without_leading(contend: Callable[..., Contender]) -> None:
    first = contend("first")
    first.wait_leads(SOON)
    second = contend("second")
    first.send(signal.SIGSTOP)
    took_over = second.wait_leads(DURATION_SECONDS + SOON)
    first.send(signal.SIGCONT)
    time.sleep(2 * RETRY_SECONDS)
    assert max(first.moments) < took_over
    assert max(second.moments) > took_over + RETRY_SECONDS


@pytest.mark.slow
def test_a_holder_cut_off_from_the_server_stops_before_others_may_begin(
    cluster: Cluster, contend: Callable[..., Contender]
) -> None:
    first = contend("first")
    first.wait_leads(SOON)
    server = cluster.processes["kube-apiserver"]
    server.freeze()
    try:
        frozen = time.monotonic()
        time.sleep(RENEW_DEADLINE + RETRY_SECONDS + 1)
        assert max(first.moments) < frozen + RENEW_DEADLINE + 1
    finally:
        server.thaw()
    first.wait_leads(DURATION_SECONDS + SOON, since=time.monotonic())
