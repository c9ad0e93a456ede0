"""Random small clusters and a pod, as JSON for an API server: whatever the stock scheduler's filters look at.

case = random_case(random.Random(7))
case.nodes, case.pods        # Kubernetes objects; each pod of `pods` stands on its spec.nodeName
case.pod                     # waits
snapshot_of(case)

Many cases can stand side by side in one cluster without seeing each other: a case's nodes carry a label and a taint of their
own, which its pods select and tolerate, and every selector of pods names the case.
"""

from __future__ import annotations

import io
import json
import random
from dataclasses import dataclass
from typing import Any

from berth_cluster.dump import read_dumps
from berth_cluster.snapshot import Pod, Snapshot

Json = dict[str, Any]

ZONE = "topology.kubernetes.io/zone"
HOST = "kubernetes.io/hostname"
ZONES = ("a", "b", "c")
DISKS = ("ssd", "hdd")
APPS = ("web", "db", "batch")
GPU = "nvidia.com/gpu"
CASE = "case.berth.dev"


@dataclass(frozen=True)
class Case:
    suffix: str
    nodes: tuple[Json, ...]
    pods: tuple[Json, ...]
    pod: Json


def random_case(draw: random.Random, suffix: str = "x", scheduler: str = "default-scheduler") -> Case:
    """scheduler: of the pod that waits."""
    nodes = tuple(_node(draw, f"n{i}-{suffix}", suffix) for i in range(draw.randint(2, 6)))
    pods = tuple(
        _pod(draw, f"p{i}-{suffix}", suffix, draw.choice(nodes)["metadata"]["name"], small=True)
        for i in range(draw.randint(2, 10))
    )
    waiting = _pod(draw, f"waiting-{suffix}", suffix, None, small=False)
    waiting["spec"]["schedulerName"] = scheduler
    return Case(suffix, nodes, pods, waiting)


def snapshot_of(case: Case) -> tuple[Snapshot, Pod]:
    listed = {"apiVersion": "v1", "kind": "List", "items": [*case.nodes, *case.pods, case.pod]}
    snapshot = read_dumps([io.BytesIO(json.dumps(listed).encode())])
    return snapshot, next(pod for pod in snapshot.pods if pod.name == case.pod["metadata"]["name"])


def _node(draw: random.Random, name: str, suffix: str) -> Json:
    labels = {HOST: name, CASE: suffix}
    if draw.random() < 0.85:
        labels[ZONE] = draw.choice(ZONES)
    if draw.random() < 0.6:
        labels["disk"] = draw.choice(DISKS)
    if draw.random() < 0.3:
        labels["generation"] = str(draw.randint(1, 9))
    taints = [{"key": CASE, "value": suffix, "effect": "NoSchedule"}]
    if draw.random() < 0.25:
        effect = draw.choice(["NoSchedule", "NoExecute", "PreferNoSchedule"])
        taints.append({"key": "dedicated", "value": draw.choice(["gpu", "infra"]), "effect": effect})
    amounts = {
        "cpu": str(draw.choice([4, 8, 16])),
        "memory": f"{draw.choice([8, 16, 32])}Gi",
        "pods": str(draw.choice([4, 110, 110])),
    }
    if draw.random() < 0.5:
        amounts[GPU] = str(draw.choice([1, 2, 4]))
    spec: Json = {"taints": taints}
    if draw.random() < 0.08:
        spec["unschedulable"] = True
    status: Json = {"allocatable": amounts, "capacity": amounts, "conditions": [{"type": "Ready", "status": "True"}]}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
        "status": status,
    }


