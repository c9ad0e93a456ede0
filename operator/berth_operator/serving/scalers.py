"""The autoscaler of a service above one replica, as a manifest: a ScaledObject of KEDA, or a HorizontalPodAutoscaler. Pure.

Both aim at the Deployment, never at the LLMService: an autoscaler of the custom resource would write `spec.replicas`, which
contradicts `spec.autoscaling`. Both know the engines by the gauges that vLLM and `berth-engine` export under the same names; an
image of `kind: custom` must export them too, else the autoscaler finds no metric and says so.

Neither may decide between 0 and 1, which is the operator's. A HorizontalPodAutoscaler rests by itself while its target has 0
replicas. KEDA does not: with minReplicaCount 1 it takes a sleeping Deployment back to 1 (scale_scaledobjects.go, KEDA 2.18). So
the ScaledObject is paused while the service sleeps, by an annotation: it keeps its status and needs no finalizer's round trip, as
deleting it would. "false" is written too, since what is only left out would not be missed.
"""

from __future__ import annotations

from typing import Any

from berth_api.llm_service import Autoscaling, EngineKind, LLMService, Metric
from berth_operator.serving.children import Manifest, manifest

PAUSED = "autoscaling.keda.sh/paused"
POLLING_SECONDS = 15
"""KEDA asks Prometheus this often; the HorizontalPodAutoscaler that it makes decides every 15 s anyway."""
RATE_WINDOW = "3m"
"""Of the time to the first token: three scrapes a minute apart."""
LONGEST_WINDOW = 3_600
"""Seconds: the longest stabilizationWindowSeconds that autoscaling/v2 takes."""

GAUGES = {
    Metric.QUEUE_DEPTH: "vllm:num_requests_waiting",
    Metric.RUNNING_REQUESTS: "vllm:num_requests_running",
    Metric.KV_CACHE_USE: "vllm:kv_cache_usage_perc",  # 0 to 1, whatever its name says
}
"""What vLLM and berth-engine both export."""
TTFT = {EngineKind.BERTH: "berth_engine_ttft_seconds_bucket"}
TTFT_OF_OTHERS = "vllm:time_to_first_token_seconds_bucket"


def build_horizontal_pod_autoscaler(service: LLMService, autoscaling: Autoscaling) -> Manifest:
    """By the custom metrics API: a gauge of each pod, averaged. ValueError for a metric that is no gauge."""
    gauge = GAUGES.get(autoscaling.metric)
    if gauge is None:
        raise ValueError(f"{autoscaling.metric} is no gauge of a pod")
    target = autoscaling.effective_target
    average = f"{target * 10}m" if autoscaling.metric == Metric.KV_CACHE_USE else str(target)  # 80 percent of 1
    spec = {
        "scaleTargetRef": _target(service),
        "minReplicas": fewest(autoscaling),
        "maxReplicas": autoscaling.max,
        "metrics": [
            {
                "type": "Pods",
                "pods": {"metric": {"name": gauge}, "target": {"type": "AverageValue", "averageValue": average}},
            }
        ],
        "behavior": _behavior(autoscaling),
    }
    return manifest(service, "autoscaling/v2", "HorizontalPodAutoscaler", service.metadata.name, spec)


def build_scaled_object(
    service: LLMService, autoscaling: Autoscaling, prometheus_url: str, *, paused: bool
) -> Manifest:
    """By Prometheus. paused: while the service sleeps or is suspended."""
    query, metric_type = _query(service, autoscaling.metric)
    spec = {
        "scaleTargetRef": _target(service),
        "pollingInterval": POLLING_SECONDS,
        "minReplicaCount": fewest(autoscaling),
        "maxReplicaCount": autoscaling.max,
        "advanced": {"horizontalPodAutoscalerConfig": {"behavior": _behavior(autoscaling)}},
        "triggers": [
            {
                "type": "prometheus",
                "metricType": metric_type,
                "metadata": {
                    "serverAddress": prometheus_url,
                    "query": query,
                    "threshold": str(autoscaling.effective_target),
                    # a target that Prometheus has lost is no idle one: an error keeps the number, 0 would take replicas away
                    "ignoreNullValues": "false",
                },
            }
        ],
    }
    made = manifest(service, "keda.sh/v1alpha1", "ScaledObject", service.metadata.name, spec)
    made["metadata"]["annotations"] = {PAUSED: "true" if paused else "false"}
    return made


def fewest(autoscaling: Autoscaling) -> int:
    """Replicas below which no autoscaler goes: the last step is the operator's."""
    return max(autoscaling.min, 1)


def _target(service: LLMService) -> dict[str, str]:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "name": service.metadata.name}


def _behavior(autoscaling: Autoscaling) -> dict[str, Any]:
    seconds = autoscaling.stabilization_seconds
    return {
        "scaleUp": {"stabilizationWindowSeconds": seconds.up},
        "scaleDown": {"stabilizationWindowSeconds": min(seconds.down, LONGEST_WINDOW)},
    }


def _query(service: LLMService, metric: Metric) -> tuple[str, str]:
    """PromQL that gives one number, and how it is compared: AverageValue divides it by the replicas, Value does not.

    The pods are told by the labels `namespace` and `pod`, which our PodMonitor gives and the usual scrape configurations too. Names
    of a Deployment's pods end in two parts without a dash, so that `chat` does not count those of `chat-large`.
    """
    meta = service.metadata
    pods = f'{{namespace="{meta.namespace}",pod=~"{meta.name}-[a-z0-9]+-[a-z0-9]+"}}'
    gauge = GAUGES.get(metric)
    if gauge is not None:
        share = "100 * " if metric == Metric.KV_CACHE_USE else ""
        return f"{share}sum({gauge}{pods})", "AverageValue"
    buckets = TTFT.get(service.spec.engine.kind, TTFT_OF_OTHERS)
    quantile = f"1000 * histogram_quantile(0.95, sum by (le) (rate({buckets}{pods}[{RATE_WINDOW}])))"
    # without requests the quantile is NaN, which KEDA would take for a number; pods that are scraped and idle have 0
    return f"({quantile} >= 0) or (0 * sum({GAUGES[Metric.QUEUE_DEPTH]}{pods}))", "Value"
