"""From a solution to tasks and their waves, with the wishes of those who are placed anew taken into account.

The search for better places (`pleasing`) may not cost anything that was settled before it: when its places cannot be reached
with equal counts and equally few evictions, those on nodes that somebody leaves first are left out of it, and after that the
solution stands as it was. Where nobody who is placed has a wish, places are looked for
where their models lie already (`model_locality`); where these lie nowhere nothing of this happens.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from berth_planner.company import Company
from berth_planner.model_locality import ModelLocality
from berth_planner.node_sets import Mask
from berth_planner.options import PlanOptions
from berth_planner.packing import Packing
from berth_planner.plan import WishReport
from berth_planner.pleasing import Judge, Terms, please
from berth_planner.transition import Task, tasks_of
from berth_planner.waves import TaskWave
from berth_planner.wishes import Wishes
from berth_solver.check_placement import placement_violations
from berth_solver.problem import IntArray

PLEASING_SHARE = 0.2
"""Of the budget, on top of it: most time for better places."""
LEAST_PLEASING_SECONDS = 0.05
FULL = 1.0 - 1e-12

_LOG = logging.getLogger(__name__)

Order = Callable[[Sequence[Task]], list[TaskWave]]


@dataclass(frozen=True, eq=False, slots=True)
class Arranged:
    tasks: tuple[Task, ...]
    waves: list[TaskWave]
    is_as_solved: bool
    """The search for better places has changed nothing."""

    def carried_out(self) -> list[Task]:
        """What the waves do, and no more."""
        placed = {t for wave in self.waves for step in wave for t in step.place}
        evicted = {t for wave in self.waves for step in wave for t in step.evict}
        found = []
        for t in sorted(placed | evicted):
            task = self.tasks[t]
            source = task.source if t in evicted else None
            found.append(Task(task.pod, task.pod_class, source, task.target if t in placed else None))
        return found


def arranged(packing: Packing, placement: IntArray, options: PlanOptions, order: Order) -> Arranged:
    """order: of tasks in safe waves; it may leave out tasks that turn out to be of no use."""
    tasks = tasks_of(packing, placement)
    waves = order(tasks)
    judges = _judges(packing, tasks)
    if judges is None:
        return Arranged(tasks, waves, True)
    until = options.clock() + max(PLEASING_SHARE * options.budget, LEAST_PLEASING_SECONDS)
    left = np.zeros(len(packing.problem.nodes), np.bool_)
    left[[task.source for task in tasks if task.source is not None]] = True
    for closed in (None, left) if left.any() else (None,):
        better = _pleased(packing, judges(), placement, tasks, options, until, closed)
        if better == tasks:
            break
        if placement_violations(packing.problem, placement_of(packing, better)):
            _LOG.error("better places under hints break a rule and were dropped; please report it with the input")
            continue
        again = order(better)
        if _worth(packing, better, again) >= _worth(packing, tasks, waves):
            return Arranged(better, again, False)
    return Arranged(tasks, waves, True)


def _judges(packing: Packing, tasks: Sequence[Task]) -> Callable[[], Judge] | None:
    """Makes a judge of places that knows what `tasks` lead to; None: nobody minds where it is placed."""
    wishes = packing.wishes
    placed = [task for task in tasks if task.target is not None]
    if wishes is not None and any(wishes.of(task.pod) is not None for task in placed):
        return lambda: company_after(packing, wishes, tasks)
    if any(packing.problem.classes[task.pod_class].preference for task in placed):
        return None
    locality = ModelLocality(packing.snapshot.nodes)
    return (lambda: locality) if any(locality.kind(task.pod) is not None for task in placed) else None


def wish_report(packing: Packing, done: Arranged, preference_proven: bool) -> WishReport | None:
    """Of what the waves place. preference_proven: by the solver, for wishes about nodes alone."""
    wishes = packing.wishes
    if wishes is None:
        return None
    tasks = done.carried_out()
    company = company_after(packing, wishes, tasks)
    value = bound = 0.0
    pods = fulfilled = 0
    only_nodes = True
    for task in tasks:
        wish = wishes.of(task.pod)
        if wish is None or task.target is None:
            continue
        company.leave(task.pod, task.target)
        worth = company.worth(task.pod, task.target)
        best = 1.0 if wish.is_about_others else max(worth, float(company.opinion(task.pod).max()))
        company.stand(task.pod, task.target)
        only_nodes &= not wish.is_about_others
        pods, fulfilled = pods + 1, fulfilled + (worth >= FULL)
        value, bound = value + worth, bound + best
    if not pods:
        return None
    if preference_proven and only_nodes and done.is_as_solved and wishes.all_asked and value < bound - 1e-9:
        return WishReport(pods, fulfilled, value, value, "Optimal", "exhausted")
    return WishReport(pods, fulfilled, value, bound, "Optimal" if value >= bound - 1e-9 else "Bounded", "trivial")


def company_after(packing: Packing, wishes: Wishes, tasks: Sequence[Task]) -> Company:
    """Who stands where when these tasks are done."""
    company = Company(packing.snapshot, wishes)
    company.follow((task.pod, task.source, task.target) for task in tasks)
    return company


def placement_of(packing: Packing, tasks: Sequence[Task]) -> IntArray:
    placement = packing.problem.standing_counts.copy()
    for task in tasks:
        if task.source is not None:
            placement[task.pod_class, task.source] -= 1
        if task.target is not None:
            placement[task.pod_class, task.target] += 1
    return placement


def _pleased(
    packing: Packing,
    judge: Judge,
    placement: IntArray,
    tasks: Sequence[Task],
    options: PlanOptions,
    until: float,
    closed: Mask | None,
) -> tuple[Task, ...]:
    disturbs = any(task.source is not None for task in tasks)
    never = frozenset(packing.never_preempting) if disturbs else frozenset[int]()
    held = frozenset(t for t, task in enumerate(tasks) if task.pod_class in never)
    if options.consolidate:
        movable = np.array([k.movable for k in packing.problem.classes], np.bool_)
        unused: Mask = placement[movable].sum(axis=0) == 0
        closed = unused if closed is None else closed | unused
    return tuple(please(packing.problem, placement, tasks, judge, Terms(until, options.clock, held, closed)))


def _worth(packing: Packing, tasks: Sequence[Task], waves: Sequence[TaskWave]) -> tuple[tuple[int, ...], int]:
    """Pods gained by tier, the highest first, and the disruption as a negative number: what better places may not lower."""
    gained: Counter[int] = Counter()
    disruption = 0
    for wave in waves:
        for step in wave:
            for t in step.place:
                gained[tasks[t].pod.priority] += 1
            for t in step.evict:
                gained[tasks[t].pod.priority] -= 1
                disruption += packing.problem.classes[tasks[t].pod_class].move_cost
    priorities = sorted({task.pod.priority for task in tasks}, reverse=True)
    return tuple(gained[p] for p in priorities), -disruption
