"""Making a cluster empty again, so that one start serves many tests: a start costs seconds, this a fraction of one."""

from __future__ import annotations

from berth_e2e.api_client import ApiClient, RequestError
from berth_e2e.real_node.node import LABEL as REAL
from berth_e2e.waiting import wait_for

KEPT_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease", "berth-system")
OWNERS = (
    "/apis/berth.dev/v1alpha1/namespaces/{}/llmservices",
    "/apis/apps/v1/namespaces/{}/deployments",
    "/apis/apps/v1/namespaces/{}/statefulsets",
    "/apis/apps/v1/namespaces/{}/daemonsets",
    "/apis/apps/v1/namespaces/{}/replicasets",
    "/apis/batch/v1/namespaces/{}/cronjobs",
    "/apis/batch/v1/namespaces/{}/jobs",
    "/api/v1/namespaces/{}/replicationcontrollers",
)
BESIDE = (
    "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
    "/api/v1/namespaces/{}/persistentvolumeclaims",
    "/api/v1/namespaces/{}/events",
)
CLUSTER_WIDE = (
    "/apis/berth.dev/v1alpha1/packingplans",
    "/apis/berth.dev/v1alpha1/packingpolicies",
    "/api/v1/persistentvolumes",
)
CLEAR_SECONDS = 60.0


def clear(api: ApiClient, *, nodes: bool = True) -> None:
    """Removes all pods, their owners, budgets, claims, plans, policies and priority classes; fake nodes too if asked.

    Raises WaitedTooLongError when pods stay.
    """
    for path in CLUSTER_WIDE:
        _delete_all(api, path)
    namespaces = [n["metadata"]["name"] for n in api.items("/api/v1/namespaces")]
    used = [n for n in namespaces if not n.startswith("kube-")]
    for space in used:
        for pattern in OWNERS + BESIDE:
            _delete_all(api, pattern.format(space))

    def empty() -> bool:
        left = {p["metadata"]["namespace"] for p in api.items("/api/v1/pods")}
        for space in left:
            api.delete(f"/api/v1/namespaces/{space}/pods", grace_seconds=0)
        return not left

    wait_for("no pods left", empty, CLEAR_SECONDS, seen=lambda: [p["metadata"] for p in api.items("/api/v1/pods")])
    if nodes:
        fake = (n for n in api.items("/api/v1/nodes") if REAL not in n["metadata"].get("labels", {}))
        remove_nodes(api, [n["metadata"]["name"] for n in fake])
    for found in api.items("/apis/scheduling.k8s.io/v1/priorityclasses"):
        if not found["metadata"]["name"].startswith("system-"):
            api.delete(f"/apis/scheduling.k8s.io/v1/priorityclasses/{found['metadata']['name']}")
    for space in set(namespaces) - set(KEPT_NAMESPACES):
        api.delete(f"/api/v1/namespaces/{space}")
    wait_for(
        "namespaces gone",
        lambda: {n["metadata"]["name"] for n in api.items("/api/v1/namespaces")} <= set(KEPT_NAMESPACES),
        CLEAR_SECONDS,
    )


def remove_nodes(api: ApiClient, names: list[str]) -> None:
    """Deletes nodes and their Leases.

    Without the Leases a node made again under its name is not served for 50 s: KWOK takes the old Lease for its own until the
    garbage collector deletes it, and serves no node whose Lease it does not hold.
    """
    for name in names:
        api.delete(f"/api/v1/nodes/{name}")
    for name in names:
        api.delete(f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{name}")


def _delete_all(api: ApiClient, path: str) -> None:
    """Nothing to do when the cluster has no such kind."""
    try:
        found = api.items(path)
    except RequestError as error:
        if error.status != 404:
            raise
        return
    if found:
        api.delete(path, grace_seconds=0)
