"""Whether a replica more than asked for would find a node just now: then a rollout puts the new pod first.

Asked only when a rollout begins, so that a Deployment's strategy does not follow every pod that comes and goes. It is a look at
what is free, no promise: if the room is gone meanwhile, the new pod waits and the old one goes on serving.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from berth_api.llm_service import LLMService
from berth_cluster.eligibility import NodeIndex
from berth_cluster.snapshot import Pod, Snapshot


class Cluster(Protocol):
    def snapshot(self) -> Snapshot: ...

    def pod(self, namespace: str, name: str) -> Pod | None: ...


def has_room_for_one_more(snapshot: Snapshot, like: Pod) -> bool:
    """A node has room for a pod such as this one, as things stand; affinities to other pods are not looked at."""
    eligible = NodeIndex(snapshot.nodes).eligible(like.spec)
    used: dict[str, dict[str, int]] = {}
    for pod in snapshot.pods:
        if pod.node is not None:
            on_node = used.setdefault(pod.node, {})
            for resource, amount in pod.spec.requests:
                on_node[resource] = on_node.get(resource, 0) + amount
    for node, takes in zip(snapshot.nodes, eligible, strict=True):
        if takes and _fits(like.spec.requests, node.amounts, used.get(node.name, {})):
            return True
    return False


def _fits(wanted: tuple[tuple[str, int], ...], allocatable: Mapping[str, int], used: Mapping[str, int]) -> bool:
    return all(used.get(resource, 0) + amount <= allocatable.get(resource, 0) for resource, amount in wanted)


class RoomForSurge:
    """Asks the live cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def __call__(self, service: LLMService, pods: list[str]) -> bool:
        """pods: names of the service's."""
        found = (self._cluster.pod(service.metadata.namespace, name) for name in pods)
        like = next((pod for pod in found if pod is not None), None)
        return like is not None and has_room_for_one_more(self._cluster.snapshot(), like)
