"""A live cluster as the page draws it, kept current change by change.

It hears every change (`LiveCluster.listen`), notes what is concerned, and paints that anew with the next `collect`: a delta costs
what has changed, whatever the size of the cluster (5,000 nodes and 24,000 pods: see docs/ui.md). Views are made once for each
immutable Node and Pod.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

import msgspec

from berth_api.annotations import EXTENDER_LEASE_PREFIX, OPERATOR_LEASE, SCHEDULER_LEASE
from berth_api.packing_plan import PackingPlan
from berth_api.packing_policy import PackingPolicy
from berth_cluster.leases import Lease, Liveness
from berth_cluster.snapshot import Node, Pod
from berth_intent.facts import NodeFacts, node_facts
from berth_ui.picture import Painted, Shape, gpus_of, node_view, pod_view
from berth_ui.wire import NodeView, PodView, Tier

Amounts = tuple[int, int, int]
"""GPUs, millicores, bytes."""


class Delta(msgspec.Struct, frozen=True):
    """What a picture has that the one before had not: keys only, for views are looked up when they are sent."""

    nodes: frozenset[str] = frozenset()
    """Names, of those that are gone too."""
    pods: Mapping[str, str] = {}
    """uid to namespace, of those that are gone too."""
    plans: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()
    """namespace/name."""

    def __bool__(self) -> bool:
        return bool(self.nodes or self.pods or self.plans or self.services)

    def joined(self, later: Delta) -> Delta:
        return Delta(
            self.nodes | later.nodes,
            {**self.pods, **later.pods},
            self.plans | later.plans,
            self.services | later.services,
        )


class LivePicture:
    """A `berth_cluster.live.Listener`. `painted` is what stood at the last `collect`."""

    def __init__(
        self,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        liveness: Liveness | None = None,
    ) -> None:
        self._now = now
        self._liveness = liveness or Liveness()
        self._leases: dict[str, Lease] = {}
        self._nodes: dict[str, Node] = {}
        self._pods: dict[str, Pod] = {}
        self._facts: dict[str, NodeFacts] = {}
        self._on: dict[str, dict[str, Pod]] = defaultdict(dict)
        self._used: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        self._plans: dict[str, PackingPlan] = {}
        self._kept: Mapping[str, int] = {}
        self._node_views: dict[str, NodeView] = {}
        self._pod_views: dict[str, PodView] = {}
        self._tiers = _TierCounts()
        self._shapes: Counter[Shape] = Counter()
        self._changed_nodes: set[str] = set()
        self._changed_pods: dict[str, str] = {}
        self._changed_plans: set[str] = set()
        self.wake: Callable[[], None] = lambda: None
        """Called when there is something to collect."""
        self.placed: Callable[[Pod, Pod], object] = lambda _old, _new: None
        """A pod that waited has a node."""
        self.ended: Callable[[PackingPlan, bool], object] = lambda _plan, _just_now: None
        """A plan has ended, or is known to have: the second says which."""

    @property
    def painted(self) -> Painted:
        return Painted(self._node_views, self._pod_views, self._tiers.tiers(), frozenset(self._shapes))

    @property
    def leader(self) -> str:
        lease = self._leases.get(OPERATOR_LEASE)
        return lease.holder if lease is not None and self._liveness.is_live(OPERATOR_LEASE) else ""

    @property
    def scheduler_serves(self) -> bool:
        """One scheduler of ours leads, and an extender answers it."""
        extenders = (name for name in self._leases if name.startswith(EXTENDER_LEASE_PREFIX))
        return self._liveness.is_live(SCHEDULER_LEASE) and any(self._liveness.is_live(name) for name in extenders)

    # What is heard

    def node_changed(self, old: Node | None, new: Node | None) -> None:
        node = new or old
        assert node is not None
        if new is None:
            self._nodes.pop(node.name, None)
            self._facts.pop(node.name, None)
        else:
            self._nodes[node.name] = new
            self._facts.pop(node.name, None)
        self._changed_nodes.add(node.name)
        self.wake()

    def pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        for pod in (old, new):
            # a pod of the same name may be another one
            if pod is not None and (known := self._pods.pop(pod.uid, None)) is not None:
                self._take_off(known)
        if new is not None:
            self._pods[new.uid] = new
            self._put_on(new)
        for pod in (old, new):
            if pod is not None:
                self._changed_pods[pod.uid] = pod.namespace
        if old is not None and new is not None and old.uid == new.uid and old.node is None and new.node is not None:
            self.placed(old, new)
        self.wake()

    def plan_changed(self, old: PackingPlan | None, new: PackingPlan | None) -> None:
        plan = new or old
        assert plan is not None
        if new is None:
            self._plans.pop(plan.metadata.name, None)
        else:
            self._plans[plan.metadata.name] = new
            if new.is_finished and (old is None or not old.is_finished):
                self.ended(new, old is not None)
        self._changed_plans.add(plan.metadata.name)
        self.wake()

    def policy_changed(self, old: PackingPolicy | None, new: PackingPolicy | None) -> None:
        pass

    def lease_changed(self, old: Lease | None, new: Lease | None) -> None:
        if new is not None:
            self._leases[new.name] = new
            self._liveness.saw(new)
        elif old is not None:
            self._leases.pop(old.name, None)
            self._liveness.forget(old.name)

    # What comes of it

    def collect(self) -> Delta:
        """Paints what has changed since the last time."""
        kept = kept_gpus(self._plans.values(), self._on, self._now())
        self._changed_nodes |= {n for n in kept.keys() | self._kept.keys() if kept.get(n) != self._kept.get(n)}
        self._kept = kept
        pods = {uid: namespace for uid, namespace in self._changed_pods.items() if self._paint_pod(uid)}
        nodes = frozenset(name for name in self._changed_nodes if self._paint_node(name))
        delta = Delta(nodes, pods, frozenset(self._changed_plans))
        self._changed_nodes, self._changed_pods, self._changed_plans = set(), {}, set()
        return delta

    def _paint_pod(self, uid: str) -> bool:
        """Whether it looks different: much of what changes of a pod is not drawn."""
        pod, before = self._pods.get(uid), self._pod_views.get(uid)
        if pod is None:
            return self._pod_views.pop(uid, None) is not None
        view = self._pod_views[uid] = pod_view(pod)
        return view != before

    def _paint_node(self, name: str) -> bool:
        """Whether it looks different."""
        node, before = self._nodes.get(name), self._node_views.get(name)
        if node is None:
            return self._node_views.pop(name, None) is not None
        facts = self._facts.get(name)
        if facts is None:
            facts = self._facts[name] = node_facts(name, node.labels, node.amounts)
        gpus, cpu, memory = self._used.get(name, (0, 0, 0))
        free = max(facts.gpus - gpus, 0)
        view = node_view(node, facts, (gpus, cpu, memory, min(self._kept.get(name, 0), free)))
        self._node_views[name] = view
        return view != before

    def _put_on(self, pod: Pod) -> None:
        self._count(pod, 1)
        if pod.node is not None:
            self._on[pod.node][pod.uid] = pod

    def _take_off(self, pod: Pod) -> None:
        self._count(pod, -1)
        if pod.node is not None:
            del self._on[pod.node][pod.uid]
            if not self._on[pod.node]:
                del self._on[pod.node], self._used[pod.node]

    def _count(self, pod: Pod, sign: int) -> None:
        amounts = _amounts(pod)
        if pod.node is not None:
            on = self._used[pod.node]
            for i, amount in enumerate(amounts):
                on[i] += sign * amount
            self._changed_nodes.add(pod.node)
        self._tiers.count(pod, amounts[0], sign)
        if amounts[0] and not pod.terminating and not pod.gated:
            self._shapes[amounts] += sign
            if not self._shapes[amounts]:
                del self._shapes[amounts]


class _TierCounts:
    """Pods by priority, counted up and down."""

    def __init__(self) -> None:
        self._running: Counter[int] = Counter()
        self._waiting: Counter[int] = Counter()
        self._gpus: Counter[int] = Counter()
        self._names: dict[int, Counter[str]] = defaultdict(Counter)

    def count(self, pod: Pod, gpus: int, sign: int) -> None:
        names = self._names[pod.priority]
        names[pod.priority_class] += sign
        if not names[pod.priority_class]:
            del names[pod.priority_class]
            if not names:
                del self._names[pod.priority]
        if pod.terminating:
            return
        if pod.node is not None:
            self._running[pod.priority] += sign
            self._gpus[pod.priority] += sign * gpus
        elif not pod.gated:
            self._waiting[pod.priority] += sign

    def tiers(self) -> list[Tier]:
        return [
            Tier(
                priority=priority,
                priority_class=self._names[priority].most_common(1)[0][0],
                running=self._running[priority],
                waiting=self._waiting[priority],
                gpus=self._gpus[priority],
            )
            for priority in sorted(self._names, reverse=True)
        ]


def kept_gpus(plans: Iterable[PackingPlan], on: Mapping[str, Mapping[str, Pod]], now: datetime) -> dict[str, int]:
    """GPUs by node that active plans keep for pods that have not arrived."""
    kept: Counter[str] = Counter()
    for plan in plans:
        if not plan.is_active(now):
            continue
        for placement in plan.spec.placements:
            gpus = gpus_of(placement.requests)
            if not gpus:
                continue
            owner = (placement.workload.namespace, placement.workload.kind, placement.workload.name)
            here = sum(
                (pod.workload.namespace, pod.workload.kind, pod.workload.name) == owner and _amounts(pod)[0] == gpus
                for pod in on.get(placement.node, {}).values()
            )
            kept[placement.node] += gpus * max(placement.standing + placement.count - here, 0)
    return {node: gpus for node, gpus in kept.items() if gpus}


def _amounts(pod: Pod) -> Amounts:
    requests = dict(pod.spec.requests)
    return gpus_of(requests), requests.get("cpu", 0), requests.get("memory", 0)
