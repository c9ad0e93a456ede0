"""An LLMService on fake nodes whose replicas follow a load, and what tests see of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from berth_e2e.cluster import Cluster
from berth_e2e.waiting import wait_for

SERVICES = "/apis/berth.dev/v1alpha1/namespaces/default/llmservices"
LLAMA = f"{SERVICES}/llama"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
AUTOSCALERS = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers"
SCALED_OBJECTS = "/apis/keda.sh/v1alpha1/namespaces/default/scaledobjects"
SECONDS = 60.0

Json = dict[str, Any]


def llm_service(autoscaling: Json | None = None, **spec: Any) -> Json:
    spec = {"model": {"uri": "path://tiny-mixtral"}, "resources": {"gpus": 1}, **spec}
    if autoscaling is not None:
        spec["autoscaling"] = {"max": 4, "stabilizationSeconds": {"down": 0}, **autoscaling}
    metadata = {"name": "llama", "namespace": "default"}
    return {"apiVersion": "berth.dev/v1alpha1", "kind": "LLMService", "metadata": metadata, "spec": spec}


def status(cluster: Cluster) -> Json:
    found: Json = cluster.api.get(LLAMA).get("status", {})
    return found


def condition(cluster: Cluster, type_: str = "AutoscalingActive") -> tuple[str, str, str]:
    for one in status(cluster).get("conditions", []):
        if one["type"] == type_:
            return one["status"], one["reason"], one["message"]
    return "", "", ""


def wait_until(cluster: Cluster, what: str, holds: Callable[[], bool]) -> None:
    wait_for(what, holds, SECONDS, seen=lambda: status(cluster))


def answering(cluster: Cluster, count: int) -> Callable[[], bool]:
    def holds() -> bool:
        now = status(cluster)
        return now.get("readyReplicas") == now.get("desiredReplicas") == count

    return holds


def ask_at_gateway(cluster: Cluster) -> None:
    """What the gateway writes when it is asked."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    cluster.api.merge(LLAMA, {"metadata": {"annotations": {"berth.dev/wake": now}}})


@contextmanager
def replicas_seen(cluster: Cluster) -> Iterator[list[int]]:
    """Every number that the Deployment asks for meanwhile, changes only."""
    found = cluster.api.get(DEPLOYMENTS)
    seen = [item["spec"]["replicas"] for item in found["items"]]
    watch = cluster.api.watch(DEPLOYMENTS, found["metadata"]["resourceVersion"])

    def follow() -> None:
        for event in watch:
            replicas = event["object"].get("spec", {}).get("replicas")
            if event["type"] != "DELETED" and (not seen or seen[-1] != replicas):
                seen.append(replicas)

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        watch.close()
        thread.join(5)
