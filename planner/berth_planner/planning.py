"""Snapshot in, plan out: the planner's one entry.

    plan = make_plan(snapshot, PlanOptions(budget=1.0))

The snapshot becomes a problem (`packing`), the solver answers (`answers`, where preemptionPolicy Never is honoured), the
answer is checked by code that shares nothing with the search, counts become named pods (`transition`), and these an order
that is safe (`waves`). What is reported is what the waves do.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from berth_cluster.snapshot import Snapshot, WorkloadKey
from berth_planner.answers import Answer, answer, check
from berth_planner.arranging import Arranged, arranged, wish_report
from berth_planner.hint_reading import HintReading
from berth_planner.merging import merged
from berth_planner.options import PlanOptions
from berth_planner.packing import Packing, belongs_to_node, build_problem
from berth_planner.plan import DisruptionReport, Eviction, Placement, Plan, Step, TierReport, Wave
from berth_planner.transition import Task
from berth_planner.waves import TaskWave, order_tasks
from berth_solver.check_placement import placement_violations
from berth_solver.problem import IntArray, Problem
from berth_solver.solution import Certificate

NAMED_LEFT_OUT = 3
"""Pods named in a note about pods that are left out."""


@dataclass(frozen=True, eq=False, slots=True)
class Planned:
    """A plan with what it was made from, for those who ask on (`why`, `frontier`)."""

    packing: Packing
    answer: Answer
    plan: Plan
    placement: IntArray
    """Pods of each class on each node once the plan is done."""
    done: Arranged
    """Pod by pod, what the plan does."""


def make_plan(snapshot: Snapshot, options: PlanOptions | None = None) -> Plan:
    """The best placement by strict priority that the budget of time allows, and the safe way to it.

    Raises `UnsoundAnswerError` when the solver's answer does not stand up to verification.
    """
    return plan_packing(build(snapshot, options or PlanOptions()), options or PlanOptions()).plan


def build(snapshot: Snapshot, options: PlanOptions) -> Packing:
    reading = None
    if any(pod.hint for pod in snapshot.pods):
        reading = HintReading.under(options.policies, snapshot, options.parse)
        reading.improved = options.improved
    return build_problem(snapshot, movable=options.movable, caps=options.caps, reading=reading)


def plan_packing(packing: Packing, options: PlanOptions) -> Planned:
    """Plan for a packing that is built already."""
    found = answer(packing, options)
    done = arranged(packing, found.placement, options, lambda tasks: _ordered(packing.problem, tasks, options))
    tasks, ordered = done.tasks, done.waves
    placement = placement_after(packing.problem, tasks, ordered)
    waves = tuple(wave_of(packing, tasks, wave) for wave in ordered)
    plan = Plan(
        tiers=_tiers(packing, found, waves),
        disruption=_disruption(found, waves, as_answered=_same_counts(packing.problem, placement, found.placement)),
        waves=waves,
        nodes_in_use_before=_nodes_in_use(packing.snapshot, ()),
        nodes_in_use_after=_nodes_in_use(packing.snapshot, waves),
        elapsed_seconds=found.elapsed_seconds,
        first_improvement_seconds=found.first_improvement_seconds,
        verified=True,
        notes=_notes(packing, found, waves, int(found.placement.sum() - placement.sum())),
        wishes=wish_report(packing, done, found.preference_proven),
    )
    return Planned(packing, found, plan, placement, done)


def _ordered(problem: Problem, tasks: Sequence[Task], options: PlanOptions) -> list[TaskWave]:
    """Waves whose outcome is checked again: they may leave out what turned out to be of no use to anybody."""
    if not options.consolidate:
        waves = order_tasks(problem, tasks, only_useful=True)
        if not placement_violations(problem, placement_after(problem, tasks, waves)):
            return merged(problem, tasks, waves, options.at_once)
    waves = order_tasks(problem, tasks, only_useful=False)
    check(problem, placement_after(problem, tasks, waves))
    return merged(problem, tasks, waves, options.at_once)


def placement_after(problem: Problem, tasks: Sequence[Task], waves: Iterable[TaskWave]) -> IntArray:
    placement = problem.standing_counts.copy()
    for wave in waves:
        for step in wave:
            for t in step.evict:
                placement[tasks[t].pod_class, tasks[t].source] -= 1
            for t in step.place:
                placement[tasks[t].pod_class, tasks[t].target] += 1
    return placement


def wave_of(packing: Packing, tasks: Sequence[Task], wave: TaskWave) -> Wave:
    steps = tuple(
        Step(
            tuple(_eviction(packing, tasks[t]) for t in step.evict),
            _placements(packing, [tasks[t] for t in step.place]),
        )
        for step in wave
    )
    gains: Counter[int] = Counter()
    for step in wave:
        for t in step.evict:
            gains[tasks[t].pod.priority] -= 1
        for t in step.place:
            gains[tasks[t].pod.priority] += 1
    return Wave(
        tuple(e for step in steps for e in step.evictions),
        _placements(packing, [tasks[t] for step in wave for t in step.place]),
        tuple((priority, gain) for priority, gain in sorted(gains.items(), reverse=True) if gain),
        steps,
    )


def _eviction(packing: Packing, task: Task) -> Eviction:
    assert task.source is not None
    nodes = packing.problem.nodes
    return Eviction(
        pod=task.pod.key,
        uid=task.pod.uid,
        workload=task.pod.workload,
        priority=task.pod.priority,
        node=nodes[task.source],
        target=None if task.target is None else nodes[task.target],
        move_cost=task.pod.move_cost,
        requests=task.pod.spec.requests,
    )


def _placements(packing: Packing, tasks: Iterable[Task]) -> tuple[Placement, ...]:
    """Counts per (workload, priority, node, request); pending pods by name."""
    groups: dict[tuple[WorkloadKey, int, int, tuple[tuple[str, int], ...]], list[Task]] = defaultdict(list)
    for task in tasks:
        assert task.target is not None
        groups[task.pod.workload, task.pod.priority, task.target, task.pod.spec.requests].append(task)
    return tuple(
        Placement(
            workload,
            priority,
            packing.problem.nodes[node],
            len(group),
            requests,
            tuple(t.pod.key for t in group if t.source is None),
        )
        for (workload, priority, node, requests), group in groups.items()
    )


def _tiers(packing: Packing, found: Answer, waves: Sequence[Wave]) -> tuple[TierReport, ...]:
    before: Counter[int] = Counter(packing.fixed_per_priority)
    pods: Counter[int] = Counter(packing.fixed_per_priority)
    for c, members in enumerate(packing.members):
        priority = packing.problem.classes[c].priority
        running = sum(map(len, members.running.values()))
        before[priority] += running
        pods[priority] += running + len(members.pending)
    after = before.copy()
    for wave in waves:
        for priority, gain in wave.gains:
            after[priority] += gain
    bounds = {t.priority: t for t in found.tiers}
    names = _class_names(packing)
    reports = []
    for priority in sorted(pods, reverse=True):
        tier = bounds.get(priority)
        extra = packing.fixed_per_priority.get(priority, 0) - packing.immovable_per_priority.get(priority, 0)
        bound = min(tier.bound + extra, pods[priority]) if tier else pods[priority]
        reports.append(
            TierReport(
                priority=priority,
                priority_class=names.get(priority, ""),
                pods=pods[priority],
                placed_before=before[priority],
                placed_after=after[priority],
                bound=max(bound, after[priority]),
                certificate="Optimal" if after[priority] >= bound else "Bounded",
                evidence=tier.evidence if tier else "trivial",
            )
        )
    return tuple(reports)


def _class_names(packing: Packing) -> dict[int, str]:
    """The PriorityClass that most pods of a priority name, else one with that value."""
    named: dict[int, Counter[str]] = defaultdict(Counter)
    for pod in packing.snapshot.pods:
        if pod.priority_class:
            named[pod.priority][pod.priority_class] += 1
    names = {value: name for name, value in sorted(packing.snapshot.priority_classes.items(), reverse=True)}
    return names | {priority: min(c, key=lambda n: (-c[n], n)) for priority, c in named.items()}


def _same_counts(problem: Problem, one: IntArray, other: IntArray) -> bool:
    """Whether two placements place equally many of each tier."""
    difference = (one - other).sum(axis=1)
    tiers: Counter[int] = Counter()
    for c, k in enumerate(problem.classes):
        tiers[k.priority] += int(difference[c])
    return not any(tiers.values())


def _disruption(found: Answer, waves: Sequence[Wave], *, as_answered: bool) -> DisruptionReport:
    """The bound holds for the counts that the solver answered; waves that came out with others have none."""
    evicted = [e for wave in waves for e in wave.evictions]
    value = float(sum(e.move_cost for e in evicted))
    bound = min(found.disruption_bound, value) if as_answered else 0.0
    return DisruptionReport(
        moves=sum(e.is_move for e in evicted),
        evictions=sum(not e.is_move for e in evicted),
        value=value,
        bound=bound,
        certificate=Certificate.OPTIMAL.value if value <= bound + 1e-9 else Certificate.BOUNDED.value,
        evidence=found.disruption_evidence if as_answered else "none",
    )


def _nodes_in_use(snapshot: Snapshot, waves: Sequence[Wave]) -> int:
    """Nodes with a pod that would go elsewhere if the node went: not a DaemonSet's, not the node's own."""
    used: Counter[str] = Counter(pod.node for pod in snapshot.pods if pod.node is not None and not belongs_to_node(pod))
    for wave in waves:
        for eviction in wave.evictions:
            used[eviction.node] -= 1
        for placement in wave.placements:
            used[placement.node] += placement.count
    return sum(count > 0 for count in used.values())


def _notes(packing: Packing, found: Answer, waves: Sequence[Wave], unreached: int) -> tuple[str, ...]:
    notes = list(found.notes)
    if unreached > 0:
        notes.append(
            f"{_pods(unreached)} left waiting although the end state has room: no order of placing satisfies every rule"
        )
    if packing.left_out:
        names = ", ".join(p.key for p in packing.left_out[:NAMED_LEFT_OUT])
        names += ", ..." if len(packing.left_out) > NAMED_LEFT_OUT else ""
        notes.append(f"{_pods(len(packing.left_out))} left out, asking for what Berth does not model: {names}")
    if packing.arriving:
        notes.append(
            f"{_pods(len(packing.arriving))} waiting only for others to end on the node that kube-scheduler chose"
        )
    if packing.blocked_by_budget:
        notes.append(f"{_pods(packing.blocked_by_budget)} held in place: no eviction is allowed by a disruption budget")
    gained = sum(gain for wave in waves for _, gain in wave.gains)
    disturbed = sum(len(wave.evictions) for wave in waves)
    if gained > 0 and disturbed:
        notes.append(f"{gained / disturbed:.1f} pods gained for each pod that is moved or evicted")
    return tuple(notes)


def _pods(count: int) -> str:
    return "1 pod" if count == 1 else f"{count} pods"
