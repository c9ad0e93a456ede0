"""From an LLMService to pods that get traffic, on a real control plane with fake nodes: applied, healed, changed, deleted."""

from __future__ import annotations

import functools
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from berth_e2e.cluster import Cluster
from berth_e2e.gateway import gateway
from berth_e2e.waiting import wait_for

SERVICES = "/apis/berth.dev/v1alpha1/namespaces/default/llmservices"
DEPLOYMENT = "/apis/apps/v1/namespaces/default/deployments/llama"
SECONDS = 60.0


def llm_service(name: str = "llama", **spec: Any) -> dict[str, Any]:
    spec = {"model": {"uri": "path://tiny-mixtral"}, "replicas": 2, "resources": {"gpus": 1}, **spec}
    return {
        "apiVersion": "berth.dev/v1alpha1",
        "kind": "LLMService",
        "metadata": {"name": name, "namespace": "default"},
        "spec": spec,
    }


def status(cluster: Cluster, name: str = "llama") -> dict[str, Any]:
    found: dict[str, Any] = cluster.api.get(f"{SERVICES}/{name}").get("status", {})
    return found


def condition(cluster: Cluster, type_: str = "Ready", name: str = "llama") -> tuple[str, str, str]:
    for one in status(cluster, name).get("conditions", []):
        if one["type"] == type_:
            return one["status"], one["reason"], one["message"]
    return "", "", ""


def wait_until(cluster: Cluster, what: str, holds: Callable[[], bool]) -> None:
    wait_for(what, holds, SECONDS, seen=lambda: status(cluster))


@pytest.fixture
def serving(berth_cluster: Cluster) -> Cluster:
    berth_cluster.add_nodes(3, gpus=4)
    return berth_cluster


def test_a_service_becomes_pods_that_get_traffic_and_its_status_says_so(serving: Cluster) -> None:
    serving.api.create(llm_service(placement={"hint": "keep the pods on different nodes"}))
    wait_until(serving, "ready", lambda: condition(serving)[:2] == ("True", "Answering"))
    found = status(serving)
    assert (found["replicas"], found["readyReplicas"]) == (2, 2)
    assert found["url"] == "http://llama.default.svc/v1"
    assert sum(node["ready"] for node in found["nodes"]) == 2
    assert len(found["nodes"]) == 2, "the hint was followed"
    assert condition(serving, "HintUnderstood")[0] == "True"
    with urllib.request.urlopen(f"http://127.0.0.1:{serving.state.ports['operator-0']}/metrics", timeout=5) as answer:
        assert 'berth_llm_services{ready="True",reason="Answering"} 1.0' in answer.read().decode()
    pods = serving.pods("berth.dev/llm-service=llama")
    assert {pod["spec"]["schedulerName"] for pod in pods} == {"berth"}


def test_what_others_change_is_put_right_and_what_they_add_stays(serving: Cluster) -> None:
    serving.api.create(llm_service())
    wait_until(serving, "ready", lambda: condition(serving)[0] == "True")
    serving.api.merge(DEPLOYMENT, {"metadata": {"labels": {"theirs": "yes"}}, "spec": {"replicas": 5}})
    wait_until(serving, "two again", lambda: serving.api.get(DEPLOYMENT)["spec"]["replicas"] == 2)
    assert serving.api.get(DEPLOYMENT)["metadata"]["labels"]["theirs"] == "yes"
    serving.api.delete("/api/v1/namespaces/default/services/llama")
    wait_until(serving, "the Service again", lambda: serving.api.exists("/api/v1/namespaces/default/services/llama"))


def test_scaling_suspending_and_deleting(serving: Cluster) -> None:
    serving.api.create(llm_service(replicas=1))
    wait_until(serving, "ready", lambda: condition(serving)[0] == "True")
    serving.api.merge(f"{SERVICES}/llama/scale", {"spec": {"replicas": 3}})
    wait_until(serving, "three", lambda: status(serving).get("readyReplicas") == 3)
    serving.api.merge(f"{SERVICES}/llama", {"spec": {"suspend": True}})
    wait_until(serving, "none", lambda: condition(serving)[1] == "Suspended" and status(serving)["replicas"] == 0)
    serving.api.delete(f"{SERVICES}/llama")
    wait_for(
        "nothing left",
        lambda: not serving.api.exists(DEPLOYMENT) and not serving.pods("berth.dev/llm-service=llama"),
        SECONDS,
    )


@pytest.mark.slow
def test_changes_in_quick_succession_are_no_fight(serving: Cluster) -> None:
    """Each is asked for before the Deployment was seen to be as asked the last time."""
    serving.api.create(llm_service(replicas=1))
    wait_until(serving, "ready", lambda: condition(serving)[0] == "True")
    for replicas in (3, 1, 3, 1, 3, 1):
        serving.api.merge(f"{SERVICES}/llama", {"spec": {"replicas": replicas}})
        asked = functools.partial(_asked, serving, replicas)
        wait_for(f"{replicas} asked for", asked, 5.0, seen=lambda: status(serving))
    wait_until(serving, "one", lambda: status(serving).get("replicas") == 1 and condition(serving)[0] == "True")


def _asked(cluster: Cluster, replicas: int) -> bool:
    return bool(cluster.api.get(DEPLOYMENT)["spec"]["replicas"] == replicas)


