"""A cluster to which pods come one by one, on paper: the extender's own filter and scores beside a simulated stock scheduler,
and the planner when something does not fit.

    cluster = SimulatedCluster(snapshot, random.Random(7), berth=Scheduler())      # berth=None: the stock scheduler alone
    cluster.arrive(pod)                          # "n3", or None
    plan = cluster.repack(PlanOptions(budget=1.0))

The objects are those that run in the extender and in the operator; only kube-scheduler, the API server and time are left out:
a pod is bound at once, an evicted pod's replacement too. Cost: that of `stock_scheduler` and of planning.
"""

from __future__ import annotations

import random
from collections import defaultdict

from msgspec.structs import replace

from berth_cluster.snapshot import Pod, Snapshot, WorkloadKey
from berth_planner.options import PlanOptions
from berth_planner.plan import Plan, Wave
from berth_planner.planning import make_plan
from berth_planner.stock_scheduler import StockScheduler
from berth_scheduling.scheduler import Scheduler

Kind = tuple[WorkloadKey, int, tuple[tuple[str, int], ...]]


class SimulatedCluster:
    def __init__(self, snapshot: Snapshot, ties: random.Random, berth: Scheduler | None = None) -> None:
        """ties: choose among nodes of equal score."""
        self.moves = 0
        self._before = snapshot
        self._pods = {pod.key: pod for pod in snapshot.pods}
        self._berth = berth
        self._stock = StockScheduler(snapshot, ties, berth.prioritize if berth is not None else None)
        if berth is not None:
            for node in snapshot.nodes:
                berth.node_changed(None, node)
            for pod in snapshot.pods:
                berth.pod_changed(None, pod)

    @property
    def snapshot(self) -> Snapshot:
        return replace(self._before, pods=tuple(sorted(self._pods.values(), key=lambda p: (p.namespace, p.name))))

    def arrive(self, pod: Pod) -> str | None:
        """Its node, or None: then it waits."""
        self._now(pod)
        berth = self._berth
        filtered = (lambda p, names: berth.filter(p, names).nodes) if berth is not None else None
        placed = self._stock.schedule(pod, filtered)
        if placed is None:
            return None
        self._now(placed)
        return placed.node

    def repack(self, options: PlanOptions | None = None) -> Plan:
        """Plans for all that wait, and carries the plan out."""
        plan = make_plan(self.snapshot, options)
        for wave in plan.waves:
            self._carry_out(wave)
        return plan

    def _carry_out(self, wave: Wave) -> None:
        evicted: dict[Kind, list[Pod]] = defaultdict(list)
        for eviction in wave.evictions:
            pod = self._pods[eviction.pod]
            self._stock.remove(pod)
            waiting = replace(pod, node=None, phase="Pending")
            if self._berth is not None:
                self._berth.pod_changed(pod, None)
            self._pods[pod.key] = waiting
            self.moves += 1
            if eviction.is_move:
                evicted[pod.workload, pod.priority, pod.spec.requests].append(waiting)
        for placement in wave.placements:
            named = [self._pods[name] for name in placement.pods]
            others = evicted[placement.workload, placement.priority, placement.requests]
            for pod in [*named, *(others.pop(0) for _ in range(placement.count - len(named)))]:
                placed = replace(pod, node=placement.node, phase="Running")
                self._stock.stand(placed)
                self._now(placed)

    def _now(self, pod: Pod) -> None:
        if self._berth is not None:
            self._berth.pod_changed(self._pods.get(pod.key), pod)
        self._pods[pod.key] = pod
