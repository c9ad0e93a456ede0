"""The extender beside a real kube-scheduler: it keeps plans' room, and whatever happens to it, pods are scheduled."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from berth_api.annotations import ACKNOWLEDGED_PLANS, WHY
from berth_e2e.berth_processes import answers
from berth_e2e.cluster import Cluster
from berth_e2e.objects import pod
from berth_e2e.waiting import wait_for

PLANS = "/apis/berth.dev/v1alpha1/packingplans"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/berth-system/leases"
EXTENDERS = ("extender-0", "extender-1")
HUNG_SECONDS = 30.0
"""Of two extenders one is asked; its timeout of a second is met by filter and by prioritize, for each pod."""


@pytest.fixture
def ready_cluster(berth_cluster: Cluster) -> Cluster:
    """Two nodes, and both extenders know them."""
    for name in EXTENDERS:
        port = berth_cluster.state.ports[name.replace("extender", "extender-metrics")]
        wait_for(f"{name} ready", partial(answers, port), 30.0)
    berth_cluster.add_nodes(2, gpus=8)
    return berth_cluster


def where(cluster: Cluster) -> dict[str, str]:
    return {p["metadata"]["name"]: p["spec"].get("nodeName", "") for p in cluster.pods()}


def create_pods(cluster: Cluster, *names: str, gpus: int = 1) -> None:
    for name in names:
        cluster.create(pod(name, labels={"app": "test"}, gpus=gpus, scheduler="berth"))


# Pods do not depend on it


def test_without_extenders_pods_are_scheduled(ready_cluster: Cluster) -> None:
    for name in EXTENDERS:
        ready_cluster.processes[name].kill()
    create_pods(ready_cluster, "a", "b", "c")
    ready_cluster.wait_running("app=test", 3)


@pytest.mark.slow
def test_hanging_extenders_make_pods_slow_and_survive_it(ready_cluster: Cluster) -> None:
    create_pods(ready_cluster, "before")
    ready_cluster.wait_running("app=test", 1)
    for name in EXTENDERS:
        ready_cluster.processes[name].freeze()
    create_pods(ready_cluster, "a", "b", "c")
    began = time.monotonic()
    ready_cluster.wait_running("app=test", 4, timeout=HUNG_SECONDS)
    assert time.monotonic() - began > 2, "they did hang"
    for name in EXTENDERS:
        ready_cluster.processes[name].thaw()
    create_pods(ready_cluster, "after")
    ready_cluster.wait_running("app=test", 5)
    for name in EXTENDERS:
        ready_cluster.processes[name].assert_running()


@pytest.mark.parametrize("answer", [b"}{", b'{"NodeNames":["nowhere"]}', b'{"Error":"no"}'])
def test_garbage_is_ignored(ready_cluster: Cluster, answer: bytes) -> None:
    for name in EXTENDERS:
        ready_cluster.processes[name].stop()
    with answering(ready_cluster, answer) as asked:
        create_pods(ready_cluster, "a", "b")
        ready_cluster.wait_running("app=test", 2)
    assert "/filter" in asked


@contextmanager
def answering(cluster: Cluster, body: bytes) -> Iterator[list[str]]:
    """Something else listens where the extenders did, and answers everything with `body`."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base's own word)
            pass

    servers = [ThreadingHTTPServer(("127.0.0.1", cluster.state.ports[name]), Handler) for name in EXTENDERS]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield asked
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


# What it is there for


@pytest.fixture
def kept(ready_cluster: Cluster) -> Iterator[Cluster]:
    """Two nodes of 8 GPUs, and an active plan that keeps all of node-0 for the pod `planned`. Nobody carries it out."""
    cluster = ready_cluster
    cluster.processes["operator-0"].stop()
    for left in cluster.api.items(PLANS):
        cluster.api.delete(f"{PLANS}/{left['metadata']['name']}")
    cluster.create(plan())
    now = datetime.now(UTC).isoformat()
    approved = {"type": "Approved", "status": "True", "reason": "TakenUp", "message": "", "lastTransitionTime": now}
    cluster.api.merge(f"{PLANS}/kept/status", {"status": {"conditions": [approved]}})
    wait_for("both extenders keep its room", lambda: acknowledged(cluster) == 2, 10.0)
    yield cluster
    cluster.api.delete(f"{PLANS}/kept")


def plan() -> dict[str, Any]:
    placement = {
        "workload": {"namespace": "default", "kind": "Pod", "name": "planned"},
        "priority": 0,
        "node": "node-0",
        "count": 1,
        "requests": {"cpu": 100, "memory": 128 * 2**20, "nvidia.com/gpu": 8, "pods": 1},
    }
    disruption = {"moves": 0, "evictions": 0, "value": 0, "bound": 0, "certificate": "Optimal"}
    now = datetime.now(UTC)
    return {
        "apiVersion": "berth.dev/v1alpha1",
        "kind": "PackingPlan",
        "metadata": {"name": "kept"},
        "spec": {
            "trigger": "Unschedulable",
            "summary": "Keeps node-0.",
            "approved": True,
            "deadline": (now + timedelta(minutes=5)).isoformat(),
            "certificate": {"tiers": [], "disruption": disruption, "verified": True, "solveSeconds": 0.1},
            "snapshot": {"taken": now.isoformat()},
            "waves": [{"steps": [{"placements": [placement]}]}],
        },
    }


def acknowledged(cluster: Cluster) -> int:
    """How many extenders say that they keep the plan's room."""
    uid = cluster.api.get(f"{PLANS}/kept")["metadata"]["uid"]
    return sum(uid in plans for plans in said(cluster))


def said(cluster: Cluster) -> list[list[str]]:
    """The uids of plans that each extender lists."""
    leases = cluster.api.items(LEASES, labelSelector="app.kubernetes.io/component=extender")
    return [json.loads(found["metadata"]["annotations"][ACKNOWLEDGED_PLANS]) for found in leases]


def test_room_that_a_plan_keeps_is_spent_by_nobody_else(kept: Cluster) -> None:
    create_pods(kept, *(f"other-{i}" for i in range(10)))
    kept.wait_running("app=test", 8)
    assert "kept for plan kept" in kept.told("app=test")
    create_pods(kept, "planned", gpus=8)
    kept.wait_running("app=test", 9)
    stands = where(kept)
    assert stands["planned"] == "node-0"
    assert [node for name, node in stands.items() if name != "planned" and node] == ["node-1"] * 8


def test_room_is_free_again_when_the_plan_is_gone(kept: Cluster) -> None:
    create_pods(kept, *(f"other-{i}" for i in range(10)))
    kept.wait_running("app=test", 8)
    kept.api.delete(f"{PLANS}/kept")
    wait_for("no extender lists it", lambda: said(kept) == [[], []], 5.0)
    for name, node in where(kept).items():
        if not node:  # no event in the cluster tells kube-scheduler: the leader wakes them by a patch, as here
            patch = {"metadata": {"annotations": {WHY: json.dumps({"code": "FitsNow", "message": "woken"})}}}
            kept.api.merge(f"/api/v1/namespaces/default/pods/{name}", patch)
    kept.wait_running("app=test", 10)
