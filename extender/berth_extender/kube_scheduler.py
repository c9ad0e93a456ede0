"""The configuration of the stock kube-scheduler that calls this extender: what the chart and `make cluster` give it.

    configuration(extender_url="http://127.0.0.1:9555", leader_elect=True, lease_namespace="berth-system")

Every field is of kubescheduler.config.k8s.io/v1 as of 1.30 (unknown ones are fatal), so the same file serves 1.30 to 1.37.
Why each value is what it is stands beside it. Feature gates are no part of it: an unknown gate is fatal, too.
"""

from __future__ import annotations

from typing import Any

from berth_api.annotations import SCHEDULER, SCHEDULER_LEASE, SYSTEM_NAMESPACE

WEIGHT = 121
"""The default plugins add up to 1,200 points at most; one rank of ours is 121 * 10, so ranks decide and equal ranks do not."""
CALL_SECONDS = 1
"""A call takes milliseconds; one that hangs holds up the serial loop only so long, then kube-scheduler goes on alone."""
MAX_BACKOFF_SECONDS = 2
"""After 10 s (the default) a plan would have been waiting for its pod long since."""
QUERIES_PER_SECOND = 1_000
"""The default of 50 is a ceiling of 50 pods a second: each binding is a request."""


def configuration(
    *,
    extender_url: str,
    kubeconfig: str | None = None,
    leader_elect: bool = True,
    lease_namespace: str = SYSTEM_NAMESPACE,
    lease_name: str = SCHEDULER_LEASE,
    scheduler_name: str = SCHEDULER,
    percentage_of_nodes_to_score: int = 100,
    call_seconds: float = CALL_SECONDS,
) -> dict[str, Any]:
    """A KubeSchedulerConfiguration as plain JSON values. `kubeconfig` None: the pod's own service account."""
    connection: dict[str, Any] = {"qps": QUERIES_PER_SECOND, "burst": 2 * QUERIES_PER_SECOND}
    if kubeconfig is not None:
        connection["kubeconfig"] = kubeconfig
    return {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "clientConnection": connection,
        "leaderElection": {
            "leaderElect": leader_elect,
            "resourceLock": "leases",
            "resourceName": lease_name,
            "resourceNamespace": lease_namespace,
        },
        # A plan's target must be among the nodes offered: with the default only 42 % of 1,000 nodes are.
        "percentageOfNodesToScore": percentage_of_nodes_to_score,
        "podMaxBackoffSeconds": MAX_BACKOFF_SECONDS,
        "profiles": [{"schedulerName": scheduler_name}],
        "extenders": [extender(extender_url, call_seconds)],
    }


def extender(url: str, call_seconds: float = CALL_SECONDS) -> dict[str, Any]:
    """The entry for an existing kube-scheduler's own configuration."""
    return {
        "urlPrefix": url.rstrip("/"),
        "filterVerb": "filter",
        "prioritizeVerb": "prioritize",
        "preemptVerb": "preempt",  # no bindVerb: kube-scheduler binds
        "weight": WEIGHT,
        "httpTimeout": f"{call_seconds:g}s",
        "nodeCacheCapable": True,  # names instead of whole nodes: without it JSON takes all the time there is
        "ignorable": True,  # when it is gone, pods are scheduled as without it
    }
