"""Carries a plan out on paper, step by step, and says what would go wrong.

At each moment: what is evicted stands where the plan thinks and may move; no disruption budget has more pods evicted and
not yet replaced than it allows; each placed pod passes kube-scheduler's filters (`kube_filter`) as things stand then, a
scheduler that retries being assumed within a step; after each wave the cluster is no worse by tier than before it, and
no gang runs with fewer than its minimum that did not before.

A replacement is a new pod with the spec of an evicted one of its workload, priority and request.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from berth_cluster.matching import labels_of, selector_matches
from berth_cluster.snapshot import Pod, Snapshot, WorkloadKey
from berth_planner.kube_filter import Cluster
from berth_planner.plan import Placement, Plan, Step, Wave

Kind = tuple[WorkloadKey, int, tuple[tuple[str, int], ...]]


class Moment(msgspec.Struct, frozen=True):
    """The cluster after a step. wave and step count from 0; -1 is before the plan."""

    wave: int
    step: int
    placed: Mapping[int, int]
    """Priority to pods that have a node, fixed ones included."""
    waiting: int
    """Evicted pods without a place whose replacement the plan still has to place."""
    most_waiting: int
    """The most of them at any moment of the step."""
    ends_wave: bool


class Simulation(msgspec.Struct, frozen=True):
    moments: tuple[Moment, ...]
    violations: tuple[str, ...]

    @property
    def most_waiting(self) -> int:
        return max((m.most_waiting for m in self.moments), default=0)


def simulate(snapshot: Snapshot, plan: Plan) -> Simulation:
    """Every moment of the plan, and a sentence for each thing that would not work."""
    return _Simulator(snapshot).run(plan)


class _Simulator:
    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._cluster = Cluster(snapshot.nodes, snapshot.pods)
        self._pods = {pod.key: pod for pod in snapshot.pods}
        self._placed: Counter[int] = Counter(pod.priority for _, pod in self._cluster.pods() if not pod.terminating)
        self._evicted: dict[Kind, list[Pod]] = defaultdict(list)
        self._budget_left = [max(b.disruptions_allowed, 0) for b in snapshot.budgets]
        self._violations: list[str] = []
        self._place_of = ""

    def run(self, plan: Plan) -> Simulation:
        moments = [Moment(-1, -1, dict(self._placed), 0, 0, True)]
        gangs = self._short_gangs()
        for w, wave in enumerate(plan.waves):
            before = self._placed.copy()
            steps = wave.steps or (Step(wave.evictions, wave.placements),)
            self._place_of = f"wave {w + 1}"
            self._compare_steps(wave, steps)
            for s, step in enumerate(steps):
                self._place_of = f"wave {w + 1}, step {s + 1}"
                self._evict(step)
                most = self._waiting()
                self._place(step.placements)
                moments.append(Moment(w, s, dict(self._placed), self._waiting(), most, s == len(steps) - 1))
            if _worse(before, self._placed):
                self._violations.append(
                    f"{self._place_of}: worse by tier, {dict(before)} before, {dict(self._placed)} after"
                )
            for gang in self._short_gangs() - gangs:
                self._violations.append(f"{self._place_of}: gang {gang} runs with fewer than its minimum")
        return Simulation(tuple(moments), tuple(self._violations))

    def _waiting(self) -> int:
        return sum(map(len, self._evicted.values()))

    def _evict(self, step: Step) -> None:
        for eviction in step.evictions:
            pod = self._pods.get(eviction.pod)
            if pod is None or not self._cluster.remove(pod, eviction.node):
                self._say(f"{eviction.pod} is not on {eviction.node}")
                continue
            if not pod.is_movable or pod.terminating:
                self._say(f"{eviction.pod} must not be moved")
            self._placed[pod.priority] -= 1
            self._charge_budgets(pod, -1)
            if eviction.is_move:
                self._evicted[pod.workload, pod.priority, pod.spec.requests].append(pod)

    def _charge_budgets(self, pod: Pod, change: int) -> None:
        for b, budget in enumerate(self._snapshot.budgets):
            if budget.namespace == pod.namespace and selector_matches(budget.selector, labels_of(pod.spec)):
                self._budget_left[b] += change
                if self._budget_left[b] < 0:
                    self._say(f"{pod.key} is evicted though budget {budget.name} allows no more")

    def _place(self, placements: Sequence[Placement]) -> None:
        left = [(pod, p.node) for p in placements for pod in self._meant(p)]
        progress = True
        while left and progress:
            progress = False
            for pod, name in list(left):
                if self._cluster.against(pod, self._cluster.nodes[name]) is None:
                    self._stand(pod, name)
                    left.remove((pod, name))
                    progress = True
        for pod, name in left:
            self._say(f"{pod.key} cannot go to {name}: {self._cluster.against(pod, self._cluster.nodes[name])}")
            self._stand(pod, name)

    def _stand(self, pod: Pod, node: str) -> None:
        self._cluster.place(pod, node)
        self._placed[pod.priority] += 1
        if pod.node is not None:
            self._charge_budgets(pod, 1)

    def _meant(self, placement: Placement) -> list[Pod]:
        meant = []
        for name in placement.pods:
            pod = self._pods.get(name)
            if pod is None or not pod.is_pending:
                self._say(f"{name} is not waiting for a node")
            else:
                meant.append(pod)
        evicted = self._evicted[placement.workload, placement.priority, placement.requests]
        for _ in range(placement.count - len(placement.pods)):
            if evicted:
                meant.append(evicted.pop(0))
            else:
                self._say(f"nothing of {placement.workload} was evicted that could be placed on {placement.node}")
        return meant

    def _short_gangs(self) -> set[str]:
        running: Counter[tuple[str, str]] = Counter()
        minimum: dict[tuple[str, str], int] = {}
        for _, pod in self._cluster.pods():
            if pod.gang is not None:
                running[pod.namespace, pod.gang.key] += 1
                minimum[pod.namespace, pod.gang.key] = max(
                    minimum.get((pod.namespace, pod.gang.key), 0), pod.gang.minimum
                )
        return {f"{namespace}/{key}" for (namespace, key), least in minimum.items() if running[namespace, key] < least}

    def _compare_steps(self, wave: Wave, steps: Sequence[Step]) -> None:
        evicted = Counter(e.pod for step in steps for e in step.evictions)
        placed: Counter[tuple[Kind, str]] = Counter()
        for step in steps:
            for p in step.placements:
                placed[(p.workload, p.priority, p.requests), p.node] += p.count
        whole = Counter({((p.workload, p.priority, p.requests), p.node): p.count for p in wave.placements})
        if evicted != Counter(e.pod for e in wave.evictions) or placed != whole:
            self._say("the steps do not add up to the wave")

    def _say(self, sentence: str) -> None:
        self._violations.append(f"{self._place_of}: {sentence}")


def _worse(before: Counter[int], after: Counter[int]) -> bool:
    changes = [after[p] - before[p] for p in sorted(before.keys() | after.keys(), reverse=True)]
    return next((change < 0 for change in changes if change), False)
