"""A dump of twelve A100 nodes on which 24 of 96 GPUs are free, no four of them together, while four urgent pods wait.

Two pods need 8 GPUs and two need 4: exactly the 24 that are free. Below them are standard services of 4 GPUs, kept by a
disruption budget, and best-effort pods of one GPU; one of those is a bare notebook that nobody may move. Two more
best-effort pods wait too, and cannot all be served: the demo ends with a proof of that.

What is made here is the JSON that kubectl would print, so that the demo walks the same way as any other dump.
"""

from __future__ import annotations

import msgspec

Json = dict[str, "Json | list[Json] | str | int | bool"]

GPUS = 8
NODE_AMOUNTS: Json = {"cpu": "128", "memory": "1007Gi", "nvidia.com/gpu": str(GPUS), "pods": "110"}
URGENT, STANDARD, BEST_EFFORT = "llm-urgent", "llm-standard", "best-effort"
PRIORITIES = {URGENT: 1_000_000, STANDARD: 1_000, BEST_EFFORT: 0}
TAKEN = "2026-11-22T08:00:00Z"

STANDING = (
    # pods of chat-70b (8 GPUs), code-34b (4 GPUs) and embed (1 GPU) on each node
    (1, 0, 0),
    (1, 0, 0),
    (0, 1, 1),
    (0, 1, 2),
    (0, 1, 1),
    (0, 1, 2),
    (0, 1, 1),
    (0, 1, 2),
    (0, 0, 6),
    (0, 0, 5),
    (0, 0, 5),
    (0, 0, 6),
)
NOTEBOOK_NODE = 9
"""One more pod of one GPU, without a controller."""


def demo_dump() -> bytes:
    """A Kubernetes List, always the same."""
    items = [*_priority_classes(), *_nodes(), *_workloads(), *_pods()]
    return msgspec.json.format(msgspec.json.encode({"apiVersion": "v1", "kind": "List", "items": items}), indent=1)


def _priority_classes() -> list[Json]:
    return [
        {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}, "value": value}
        for name, value in PRIORITIES.items()
    ]


def _node_name(index: int) -> str:
    return f"a100-{index + 1:02d}"


def _nodes() -> list[Json]:
    return [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": _node_name(i),
                "labels": {
                    "kubernetes.io/hostname": _node_name(i),
                    "nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB",
                    "topology.kubernetes.io/zone": f"zone-{'abc'[i // 4]}",
                },
            },
            "spec": {},
            "status": {
                "allocatable": NODE_AMOUNTS,
                "capacity": NODE_AMOUNTS,
                "conditions": [{"type": "Ready", "status": "True"}],
            },
        }
        for i in range(len(STANDING))
    ]


def _workloads() -> list[Json]:
    """The ReplicaSets' owners, and the budget of the standard service."""
    items: list[Json] = []
    for name in ("chat-70b", "code-34b", "embed", "agent-70b", "vision-34b"):
        items.append({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": _meta(name)})
        owner: Json = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "name": name,
            "uid": f"uid-{name}",
            "controller": True,
        }
        items.append(
            {
                "apiVersion": "apps/v1",
                "kind": "ReplicaSet",
                "metadata": {**_meta(f"{name}-7d4b9"), "ownerReferences": [owner]},
            }
        )
    items.append(
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": _meta("code-34b"),
            "spec": {"maxUnavailable": 2, "selector": {"matchLabels": {"app": "code-34b"}}},
            "status": {"disruptionsAllowed": 2, "currentHealthy": 6, "desiredHealthy": 4, "expectedPods": 6},
        }
    )
    return items


def _meta(name: str) -> Json:
    return {"namespace": "llm", "name": name, "uid": f"uid-{name}"}


def _pods() -> list[Json]:
    pods: list[Json] = []
    for i, (chats, codes, embeds) in enumerate(STANDING):
        node = _node_name(i)
        pods += [_pod("chat-70b", URGENT, 8, f"{i}{k}", node) for k in range(chats)]
        pods += [_pod("code-34b", STANDARD, 4, f"{i}{k}", node) for k in range(codes)]
        pods += [_pod("embed", BEST_EFFORT, 1, f"{i}{k}", node) for k in range(embeds)]
    pods.append(_pod("notebook", BEST_EFFORT, 1, "alice", _node_name(NOTEBOOK_NODE), controller=False))
    pods += [_pod("agent-70b", URGENT, 8, f"w{k}", None) for k in range(2)]
    pods += [_pod("vision-34b", URGENT, 4, f"w{k}", None) for k in range(2)]
    pods += [_pod("embed", BEST_EFFORT, 1, f"w{k}", None) for k in range(2)]
    return pods


def _pod(app: str, priority_class: str, gpus: int, suffix: str, node: str | None, *, controller: bool = True) -> Json:
    name = f"{app}-7d4b9-{suffix}" if controller else f"{app}-{suffix}"
    amounts: Json = {"cpu": str(8 * gpus), "memory": f"{96 * gpus}Gi", "nvidia.com/gpu": str(gpus)}
    metadata: Json = {
        "namespace": "llm",
        "name": name,
        "uid": f"uid-{name}",
        "labels": {"app": app},
        "creationTimestamp": TAKEN,
    }
    if controller:
        replica_set = f"{app}-7d4b9"
        metadata["ownerReferences"] = [
            {
                "apiVersion": "apps/v1",
                "kind": "ReplicaSet",
                "name": replica_set,
                "uid": f"uid-{replica_set}",
                "controller": True,
            }
        ]
    spec: Json = {
        "schedulerName": "default-scheduler",
        "priority": PRIORITIES[priority_class],
        "priorityClassName": priority_class,
        "containers": [{"name": "engine", "image": f"{app}:1", "resources": {"requests": amounts, "limits": amounts}}],
    }
    if node is not None:
        spec["nodeName"] = node
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": spec,
        "status": {"phase": "Pending" if node is None else "Running"},
    }
