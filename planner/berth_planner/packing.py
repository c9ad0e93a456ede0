"""A snapshot as a problem for the solver, with the way back from classes to pods.

Shapes that differ in nothing the solver looks at become one class: priority, request, nodes open to a new pod, preference,
move cost, and the part they play in every rule. Fixed pods are deducted from their node's capacity; those that a rule
counts stay visible as immovable classes without a request. Only resources that some pending or movable pod asks for are
kept.

Cost: one pass over the pods, then work per shape and per distinct selector.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from berth_api.reasons import Reason
from berth_cluster.snapshot import Node, Pod, Snapshot
from berth_planner.constraints_of import constraints_of, parts_of
from berth_planner.enforced_wishes import enforce
from berth_planner.hint_reading import HintReading
from berth_planner.node_sets import Mask, NodeSets
from berth_planner.pod_rules import PodRules, rules_of
from berth_planner.shapes import Grouping, Movable, Shape, group_pods
from berth_planner.wishes import Wishes, wished_of_nodes
from berth_solver.problem import MAX_AMOUNT, Budget, Constraints, IntArray, PodClass, Problem, Standing

MOST_CAPACITY = MAX_AMOUNT - 1
"""Capacities above are cut to this, requests above to `MAX_AMOUNT`: such a pod fits nowhere, as it should."""

MOST_STRANGE = 8
"""Resources that no node offers and that are told apart."""
OTHERS = "resources that no node offers"


@dataclass(frozen=True, slots=True)
class Caps:
    """Limits on the whole plan. None: no limit. Moves count running pods that leave their node, replaced or not."""

    max_moves: int | None = None
    max_disruption: int | None = None
    max_evictions: int | None = None


@dataclass(frozen=True, slots=True)
class ClassPods:
    """The pods of one class: pending ones oldest first, movable ones by node, youngest first (the first to leave)."""

    pending: tuple[Pod, ...]
    running: Mapping[int, tuple[Pod, ...]]
    never_preempts: bool = False
    denied: Mapping[Reason, Mask] = field(default_factory=dict)
    """Nodes that fixed pods deny to the class, by reason."""


@dataclass(frozen=True, eq=False, slots=True)
class Packing:
    """A problem and what its numbers mean. `members[c]` are the pods of class c (empty for an immovable class)."""

    snapshot: Snapshot
    problem: Problem
    members: tuple[ClassPods, ...]
    fixed_per_priority: Mapping[int, int]
    """Pods that run and stay where they are, by priority."""
    immovable_per_priority: Mapping[int, int]
    """Those of them that the problem shows as immovable classes, by the priority of the class."""
    left_out: tuple[Pod, ...]
    arriving: tuple[Pod, ...]
    blocked_by_budget: int
    node_sets: NodeSets
    rule_reasons: Mapping[str, Reason]
    """The reason that a pod is given when the constraint of this name keeps it away."""
    wishes: Wishes | None = None
    """Of the pods' hints; None where no pod has one that counts."""

    @property
    def never_preempting(self) -> tuple[int, ...]:
        """Classes with pending pods that must not displace anyone (preemptionPolicy Never)."""
        return tuple(c for c, m in enumerate(self.members) if m.never_preempts and m.pending)

    def with_caps(self, caps: Caps) -> Packing:
        """The same packing under other caps."""
        constraints = _capped(self.problem.constraints, self.problem.classes, self.members, caps)
        return replace(self, problem=replace(self.problem, constraints=constraints))


def belongs_to_node(pod: Pod) -> bool:
    """It would go with its node: a DaemonSet's pod or a mirror pod."""
    return Reason.DAEMON_SET in pod.immovable or Reason.MIRROR_POD in pod.immovable


MAX_MOVES_BUDGET = "all movable pods (max moves)"


