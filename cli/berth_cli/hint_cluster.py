"""What a snapshot says to hints: the cluster's names, its nodes' facts, and the labels by which workloads' pods are selected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from berth_api.annotations import HINT_ANSWERS, SYSTEM_NAMESPACE
from berth_api.packing_policy import PackingPolicy
from berth_cli.exits import CommandError
from berth_cli.live_objects import API, LiveObjects
from berth_cli.terminal import Terminal
from berth_cluster.snapshot import Pod, Snapshot
from berth_intent.improvements import Improvements
from berth_intent.native import PodsOf
from berth_intent.native_labels import SeenNode
from berth_planner.hint_reading import HintReading

IDENTITY_LABELS = (
    "app.kubernetes.io/name",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/component",
    "app",
    "k8s-app",
)
"""Labels that people select pods by; where a workload has none of them, all that its pods share are taken."""
OF_CONTROLLERS = frozenset(
    (
        "pod-template-hash",
        "pod-template-generation",
        "controller-revision-hash",
        "controller-uid",
        "job-name",
        "apps.kubernetes.io/pod-index",
        "batch.kubernetes.io/controller-uid",
        "batch.kubernetes.io/job-name",
        "batch.kubernetes.io/job-completion-index",
        "statefulset.kubernetes.io/pod-name",
    )
)
"""They change with every rollout, or are a single pod's."""


def reading_in(snapshot: Snapshot, cluster: LiveObjects | None, terminal: Terminal) -> HintReading:
    """With the names of the snapshot, and under the policies of a live cluster. Where they may not be read, which is said,
    and for dumps everything counts."""
    if cluster is None:
        return HintReading.of_snapshot(snapshot)
    try:
        policies = [PackingPolicy.model_validate(item) for item in cluster.items(f"{API}/packingpolicies")]
    except CommandError as error:
        terminal.warn(f"{error.message}: what policies say of hints is not known")
        policies = []
    reading = HintReading.under(policies, snapshot)
    if any(policy.spec.hints.language_model.namespaces for policy in policies):
        reading.improved = Improvements(_answers(cluster, terminal)).of
    return reading


def _answers(cluster: LiveObjects, terminal: Terminal) -> dict[str, str]:
    """What a language model made of hints, as it is kept."""
    try:
        found = cluster.get(f"/api/v1/namespaces/{SYSTEM_NAMESPACE}/configmaps/{HINT_ANSWERS}")
    except CommandError as error:
        terminal.warn(f"{error.message}: what a language model made of hints is not known")
        return {}
    return (found or {}).get("data") or {}


@dataclass(frozen=True)
class HintCluster:
    """A snapshot with hints read against it."""

    snapshot: Snapshot
    reading: HintReading
    where: str
    """In words."""

    def nodes(self) -> tuple[SeenNode, ...]:
        pairs = zip(self.snapshot.nodes, self.reading.facts, strict=True)
        return tuple(SeenNode(node.labels, facts) for node, facts in pairs)


def workloads_in(snapshot: Snapshot, names: Iterable[str], home: str | None = None) -> dict[str, PodsOf]:
    """Of those that have pods with a label in common. home: the namespace that need not be named."""
    wanted = set(names)
    pods: dict[str, list[Pod]] = {}
    for pod in snapshot.pods:
        if pod.workload.name in wanted:
            pods.setdefault(pod.workload.name, []).append(pod)
    found: dict[str, PodsOf] = {}
    for name, members in pods.items():
        if labels := selecting(members):
            namespaces = sorted({pod.namespace for pod in members})
            found[name] = PodsOf(labels, () if namespaces == [home] else tuple(namespaces))
    return found


def selecting(pods: Iterable[Pod]) -> dict[str, str]:
    """Labels that all of the pods have, and that say whose they are."""
    shared: Mapping[str, str] | None = None
    for pod in pods:
        labels = dict(pod.spec.labels)
        shared = labels if shared is None else {k: v for k, v in shared.items() if labels.get(k) == v}
    lasting = {key: value for key, value in (shared or {}).items() if key not in OF_CONTROLLERS}
    return {key: lasting[key] for key in IDENTITY_LABELS if key in lasting} or lasting
