"""Which nodes hold which model, on a real API server: written on nodes, changed, taken away, and the prefetch that Pod Security lets in.

Fake nodes run no fetch, so the last words of fetches are written into pods' statuses here, as kubelets do; real kubelets do it in
test_model_residency_real.py.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from berth_e2e.api_client import RequestError
from berth_e2e.cluster import Cluster
from berth_e2e.objects import namespace
from berth_e2e.waiting import wait_for
from berth_operator.residency.prefetch import CLAIM, Prefetch, build_claim, build_prefetch

DIGEST, OTHER = "sha256:" + "ab" * 32, "sha256:" + "cd" * 32
NAME, OTHER_NAME = "ab" * 20, "cd" * 20
SECONDS = 30.0
QUIET_SECONDS = 8.0
HOST_PATH = {"hostPath": {"path": "/var/lib/berth/models"}}


@pytest.fixture
def nodes(berth_cluster: Cluster) -> Cluster:
    berth_cluster.add_nodes(3, gpus=8)
    return berth_cluster


def fetched(
    cluster: Cluster, name: str, node: str, cache: dict[str, Any], *, digest: str = DIGEST, size: int = 7
) -> None:
    """A pod on the node whose fetch has ended well."""
    cluster.create(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": name,
                "namespace": "default",
                "labels": {"berth.dev/model": digest.removeprefix("sha256:")[:40]},
            },
            "spec": {
                "nodeName": node,
                "initContainers": [{"name": "berth-fetch", "image": "fetch"}],
                "containers": [{"name": "engine", "image": "engine"}],
                "volumes": [{"name": "cache", **cache}],
            },
        }
    )
    cluster.wait_running(f"berth.dev/model={digest.removeprefix('sha256:')[:40]}", 1)
    word = {"code": "Fetched", "message": "", "digest": digest, "bytes": size, "folder": "/var/cache/berth/x"}
    ended = {"exitCode": 0, "reason": "Completed", "message": json.dumps(word), "finishedAt": "2026-11-23T12:00:00Z"}
    status = {"name": "berth-fetch", "image": "fetch", "imageID": "", "ready": True, "restartCount": 0}
    cluster.api.merge(
        f"/api/v1/namespaces/default/pods/{name}/status",
        {"status": {"initContainerStatuses": [{**status, "state": {"terminated": ended}}]}},
    )


def models(cluster: Cluster) -> dict[str, dict[str, int]]:
    """By node, what the annotations say."""
    found = {}
    for node in cluster.api.items("/api/v1/nodes"):
        said = node["metadata"].get("annotations", {}).get("berth.dev/models")
        if said is not None:
            found[node["metadata"]["name"]] = json.loads(said)
    return found


def wait_models(cluster: Cluster, what: str, wanted: dict[str, dict[str, int]]) -> None:
    wait_for(what, lambda: models(cluster) == wanted, SECONDS, seen=lambda: models(cluster))


def test_it_appears_changes_and_disappears(nodes: Cluster) -> None:
    fetched(nodes, "a", "node-1", HOST_PATH, size=123)
    wait_models(nodes, "the first", {"node-1": {NAME: 123}})
    fetched(nodes, "b", "node-1", HOST_PATH, digest=OTHER, size=9)
    wait_models(nodes, "both", {"node-1": {NAME: 123, OTHER_NAME: 9}})
    nodes.kubectl("delete", "pod", "a", "--grace-period=0", "--force")
    wait_models(nodes, "the second", {"node-1": {OTHER_NAME: 9}})
    nodes.kubectl("delete", "pod", "b", "--grace-period=0", "--force")
    wait_models(nodes, "none", {})


def test_a_claim_counts_when_its_volume_is_a_folder_of_the_node(nodes: Cluster) -> None:
    on_node, on_network = build_claim("default"), build_claim("default")
    nfs = on_network[0]
    del nfs["spec"]["hostPath"]
    nfs["spec"]["nfs"] = {"server": "10.0.0.1", "path": "/"}
    nfs["metadata"]["name"] = on_network[1]["spec"]["volumeName"] = "shared"
    nfs["spec"]["claimRef"]["name"] = on_network[1]["metadata"]["name"] = "shared"
    nodes.create(*on_node, *on_network)
    fetched(nodes, "shared", "node-0", {"persistentVolumeClaim": {"claimName": "shared"}})
    fetched(nodes, "own", "node-2", {"persistentVolumeClaim": {"claimName": CLAIM}}, digest=OTHER)
    wait_models(nodes, "the node's own", {"node-2": {OTHER_NAME: 7}})


def test_nothing_is_written_when_nothing_changes(nodes: Cluster) -> None:
    fetched(nodes, "a", "node-1", HOST_PATH)
    wait_models(nodes, "it", {"node-1": {NAME: 7}})
    seen = _annotated_at(nodes)
    nodes.processes["operator-0"].restart()
    wait_for("the operator leads again", lambda: _leads(nodes), SECONDS)
    fetched(nodes, "b", "node-0", HOST_PATH, digest=OTHER)
    wait_models(nodes, "the next", {"node-0": {OTHER_NAME: 7}, "node-1": {NAME: 7}})
    assert _annotated_at(nodes)["node-1"] == seen["node-1"]
    assert _annotated_at(nodes)["node-2"] == seen["node-2"]


def test_what_others_wrote_there_is_put_right(nodes: Cluster) -> None:
    nodes.api.merge("/api/v1/nodes/node-0", {"metadata": {"annotations": {"berth.dev/models": f'{{"{NAME}":5}}'}}})
    wait_models(nodes, "taken away", {})


def test_a_pod_goes_where_its_model_lies(nodes: Cluster) -> None:
    fetched(nodes, "a", "node-2", HOST_PATH)
    wait_models(nodes, "it", {"node-2": {NAME: 7}})
    waiting = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "next",
            "namespace": "default",
            "labels": {"berth.dev/model": NAME, "app": "next"},
            "annotations": {"berth.dev/allocation-hint": "prefer a node where the model is cached"},
        },
        "spec": {"schedulerName": "berth", "containers": [{"name": "engine", "image": "engine"}]},
    }
    nodes.create(waiting)
    nodes.wait_running("app=next", 1)
    assert nodes.pods("app=next")[0]["spec"]["nodeName"] == "node-2"


def test_the_prefetch_is_refused_where_restricted_holds_and_let_into_its_own_namespace(nodes: Cluster) -> None:
    _, daemons = build_prefetch(Prefetch("s3://models/m", DIGEST, "fetch"))
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "one", "namespace": "tenant", "labels": daemons["metadata"]["labels"]},
        "spec": daemons["spec"]["template"]["spec"],
    }
    tenant = namespace("tenant")
    tenant["metadata"].setdefault("labels", {})["pod-security.kubernetes.io/enforce"] = "restricted"
    nodes.create(tenant)
    wait_for("its account", lambda: nodes.api.exists("/api/v1/namespaces/tenant/serviceaccounts/default"), SECONDS)
    with pytest.raises(RequestError, match="hostPath") as refused:
        nodes.create(pod)
    assert "restricted" in str(refused.value)
    service = build_claim("tenant")
    nodes.create(*service)
    allowed = {**pod, "metadata": {"name": "reader", "namespace": "tenant"}, "spec": _reader()}
    nodes.create(allowed)

    nodes.kubectl("label", "nodes", "--all", "prefetch=yes")
    made = build_prefetch(Prefetch("s3://models/m", DIGEST, "fetch", node_selector={"prefetch": "yes"}))
    nodes.kubectl("apply", "-f", "-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": made}))
    path = "/apis/apps/v1/namespaces/berth-prefetch/daemonsets/prefetch-" + "ab" * 6
    try:
        wait_for("a pod a node", lambda: nodes.api.get(path)["status"].get("numberAvailable") == 3, SECONDS)
    finally:
        nodes.api.delete(path)


def _reader() -> dict[str, Any]:
    """As a service's pod, as far as Pod Security looks."""
    security = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    return {
        "automountServiceAccountToken": False,
        "containers": [
            {
                "name": "engine",
                "image": "engine",
                "securityContext": security,
                "volumeMounts": [{"name": "cache", "mountPath": "/var/cache/berth"}],
            }
        ],
        "volumes": [{"name": "cache", "persistentVolumeClaim": {"claimName": CLAIM}}],
    }