def build_problem(
    snapshot: Snapshot, *, movable: Movable = "all", caps: Caps | None = None, reading: HintReading | None = None
) -> Packing:
    """The whole cluster as one problem: every pending pod, every pod that may move, every rule that binds them.

    reading: of the pods' hints; None: they do not count.
    """
    node_index = {node.name: i for i, node in enumerate(snapshot.nodes)}
    grouping = group_pods(snapshot, node_index, movable)
    node_sets = NodeSets(snapshot.nodes)
    rules = rules_of(grouping, node_sets, len(snapshot.nodes))
    live = [s for s, shape in enumerate(grouping.shapes) if shape.is_live]
    wishes = None if reading is None else Wishes(snapshot, reading, node_sets)
    if wishes is not None and not wishes.any:
        wishes = None
    if wishes is not None:
        enforce(snapshot, wishes, grouping.shapes, live, rules)
    resources, column = _resources([grouping.shapes[s] for s in live], snapshot.nodes)
    capacity, fixed_per_priority = _capacity(snapshot, grouping, resources)

    parts = parts_of(rules)
    classes: list[PodClass] = []
    shapes_of_class: list[list[int]] = []
    class_of: dict[int, int] = {}
    number: dict[tuple[object, ...], int] = {}
    open_nodes = _OpenNodes(node_sets, rules, len(snapshot.nodes))
    any_never = any(s.never_preempts and s.pending for s in grouping.shapes)
    preferences = (
        None
        if wishes is None
        else wished_of_nodes(wishes, grouping.shapes, {s: open_nodes.mask(s, grouping.shapes[s]) for s in live})
    )
    for s in live:
        shape = grouping.shapes[s]
        request = _vector(shape, len(resources), column)
        eligible = open_nodes.of(s, shape)
        preference = node_sets.preference(shape.spec) if preferences is None else preferences.get(s, ())
        never = any_never and shape.never_preempts
        denied = tuple((reason, mask.tobytes()) for reason, mask in rules.denied.get(s, {}).items())
        # shapes that are kept off nodes for different reasons stay apart, so that each can be told its own
        key = (shape.priority, request, eligible, preference, shape.move_cost, never, parts.get(s, ()), denied)
        c = number.get(key)
        if c is None:
            c = number[key] = len(classes)
            shapes_of_class.append([])
            name = _class_name(shape, c)
            classes.append(
                PodClass(
                    name, shape.priority, request, eligible=eligible, preference=preference, move_cost=shape.move_cost
                )
            )
        shapes_of_class[c].append(s)
        class_of[s] = c
    members = [
        _members([grouping.shapes[s] for s in group], rules.denied.get(group[0], {})) for group in shapes_of_class
    ]
    classes = [replace(k, pending=len(m.pending)) for k, m in zip(classes, members, strict=True)]
    standing = [Standing(c, n, len(pods)) for c, m in enumerate(members) for n, pods in sorted(m.running.items())]

    fixed_class_of, immovable = _immovable(rules, grouping, parts, classes, members, standing)
    constraints = constraints_of(rules, class_of, fixed_class_of)
    constraints = _capped(constraints, classes, members, caps or Caps())
    problem = Problem(
        resources, tuple(node.name for node in snapshot.nodes), capacity, tuple(classes), tuple(standing), constraints
    )
    return Packing(
        snapshot,
        problem,
        tuple(members),
        fixed_per_priority,
        immovable,
        grouping.left_out,
        grouping.arriving,
        grouping.blocked_by_budget,
        node_sets,
        rules.reasons,
        wishes,
    )


def _resources(shapes: Sequence[Shape], nodes: Iterable[Node]) -> tuple[tuple[str, ...], Mapping[str, int]]:
    """What the problem counts, and the column of every resource that is asked for.

    Pods may ask for names without end that no node offers. A few are kept, so that who waits for one is told its name; the rest
    share a column in which no node has anything, since one pod's thousand names must not make the problem too large for all.
    """
    offered = {name for node in nodes for name, amount in node.allocatable if amount > 0}
    asked = Counter(name for shape in shapes for name, amount in shape.spec.requests if amount > 0)
    strange = sorted((name for name in asked if name not in offered), key=lambda name: (-asked[name], name))
    kept = tuple(sorted(asked.keys() & offered | set(strange[:MOST_STRANGE])))
    column = {name: c for c, name in enumerate(kept)}
    if len(strange) <= MOST_STRANGE:
        return kept, column
    return (*kept, OTHERS), column | dict.fromkeys(strange[MOST_STRANGE:], len(kept))


def _vector(shape: Shape, width: int, column: Mapping[str, int]) -> tuple[int, ...]:
    found = [0] * width
    for name, amount in shape.spec.requests:
        if amount > 0:
            found[column[name]] = min(max(amount, found[column[name]]), MAX_AMOUNT)
    return tuple(found)


def _class_name(shape: Shape, number: int) -> str:
    pod = shape.pending[0] if shape.pending else next(iter(shape.running.values()))[0]
    return f"{pod.workload}#{number}"


