"""Replicas by load on a real control plane: the real HorizontalPodAutoscaler controller decides by a real custom metrics API whose
numbers the tests set; KEDA's and the Inference Extension's kinds are the real definitions without their controllers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from berth_e2e.berth_processes import Berth
from berth_e2e.cluster import Cluster
from berth_e2e.custom_metrics import NAME as ADAPTER
from berth_e2e.custom_metrics import custom_metrics
from berth_e2e.scaled_service import (
    AUTOSCALERS,
    DEPLOYMENTS,
    LLAMA,
    SCALED_OBJECTS,
    SECONDS,
    SERVICES,
    Json,
    answering,
    ask_at_gateway,
    condition,
    llm_service,
    replicas_seen,
    status,
    wait_until,
)
from berth_e2e.state import ROOT
from berth_e2e.waiting import wait_for

POOLS = "/apis/inference.networking.k8s.io/v1/namespaces/default/inferencepools"
CRDS = ROOT / "e2e" / "crds"
QUEUE = "vllm:num_requests_waiting"


@pytest.fixture(scope="module")
def standing(binaries: Path) -> Iterator[Cluster]:
    with Cluster.start(f"e2e-{os.getpid()}-scaling") as cluster:
        controllers = cluster.processes["kube-controller-manager"]
        controllers.argv += ["--horizontal-pod-autoscaler-sync-period=1s"]
        controllers.restart()
        cluster.add_berth(Berth(pairs=1, operator_flags=("--prometheus-url", "http://prometheus.monitoring:9090")))
        yield cluster


@pytest.fixture
def scaling(standing: Cluster) -> Cluster:
    standing.clear()
    standing.add_nodes(2, gpus=8)
    return standing


@pytest.fixture
def load(scaling: Cluster) -> Iterator[Json]:
    """`queue`: requests that wait, over all pods; None: nobody tells. The operator knows of the custom metrics API."""
    told: Json = {"queue": 0.0}

    def gauge(pod: Json, metric: str) -> float | None:
        if metric != QUEUE or told["queue"] is None:
            return None
        return float(told["queue"]) / max(len(scaling.pods("berth.dev/llm-service=llama")), 1)

    with custom_metrics(scaling, gauge):
        restart_operator(scaling)
        yield told
    restart_operator(scaling)


@pytest.fixture
def other_kinds(scaling: Cluster) -> Iterator[None]:
    files = [argument for path in sorted(CRDS.glob("*.yaml")) for argument in ("-f", str(path))]
    scaling.kubectl("apply", "--server-side", *files)
    scaling.kubectl("wait", "--for=condition=Established", "--timeout=30s", *files)
    restart_operator(scaling)
    yield
    scaling.clear()
    scaling.kubectl("delete", "--ignore-not-found", *files)
    restart_operator(scaling)


def restart_operator(cluster: Cluster) -> None:
    """It looks for kinds anew."""
    cluster.processes["operator-0"].restart()
    cluster.wait_ready("operator-0")


def test_the_number_follows_the_load(scaling: Cluster, load: Json) -> None:
    scaling.api.create(llm_service({"target": 4}))
    wait_until(scaling, "one answers", answering(scaling, 1))
    load["queue"] = 12
    wait_until(scaling, "three answer", answering(scaling, 3))
    assert condition(scaling)[:2] == ("True", "ScalingByLoad")
    assert "QueueDepth at 4" in condition(scaling)[2]
    assert condition(scaling, "Ready")[0] == "True"
    load["queue"] = 1
    wait_until(scaling, "one is left", answering(scaling, 1))
    history = [(event["from"], event["to"]) for event in status(scaling)["scalingHistory"]]
    assert history[-2:] == [(1, 3), (3, 1)]


def test_no_replica_is_lost_when_autoscaling_is_switched_on_nor_at_the_next_rollout(
    scaling: Cluster, load: Json
) -> None:
    load["queue"] = None
    scaling.api.create(llm_service(replicas=3))
    wait_until(scaling, "three answer", answering(scaling, 3))
    with replicas_seen(scaling) as seen:
        scaling.api.merge(LLAMA, {"spec": {"replicas": None, "autoscaling": {"max": 5}}})
        wait_until(scaling, "no metric", lambda: condition(scaling)[:2] == ("False", "MetricUnavailable"))
        scaling.api.merge(LLAMA, {"spec": {"engine": {"maxBatch": 8}}})
        wait_until(scaling, "the new template", lambda: condition(scaling, "Progressing")[0] == "True")
        wait_until(scaling, "three answer again", lambda: condition(scaling, "Progressing")[1] == "Done")
    assert seen == [3]
    assert "num_requests_waiting" in condition(scaling)[2]
    assert len(scaling.pods("berth.dev/llm-service=llama")) == 3


def test_our_autoscaler_goes_when_it_is_asked_for_no_longer_and_others_stay(scaling: Cluster, load: Json) -> None:
    scaling.api.create(llm_service({"target": 4}))
    load["queue"] = 12
    wait_until(scaling, "three answer", answering(scaling, 3))
    ours = scaling.api.get(f"{AUTOSCALERS}/llama")
    theirs = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "keda-hpa-llama", "namespace": "default", "labels": ours["metadata"]["labels"]},
        "spec": {**ours["spec"], "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "other"}},
    }
    scaling.api.request("POST", AUTOSCALERS, theirs)
    try:
        with replicas_seen(scaling) as seen:
            scaling.api.merge(LLAMA, {"spec": {"autoscaling": None, "replicas": 2}})
            wait_until(scaling, "two answer", answering(scaling, 2))
        assert seen == [3, 2]
        assert not scaling.api.exists(f"{AUTOSCALERS}/llama")
        assert condition(scaling)[:2] == ("False", "NotConfigured")
        assert scaling.api.exists(f"{AUTOSCALERS}/keda-hpa-llama"), "labels do not make it ours"
    finally:
        scaling.api.delete(f"{AUTOSCALERS}/keda-hpa-llama")


@pytest.mark.slow
def test_the_last_step_is_the_operators(scaling: Cluster, load: Json) -> None:
    scaling.api.create(llm_service({"min": 0, "target": 4, "stabilizationSeconds": {"down": 6}}))
    wait_until(scaling, "asleep", lambda: condition(scaling, "Ready")[1] == "ScaledToZero")
    with replicas_seen(scaling) as seen:
        load["queue"] = 12  # nobody but the gateway wakes it, whatever the metric says
        wait_until(scaling, "the autoscaler", lambda: scaling.api.exists(f"{AUTOSCALERS}/llama"))
        ask_at_gateway(scaling)
        wait_until(scaling, "three answer", answering(scaling, 3))
        load["queue"] = 0
        wait_until(scaling, "asleep again", lambda: condition(scaling, "Ready")[1] == "ScaledToZero")
    assert seen == [0, 1, 3, 1, 0]
    assert condition(scaling)[:2] == ("True", "ScalingByLoad")


@pytest.mark.slow
def test_one_whose_autoscaler_does_not_work_sleeps_all_the_same(scaling: Cluster, load: Json) -> None:
    scaling.api.create(llm_service({"min": 0, "target": 4, "stabilizationSeconds": {"down": 8}}))
    load["queue"] = 12
    wait_until(scaling, "asleep", lambda: condition(scaling, "Ready")[1] == "ScaledToZero")
    ask_at_gateway(scaling)
    wait_until(scaling, "three answer", answering(scaling, 3))
    load["queue"] = None
    wait_until(scaling, "asleep", lambda: condition(scaling, "Ready")[1] == "ScaledToZero")


def test_nothing_is_written_while_the_load_stays(scaling: Cluster, load: Json) -> None:
    load["queue"] = 8
    # 1000 comes back as 1k, and is the same
    scaling.api.create(llm_service({"min": 2, "target": 1000}))
    wait_until(scaling, "two answer", answering(scaling, 2))
    wait_until(scaling, "by load", lambda: condition(scaling)[0] == "True")
    paths = (LLAMA, f"{DEPLOYMENTS}/llama", f"{AUTOSCALERS}/llama")

    def generations() -> list[object]:
        found = [scaling.api.get(path)["metadata"] for path in paths]
        return [found[0]["resourceVersion"], *(one.get("generation") for one in found), found[2]["managedFields"][0]]

    before = generations()
    restart_operator(scaling)
    other = llm_service(replicas=1)
    other["metadata"]["name"] = "other"
    scaling.api.create(other)
    path = f"{SERVICES}/other"
    wait_for("the other is looked at", lambda: scaling.api.get(path).get("status", {}).get("readyReplicas"), SECONDS)
    assert generations() == before


def test_without_an_autoscaler_the_fewest_run_and_the_reason_says_what_to_install(scaling: Cluster) -> None:
    scaling.api.create(llm_service({"min": 2}))
    wait_until(scaling, "two answer", answering(scaling, 2))
    active, reason, message = condition(scaling)
    assert (active, reason) == ("False", "AutoscalerMissing")
    assert "KEDA" in message
    assert "custom.metrics.k8s.io" in message
    assert not scaling.api.exists(f"{AUTOSCALERS}/llama")


def test_a_quantile_needs_prometheus(scaling: Cluster, load: Json) -> None:
    scaling.api.create(llm_service({"metric": "TimeToFirstToken"}))
    wait_until(scaling, "the reason", lambda: condition(scaling)[1] == "MetricNeedsPrometheus")
    wait_until(scaling, "one answers", answering(scaling, 1))


def test_a_deployment_that_lost_our_label_gets_it_back_and_keeps_its_number(scaling: Cluster, load: Json) -> None:
    load["queue"] = 12
    scaling.api.create(llm_service({"target": 4}))
    wait_until(scaling, "three answer", answering(scaling, 3))
    label = "berth.dev/llm-service"
    with replicas_seen(scaling) as seen:
        scaling.api.merge(f"{DEPLOYMENTS}/llama", {"metadata": {"labels": {label: None}}})
        wait_until(scaling, "the label", lambda: label in scaling.api.get(f"{DEPLOYMENTS}/llama")["metadata"]["labels"])
        wait_until(scaling, "three answer", answering(scaling, 3))
    assert seen == [3]


@pytest.mark.slow
def test_an_adapter_that_is_away_takes_nothing_away(scaling: Cluster, load: Json) -> None:
    load["queue"] = 12
    scaling.api.create(llm_service({"target": 4}))
    wait_until(scaling, "three answer", answering(scaling, 3))
    scaling.api.delete(f"/api/v1/namespaces/kube-system/services/{ADAPTER}")
    with replicas_seen(scaling) as seen:
        wait_until(scaling, "told", lambda: condition(scaling)[:2] == ("False", "MetricUnavailable"))
        restart_operator(scaling)  # which finds the API registered, and nobody behind it
        scaling.api.merge(LLAMA, {"spec": {"engine": {"maxBatch": 8}}})
        wait_until(scaling, "looked at", lambda: condition(scaling, "Progressing")[0] == "True")
        wait_until(scaling, "three answer", lambda: condition(scaling, "Progressing")[1] == "Done")
    assert seen == [3]
    assert scaling.api.exists(f"{AUTOSCALERS}/llama")


def as_keda(cluster: Cluster, status_: str, reason: str, message: str) -> None:
    """What KEDA's operator, which does not run here, would say."""
    conditions = [{"type": "Ready", "status": status_, "reason": reason, "message": message}]
    cluster.api.merge(f"{SCALED_OBJECTS}/llama/status", {"status": {"conditions": conditions}})


