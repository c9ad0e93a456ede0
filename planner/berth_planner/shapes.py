"""Pods that look the same to the scheduler, taken together: the first step from a snapshot to a problem.

A shape is a (namespace, spec, priority, move cost, gang, preemption policy, hint); specs are shared objects, so that grouping
30,000 pods is one pass over a dictionary. Everything after this works on shapes, of which there are a few thousand at most.

Each pod has one role. *Pending*: the plan may place it. *Running*: the plan may move it. *Fixed*: it is weight on its
node; only rules between pods look at it. Fixed are pods that nobody would recreate or that ask to stay, pods on their way
out (they hold their room until they are gone), pods with features that Berth does not model, pods of other schedulers when
only Berth's own may move, and pods that the Eviction API would refuse: their disruption budget is spent, or two budgets
select them. *Arriving*: a pending pod that kube-scheduler has preempted for; it takes the room of those that are leaving
its nominated node, so that nobody else is disturbed for it. Gated pods and pods of unknown nodes have no role.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from berth_cluster.snapshot import DisruptionBudget, Gang, Pod, PodSpec, Snapshot
from berth_planner.label_index import LabelIndex

Movable = Literal["all", "berth"]
"""Whose pods a plan may move and place: everyone's, or only those of the scheduler `berth`."""

BERTH_SCHEDULER = "berth"


@dataclass(slots=True)
class Shape:
    """Pods of one look. `pending` oldest first; `running` and `fixed` by node index."""

    namespace: str
    spec: PodSpec
    priority: int
    move_cost: int
    gang: Gang | None
    never_preempts: bool
    hint: str = ""
    pending: list[Pod] = field(default_factory=list)
    running: dict[int, list[Pod]] = field(default_factory=lambda: defaultdict(list))
    fixed: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    """Count of fixed pods, those that are terminating left out."""
    leaving: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    """Count of terminating pods."""
    arriving: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    """Count of pending pods that wait for terminating ones on the node they are nominated to."""

    @property
    def is_live(self) -> bool:
        return bool(self.pending or self.running)

    @property
    def example(self) -> Pod:
        """Any pod of a live shape."""
        return self.pending[0] if self.pending else next(iter(self.running.values()))[0]

    @property
    def live_count(self) -> int:
        return len(self.pending) + sum(map(len, self.running.values()))

    @property
    def weight_nodes(self) -> set[int]:
        """Nodes that hold a pod of this shape that will not be moved."""
        return self.fixed.keys() | self.leaving.keys() | self.arriving.keys()

    def fix_running(self) -> None:
        for node, pods in self.running.items():
            self.fixed[node] += len(pods)
        self.running.clear()


@dataclass(frozen=True, slots=True)
class BudgetedShapes:
    """A disruption budget with room left, and the shapes whose running pods count against it."""

    name: str
    shapes: frozenset[int]
    allowed: int


@dataclass(frozen=True, slots=True)
class Grouping:
    shapes: tuple[Shape, ...]
    index: LabelIndex
    budgets: tuple[BudgetedShapes, ...]
    left_out: tuple[Pod, ...]
    """Pending pods that ask for something not modelled: never placed, always reported."""
    arriving: tuple[Pod, ...]
    """Pending pods that need nothing but that others on their nominated node end."""
    blocked_by_budget: int
    """Running pods held in place because the Eviction API would refuse."""


def group_pods(snapshot: Snapshot, node_index: Mapping[str, int], movable: Movable) -> Grouping:
    """All pods of the snapshot by shape, each in its role."""
    shapes: dict[tuple[object, ...], Shape] = {}
    left_out: list[Pod] = []
    arriving: list[Pod] = []
    emptying = {pod.node for pod in snapshot.pods if pod.terminating}
    for pod in snapshot.pods:
        node = None if pod.node is None else node_index.get(pod.node)
        ours = movable == "all" or pod.scheduler == BERTH_SCHEDULER
        if node is None and not (pod.is_pending and ours):
            continue
        if node is None and pod.spec.unmodelled:
            left_out.append(pod)
            continue
        never = pod.preemption_policy == "Never"
        key = (id(pod.spec), pod.namespace, pod.priority, pod.move_cost, pod.gang, never, pod.hint)
        shape = shapes.get(key)
        if shape is None:
            shape = shapes[key] = Shape(pod.namespace, pod.spec, pod.priority, pod.move_cost, pod.gang, never, pod.hint)
        chosen = node_index.get(pod.nominated_node or "") if pod.nominated_node in emptying else None
        if node is None and chosen is not None:
            arriving.append(pod)
            shape.arriving[chosen] += 1
        elif node is None:
            shape.pending.append(pod)
        elif pod.terminating:
            shape.leaving[node] += 1
        elif ours and pod.is_movable and not pod.spec.unmodelled:
            shape.running[node].append(pod)
        else:
            shape.fixed[node] += 1
    grouped = tuple(shapes.values())
    for shape in grouped:
        shape.pending.sort(key=lambda pod: (pod.created, pod.name))
    index = LabelIndex([(s.namespace, s.spec.labels) for s in grouped])
    budgets, blocked = _apply_budgets(snapshot.budgets, grouped, index)
    return Grouping(grouped, index, budgets, tuple(left_out), tuple(arriving), blocked)


def _apply_budgets(
    budgets: Sequence[DisruptionBudget], shapes: Sequence[Shape], index: LabelIndex
) -> tuple[tuple[BudgetedShapes, ...], int]:
    """Fix what no eviction may touch; what remains of each budget binds the rest."""
    selected = [index.selected(b.selector, frozenset([b.namespace])) for b in budgets]
    times: dict[int, int] = defaultdict(int)
    spent: set[int] = set()
    for budget, members in zip(budgets, selected, strict=True):
        for s in members:
            times[s] += 1
        if budget.disruptions_allowed <= 0:
            spent |= members
    blocked = 0
    for s in spent | {s for s, count in times.items() if count > 1}:
        blocked += sum(map(len, shapes[s].running.values()))
        shapes[s].fix_running()
    left = []
    for budget, members in zip(budgets, selected, strict=True):
        running = frozenset(s for s in members if shapes[s].running)
        if sum(len(pods) for s in running for pods in shapes[s].running.values()) > budget.disruptions_allowed > 0:
            left.append(BudgetedShapes(f"{budget.namespace}/{budget.name}", running, budget.disruptions_allowed))
    return tuple(left), blocked