def _capacity(snapshot: Snapshot, grouping: Grouping, resources: tuple[str, ...]) -> tuple[IntArray, Mapping[int, int]]:
    """Allocatable less the requests of fixed pods, and how many fixed pods each priority has.

    Never below zero: kube-scheduler refuses a node for lack of a resource only to pods that ask for that resource, and
    zero says just that.
    """
    index = {name: r for r, name in enumerate(resources)}
    capacity = np.zeros((len(snapshot.nodes), len(resources)), np.int64)
    for n, node in enumerate(snapshot.nodes):
        for name, amount in node.allocatable:
            r = index.get(name)
            if r is not None:
                capacity[n, r] = min(max(amount, 0), MOST_CAPACITY)
    fixed: dict[int, int] = defaultdict(int)
    weight, leaving, arriving = (np.zeros_like(capacity) for _ in range(3))
    for shape in grouping.shapes:
        if not shape.weight_nodes:
            continue
        fixed[shape.priority] += sum(shape.fixed.values())
        amounts = [(index[name], amount) for name, amount in shape.spec.requests if name in index]
        for held, room in ((shape.fixed, weight), (shape.leaving, leaving), (shape.arriving, arriving)):
            for n, count in held.items():
                for r, amount in amounts:
                    room[n, r] += min(amount * count, MOST_CAPACITY)
    capacity -= weight + np.maximum(leaving, arriving)  # who arrives takes the room of who leaves
    return np.maximum(capacity, 0), fixed


class _OpenNodes:
    """Nodes open to a new pod of a shape, as one shared frozenset for each distinct set; None where all are."""

    def __init__(self, node_sets: NodeSets, rules: PodRules, count: int) -> None:
        self._node_sets = node_sets
        self._denied = rules.denied
        self._count = count
        self._shared: dict[bytes, frozenset[int] | None] = {np.ones(count, np.bool_).tobytes(): None}

    def mask(self, number: int, shape: Shape) -> Mask:
        mask = self._node_sets.eligible(shape.spec)
        for denied in self._denied.get(number, {}).values():
            mask = mask & ~denied
        return mask

    def of(self, number: int, shape: Shape) -> frozenset[int] | None:
        mask = self.mask(number, shape)
        key = mask.tobytes()
        if key not in self._shared:
            self._shared[key] = frozenset(np.flatnonzero(mask).tolist())
        return self._shared[key]


def _members(shapes: Sequence[Shape], denied: Mapping[Reason, Mask]) -> ClassPods:
    pending = sorted((p for s in shapes for p in s.pending), key=lambda pod: (pod.created, pod.key))
    running: dict[int, list[Pod]] = defaultdict(list)
    for shape in shapes:
        for node, pods in shape.running.items():
            running[node].extend(pods)
    for pods in running.values():
        pods.sort(key=lambda pod: pod.key)
        pods.sort(key=lambda pod: pod.created, reverse=True)
    never = any(s.never_preempts and s.pending for s in shapes)
    return ClassPods(tuple(pending), {n: tuple(pods) for n, pods in running.items()}, never, denied)


def _immovable(
    rules: PodRules,
    grouping: Grouping,
    parts: Mapping[int, tuple[tuple[str, int], ...]],
    classes: list[PodClass],
    members: list[ClassPods],
    standing: list[Standing],
) -> tuple[dict[int, int], dict[int, int]]:
    """Append a class for each kind of fixed pod that a rule counts; (shape -> that class, pods by class priority).

    They take the priority of a tier that exists, so that they never make a tier of their own.
    """
    counted = frozenset().union(*(a.others for a in rules.affinities), *(s.counted for s in rules.spreads))
    lowest = min((k.priority for k in classes), default=0)
    known = {k.priority for k in classes}
    class_of: dict[int, int] = {}
    number: dict[tuple[object, ...], int] = {}
    per_node: dict[tuple[int, int], int] = defaultdict(int)
    per_priority: dict[int, int] = defaultdict(int)
    width = len(classes[0].request) if classes else 0
    for s in sorted(counted):
        shape = grouping.shapes[s]
        if not shape.fixed:
            continue
        priority = shape.priority if shape.priority in known else lowest
        key = (priority, tuple(p for p in parts[s] if p[0] in ("sought", "counted")))
        c = number.get(key)
        if c is None:
            c = number[key] = len(classes)
            classes.append(PodClass(f"fixed#{c}", priority, (0,) * width, movable=False))
            members.append(ClassPods((), {}))
        class_of[s] = c
        for node, count in shape.fixed.items():
            per_node[c, node] += count
            per_priority[priority] += count
    standing.extend(Standing(c, n, count) for (c, n), count in sorted(per_node.items()))
    return class_of, per_priority


def _capped(
    constraints: Constraints, classes: Sequence[PodClass], members: Sequence[ClassPods], caps: Caps
) -> Constraints:
    budgets = tuple(b for b in constraints.budgets if b.name != MAX_MOVES_BUDGET)
    if caps.max_moves is not None:
        running = frozenset(c for c, m in enumerate(members) if m.running and classes[c].movable)
        if running:
            budgets = (*budgets, Budget(running, caps.max_moves, MAX_MOVES_BUDGET))
    return replace(constraints, budgets=budgets, max_disruption=caps.max_disruption, max_evictions=caps.max_evictions)
