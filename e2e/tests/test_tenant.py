"""What a tenant may try who can create pods, or LLMServices, in a namespace of its own: each attack is made, by its own account.

It cannot evict others' pods, see plans or names of other namespaces, spend the others' share of the language model, or end or blind a
process, whatever it writes. docs/security.md says what it can do.
"""

from __future__ import annotations

import http.client
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from berth_e2e.berth_processes import Berth
from berth_e2e.cluster import Cluster
from berth_e2e.objects import node, pod, priority_class
from berth_e2e.tenants import Tenant, hardened, tenant
from berth_e2e.waiting import wait_for

Json = dict[str, Any]

MALLORY, ALICE = "mallory", "alice"
LEDGER = "quixotic-ledger"
"""Alice's workload, of a name that nobody writes by chance."""
SERVICES = "/apis/berth.dev/v1alpha1/namespaces/mallory/llmservices"
LARGE = "x" * (250 * 1024)
DEEP = (1_100, 4_000, 9_900)
"""Levels of JSON: above what Python follows, up to what the API server takes."""
SETTLED_SECONDS = 60.0


@pytest.fixture(scope="module")
def shared(binaries: Path) -> Iterator[Cluster]:
    with Cluster.start(f"e2e-{os.getpid()}-tenant", berth=Berth(pairs=1)) as cluster:
        cluster.create(*(node(f"node-{i}", gpus=8) for i in range(2)))
        wait_for("nodes", lambda: {"node-0", "node-1"} <= set(cluster.ready_nodes()) & cluster.served_nodes())
        cluster.create(priority_class("llm-high", 1_000), priority_class("llm-low", -10))
        yield cluster


@pytest.fixture(scope="module")
def mallory(shared: Cluster) -> Tenant:
    return tenant(shared, MALLORY)


@pytest.fixture(scope="module")
def alice(shared: Cluster, mallory: Tenant) -> dict[str, str]:
    """Her pods fill all GPUs; uid to node."""
    tenant(shared, ALICE)
    body = _set(LEDGER, 8, gpus=2)
    shared.create(body)
    wait_for("alice's pods", lambda: len(_uids(shared)) == 8, 60.0)
    return _uids(shared)


@pytest.fixture
def alive(shared: Cluster) -> Iterator[None]:
    """Every process of ours lives through the test, has seen no bug, and still serves others."""
    before = {name: process.pid for name, process in _ours(shared).items()}
    logged = {name: len(process.log_text()) for name, process in _ours(shared).items()}
    yield
    assert {name: process.pid for name, process in _ours(shared).items()} == before
    for name, process in _ours(shared).items():
        shared.wait_ready(name, 10.0)
        assert "Traceback" not in process.log_text()[logged[name] :], f"{name}: {process.log_tail(60)}"
    name = f"honest-{time.monotonic_ns()}"
    body = hardened(pod(name, namespace=ALICE, labels={"app": name}, scheduler="berth"))
    shared.create(body)
    path = f"/api/v1/namespaces/{ALICE}/pods/{name}"
    wait_for("an honest pod placed", lambda: shared.api.get(path)["spec"].get("nodeName"), 30.0)
    shared.api.delete(path, grace_seconds=0)


def _ours(cluster: Cluster) -> dict[str, Any]:
    return {n: p for n, p in cluster.processes.items() if n.startswith(("extender-", "scheduler-", "operator-"))}


def _set(name: str, replicas: int, **spec: Any) -> Json:
    """A Deployment of Alice's, admitted by `restricted`."""
    template = hardened(pod("x", scheduler="berth", **spec))["spec"]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": ALICE},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": template},
        },
    }


def _uids(cluster: Cluster) -> dict[str, str]:
    """Alice's pods that run."""
    pods = cluster.api.items(f"/api/v1/namespaces/{ALICE}/pods", labelSelector=f"app={LEDGER}")
    return {p["metadata"]["uid"]: p["spec"]["nodeName"] for p in pods if p["status"]["phase"] == "Running"}


def _owner(kind: str, name: str, uid: str) -> Json:
    return {"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": uid, "controller": True}


