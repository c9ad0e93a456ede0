"""The way back of a plan: what it moved returns, what it placed waits again, in a safe order of its own.

    plan = way_back(snapshot, packing_plan)        # raises NoWayBackError with the reason

Of a plan that has evicted nothing yet the way back is from what it would do; of one that was carried out, in part or whole, from what
stands now. Replacements have other names than the pods that were evicted: whoever of the same workload and request stands where a pod was
moved to goes back, the cheapest to move first. What is proven: each node loses just the pods that it has more of than before, and no
way back can leave one of those standing, so none evicts less; the result is checked by the code that checks every plan. That the counts of
the tiers are best is not claimed: they are those from before.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from msgspec.structs import replace as changed

from berth_api.packing_plan import PackingPlan, PlannedEviction, WorkloadRef
from berth_cluster.snapshot import Pod, Snapshot
from berth_planner.options import PlanOptions
from berth_planner.packing import Packing, belongs_to_node
from berth_planner.plan import DisruptionReport, Plan, TierReport, Wave
from berth_planner.planning import build, placement_after, wave_of
from berth_planner.transition import Task
from berth_planner.waves import order_all
from berth_solver.check_placement import placement_violations

Owner = tuple[str, str, str]
Requests = tuple[tuple[str, int], ...]


class NoWayBackError(ValueError):
    """It cannot be undone as things stand; the message says why."""


def way_back(snapshot: Snapshot, plan: PackingPlan, options: PlanOptions | None = None) -> Plan:
    """Raises NoWayBackError."""
    gone = {record.uid for record in plan.status.evictions}
    executed = [eviction for eviction in plan.spec.evictions if eviction.uid in gone]
    if not executed and not plan.is_approved and not plan.is_finished:
        executed = list(plan.spec.evictions)
        snapshot = _carried_out(snapshot, plan)
    named = {pod: p.node for p in plan.spec.placements for pod in p.pods}
    options = replace(options or PlanOptions(), pending_only=False, consolidate=False)
    packing = build(snapshot, options)
    returning = _Returning(packing)
    tasks = [*returning.tasks(executed), *returning.placed(named)]
    if not tasks:
        raise NoWayBackError(
            "the plan has moved nothing and placed nothing that still stands: there is nothing to undo"
        )
    problem = packing.problem
    for task in tasks:
        eligible = problem.classes[task.pod_class].eligible
        if task.target is not None and eligible is not None and task.target not in eligible:
            raise NoWayBackError(
                f"{task.pod.key} cannot go back to {problem.nodes[task.target]}: the node is closed to it now, by a cordon, a taint, "
                "its labels, or a pod that it may not stand beside"
            )
    waves = order_all(problem, tasks)
    ordered = {t for wave in waves for step in wave for t in (*step.evict, *step.place)}
    left = [task for t, task in enumerate(tasks) if t not in ordered and task.target is not None]
    if left:
        raise NoWayBackError(
            f"{left[0].pod.key} cannot go back to {problem.nodes[left[0].target or 0]}: the room there is taken, "
            "or a rule between pods keeps it away"
        )
    placement = placement_after(problem, tasks, waves)
    broken = placement_violations(problem, placement)
    if broken:
        raise NoWayBackError(f"the way back would break a rule now: {broken[0].message}")
    made = tuple(wave_of(packing, tasks, wave) for wave in waves)
    evicted = [e for wave in made for e in wave.evictions]
    cost = float(sum(e.move_cost for e in evicted))
    return Plan(
        tiers=_tiers(snapshot, made),
        disruption=DisruptionReport(
            moves=sum(e.is_move for e in evicted),
            evictions=sum(not e.is_move for e in evicted),
            value=cost,
            bound=cost,
            certificate="Optimal",
            evidence="counting",
        ),
        waves=made,
        nodes_in_use_before=_in_use(snapshot, ()),
        nodes_in_use_after=_in_use(snapshot, made),
        elapsed_seconds=0.0,
        first_improvement_seconds=None,
        verified=True,
        notes=tuple(returning.notes),
    )


class _Returning:
    """Finds the pods that stand where the plan put them."""

    def __init__(self, packing: Packing) -> None:
        self.notes: list[str] = []
        self._packing = packing
        self._rows = {name: n for n, name in enumerate(packing.problem.nodes)}
        self._movable: dict[tuple[Owner, Requests, int], list[tuple[Pod, int]]] = defaultdict(list)
        self._pending: dict[tuple[Owner, Requests], list[tuple[Pod, int]]] = defaultdict(list)
        for c, members in enumerate(packing.members):
            for n, pods in members.running.items():
                for pod in pods:
                    self._movable[_owner(pod), pod.spec.requests, n].append((pod, c))
            for pod in members.pending:
                self._pending[_owner(pod), pod.spec.requests].append((pod, c))
        for candidates in self._movable.values():
            candidates.sort(key=lambda entry: entry[0].move_cost, reverse=True)  # taken from the end

    def tasks(self, evictions: Iterable[PlannedEviction]) -> list[Task]:
        found = []
        for eviction in evictions:
            home = self._rows.get(eviction.node)
            if home is None:
                raise NoWayBackError(f"node {eviction.node}, where {eviction.pod} was, is gone")
            key = (_owner_of(eviction.workload), tuple(sorted(eviction.requests.items())))
            if eviction.target is None:
                found += self._let_in(key, home, eviction)
                continue
            target = self._rows.get(eviction.target)
            candidates = self._movable.get((*key, target), []) if target is not None else []
            if not candidates:
                raise NoWayBackError(
                    f"what replaced {eviction.pod} does not stand on {eviction.target} any more, or may not be moved"
                )
            pod, c = candidates.pop()
            found.append(Task(pod, c, target, home))
        return found

    def placed(self, named: Mapping[str, str]) -> list[Task]:
        """Pods that waited before the plan: they wait again."""
        found = []
        by_key = {
            pod.key: (pod, c, n)
            for c, members in enumerate(self._packing.members)
            for n, pods in members.running.items()
            for pod in pods
        }
        fixed = {pod.key for pod in self._packing.snapshot.pods if pod.node is not None and not pod.terminating}
        for key, node in named.items():
            entry = by_key.get(key)
            if entry is None:
                if key in fixed:
                    raise NoWayBackError(f"{key}, which the plan placed, may not be moved")
                continue  # it has gone of itself
            pod, c, n = entry
            if self._packing.problem.nodes[n] == node:
                found.append(Task(pod, c, n, None))
        return found

    def _let_in(self, key: tuple[Owner, Requests], home: int, eviction: PlannedEviction) -> list[Task]:
        waiting = self._pending.get(key)
        if not waiting:
            self.notes.append(f"{eviction.pod} had lost its place, and nothing of its workload waits for it")
            return []
        pod, c = waiting.pop(0)
        return [Task(pod, c, None, home)]


def _carried_out(snapshot: Snapshot, plan: PackingPlan) -> Snapshot:
    """As the plan would leave it."""
    leaves = {eviction.uid: eviction.target for eviction in plan.spec.evictions}
    arrives = {pod: placement.node for placement in plan.spec.placements for pod in placement.pods}
    pods = []
    for pod in snapshot.pods:
        if pod.uid in leaves:
            target = leaves.pop(pod.uid)
            pod = changed(pod, node=target, phase="Pending" if target is None else "Running")
        elif pod.node is None and pod.key in arrives:
            pod = changed(pod, node=arrives[pod.key], phase="Running")
        pods.append(pod)
    if leaves:
        raise NoWayBackError("pods that the plan would move are gone: the plan itself does not hold any more")
    return changed(snapshot, pods=tuple(pods))


def _tiers(snapshot: Snapshot, waves: Sequence[Wave]) -> tuple[TierReport, ...]:
    pods: Counter[int] = Counter()
    placed: Counter[int] = Counter()
    names: dict[int, str] = {}
    for pod in snapshot.pods:
        if pod.terminating or pod.gated:
            continue
        pods[pod.priority] += 1
        placed[pod.priority] += pod.node is not None
        names.setdefault(pod.priority, pod.priority_class)
    after = placed.copy()
    for wave in waves:
        for priority, gain in wave.gains:
            after[priority] += gain
    return tuple(
        TierReport(
            priority=priority,
            priority_class=names[priority],
            pods=pods[priority],
            placed_before=placed[priority],
            placed_after=after[priority],
            bound=pods[priority],
            certificate="Optimal" if after[priority] == pods[priority] else "Bounded",
            evidence="trivial",
        )
        for priority in sorted(pods, reverse=True)
    )


def _in_use(snapshot: Snapshot, waves: Sequence[Wave]) -> int:
    used: Counter[str] = Counter(p.node for p in snapshot.pods if p.node is not None and not belongs_to_node(p))
    for wave in waves:
        used.subtract(e.node for e in wave.evictions)
        for placement in wave.placements:
            used[placement.node] += placement.count
    return sum(count > 0 for count in used.values())


def _owner(pod: Pod) -> Owner:
    return pod.workload.namespace, pod.workload.kind, pod.workload.name


def _owner_of(workload: WorkloadRef) -> Owner:
    return workload.namespace, workload.kind, workload.name
