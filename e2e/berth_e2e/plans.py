"""PackingPlans made by hand, for moves that no planner would think of."""

from __future__ import annotations

import time
from collections.abc import Mapping

from berth_e2e.cluster import Cluster
from berth_e2e.objects import KubernetesObject

STAMP = "%Y-%m-%dT%H:%M:%SZ"
DEADLINE_SECONDS = 300


def planned_eviction(
    cluster: Cluster, selector: str, workload: str, request: Mapping[str, int], target: str | None = None
) -> KubernetesObject:
    """Of the one pod selected. workload: path of its top owner; request: of the pod, in Berth's units, without `pods`."""
    (pod,) = cluster.running(selector)
    owner = cluster.api.get(workload)
    return {
        "pod": f"{pod['metadata']['namespace']}/{pod['metadata']['name']}",
        "uid": pod["metadata"]["uid"],
        "workload": {"kind": owner["kind"], **{key: owner["metadata"][key] for key in ("namespace", "name", "uid")}},
        "priority": 0,
        "node": pod["spec"]["nodeName"],
        "requests": {**request, "pods": 1},
        **({"target": target} if target else {}),
    }


def plan_of_one_step(name: str, *evictions: KubernetesObject) -> KubernetesObject:
    """Approved. Those with a target are placed there."""
    placements = [
        {key: moved[key] for key in ("workload", "priority", "requests")} | {"node": moved["target"], "count": 1}
        for moved in evictions
        if "target" in moved
    ]
    moves = len(placements)
    disruption = {"moves": moves, "evictions": len(evictions) - moves, "value": len(evictions), "bound": 0}
    now = time.time()
    return {
        "apiVersion": "berth.dev/v1alpha1",
        "kind": "PackingPlan",
        "metadata": {"name": name},
        "spec": {
            "trigger": "Person",
            "summary": "made by hand",
            "approved": True,
            "deadline": time.strftime(STAMP, time.gmtime(now + DEADLINE_SECONDS)),
            "certificate": {
                "tiers": [],
                "disruption": {**disruption, "certificate": "Bounded"},
                "verified": False,
                "solveSeconds": 0,
            },
            "snapshot": {"taken": time.strftime(STAMP, time.gmtime(now))},
            "waves": [{"steps": [{"evictions": list(evictions), "placements": placements}]}],
        },
    }