def test_replicas_without_room_say_why(serving: Cluster) -> None:
    serving.api.create(llm_service(replicas=1, resources={"gpus": 8}, engine={"kind": "vllm"}))
    wait_until(
        serving, "the reason", lambda: condition(serving)[1] not in ("", "RollingOut", "NotAskedYet", "Unschedulable")
    )
    ready, reason, message = condition(serving)
    assert (ready, reason) == ("False", "NoPlacementExists")
    assert "nvidia.com/gpu" in message or "GPU" in message
    assert condition(serving, "Scheduled")[0] == "False"
    assert status(serving)["waiting"][0]["code"] == reason


def test_a_new_generation_is_ready_only_when_its_own_pods_are(serving: Cluster) -> None:
    serving.api.create(llm_service())
    wait_until(serving, "ready", lambda: condition(serving)[0] == "True")
    before = {pod["metadata"]["name"] for pod in serving.pods("berth.dev/llm-service=llama")}
    serving.api.merge(f"{SERVICES}/llama", {"spec": {"engine": {"maxBatch": 8}}})
    wait_until(serving, "not ready meanwhile", lambda: condition(serving)[0] == "False")

    def replaced() -> bool:
        names = {pod["metadata"]["name"] for pod in serving.pods("berth.dev/llm-service=llama")}
        return condition(serving)[0] == "True" and len(names) == 2 and not names & before

    wait_until(serving, "replaced", replaced)


def test_nothing_is_written_when_nothing_changes(serving: Cluster) -> None:
    serving.api.create(llm_service())
    wait_until(serving, "ready", lambda: condition(serving)[0] == "True")
    wait_until(serving, "settled", lambda: condition(serving, "Progressing")[1] == "Done")
    versions = _versions(serving)
    serving.processes["operator-0"].restart()
    wait_for("the operator leads again", lambda: _leads(serving), SECONDS)
    serving.api.create(llm_service("other", replicas=1))
    wait_until(serving, "the other is ready", lambda: condition(serving, name="other")[0] == "True")
    assert _versions(serving) == versions


def test_what_belongs_to_somebody_else_is_left_alone(serving: Cluster) -> None:
    theirs = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "llama", "namespace": "default", "labels": {"app": "theirs"}},
        "spec": {"ports": [{"port": 5432}], "selector": {"app": "theirs"}},
    }
    serving.api.create(theirs)
    serving.api.create(llm_service())
    wait_until(serving, "the reason", lambda: condition(serving)[1] == "NameTaken")
    found = serving.api.get("/api/v1/namespaces/default/services/llama")
    assert found["spec"]["selector"] == {"app": "theirs"}
    assert "ownerReferences" not in found["metadata"]
    serving.api.delete("/api/v1/namespaces/default/services/llama")
    wait_until(serving, "ready", lambda: condition(serving)[0] == "True")


def test_a_fight_is_told_and_not_fought(serving: Cluster) -> None:
    serving.api.create(llm_service())
    wait_until(serving, "ready", lambda: condition(serving)[0] == "True")

    def contended() -> bool:
        serving.api.merge(DEPLOYMENT, {"spec": {"replicas": 1}})
        return condition(serving)[1] == "ChildContended"

    wait_until(serving, "told", contended)
    assert "spec.replicas" in condition(serving)[2]


def _versions(cluster: Cluster) -> dict[str, str]:
    paths = (
        f"{SERVICES}/llama",
        DEPLOYMENT,
        "/api/v1/namespaces/default/services/llama",
        "/api/v1/namespaces/default/serviceaccounts/llama",
        "/apis/policy/v1/namespaces/default/poddisruptionbudgets/llama",
        "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies/llama",
    )
    return {path: cluster.api.get(path)["metadata"]["resourceVersion"] for path in paths}


def _leads(cluster: Cluster) -> bool:
    lease = cluster.api.get("/apis/coordination.k8s.io/v1/namespaces/berth-system/leases/berth-operator")
    return bool(lease["spec"].get("holderIdentity"))


def test_a_service_sleeps_until_somebody_asks_at_the_gateway(serving: Cluster, tmp_path: Path) -> None:
    body = llm_service(autoscaling={"min": 0, "max": 1, "stabilizationSeconds": {"down": 8}})
    del body["spec"]["replicas"]
    serving.api.create(body)
    wait_until(serving, "asleep", lambda: condition(serving)[1] == "ScaledToZero")
    with gateway(serving.gateway_kubeconfig(), tmp_path) as url:
        asked = threading.Thread(target=_ask, args=(f"{url}/v1/completions",), daemon=True)
        asked.start()
        wait_until(serving, "awake", lambda: condition(serving)[:2] == ("True", "Answering"))
        asked.join(SECONDS)  # the fake pod's address answers nobody, and the gateway says so
        assert not asked.is_alive()
        wait_until(serving, "asleep again", lambda: condition(serving)[1] == "ScaledToZero")
        history = [(event["from"], event["to"]) for event in status(serving)["scalingHistory"]]
        assert history[-2:] == [(0, 1), (1, 0)]


def _ask(url: str) -> None:
    request = urllib.request.Request(
        url, json.dumps({"model": "llama", "prompt": "x"}).encode(), {"Content-Type": "application/json"}
    )
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(request, timeout=SECONDS)
