"""Waves that have nothing to do with each other are carried out together, so that a large plan does not take all day.

A wave may join an earlier one when it touches no node that this one, or any between them, touches; when no more than
`at_once` pods are then evicted together; and when no workload loses two pods at the same time. Waves under the same kind of
rule between pods (spread, anti-affinity ...) are never joined. Each bundle of a joined wave leaves the cluster no worse by
tier, and so do all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from berth_cluster.snapshot import WorkloadKey
from berth_planner.transition import Task
from berth_planner.waves import TaskStep, TaskWave
from berth_solver.problem import Problem

WINDOW = 64
"""Waves looked back over for one to join."""

UNDER_RULES = -1
"""Stands for a node that all waves share whose pods are under a rule between pods."""


@dataclass(slots=True)
class _Group:
    steps: TaskWave
    nodes: set[int]
    workloads: set[WorkloadKey]
    evicted: int

    def accepts(self, other: _Group, at_once: int) -> bool:
        if self.evicted + other.evicted > at_once or not self.evicted:
            return False
        return self.workloads.isdisjoint(other.workloads)

    def join(self, other: _Group) -> None:
        for i, step in enumerate(other.steps):
            if i == len(self.steps):
                self.steps.append(TaskStep([], []))
            self.steps[i].evict.extend(step.evict)
            self.steps[i].place.extend(step.place)
        self.nodes |= other.nodes
        self.workloads |= other.workloads
        self.evicted += other.evicted


def merged(problem: Problem, tasks: Sequence[Task], waves: Sequence[TaskWave], at_once: int) -> list[TaskWave]:
    """The same tasks in fewer waves. at_once 1 leaves every wave by itself."""
    ruled = _ruled_classes(problem)
    groups: list[_Group] = []
    for wave in waves:
        own = _group(tasks, wave, ruled)
        chosen: _Group | None = None
        for earlier in reversed(groups[-WINDOW:]):
            if not earlier.nodes.isdisjoint(own.nodes):
                break
            if own.evicted and earlier.accepts(own, at_once):
                chosen = earlier
        if chosen is None:
            groups.append(own)
        else:
            chosen.join(own)
    return [group.steps for group in groups]


def _group(tasks: Sequence[Task], wave: TaskWave, ruled: frozenset[int]) -> _Group:
    involved = [tasks[t] for step in wave for t in (*step.evict, *step.place)]
    nodes = {n for task in involved for n in (task.source, task.target) if n is not None}
    if any(task.pod_class in ruled for task in involved):
        nodes.add(UNDER_RULES)
    evicted = [tasks[t] for step in wave for t in step.evict]
    steps = [TaskStep(list(step.evict), list(step.place)) for step in wave]
    return _Group(steps, nodes, {task.pod.workload for task in evicted}, len(evicted))


def _ruled_classes(problem: Problem) -> frozenset[int]:
    rules = problem.constraints
    return frozenset(
        {
            *(c for r in rules.limits for c in r.classes),
            *(c for r in rules.exclusions for c in r.classes | r.others),
            *(c for r in rules.affinities for c in r.classes | r.others),
            *(c for r in rules.spreads for c in r.classes | (r.counted or frozenset())),
        }
    )