def _pod(draw: random.Random, name: str, suffix: str, node: str | None, *, small: bool) -> Json:
    requests = {"cpu": f"{draw.choice([100, 500, 1000] if small else [100, 500, 1000, 2000, 4000])}m"}
    if draw.random() < 0.7:
        requests["memory"] = f"{draw.choice([128, 1024] if small else [128, 1024, 4096])}Mi"
    limits: Json = {}
    if draw.random() < 0.2:
        requests[GPU] = limits[GPU] = "1" if small else str(draw.choice([1, 1, 2]))
    container: Json = {"name": "main", "image": "fake", "resources": {"requests": requests, "limits": limits}}
    if draw.random() < 0.4:
        port: Json = {
            "containerPort": 80,
            "hostPort": 8080,
            "protocol": draw.choice(["TCP", "TCP", "UDP"]),
        }
        if draw.random() < 0.5:
            port["hostIP"] = draw.choice(["10.0.0.1", "10.0.0.2"])
        container["ports"] = [port]
    spec: Json = {"containers": [container], "tolerations": _tolerations(draw, suffix, node is not None)}
    affinity = _affinity(draw, suffix, standing=node is not None)
    if affinity:
        spec["affinity"] = affinity
    if node is None:
        spec["nodeSelector"] = {CASE: suffix} | ({"disk": draw.choice(DISKS)} if draw.random() < 0.15 else {})
        if draw.random() < 0.4:
            topologies = draw.sample([HOST, ZONE], draw.choice([1, 1, 2]))
            spec["topologySpreadConstraints"] = [_spread(draw, suffix, topology) for topology in topologies]
    else:
        spec["nodeName"] = node
    metadata = {"name": name, "namespace": "default", "labels": {"app": draw.choice(APPS), CASE: suffix}}
    status = {"phase": "Running" if node else "Pending"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


def _tolerations(draw: random.Random, suffix: str, standing: bool) -> list[Json]:
    tolerations: list[Json] = [{"key": CASE, "operator": "Equal", "value": suffix, "effect": "NoSchedule"}]
    if standing:  # else a NoExecute taint would have it evicted
        tolerations.append({"key": "dedicated", "operator": "Exists"})
    elif draw.random() < 0.4:
        toleration: Json = {"key": "dedicated", "operator": "Exists"}
        if draw.random() < 0.5:
            toleration = {"key": "dedicated", "operator": "Equal", "value": draw.choice(["gpu", "infra"])}
        if draw.random() < 0.5:
            toleration["effect"] = draw.choice(["NoSchedule", "NoExecute"])
        tolerations.append(toleration)
    return tolerations


def _affinity(draw: random.Random, suffix: str, *, standing: bool) -> Json:
    affinity: Json = {}
    if not standing and draw.random() < 0.25:
        terms = [{"matchExpressions": [_expression(draw)]} for _ in range(draw.choice([1, 1, 2]))]
        affinity["nodeAffinity"] = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    if not standing and draw.random() < 0.25:
        affinity["podAffinity"] = {"requiredDuringSchedulingIgnoredDuringExecution": [_pod_term(draw, suffix)]}
    if draw.random() < (0.12 if standing else 0.25):
        affinity["podAntiAffinity"] = {"requiredDuringSchedulingIgnoredDuringExecution": [_pod_term(draw, suffix)]}
    return affinity


def _expression(draw: random.Random) -> Json:
    chosen = draw.choice(["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"])
    if chosen in ("Gt", "Lt"):
        return {"key": "generation", "operator": chosen, "values": [str(draw.randint(2, 7))]}
    key, values = draw.choice([(ZONE, ZONES), ("disk", DISKS)])
    if chosen in ("Exists", "DoesNotExist"):
        return {"key": key, "operator": chosen}
    return {"key": key, "operator": chosen, "values": draw.sample(values, draw.randint(1, 2))}


def _pod_term(draw: random.Random, suffix: str) -> Json:
    return {"topologyKey": draw.choice([HOST, ZONE]), "labelSelector": _selector(draw, suffix)}


def _selector(draw: random.Random, suffix: str) -> Json:
    return {"matchLabels": {"app": draw.choice(APPS), CASE: suffix}}


def _spread(draw: random.Random, suffix: str, topology: str) -> Json:
    spread: Json = {
        "maxSkew": draw.choice([1, 1, 2]),
        "topologyKey": topology,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": _selector(draw, suffix),
    }
    # one of the two policies must keep other cases' nodes from counting
    honoured, other = draw.sample(["nodeAffinityPolicy", "nodeTaintsPolicy"], 2)
    spread[honoured] = "Honor"
    spread[other] = draw.choice(["Honor", "Ignore"])
    if draw.random() < 0.2:
        spread["minDomains"] = draw.choice([2, 3])
    return spread