def _annotated_at(cluster: Cluster) -> dict[str, list[str]]:
    """When whoever wrote annotations of a node wrote last, by node: heartbeats change the rest."""
    found = {}
    for node in json.loads(cluster.kubectl("get", "nodes", "-o", "json", "--show-managed-fields"))["items"]:
        found[node["metadata"]["name"]] = [
            entry["time"]
            for entry in node["metadata"].get("managedFields", [])
            if "f:berth.dev/models" in json.dumps(entry)
        ]
    return found


def _leads(cluster: Cluster) -> bool:
    lease = cluster.api.get("/apis/coordination.k8s.io/v1/namespaces/berth-system/leases/berth-operator")
    return bool(lease["spec"].get("holderIdentity"))


@pytest.mark.slow
def test_a_replica_that_would_fetch_much_again_tells_plans_what_a_move_costs(nodes: Cluster) -> None:
    spec = {"model": {"uri": "s3://models/large", "digest": DIGEST}, "resources": {"gpus": 1}, "replicas": 1}
    metadata = {"name": "large", "namespace": "default"}
    nodes.create({"apiVersion": "berth.dev/v1alpha1", "kind": "LLMService", "metadata": metadata, "spec": spec})
    (pod,) = nodes.wait_running("berth.dev/llm-service=large", 1)
    path = f"/api/v1/namespaces/default/pods/{pod['metadata']['name']}"
    word = json.dumps({"code": "Fetched", "digest": DIGEST, "bytes": 93_000_000_000})
    status = {"name": "berth-fetch", "image": "fetch", "imageID": "", "ready": True, "restartCount": 0}
    ended = {**status, "state": {"terminated": {"exitCode": 0, "message": word}}}
    nodes.api.merge(f"{path}/status", {"status": {"initContainerStatuses": [ended]}})

    def cost() -> str:
        return str(nodes.api.get(path)["metadata"].get("annotations", {}).get("berth.dev/move-cost", ""))

    wait_for("the cost", lambda: cost() == "10", SECONDS, seen=cost)
    nodes.api.merge(path, {"metadata": {"annotations": {"berth.dev/move-cost": "3"}}})
    nodes.api.merge("/apis/berth.dev/v1alpha1/namespaces/default/llmservices/large/scale", {"spec": {"replicas": 2}})
    nodes.wait_running("berth.dev/llm-service=large", 2)
    assert cost() == "3", "what somebody has said stays"