@pytest.mark.slow
@pytest.mark.usefixtures("other_kinds")
def test_a_scaled_object_is_made_where_keda_is_and_rests_while_the_service_sleeps(scaling: Cluster) -> None:
    def paused() -> str:
        found = scaling.api.get(f"{SCALED_OBJECTS}/llama")["metadata"]["annotations"]
        return str(found["autoscaling.keda.sh/paused"])

    scaling.api.create(llm_service({"min": 0, "stabilizationSeconds": {"down": 8}}))
    wait_until(scaling, "asleep", lambda: condition(scaling, "Ready")[1] == "ScaledToZero")
    wait_until(scaling, "paused", lambda: paused() == "true")
    ask_at_gateway(scaling)
    wait_until(scaling, "one answers", answering(scaling, 1))
    wait_until(scaling, "not paused", lambda: paused() == "false")
    assert condition(scaling)[:2] == ("Unknown", "AutoscalerPending"), condition(scaling)
    as_keda(scaling, "False", "TriggerError", "Triggers defined in ScaledObject are not working correctly")
    wait_until(scaling, "its word", lambda: condition(scaling)[:2] == ("False", "MetricUnavailable"))
    as_keda(scaling, "True", "ScaledObjectReady", "ScaledObject is defined correctly and is ready for scaling")
    wait_until(scaling, "its word", lambda: condition(scaling)[:2] == ("True", "ScalingByLoad"))
    wait_until(scaling, "asleep", lambda: condition(scaling, "Ready")[1] == "ScaledToZero")
    assert paused() == "true"
    scaling.api.merge(LLAMA, {"spec": {"autoscaling": None, "replicas": 1}})
    wait_until(scaling, "gone", lambda: not scaling.api.exists(f"{SCALED_OBJECTS}/llama"))
    wait_until(scaling, "one answers", answering(scaling, 1))


