"""Services whose objects others meddle with, on a real control plane with fake nodes: told, not fought, and nothing runs hot."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from berth_e2e.cluster import Cluster
from berth_e2e.waiting import wait_for

SERVICES = "/apis/berth.dev/v1alpha1/namespaces/default/llmservices"
DEPLOYMENT = "/apis/apps/v1/namespaces/default/deployments/llama"
LLAMA = "berth.dev/llm-service=llama"
SECONDS = 60.0
LOOK_ON = 12.0
"""Seconds; pauses of 1, 2, 4 and 8 s allow four applies of one object in them, and each may change a status."""
FEW_WRITES = 14


def service(**spec: Any) -> dict[str, Any]:
    spec = {"model": {"uri": "path://tiny-mixtral"}, "resources": {"gpus": 1}, "rollout": "InPlace", **spec}
    metadata = {"name": "llama", "namespace": "default"}
    return {"apiVersion": "berth.dev/v1alpha1", "kind": "LLMService", "metadata": metadata, "spec": spec}


def condition(cluster: Cluster, type_: str = "Ready") -> tuple[str, str, str]:
    status = cluster.api.get(f"{SERVICES}/llama").get("status", {})
    for one in status.get("conditions", []):
        if one["type"] == type_:
            return one["status"], one["reason"], one["message"]
    return "", "", ""


def wait_until(cluster: Cluster, what: str, holds: Callable[[], bool]) -> None:
    wait_for(what, holds, SECONDS, seen=lambda: (cluster.api.get(f"{SERVICES}/llama").get("status"), cluster.told()))


def is_ready(cluster: Cluster) -> bool:
    return condition(cluster)[0] == "True"


def writes(cluster: Cluster) -> float:
    url = f"http://127.0.0.1:{cluster.state.ports['operator-0']}/metrics"
    with urllib.request.urlopen(url, timeout=5) as answer:
        found = re.search(r"^berth_llm_service_writes_total (\S+)$", answer.read().decode(), re.MULTILINE)
    assert found is not None
    return float(found[1])


def stays_calm(cluster: Cluster) -> None:
    before = writes(cluster)
    time.sleep(LOOK_ON)
    assert writes(cluster) - before <= FEW_WRITES


@pytest.fixture
def serving(berth_cluster: Cluster) -> Cluster:
    berth_cluster.add_nodes(2, gpus=4)
    return berth_cluster


@pytest.mark.slow
def test_a_quota_that_is_too_small_is_told_and_a_larger_one_suffices(serving: Cluster) -> None:
    quota = "/api/v1/namespaces/default/resourcequotas/small"
    metadata = {"name": "small", "namespace": "default"}
    serving.create({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": {"pods": "1"}}})
    try:
        wait_for("the quota", lambda: "hard" in serving.api.get(quota).get("status", {}), SECONDS)
        serving.create(service(replicas=2))
        wait_until(serving, "the reason", lambda: condition(serving)[1] == "QuotaExceeded")
        assert "exceeded quota: small" in condition(serving)[2]
        stays_calm(serving)
        serving.api.merge(quota, {"spec": {"hard": {"pods": "5"}}})
        # the ReplicaSet's own pauses have grown meanwhile; a change of the number wakes it
        serving.api.merge(f"{SERVICES}/llama/scale", {"spec": {"replicas": 3}})
        wait_until(serving, "ready", lambda: is_ready(serving))
    finally:
        serving.api.delete(quota)


@pytest.mark.slow
def test_a_paused_deployment_is_told(serving: Cluster) -> None:
    serving.create(service())
    wait_until(serving, "ready", lambda: is_ready(serving))
    serving.kubectl("rollout", "pause", "deployment/llama")
    serving.api.merge(f"{SERVICES}/llama", {"spec": {"engine": {"maxBatch": 8}}})
    wait_until(serving, "the reason", lambda: condition(serving, "Progressing")[1] == "Paused")
    assert condition(serving)[:2] == ("False", "Paused")
    assert "kubectl rollout resume" in condition(serving, "Progressing")[2]
    stays_calm(serving)
    assert serving.api.get(DEPLOYMENT)["spec"]["paused"], "who paused it had a reason"
    serving.kubectl("rollout", "resume", "deployment/llama")
    wait_until(serving, "ready", lambda: is_ready(serving))


@pytest.mark.slow
def test_an_admission_that_changes_what_we_ask_for_is_told(serving: Cluster) -> None:
    kind = "admissionregistration.k8s.io/v1"
    policy = {
        "matchConstraints": {
            "resourceRules": [
                {
                    "apiGroups": ["apps"],
                    "apiVersions": ["v1"],
                    "operations": ["CREATE", "UPDATE"],
                    "resources": ["deployments"],
                }
            ],
        },
        "matchConditions": [{"name": "ours", "expression": "object.metadata.name == 'llama'"}],
        "reinvocationPolicy": "Never",
        "failurePolicy": "Fail",
        "mutations": [
            {
                "patchType": "ApplyConfiguration",
                "applyConfiguration": {
                    "expression": "Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{"
                    "terminationGracePeriodSeconds: 7}}}}"
                },
            }
        ],
    }
    names = {"MutatingAdmissionPolicy": policy, "MutatingAdmissionPolicyBinding": {"policyName": "seven"}}
    for name, spec in names.items():
        serving.kubectl(
            "apply", "-f", "-",
            given=json.dumps({"apiVersion": kind, "kind": name, "metadata": {"name": "seven"}, "spec": spec}),
        )  # fmt: skip
    try:
        time.sleep(2.0)  # until the API server has taken notice
        serving.create(service())
        wait_until(serving, "told", lambda: "terminationGracePeriodSeconds" in _whole_status(serving))
        assert "ChildContended" in _whole_status(serving)
        stays_calm(serving)
    finally:
        for name in names:
            serving.kubectl("delete", name.lower(), "seven")
    wait_until(serving, "ready", lambda: is_ready(serving))


def test_a_service_that_is_made_again_at_once_gets_objects_of_its_own(serving: Cluster) -> None:
    serving.create(service())
    wait_until(serving, "ready", lambda: is_ready(serving))
    before = {pod["metadata"]["uid"] for pod in serving.pods(LLAMA)}
    serving.api.delete(f"{SERVICES}/llama")
    serving.create(service())
    uid = serving.api.get(f"{SERVICES}/llama")["metadata"]["uid"]

    def owned() -> bool:
        try:
            owners = serving.api.get(DEPLOYMENT)["metadata"].get("ownerReferences", [])
        except Exception:
            return False
        return [owner["uid"] for owner in owners] == [uid]

    wait_until(serving, "ready, by its own", lambda: is_ready(serving) and owned())
    wait_until(serving, "new pods", lambda: not before & {pod["metadata"]["uid"] for pod in serving.pods(LLAMA)})


def test_gpus_that_went_from_the_nodes_are_missed_by_new_replicas_alone(serving: Cluster) -> None:
    """As when a device plugin ends: the kubelet then offers none, and what runs goes on."""
    serving.create(service())
    wait_until(serving, "ready", lambda: is_ready(serving))
    for name in ("node-0", "node-1"):
        none = {"nvidia.com/gpu": "0"}
        serving.api.merge(f"/api/v1/nodes/{name}/status", {"status": {"capacity": none, "allocatable": none}})
    serving.api.merge(f"{SERVICES}/llama/scale", {"spec": {"replicas": 2}})
    wait_until(serving, "the reason", lambda: condition(serving)[1] in ("NoPlacementExists", "InsufficientResource"))
    assert "nvidia.com/gpu" in condition(serving)[2] or "GPU" in condition(serving)[2]
    status = serving.api.get(f"{SERVICES}/llama")["status"]
    assert (status["readyReplicas"], status["desiredReplicas"]) == (1, 2)


def _whole_status(cluster: Cluster) -> str:
    return json.dumps(cluster.api.get(f"{SERVICES}/llama").get("status", {}))
