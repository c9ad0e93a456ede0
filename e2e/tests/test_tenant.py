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

from berth_e2e.api_client import RequestError
from berth_e2e.berth_processes import Berth
from berth_e2e.canary import CANARIES
from berth_e2e.cluster import Cluster
from berth_e2e.objects import node, pod, priority_class
from berth_e2e.tenants import Tenant, hardened, tenant
from berth_e2e.waiting import wait_for
from berth_operator.events import COMPONENT

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
    """Her pods fill all GPUs; uid to node. She has secrets, too, which the end of the run looks for."""
    tenant(shared, ALICE)
    given = {"AWS_SECRET_ACCESS_KEY": CANARIES["the S3 key"], "HF_TOKEN": CANARIES["the Hugging Face token"]}
    metadata = {"name": "weights", "namespace": ALICE}
    shared.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": given})
    reads = _service("reads", model={"uri": "s3://bucket/m", "credentialsSecretRef": {"name": "weights"}})
    reads["metadata"]["namespace"] = ALICE
    shared.create(reads)
    body = _set(LEDGER, 8, gpus=2)
    shared.create(body)
    wait_for("alice's pods", lambda: len(_uids(shared)) == 8, 60.0)
    return _uids(shared)


@pytest.fixture
def alive(shared: Cluster) -> Iterator[dict[str, int | None]]:
    """Every process of ours lives through the test, has seen no bug, and still serves others. Given: their pids, by name."""
    before = {name: process.pid for name, process in _ours(shared).items()}
    logged = {name: len(process.log_text()) for name, process in _ours(shared).items()}
    yield before
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


# --- with LLMServices


def _service(name: str, **spec: Any) -> Json:
    spec = {"model": {"uri": "path://tiny-mixtral"}, "resources": {"gpus": 0}, **spec}
    metadata = {"name": name, "namespace": MALLORY}
    return {"apiVersion": "berth.dev/v1alpha1", "kind": "LLMService", "metadata": metadata, "spec": spec}


def _deep(name: str, levels: int) -> bytes:
    """As text: Python's own encoder does not go that deep."""
    body = json.dumps(_service(name, **_template(x="HERE")))
    return body.replace('"HERE"', '{"a":' * levels + "1" + "}" * levels).encode()


def _template(**spec: Any) -> Json:
    return {"podTemplate": {"spec": spec}}