@pytest.mark.timeout(240)
@pytest.mark.usefixtures("other_kinds")
def test_when_keda_goes_the_fewest_run(scaling: Cluster) -> None:
    scaling.api.create(llm_service({"min": 2}))
    wait_until(scaling, "two answer", answering(scaling, 2))
    scaling.api.merge(f"{DEPLOYMENTS}/llama/scale", {"spec": {"replicas": 4}})
    wait_until(scaling, "four answer", answering(scaling, 4))
    scaling.kubectl("delete", "crd", "scaledobjects.keda.sh")

    def told() -> bool:
        return condition(scaling)[:2] == ("False", "AutoscalerMissing") and answering(scaling, 2)()

    wait_until(scaling, "told", told)


@pytest.mark.slow
@pytest.mark.usefixtures("other_kinds")
@pytest.mark.parametrize("metric", ["QueueDepth", "TimeToFirstToken", "KVCacheUse", "RunningRequests"])
def test_every_metric_makes_a_scaled_object_that_stays_as_it_was_applied(scaling: Cluster, metric: str) -> None:
    scaling.api.create(llm_service({"metric": metric, "stabilizationSeconds": {"up": 30, "down": 86_400}}))
    wait_until(scaling, "one answers", answering(scaling, 1))
    wait_until(scaling, "made", lambda: condition(scaling)[1] == "AutoscalerPending")
    with replicas_seen(scaling) as seen:
        before = scaling.api.get(f"{SCALED_OBJECTS}/llama")["metadata"]
        scaling.api.merge(f"{DEPLOYMENTS}/llama/scale", {"spec": {"replicas": 3}})  # as KEDA's autoscaler would
        wait_until(scaling, "three answer", answering(scaling, 3))
        assert scaling.api.get(f"{SCALED_OBJECTS}/llama")["metadata"]["generation"] == before["generation"]
    assert seen == [1, 3]


