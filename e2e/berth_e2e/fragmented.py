"""Clusters whose room is in pieces, pods that need whole nodes, and what must hold when all is over.

`fragment`: four nodes of 8 GPUs, half of each taken by a pod of 4 (`small-0` to `small-3`, a ReplicaSet each) that takes its time to go;
then `wide`, two pods of 8. The plan moves two small pods, and while they go it has a middle. `chain`: a plan of several steps.
"""

from __future__ import annotations

import urllib.request
from collections.abc import Mapping

from berth_e2e.cluster import Cluster
from berth_e2e.objects import TERMINATES_AFTER, KubernetesObject, deployment, replica_set
from berth_e2e.waiting import wait_for
from berth_e2e.witness import PLANS, outcome

NODES = 4
GPUS = 8
SMALL = tuple(f"small-{i}" for i in range(NODES))
WARM_SECONDS = 60.0
METRIC_SECONDS = 5.0
KEPT = ("active_plans", "reserved_pods", "ledger_pods", "waiting_gang_pods")
"""Gauges of an extender that are zero when nothing is under way."""


def fragment(cluster: Cluster, *, going: str = "1s", deployments: bool = False) -> None:
    """going: how long a small pod takes to end. Back when all stand and the operator could plan."""
    wait_warm(cluster)
    names = cluster.add_nodes(NODES, gpus=GPUS)
    for name in names[1:]:
        set_cordoned(cluster, name, True)
    for i, app in enumerate(SMALL):
        set_cordoned(cluster, names[i], False)
        cluster.create(small(app, going=going, deployments=deployments))
        wait_spread(cluster, app, [names[i]])
        set_cordoned(cluster, names[i], True)
    for name in names:
        set_cordoned(cluster, name, False)


def chain(cluster: Cluster, *, going: str = "1s") -> None:
    """Three nodes on which one pod can only move when another has: `first` from node-1 to node-2, then `second` from node-0 to
    node-1, then node-0 is free for `chained`."""
    wait_warm(cluster)
    names = cluster.add_nodes(3, gpus=GPUS)
    slowly = {TERMINATES_AFTER: going}
    for name, app, gpus in zip(names, ("second", "first", "last"), (6, 3, 5), strict=True):
        for other in names:
            set_cordoned(cluster, other, other != name)
        cluster.create(replica_set(app, 1, gpus=gpus, scheduler="berth", annotations=slowly))
        wait_spread(cluster, app, [name])
    for name in names:
        set_cordoned(cluster, name, False)


def wait_spread(cluster: Cluster, app: str, nodes: list[str]) -> None:
    """One pod on each of these nodes. One that its scheduler put elsewhere, before it had seen that cordoned, is made again."""

    def spread() -> bool:
        free = list(nodes)
        for found in cluster.running(f"app={app}"):
            if found["spec"]["nodeName"] in free:
                free.remove(found["spec"]["nodeName"])
            else:
                cluster.api.delete(f"/api/v1/namespaces/default/pods/{found['metadata']['name']}", grace_seconds=0)
        return not free

    wait_for(f"pods of {app} on {nodes}", spread, seen=lambda: cluster.told(f"app={app}"))


def chained() -> KubernetesObject:
    """What needs all of node-0."""
    return wide(1, "chained", nodeSelector={"kubernetes.io/hostname": "node-0"})


def wait_warm(cluster: Cluster) -> None:
    """Until the operator could plan at once."""
    log = cluster.processes["operator-0"].log_text
    wait_for("a warm solver", lambda: "the solver is warm" in log(), WARM_SECONDS)


def small(app: str, *, going: str = "1s", deployments: bool = False) -> KubernetesObject:
    make = deployment if deployments else replica_set
    return make(app, 1, gpus=GPUS // 2, scheduler="berth", annotations={TERMINATES_AFTER: going})


def wide(replicas: int = 2, name: str = "wide", **spec: object) -> KubernetesObject:
    return replica_set(name, replicas, gpus=GPUS, scheduler="berth", **spec)  # type: ignore[arg-type]


def set_cordoned(cluster: Cluster, node: str, cordoned: bool) -> None:
    cluster.api.merge(f"/api/v1/nodes/{node}", {"spec": {"unschedulable": cordoned}})


def wait_settled(cluster: Cluster, running: Mapping[str, int], timeout: float = 60.0) -> None:
    """Until so many pods of each app run, every plan has finished, and no extender keeps or remembers anything.

    Raises WaitedTooLongError with what stood there instead.
    """

    def open_plans() -> list[str]:
        return [p["metadata"]["name"] for p in cluster.api.items(PLANS) if p["spec"]["approved"] and not outcome(p)]

    def short() -> dict[str, int]:
        found = {app: len(cluster.running(f"app={app}")) for app in running}
        return {app: count for app, count in found.items() if count != running[app]}

    def kept() -> dict[str, dict[str, float]]:
        extenders = [name for name in cluster.processes if name.startswith("extender-")]
        found = {name: keeps(cluster, name) for name in extenders if cluster.processes[name].is_running}
        return {name: values for name, values in found.items() if any(values.values())}

    def state() -> str:
        plans = "\n".join(f"{p['metadata']['name']}: {p.get('status', {})}" for p in cluster.api.items(PLANS))
        return f"not as many as wanted: {short()}\nkept: {kept()}\nplans:\n{plans}\npods:\n{cluster.told()}"

    wait_for("all settled", lambda: not short() and not open_plans() and not kept(), timeout, seen=state)


def keeps(cluster: Cluster, extender: str) -> dict[str, float]:
    port = cluster.state.ports[extender.replace("extender-", "extender-metrics-")]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=METRIC_SECONDS) as response:
        lines = response.read().decode().splitlines()
    told = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(told[f"berth_extender_{name}"]) for name in KEPT}