ENGINE: Json = {"name": "engine"}
REFUSED_AS_A_SERVICE: dict[str, Json] = {
    "the node's network": _template(hostNetwork=True),
    "past the scheduler": _template(nodeName="node-0"),
    "a priority by the back door": _template(priorityClassName="llm-high"),
    "another scheduler by the back door": _template(schedulerName="default-scheduler"),
    "another program under the engine's name": _template(containers=[{"name": "engine", "image": "mine"}]),
    "out of the volume": {"model": {"uri": "pvc://claim/../../etc"}},
    "out of the folder": {"model": {"uri": "path:///models/../../etc"}},
    "the cloud's metadata": {"model": {"uri": "http://169.254.169.254/latest/meta-data"}},
    "a file of the node": {"model": {"uri": "file:///etc/shadow"}},
    "another namespace's claim": {"model": {"uri": "pvc://alice%2Fclaim/m"}},
    "credentials in the open": {"model": {"uri": "s3://key:secret@bucket/m"}},
    "control characters": {"model": {"uri": "s3://bucket/\u0000\u001b"}},
    "a service without end": {"engine": {"args": ["x" * 4_096] * 300}},
    "more replicas than a cluster has": {"replicas": 10**9},
}
REFUSED_AS_PODS: dict[str, Json] = {
    "a folder of the node": _template(volumes=[{"name": "h", "hostPath": {"path": "/"}}]),
    "privileges": _template(containers=[{**ENGINE, "securityContext": {"privileged": True}}]),
    "root": _template(containers=[{**ENGINE, "securityContext": {"runAsUser": 0, "runAsNonRoot": False}}]),
    "capabilities": _template(containers=[{**ENGINE, "securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}]),
    "a port of the node": _template(
        containers=[{**ENGINE, "ports": [{"name": "n", "containerPort": 9, "hostPort": 9}]}]
    ),
    "a class beyond its quota": {"priority": "llm-high"},
    "a secret elsewhere": {
        "model": {"uri": "s3://bucket/m", "credentialsSecretRef": {"name": "alice/s3"}},
    },
    "a volume of another kind": _template(volumes=[{"name": "m", "nfs": {"server": "10.0.0.1", "path": "/"}}]),
    "an account that is not there": _template(serviceAccountName="cluster-admin", automountServiceAccountToken=True),
}


@pytest.fixture(scope="module")
def limited(shared: Cluster, mallory: Tenant) -> Tenant:
    """None of her pods may have the high class, as an administrator says it who shares classes out."""
    scope = {"scopeName": "PriorityClass", "operator": "In", "values": ["llm-high"]}
    spec = {"hard": {"pods": "0"}, "scopeSelector": {"matchExpressions": [scope]}}
    metadata = {"name": "no-high", "namespace": MALLORY}
    shared.create({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": spec})
    path = f"/api/v1/namespaces/{MALLORY}/resourcequotas/no-high"
    wait_for("the quota", lambda: shared.api.get(path).get("status", {}).get("hard"), 30.0)
    return mallory


@pytest.mark.usefixtures("alive")
def test_a_service_is_no_way_to_more_than_its_namespace_allows(
    shared: Cluster, limited: Tenant, alice: dict[str, str]
) -> None:
    with pytest.raises(RequestError, match="exceeded quota"):
        limited.pods.create(hardened(pod("direct", namespace=MALLORY, priority_class="llm-high")))
    taken = []
    statuses: set[int] = set()
    for number, (what, spec) in enumerate(REFUSED_AS_A_SERVICE.items()):
        try:
            limited.services.create(_service(f"refused-{number}", **spec))
            taken.append(what)
        except RequestError as error:
            statuses.add(error.status)
    assert taken == []
    assert statuses == {422}
    for number, spec in enumerate(REFUSED_AS_PODS.values()):
        limited.services.create(_service(f"limited-{number}", **spec))

    def refused() -> dict[str, str]:
        """Reasons by attack."""
        found = {}
        for number, what in enumerate(REFUSED_AS_PODS):
            status = limited.services.get(f"{SERVICES}/limited-{number}").get("status", {})
            for one in status.get("conditions", []):
                if one["type"] == "Ready" and one["reason"] in ("AdmissionRefused", "QuotaExceeded"):
                    found[what] = one["message"]
        return found

    wait_for("all refused", lambda: refused().keys() == REFUSED_AS_PODS.keys(), SETTLED_SECONDS, seen=refused)
    pods = shared.api.items(f"/api/v1/namespaces/{MALLORY}/pods")
    assert [p["metadata"]["name"] for p in pods] == []
    assert _uids(shared) == alice
    for number in range(len(REFUSED_AS_PODS)):
        limited.services.delete(f"{SERVICES}/limited-{number}")


@pytest.mark.slow
@pytest.mark.slow
def test_services_of_every_size_and_depth_blind_nobody_to_the_others(
    shared: Cluster, mallory: Tenant, alive: dict[str, int | None]
) -> None:
    """Depth and size that the API server stores. The operator begins anew in the middle: it meets them in a list too."""
    stored: list[int] = []
    refusals: list[RequestError] = []
    for levels in DEEP:
        try:
            mallory.services.request("POST", SERVICES, _deep(f"deep-{levels}", levels))
        except RecursionError:
            stored.append(levels)  # the answer has what was sent in it, and this client is no better than others
        except RequestError as error:
            refusals.append(error)
    assert all(error.status in (400, 413, 422) for error in refusals), refusals
    assert stored, "the attack needs one that the API server takes"
    mallory.services.create(_service("wide", **_template(**{f"x{i}": {"y": "z" * 900} for i in range(1_000)})))
    odd = {"metadata": {"annotations": {"berth.dev/wake": "0001-01-01T00:00:00+23:59"}}}
    mallory.services.create(_service("odd", autoscaling={"min": 0, "max": 1}))
    mallory.services.merge(f"{SERVICES}/odd", odd)

    def answers(name: str) -> bool:
        honest = _service(name)
        honest["metadata"]["namespace"] = ALICE
        path = f"/apis/berth.dev/v1alpha1/namespaces/{ALICE}/llmservices/{name}"
        shared.api.create(honest)
        wait_for(f"{name} answers", lambda: shared.api.get(path).get("status", {}).get("readyReplicas"), 60.0)
        shared.api.delete(path)
        return True

    assert answers("while-watching")
    operator = shared.processes["operator-0"]
    operator.restart()
    shared.wait_ready("operator-0")
    alive["operator-0"] = operator.pid
    try:
        assert answers("after-a-list")
    finally:
        for name in (*(f"deep-{levels}" for levels in stored), "wide", "odd"):
            mallory.services.delete(f"{SERVICES}/{name}")


# --- what she may see


def test_nothing_tells_a_tenant_of_other_namespaces(shared: Cluster, mallory: Tenant, alice: dict[str, str]) -> None:
    for path in (
        "/apis/berth.dev/v1alpha1/packingplans",
        "/apis/berth.dev/v1alpha1/packingpolicies",
        f"/apis/berth.dev/v1alpha1/namespaces/{ALICE}/llmservices",
        "/api/v1/namespaces/berth-system/configmaps/berth-hints",
        f"/api/v1/namespaces/{ALICE}/pods",
        f"/api/v1/namespaces/{ALICE}/events",
        "/api/v1/namespaces/default/events",
        "/api/v1/nodes",
    ):
        for seat in (mallory.pods, mallory.services):
            with pytest.raises(RequestError, match="403"):
                seat.get(path)
    hints = ("next to the quixotic pods", "near quixotik-ledgr", "never on a node with ledger", "close to alice")
    for number, hint in enumerate(hints):
        body = pod(f"asks-{number}", namespace=MALLORY, annotations={"berth.dev/allocation-hint": hint}, gpus=2)
        body["spec"] |= {"schedulerName": "berth"}
        mallory.pods.create(hardened(body))
    mallory.services.create(_service("asks", placement={"hint": "next to the quixotic pods"}))

    def told() -> bool:
        about = {e["involvedObject"]["name"] for e in mallory.pods.items(f"/api/v1/namespaces/{MALLORY}/events")
                 if e["reason"].startswith("Hint")}  # fmt: skip
        return {f"asks-{i}" for i in range(len(hints))} <= about

    wait_for("word on the hints", told, SETTLED_SECONDS)
    wait_for(
        "a status", lambda: mallory.services.get(f"{SERVICES}/asks").get("status", {}).get("hint"), SETTLED_SECONDS
    )
    events = mallory.pods.items(f"/api/v1/namespaces/{MALLORY}/events")
    shown = json.dumps(
        [
            [e["message"] for e in events if e.get("source", {}).get("component") == COMPONENT],
            [p["metadata"].get("annotations", {}).get("berth.dev/why") for p in mallory.pods.items(f"/api/v1/namespaces/{MALLORY}/pods")],
            mallory.services.get(f"{SERVICES}/asks")["status"],
        ]
    )  # fmt: skip
    for secret in (f"{ALICE}/", LEDGER, *alice):
        assert shown.partition(secret)[1] == "", shown.partition(secret)[0][-200:]
    exposed = _metrics(shared)
    for name in (ALICE, LEDGER, MALLORY, "asks-0", "quixotic", "node-0"):
        assert name not in exposed, name