ANNOTATIONS: dict[str, Json] = {
    "cheap to move": {"berth.dev/move-cost": "-1000000000"},
    "numbers that are none": {
        "berth.dev/move-cost": "1e999",
        "controller.kubernetes.io/pod-deletion-cost": "-2147483648",
        "berth.dev/gang": "g",
        "berth.dev/gang-min": "9" * 5_000,
    },
    "a hint without end": {"berth.dev/allocation-hint": "near redis, " * 20_000},
    "a hint of controls": {"allocation_hint": "\x1b]0;owned\x07 on node\u202e-0 \ud7ff\U0010ffff must must must " * 50},
    "a hint of brackets": {"berth.dev/allocation-hint": "(((((" * 400 + "not " * 400},
    "annotations of 250 KiB": {"berth.dev/why": LARGE},
    "what the leader writes": {
        "berth.dev/why": json.dumps({"code": "FitsAfterMoves", "message": "evict alice", "plan": "p", "position": 0}),
        "berth.dev/moved-at": "9999-12-31T23:59:59Z",
        "berth.dev/relieved-by": "alice/quixotic-ledger",
        "berth.dev/models": "all",
    },
    "a gang of alice's": {"berth.dev/gang": f"alice/{LEDGER}", "berth.dev/gang-min": "1"},
    "a group without end": {"leaderworkerset.sigs.k8s.io/size": "9" * 5_000},
}


@pytest.mark.usefixtures("alive")
def test_nothing_written_on_pods_evicts_others_or_ends_a_process(
    shared: Cluster, mallory: Tenant, alice: dict[str, str]
) -> None:
    for number, written in enumerate(ANNOTATIONS.values()):
        labels = {"app": "attack", "berth.dev/model": "ab" * 20, "app.kubernetes.io/name": "berth"}
        labels |= {"leaderworkerset.sigs.k8s.io/name": "lws", "leaderworkerset.sigs.k8s.io/group-index": "0"}
        body = pod(f"attack-{number}", namespace=MALLORY, labels=labels, annotations=written, gpus=2)
        body["spec"] |= {"schedulerName": "berth"}
        mallory.pods.create(hardened(body))
    owner = shared.api.items(f"/apis/apps/v1/namespaces/{ALICE}/replicasets")[0]["metadata"]
    for number, forged in enumerate((_owner("ReplicaSet", owner["name"], owner["uid"]), _owner("Nonsense", "n", "u"))):
        body = pod(f"forged-{number}", namespace=MALLORY, scheduler="berth", gpus=2)
        body["metadata"]["ownerReferences"] = [forged]
        mallory.pods.create(hardened(body))
    for number, (name, amount) in enumerate(
        (("cpu", "9223372036854775807"), ("memory", "8E"), ("nvidia.com/gpu", "9223372036854775807"), ("cpu", "1e18"))
    ):
        body = pod(f"huge-{number}", namespace=MALLORY, scheduler="berth")
        body["spec"]["containers"][0]["resources"] = {"requests": {name: amount}, "limits": {name: amount}}
        mallory.pods.create(hardened(body))
    body = pod("many-resources", namespace=MALLORY, scheduler="berth")
    many = {f"a{i}.example.com/b": "1" for i in range(2_000)}
    body["spec"]["containers"][0]["resources"] = {"requests": many, "limits": many}
    mallory.pods.create(hardened(body))
    body = pod("many-terms", namespace=MALLORY, scheduler="berth")
    term = {"matchExpressions": [{"key": f"k{i}", "operator": "NotIn", "values": ["v"]} for i in range(50)]}
    required = {"nodeSelectorTerms": [term] * 200}
    body["spec"]["affinity"] = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
    mallory.pods.create(hardened(body))

    waiting = {f"attack-{i}" for i in range(len(ANNOTATIONS))} - {"attack-1", "attack-8"}  # gangs that are never whole

    def said() -> dict[str, str]:
        pods = shared.api.items(f"/api/v1/namespaces/{MALLORY}/pods")
        return {p["metadata"]["name"]: p["metadata"].get("annotations", {}).get("berth.dev/why", "") for p in pods}

    def told() -> bool:
        """The leader has looked at every one of them, found no place, and said so over whatever they said themselves."""
        now = said()
        return all('"code"' in now[name] and "evict alice" not in now[name] for name in waiting)

    def seen() -> object:
        return {name: why[:200] for name, why in said().items()}, shared.processes["operator-0"].log_tail(20)

    wait_for("word on every pod", told, SETTLED_SECONDS, seen=seen)
    assert _uids(shared) == alice
    bugs = [line for line in _metrics(shared).splitlines() if 'reason="Bug"' in line and not line.endswith(" 0.0")]
    assert bugs == []
    for name in said():
        shared.api.delete(f"/api/v1/namespaces/{MALLORY}/pods/{name}", grace_seconds=0)


def _metrics(cluster: Cluster) -> str:
    """Of every process of ours that has a port for them."""
    found = []
    for use, port in cluster.state.ports.items():
        if use.startswith(("extender-metrics-", "operator-")):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", "/metrics")
            found.append(connection.getresponse().read().decode())
            connection.close()
    return "\n".join(found)