@pytest.mark.usefixtures("other_kinds")
def test_a_pool_is_made_where_a_picker_is_named_and_a_monitor_always(scaling: Cluster) -> None:
    scaling.api.create(llm_service(replicas=1, inferencePool={"endpointPicker": {"name": "llama-epp"}}))
    wait_until(scaling, "said", lambda: condition(scaling, "InferencePoolAccepted")[:2] == ("Unknown", "PoolPending"))
    pool = scaling.api.get(f"{POOLS}/llama")
    assert pool["spec"]["selector"]["matchLabels"] == {"berth.dev/llm-service": "llama"}
    assert pool["spec"]["endpointPickerRef"] == {
        "group": "", "kind": "Service", "name": "llama-epp", "port": {"number": 9002}, "failureMode": "FailClose",
    }  # fmt: skip
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    accepted = {
        "type": "Accepted", "status": "True", "reason": "Accepted", "message": "", "lastTransitionTime": now,
    }  # fmt: skip
    parents = [{"parentRef": {"name": "public"}, "conditions": [accepted]}]
    scaling.api.merge(f"{POOLS}/llama/status", {"status": {"parents": parents}})
    wait_until(scaling, "accepted", lambda: condition(scaling, "InferencePoolAccepted")[0] == "True")
    assert scaling.api.exists("/apis/monitoring.coreos.com/v1/namespaces/default/podmonitors/llama")
    scaling.api.merge(LLAMA, {"spec": {"inferencePool": None}})
    wait_until(scaling, "gone", lambda: not scaling.api.exists(f"{POOLS}/llama"))
    wait_until(scaling, "nothing said", lambda: condition(scaling, "InferencePoolAccepted") == ("", "", ""))


def test_a_pool_without_its_kind_says_so(scaling: Cluster) -> None:
    scaling.api.create(llm_service(replicas=1, inferencePool={"endpointPicker": {"name": "llama-epp"}}))
    wait_until(scaling, "said", lambda: condition(scaling, "InferencePoolAccepted")[1] == "InferencePoolMissing")
    wait_until(scaling, "answers all the same", lambda: condition(scaling, "Ready")[0] == "True")
