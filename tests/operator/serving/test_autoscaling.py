"""Who decides on the number of replicas: which autoscaler, what our apply says of replicas meanwhile, and what people are told."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scenes import service

from berth_api.llm_service import LLMService, Metric
from berth_operator.serving.autoscaling import (
    Choice,
    Means,
    Scaler,
    build_scaler,
    choose,
    replicas_asked,
    scaling_verdict,
)
from berth_operator.serving.inference_pool import build_inference_pool, pool_verdict
from berth_operator.serving.status import Verdict
from berth_operator.serving.view import Owned

PROMETHEUS = "http://prometheus:9090"
EVERYTHING = Means(keda=True, prometheus_url=PROMETHEUS, autoscalers=True, custom_metrics=True)
ADAPTER = Means(autoscalers=True, custom_metrics=True)
HPA = Choice(Scaler.HORIZONTAL_POD_AUTOSCALER)
KEDA = Choice(Scaler.SCALED_OBJECT)


def scaled(**autoscaling: Any) -> LLMService:
    return service(autoscaling={"min": 1, "max": 6, **autoscaling})


def child(kind: str, *conditions: tuple[str, str, str], name: str = "llama", owner: str = "u-1") -> dict[Any, Owned]:
    """conditions: type, status, reason."""
    body = {
        "metadata": {"name": name, "uid": f"uid-{kind}", "ownerReferences": [{"uid": owner, "controller": True}]},
        "status": {"conditions": [{"type": t, "status": s, "reason": r, "message": "m"} for t, s, r in conditions]},
    }
    return {(kind, name): msgspec.json.decode(msgspec.json.encode(body), type=Owned)}


def hpa(**conditions: str) -> dict[Any, Owned]:
    return child("HorizontalPodAutoscaler", *((type_, *said.split()) for type_, said in conditions.items()))  # type: ignore[misc]


def made(of: LLMService, means: Means, paused: bool = False) -> dict[str, Any]:
    (found,) = build_scaler(of, choose(of, means).scaler, means, paused=paused)
    return found


def test_keda_first_then_an_adapter_else_a_reason() -> None:
    assert choose(scaled(), EVERYTHING).scaler == Scaler.SCALED_OBJECT
    assert choose(scaled(), ADAPTER).scaler == Scaler.HORIZONTAL_POD_AUTOSCALER
    without_address = msgspec.structs.replace(EVERYTHING, prometheus_url="")
    assert choose(scaled(), without_address).scaler == Scaler.HORIZONTAL_POD_AUTOSCALER
    assert choose(scaled(), Means()).reason == "AutoscalerMissing"
    assert "prometheus-adapter" in choose(scaled(), Means()).message
    assert "start it with --prometheus-url" in choose(scaled(), Means(keda=True)).message
    assert choose(scaled(), Means(keda=True, prometheus_url="", custom_metrics=True)).scaler is None


def test_a_quantile_is_not_asked_of_gauges() -> None:
    asked = scaled(metric="TimeToFirstToken")
    assert choose(asked, EVERYTHING).scaler == Scaler.SCALED_OBJECT
    assert choose(asked, ADAPTER).reason == "MetricNeedsPrometheus"
    assert "adapter" not in choose(asked, Means()).message, "it would not help"


@pytest.mark.parametrize(("fewest", "most"), [(0, 1), (1, 1), (3, 3)])
def test_nothing_is_scaled_where_there_is_no_choice(fewest: int, most: int) -> None:
    assert choose(scaled(min=fewest, max=most), EVERYTHING).reason == "NothingToScale"


@pytest.mark.parametrize(
    ("decided", "standing", "works", "says"),
    [
        (1, None, True, 1),  # the first apply
        (1, 0, True, 1),  # it wakes
        (1, 1, True, None),
        (1, 5, False, None),  # a broken autoscaler takes nothing away
        (0, 0, True, 0),
        (0, 1, True, 0),
        (0, 5, True, None),  # the autoscaler comes down to 1 first
        (0, 5, False, 0),
    ],
)
def test_what_our_apply_says_of_replicas(decided: int, standing: int | None, works: bool, says: int | None) -> None:
    assert replicas_asked(scaled(min=0), decided, Scaler.SCALED_OBJECT, standing, works) == says


@given(decided=some.integers(0, 9), standing=some.none() | some.integers(0, 9), works=some.booleans())
def test_without_an_autoscaler_or_suspended_the_operator_says_it_all(
    decided: int, standing: int | None, works: bool
) -> None:
    assert replicas_asked(scaled(), decided, None, standing, works) == decided
    suspended = service(autoscaling={"max": 6}, suspend=True)
    assert replicas_asked(suspended, 0, Scaler.SCALED_OBJECT, standing, works) == 0


@given(
    fewest=some.integers(0, 20),
    more=some.integers(1, 20),
    up=some.integers(0, 3_600),
    down=some.integers(0, 86_400),
    metric=some.sampled_from(sorted(set(Metric) - {Metric.TIME_TO_FIRST_TOKEN})),
)
def test_no_autoscaler_goes_to_0_nor_beyond_what_the_api_takes(
    fewest: int, more: int, up: int, down: int, metric: Metric
) -> None:
    of = scaled(min=fewest, max=max(fewest, 1) + more, metric=metric, stabilizationSeconds={"up": up, "down": down})
    keda, own = made(of, EVERYTHING)["spec"], made(of, ADAPTER)["spec"]
    assert keda["minReplicaCount"] == own["minReplicas"] == max(fewest, 1)
    assert keda["maxReplicaCount"] == own["maxReplicas"] == max(fewest, 1) + more
    for behavior in (keda["advanced"]["horizontalPodAutoscalerConfig"]["behavior"], own["behavior"]):
        assert behavior["scaleUp"]["stabilizationWindowSeconds"] == up
        assert behavior["scaleDown"]["stabilizationWindowSeconds"] == min(down, 3_600)
    assert "idleReplicaCount" not in keda


def test_both_aim_at_the_deployment_and_belong_to_the_service() -> None:
    for means, target in ((EVERYTHING, "scaleTargetRef"), (ADAPTER, "scaleTargetRef")):
        found = made(scaled(), means)
        assert found["spec"][target] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "llama"}
        assert found["metadata"]["ownerReferences"][0]["uid"] == "u-1"


def test_the_percentage_meets_a_gauge_from_0_to_1() -> None:
    (metric,) = made(scaled(metric="KVCacheUse", target=75), ADAPTER)["spec"]["metrics"]
    assert metric["pods"] == {
        "metric": {"name": "vllm:kv_cache_usage_perc"},
        "target": {"type": "AverageValue", "averageValue": "750m"},
    }
    (trigger,) = made(scaled(metric="KVCacheUse", target=75), EVERYTHING)["spec"]["triggers"]
    assert trigger["metadata"]["query"].startswith("100 * sum(vllm:kv_cache_usage_perc{")
    assert trigger["metadata"]["threshold"] == "75"


def test_a_lost_target_is_no_idle_one() -> None:
    (trigger,) = made(scaled(), EVERYTHING)["spec"]["triggers"]
    assert trigger["metadata"]["ignoreNullValues"] == "false"
    assert trigger["metadata"]["serverAddress"] == PROMETHEUS


@pytest.mark.parametrize(
    ("kind", "buckets"),
    [("berth", "berth_engine_ttft_seconds_bucket"), ("vllm", "vllm:time_to_first_token_seconds_bucket")],
)
def test_the_quantile_is_each_engines_own(kind: str, buckets: str) -> None:
    of = service(autoscaling={"max": 2, "metric": "TimeToFirstToken"}, engine={"kind": kind})
    (trigger,) = made(of, EVERYTHING)["spec"]["triggers"]
    assert f"rate({buckets}{{" in trigger["metadata"]["query"]
    assert trigger["metricType"] == "Value", "a time is not divided by replicas"


def test_a_scaled_object_rests_while_the_service_sleeps_and_says_so_either_way() -> None:
    annotation = "autoscaling.keda.sh/paused"
    assert made(scaled(), EVERYTHING, paused=True)["metadata"]["annotations"] == {annotation: "true"}
    assert made(scaled(), EVERYTHING)["metadata"]["annotations"] == {annotation: "false"}


def verdict(of: LLMService, choice: Choice, owned: dict[Any, Owned], **more: Any) -> Verdict:
    return scaling_verdict(of, choice, owned, **{"asleep": False, **more})


def test_it_is_active_only_when_the_autoscaler_says_that_it_works() -> None:
    fine = hpa(AbleToScale="True ReadyForNewScale", ScalingActive="True ValidMetricFound")
    status, reason, message = verdict(scaled(), HPA, fine)
    assert (status, reason) == ("True", "ScalingByLoad")
    assert message == "HorizontalPodAutoscaler llama keeps QueueDepth at 4 with 1 to 6 replicas"
    without = hpa(AbleToScale="True ReadyForNewScale", ScalingActive="False FailedGetPodsMetric")
    status, reason, message = verdict(scaled(), HPA, without)
    assert (status, reason) == ("False", "MetricUnavailable")
    assert "FailedGetPodsMetric: m" in message
    unable = hpa(AbleToScale="False FailedUpdateScale", ScalingActive="True ValidMetricFound")
    assert verdict(scaled(), HPA, unable)[:2] == ("False", "AutoscalerFailing")
    assert verdict(scaled(), HPA, hpa())[:2] == ("Unknown", "AutoscalerPending")
    assert verdict(scaled(), HPA, {})[:2] == ("Unknown", "AutoscalerPending")
    rested = hpa(AbleToScale="True SucceededGetScale", ScalingActive="False ScalingDisabled")
    assert verdict(scaled(), HPA, rested)[:2] == ("Unknown", "AutoscalerPending"), "it has just woken"


def test_keda_is_believed_and_so_is_the_autoscaler_that_it_makes() -> None:
    ready = child("ScaledObject", ("Ready", "True", "ScaledObjectReady"), ("Active", "False", "ScalerNotActive"))
    assert verdict(scaled(), KEDA, ready)[:2] == ("True", "ScalingByLoad")
    failing = child("ScaledObject", ("Ready", "False", "TriggerError"))
    assert verdict(scaled(), KEDA, failing)[:2] == ("False", "MetricUnavailable")
    partly = child("ScaledObject", ("Ready", "Unknown", "PartialTriggerError"))
    assert verdict(scaled(), KEDA, partly)[:2] == ("Unknown", "MetricUnavailable")
    assert verdict(scaled(), KEDA, child("ScaledObject"))[:2] == ("Unknown", "AutoscalerPending")

    broken = (("AbleToScale", "True", "ReadyForNewScale"), ("ScalingActive", "False", "FailedGetExternalMetric"))
    its_own = child("HorizontalPodAutoscaler", *broken, name="keda-hpa-llama", owner="uid-ScaledObject")
    assert verdict(scaled(), KEDA, {**ready, **its_own})[:2] == ("False", "MetricUnavailable")
    somebodys = child("HorizontalPodAutoscaler", *broken, name="keda-hpa-llama", owner="uid-other")
    assert verdict(scaled(), KEDA, {**ready, **somebodys})[0] == "True"


def test_what_is_said_while_nothing_scales() -> None:
    assert verdict(service(), choose(service(), EVERYTHING), {})[:2] == ("False", "NotConfigured")
    suspended = service(autoscaling={"max": 6}, suspend=True)
    assert verdict(suspended, HPA, {}, asleep=True)[:2] == ("False", "Suspended")
    refused: Verdict = ("False", "AdmissionRefused", "denied the request")
    assert verdict(scaled(), HPA, {}, refused=refused) == refused
    assert verdict(scaled(min=0), HPA, hpa(), asleep=True)[:2] == ("True", "ScalingByLoad")
    only_sleeps = scaled(min=0, max=1)
    assert verdict(only_sleeps, choose(only_sleeps, Means()), {})[:2] == ("True", "ScalingByLoad")
    missing = scaled(min=2)
    status, reason, message = verdict(missing, choose(missing, Means()), {})
    assert (status, reason) == ("False", "AutoscalerMissing")
    assert message.endswith("; 2 run meanwhile")


def pooled() -> LLMService:
    return service(inferencePool={"endpointPicker": {"name": "epp", "port": 9100}}, engine={"kind": "vllm"})


def pool(*parents: dict[str, Any]) -> Owned:
    return msgspec.json.decode(msgspec.json.encode({"status": {"parents": list(parents)}}), type=Owned)


def parent(name: str, **conditions: str) -> dict[str, Any]:
    told = [{"type": t, "status": s, "reason": "Because", "message": "m"} for t, s in conditions.items()]
    return {"parentRef": {"name": name}, "conditions": told}


def test_a_pool_names_the_pods_their_port_and_the_picker() -> None:
    assert build_inference_pool(service()) == []
    (found,) = build_inference_pool(pooled())
    assert found["spec"] == {
        "selector": {"matchLabels": {"berth.dev/llm-service": "llama"}},
        "targetPorts": [{"number": 8000}],
        "endpointPickerRef": {"name": "epp", "port": {"number": 9100}},
    }


def test_what_is_said_of_a_pool() -> None:
    def said(*parents: dict[str, Any]) -> tuple[str, str]:
        found = pool_verdict(pooled(), True, pool(*parents))
        assert found is not None
        return found[:2]

    assert pool_verdict(service(), True, None) is None
    assert (pool_verdict(pooled(), False, None) or ("", ""))[1] == "InferencePoolMissing"
    assert said() == ("Unknown", "PoolPending")
    assert said(parent("a", Accepted="True", ResolvedRefs="True")) == ("True", "PoolAccepted")
    assert said(parent("a", Accepted="True"), parent("b", Accepted="True", ResolvedRefs="False"))[1] == "PoolRefused"
    assert said(parent("a", Accepted="False"))[1] == "PoolRefused"
    assert said(parent("a", Accepted="Unknown")) == ("Unknown", "PoolPending")
