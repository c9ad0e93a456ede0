"""What kube-scheduler's filters would say to one pod on one node, straight from Kubernetes' terms.

The simulator judges plans by it. It shares nothing with the way a snapshot becomes a problem, so that a mistake there
shows. Pods are looked at one by one: good for following a plan, too slow for searching one. Anti-affinity reaches over whole
domains, so pods that have such terms are kept apart, by node: to look at all pods for each of openb's 7,299 placements took 13 s.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from berth_api.reasons import Reason
from berth_cluster.matching import node_matches, pod_term_matches, selector_matches, selects_node, untolerated
from berth_cluster.snapshot import HostPort, Node, Pod, PodTerm, SpreadTerm

ANY_ADDRESS = ("", "0.0.0.0", "::")  # noqa: S104


class Cluster:
    """Nodes and the pods that stand on them at one moment of a simulation."""

    def __init__(self, nodes: Sequence[Node], pods: Iterable[Pod]) -> None:
        self.nodes = {node.name: node for node in nodes}
        self.on: dict[str, dict[str, Pod]] = defaultdict(dict)
        self._excluding: dict[str, dict[str, Pod]] = defaultdict(dict)
        """Node to those pods on it that have anti-affinity terms."""
        for pod in pods:
            if pod.node is not None and pod.node in self.nodes:
                self.place(pod, pod.node)

    def place(self, pod: Pod, node: str) -> None:
        self.on[node][pod.uid or pod.key] = pod
        if pod.spec.anti_affinity:
            self._excluding[node][pod.uid or pod.key] = pod

    def remove(self, pod: Pod, node: str) -> bool:
        self._excluding.get(node, {}).pop(pod.uid or pod.key, None)
        return self.on[node].pop(pod.uid or pod.key, None) is not None

    def pods(self) -> Iterable[tuple[Node, Pod]]:
        for name, pods in self.on.items():
            for pod in pods.values():
                yield self.nodes[name], pod

    def against(self, pod: Pod, node: Node) -> Reason | None:
        """The first filter that keeps the pod off the node now, or None."""
        reason = node_matches(pod.spec, node)
        if reason is not None:
            return reason
        if not self._has_room(pod, node):
            return Reason.INSUFFICIENT_RESOURCE
        here = self.on[node.name].values()
        if any(_ports_conflict(a, b) for a in pod.spec.ports for other in here for b in other.spec.ports):
            return Reason.PORT_CONFLICT
        if self._excluded(pod, node):
            return Reason.ANTI_AFFINITY
        if pod.spec.affinity and not self._has_company(pod, node):
            return Reason.AFFINITY_UNSATISFIED
        if any(self._skewed(pod, node, term) for term in pod.spec.spread):
            return Reason.TOPOLOGY_SPREAD
        return None

    def _has_room(self, pod: Pod, node: Node) -> bool:
        free = dict(node.allocatable)
        for other in self.on[node.name].values():
            for name, amount in other.spec.requests:
                free[name] = free.get(name, 0) - amount
        return all(amount == 0 or free.get(name, 0) >= amount for name, amount in pod.spec.requests)

    def _excluded(self, pod: Pod, node: Node) -> bool:
        return any(
            _shared(node, self.nodes[where], term) and any(_means(term, other) for other in others.values())
            for term in pod.spec.anti_affinity
            for where, others in self.on.items()
        ) or any(
            _shared(node, self.nodes[where], term) and _means(term, pod)
            for where, others in self._excluding.items()
            for other in others.values()
            for term in other.spec.anti_affinity
        )

    def _has_company(self, pod: Pod, node: Node) -> bool:
        terms = pod.spec.affinity
        if any(term.topology_key not in node.labels for term in terms):
            return False
        company = [
            where for where, other in self.pods() if not other.terminating and all(_means(t, other) for t in terms)
        ]
        if not company:
            return all(_means(t, pod) for t in terms)
        return all(any(_shared(node, where, t) for where in company) for t in terms)

    def _skewed(self, pod: Pod, node: Node, term: SpreadTerm) -> bool:
        keys = {t.topology_key for t in pod.spec.spread}
        if not keys <= node.labels.keys():
            return True
        count: dict[str, int] = {}
        for other_node in self.nodes.values():
            if not _counts(pod, other_node, term, keys):
                continue
            value = other_node.labels[term.topology_key]
            count[value] = count.get(value, 0) + sum(
                other.namespace == pod.namespace
                and not other.terminating
                and selector_matches(term.selector, dict(other.spec.labels))
                for other in self.on[other_node.name].values()
            )
        here = node.labels[term.topology_key]
        own = int(selector_matches(term.selector, dict(pod.spec.labels)))
        least = 0 if len(count) < term.min_domains else min(count.values(), default=0)
        return count.get(here, 0) + own - least > term.max_skew


def _counts(pod: Pod, node: Node, term: SpreadTerm, keys: set[str]) -> bool:
    return (
        keys <= node.labels.keys()
        and (not term.honor_node_affinity or selects_node(pod.spec, node))
        and (not term.honor_taints or untolerated(pod.spec.tolerations, node.taints) is None)
    )


def _ports_conflict(a: HostPort, b: HostPort) -> bool:
    same = (a.port, a.protocol) == (b.port, b.protocol)
    return same and (a.ip == b.ip or a.ip in ANY_ADDRESS or b.ip in ANY_ADDRESS)


def _shared(a: Node, b: Node, term: PodTerm) -> bool:
    value = a.labels.get(term.topology_key)
    return value is not None and value == b.labels.get(term.topology_key)


def _means(term: PodTerm, pod: Pod) -> bool:
    labels: Mapping[str, str] = dict(pod.spec.labels)
    return pod_term_matches(term, pod.namespace, labels)
