"""A plan on real kubelets: a pod that takes five seconds to go holds its room until it has gone. Slow: `make test-all`."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from berth_e2e.cluster import Cluster
from berth_e2e.objects import GPU, priority_class, replica_set
from berth_e2e.real_node.nodes import on_real_nodes
from berth_e2e.waiting import wait_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="namespaces, mounts and a bridge need root"),
]

PLANS = "/apis/berth.dev/v1alpha1/packingplans"
GOING_SECONDS = 5.0
GPUS = 8
SLOW_TO_GO = {
    "command": ["bash", "-c", "trap exit TERM; sleep infinity & wait"],
    "lifecycle": {"preStop": {"exec": {"command": ["sleep", str(int(GOING_SECONDS))]}}},
}
AT_ONCE = {"command": ["bash", "-c", "trap exit TERM; sleep infinity & wait"]}


@pytest.fixture(scope="module")
def standing(binaries: Path) -> Iterator[Cluster]:
    with Cluster.start(f"moves-{os.getpid()}", gpus=GPUS, real=2, berth=True) as cluster:
        yield cluster


class Ledger:
    """Looks at all pods ten times a second: who holds GPUs where, from binding until the pod object is gone."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.most: Counter[str] = Counter()
        self.seen: dict[str, list[float]] = defaultdict(list)
        """Pod name to the times at which it was there terminating."""
        self.bound_at: dict[str, float] = {}

    def __enter__(self) -> Ledger:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(10)

    def _look(self) -> None:
        while not self._ended.wait(0.1):
            held: Counter[str] = Counter()
            now = time.monotonic()
            for pod in self._cluster.pods():
                name, node = pod["metadata"]["name"], pod["spec"].get("nodeName")
                if node is None or pod["status"]["phase"] in ("Succeeded", "Failed"):
                    continue
                self.bound_at.setdefault(name, now)
                held[node] += gpus(pod)
                if pod["metadata"].get("deletionTimestamp"):
                    self.seen[name].append(now)
            for node, amount in held.items():
                self.most[node] = max(self.most[node], amount)


def gpus(pod: dict[str, Any]) -> int:
    return int(pod["spec"]["containers"][0]["resources"]["requests"].get(GPU, 0))


def test_room_is_taken_only_when_it_is_free_and_by_nobody_else(standing: Cluster) -> None:
    cluster = standing
    cluster.create(priority_class("urgent", 1000))
    cluster.create(
        replica_set("small", 8, gpus=2, scheduler="berth", grace_seconds=30, **on_real_nodes(), container=SLOW_TO_GO)
    )
    cluster.wait_running("app=small", 8, timeout=90)
    one_of = {p["spec"]["nodeName"]: p["metadata"]["name"] for p in cluster.running("app=small")}
    for name in one_of.values():
        cluster.kubectl("annotate", "pod", name, "controller.kubernetes.io/pod-deletion-cost=-100")
    cluster.kubectl("scale", "rs/small", "--replicas=6")
    wait_for("six of them", lambda: len(cluster.pods("app=small")) == 6 or None, 40)
    with Ledger(cluster) as ledger:
        cluster.create(
            replica_set(
                "big", 1, gpus=4, scheduler="berth", priority_class="urgent", **on_real_nodes(), container=AT_ONCE
            )
        )
        going = wait_for("a move begun", lambda: next(iter(ledger.seen), None), 40)
        cluster.create(replica_set("latecomer", 2, gpus=2, scheduler="berth", **on_real_nodes(), container=AT_ONCE))
        [big] = cluster.wait_running("app=big", 1, timeout=60)
        plan = wait_for(
            "its end",
            lambda: next(
                (p for p in cluster.api.items(PLANS) if p.get("status", {}).get("phase") == "Completed"), None
            ),
            30,
        )
        time.sleep(1)
    lasted = ledger.seen[going][-1] - ledger.seen[going][0]
    assert lasted >= GOING_SECONDS - 0.5, "the pod was given its time"
    assert ledger.bound_at[big["metadata"]["name"]] >= ledger.seen[going][-1], "nobody was let in before it had gone"
    assert max(ledger.most.values()) <= GPUS, "no node was ever promised twice"
    assert len(plan["status"]["evictions"]) == 1
    assert len(cluster.running("app=small")) == 6
    assert not cluster.running("app=latecomer"), "what was kept is not spent on those who come later"
