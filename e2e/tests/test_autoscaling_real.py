"""Replicas by the load that real engines tell: gauges of the engine on real kubelets, the real HorizontalPodAutoscaler controller.

Only the adapter between them is the tests' own. Slow: `make test-all`.
"""

from __future__ import annotations

import os
import re
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from berth_e2e.berth_processes import Berth
from berth_e2e.cluster import Cluster
from berth_e2e.custom_metrics import custom_metrics
from berth_e2e.tiny_service import PACKAGES, SECONDS, SERVICES, ask, condition, serving_pods, tiny, wait_until

TOKENS, STREAMS = 400, 7
"""One is answered at a time, so that six wait."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.geteuid() != 0, reason="namespaces, mounts and a bridge need root"),
    pytest.mark.skipif(PACKAGES is None, reason="the engine's environment is missing: make engine"),
]


def told_by_engine(pod: dict[str, Any], metric: str) -> float | None:
    """What an adapter with a Prometheus behind it would tell."""
    address = pod["status"].get("podIP")
    if not address:
        return None
    try:
        with urllib.request.urlopen(f"http://{address}:8000/metrics", timeout=2) as answer:
            found = re.search(rf"^{re.escape(metric)}{{[^}}]*}} (\S+)$", answer.read().decode(), re.MULTILINE)
    except OSError:
        return None
    return None if found is None else float(found[1])


@pytest.fixture(scope="module")
def real(binaries: Path) -> Iterator[Cluster]:
    with Cluster.start(f"scaling-{os.getpid()}", real=2) as cluster, custom_metrics(cluster, told_by_engine):
        cluster.add_berth(Berth(pairs=1))
        yield cluster


def test_a_queue_brings_replicas_and_its_end_takes_them_away(real: Cluster) -> None:
    scaling = {"max": 3, "metric": "QueueDepth", "target": 2, "stabilizationSeconds": {"down": 5}}
    real.create(tiny(autoscaling=scaling, engine={"args": ["--kv-blocks", "400", "--max-batch", "1"]}))
    wait_until(real, "ready", lambda: condition(real)[0] == "True")
    wait_until(real, "by load", lambda: condition(real, "AutoscalingActive")[:2] == ("True", "ScalingByLoad"))
    (first,) = serving_pods(real).values()
    enough = threading.Event()
    lengths: list[int] = []

    def keep_asking() -> None:
        while not enough.is_set():
            lengths.append(ask(first, max_tokens=TOKENS, ignore_eos=True)["usage"]["completion_tokens"])

    asking = [threading.Thread(target=keep_asking, daemon=True) for _ in range(STREAMS)]
    for thread in asking:
        thread.start()

    def status() -> dict[str, Any]:
        found: dict[str, Any] = real.api.get(f"{SERVICES}/tiny")["status"]
        return found

    wait_until(real, "three answer", lambda: status()["readyReplicas"] == 3)
    for address in serving_pods(real).values():
        assert ask(address)["choices"][0]["text"]
    enough.set()
    for thread in asking:
        thread.join(SECONDS)
        assert not thread.is_alive()
    assert set(lengths) == {TOKENS}, "nobody was cut"
    wait_until(real, "one is left", lambda: status()["replicas"] == status()["readyReplicas"] == 1)
    history = [(event["from"], event["to"]) for event in status()["scalingHistory"]]
    assert history[0] == (0, 1)
    assert max(to for _, to in history) == 3
    assert history[-1][1] == 1
