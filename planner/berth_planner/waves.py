"""The order in which a plan is safe: waves after each of which one may stop.

**How.** Each pending pod that gets a place (or each gang: it pays off only whole) is a goal. A goal's *bundle* is what has
to happen for it: departures from its node until it has room, the places of those that moved, departures from *their* new
nodes, and so on. Bundles are carried out cheapest first, one wave each, the higher priority first among equals; goals that
need nobody to move go together in the first wave.

**Inside a wave** the bundle is cut into steps: evict, wait until gone, place. A pod leaves when its new node has room for
it at that moment; when none can, somebody is in a cycle, and the pod that is least important and cheapest of those that
unblock another leaves first and waits: one pod short at a time, not the whole cycle.

**Stop anywhere.** A bundle that by itself leaves the cluster worse by tier waits to be joined with others; if nothing makes
up for it, it is not done at all. Pods that nobody needs to move stay. So the waves may do less than the solver's placement
asks for, never worse by tier.

Cost: a bundle looks at the pods and nodes it touches; a few thousand moves on 5,000 nodes are ordered in about a second.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from berth_planner.bundles import Bundles
from berth_planner.live_state import LiveState
from berth_planner.transition import Task
from berth_solver.problem import Problem

MOVES_AT_ONCE = 16
"""Most pods evicted in one step, cycles that nothing else can break apart."""


@dataclass(slots=True)
class TaskStep:
    """Evict these, wait until they are gone, place these (by number of task)."""

    evict: list[int]
    place: list[int]


TaskWave = list[TaskStep]


def order_tasks(problem: Problem, tasks: Sequence[Task], *, only_useful: bool = True) -> list[TaskWave]:
    """Waves of steps. only_useful: leave out moves that no pending pod needs (not when consolidating)."""
    return _Ordering(problem, tasks).waves(only_useful)


def order_all(problem: Problem, tasks: Sequence[Task]) -> list[TaskWave]:
    """All of the tasks, even if the cluster is worse by tier afterwards; what has no order is left out."""
    ordering = _Ordering(problem, tasks)
    ordering.takes_losses()
    return ordering.waves(only_useful=False)


class _Ordering:
    def __init__(self, problem: Problem, tasks: Sequence[Task]) -> None:
        self._problem = problem
        self._tasks = tasks
        self._state = LiveState(problem)
        self._undone = set(range(len(tasks)))
        self._bundles = Bundles(problem, tasks, self._state, self._undone)

    def takes_losses(self) -> None:
        self._bundles.must_pay = False

    def waves(self, only_useful: bool) -> list[TaskWave]:
        waves: list[TaskWave] = []
        goals = self._goals()
        at_once = self._admitted_now(goals)
        if at_once:
            waves.append([TaskStep([], at_once)])
        waves += self._carry_out([g for g in goals if g[0] in self._undone])
        if not only_useful:
            waves += self._carry_out([(t,) for t in sorted(self._undone) if self._tasks[t].source is not None])
        return waves

    def _carry_out(self, goals: Sequence[tuple[int, ...]]) -> list[TaskWave]:
        waves: list[TaskWave] = []
        queue = [
            (self._bundles.cost(self._bundles.bundle(goal)), self._rank(goal), i, goal) for i, goal in enumerate(goals)
        ]
        heapq.heapify(queue)
        deferred: list[int] = []
        while queue:
            cost, rank, i, goal = heapq.heappop(queue)
            goal = tuple(t for t in goal if t in self._undone)
            if not goal:
                continue
            bundle = self._bundles.bundle(goal)
            now = self._bundles.cost(bundle)
            if now > cost and queue and now > queue[0][0]:
                heapq.heappush(queue, (now, rank, i, goal))
                continue
            wave = self._perform(bundle)
            if wave is None and deferred:
                wave = self._perform(self._bundles.bundle([t for t in (*deferred, *goal) if t in self._undone]))
            if wave is None:
                deferred.extend(goal)
                continue
            deferred = [t for t in deferred if t in self._undone]
            waves.append(wave)
        last = self._perform(self._bundles.bundle(deferred)) if deferred else None
        return waves if last is None else [*waves, last]

    def _admitted_now(self, goals: Sequence[tuple[int, ...]]) -> list[int]:
        """Goals that have room and no rule in the way as things stand; one placed may let in another (spread)."""
        found: list[int] = []
        progress = True
        while progress:
            progress = False
            for goal in goals:
                if goal[0] in self._undone and self._admits_all(goal):
                    self._undone.difference_update(goal)
                    found.extend(goal)
                    progress = bool(self._problem.constraints)
        return found

    def _goals(self) -> list[tuple[int, ...]]:
        """Pending pods that get a place, most important first; those of a gang together."""
        gangs: dict[int, list[int]] = defaultdict(list)
        goals: list[tuple[int, ...]] = []
        for t, task in enumerate(self._tasks):
            if task.source is None:
                gang = self._bundles.gang_of.get(t)
                if gang is None:
                    goals.append((t,))
                else:
                    gangs[gang].append(t)
        goals += [tuple(members) for members in gangs.values()]
        return sorted(goals, key=self._rank)

    def _rank(self, goal: Sequence[int]) -> tuple[int, int]:
        return -max(self._bundles.priority(t) for t in goal), -len(goal)

    def _admits_all(self, goal: Sequence[int]) -> bool:
        """Place a goal if there is room and no rule is in the way, all of it or nothing."""
        done: list[Task] = []
        for t in goal:
            task = self._tasks[t]
            assert task.target is not None
            if not self._state.admits(task.pod_class, task.target):
                for earlier in done:
                    assert earlier.target is not None
                    self._state.leave(earlier.pod_class, earlier.target)
                return False
            self._state.arrive(task.pod_class, task.target)
            done.append(task)
        return True

    # -- in which order ---------------------------------------------------------------------------------------------

    def _perform(self, bundle: set[int]) -> TaskWave | None:
        """Carry out a bundle in steps. When a rule, not room, is in the way, what that rule looks at joins; at last
        everything that is left. None, and nothing has happened, when the cluster would be worse by tier after it, or
        when there is no order: two pods that each need the other there first, say, which no scheduler could place."""
        while self._bundles.pays(bundle):
            steps, blocked = self._in_steps(bundle)
            if blocked is None:
                self._undone -= bundle
                return steps
            self._take_back(steps)
            more = self._undone - bundle
            if not more:
                return None
            involved = {t for t in more if self._tasks[t].pod_class in blocked}
            bundle = self._bundles.bundle(sorted(bundle | (involved or more)))
        return None

    def _in_steps(self, bundle: set[int]) -> tuple[TaskWave, frozenset[int] | None]:
        """Steps, and None; or, when the bundle cannot be finished by itself, the classes that rules in its way look at."""
        steps: TaskWave = []
        left = set(bundle)
        waiting: set[int] = set()
        while left or waiting:
            if self._place(waiting, steps) or self._move(left, steps):
                continue
            placed = self._place({t for t in left if self._tasks[t].source is None}, steps)
            if placed:
                left.difference_update(placed)
                continue
            leaver = self._unblocker(left, waiting)
            if leaver is None:
                return steps, self._in_the_way(left | waiting)
            self._evict([leaver], steps)
            left.discard(leaver)
            if self._tasks[leaver].target is not None:
                waiting.add(leaver)
        return steps, None

    def _place(self, ready: set[int], steps: TaskWave) -> list[int]:
        """Place those of `ready` that are admitted now; they are taken out of `ready`."""
        placed = []
        for t in sorted(ready, key=lambda t: (-self._bundles.priority(t), t)):
            c, node = self._tasks[t].pod_class, self._target(t)
            if self._state.admits(c, node):
                self._state.arrive(c, node)
                _last_step(steps).place.append(t)
                placed.append(t)
        ready.difference_update(placed)
        return placed

    def _move(self, left: set[int], steps: TaskWave) -> bool:
        """Move, in one step, pods whose new node has room before any of them has left."""
        step = TaskStep([], [])
        for t in sorted(left, key=lambda t: (self._bundles.move_cost(t), t)):
            task = self._tasks[t]
            if task.source is None or task.target is None or len(step.evict) >= MOVES_AT_ONCE:
                continue
            if self._state.admits(task.pod_class, task.target):
                self._state.arrive(task.pod_class, task.target)
                step.evict.append(t)
                step.place.append(t)
        for t in step.evict:
            task = self._tasks[t]
            assert task.source is not None
            self._state.leave(task.pod_class, task.source)
            left.discard(t)
        if step.evict:
            steps.append(step)
        return bool(step.evict)

    def _unblocker(self, left: set[int], waiting: set[int]) -> int | None:
        """Who leaves though no place is free for it: one that is in somebody's way. Those that lose their place anyway
        first, then those whose leaving lets somebody in at once, the least important, the cheapest."""
        blocked = [t for t in left | waiting if self._tasks[t].target is not None]
        full = {self._target(t) for t in blocked if not self._state.has_room(self._tasks[t].pod_class, self._target(t))}
        rules = [
            (rule, rule.domain_of[self._target(t)])
            for t in blocked
            if (rule := self._state.broken_rule(self._tasks[t].pod_class, self._target(t))) is not None
        ]
        candidates = []
        for t in left:
            task = self._tasks[t]
            if task.source is None:
                continue
            if task.source in full or any(
                task.pod_class in rule.counted.classes and rule.domain_of[task.source] == domain
                for rule, domain in rules
            ):
                candidates.append(t)
        if not candidates:
            candidates = [t for t in left if self._tasks[t].source is not None and self._tasks[t].target is None]
        if not candidates:
            return None
        return min(candidates, key=lambda t: (*self._reluctance(t, blocked), t))

    def _reluctance(self, t: int, blocked: Sequence[int]) -> tuple[bool, bool, int, int]:
        task = self._tasks[t]
        assert task.source is not None
        self._state.leave(task.pod_class, task.source)
        lets_in = any(self._state.admits(self._tasks[b].pod_class, self._target(b)) for b in blocked)
        self._state.arrive(task.pod_class, task.source)
        return task.target is not None, not lets_in, self._bundles.priority(t), self._bundles.move_cost(t)

    def _in_the_way(self, stuck: Iterable[int]) -> frozenset[int]:
        involved: set[int] = set()
        for t in stuck:
            task = self._tasks[t]
            if task.target is not None:
                rule = self._state.broken_rule(task.pod_class, task.target)
                if rule is not None:
                    involved |= rule.involved
        return frozenset(involved)

    def _take_back(self, steps: TaskWave) -> None:
        for step in steps:
            for t in step.evict:
                source = self._tasks[t].source
                assert source is not None
                self._state.arrive(self._tasks[t].pod_class, source)
            for t in step.place:
                self._state.leave(self._tasks[t].pod_class, self._target(t))

    def _target(self, t: int) -> int:
        target = self._tasks[t].target
        assert target is not None
        return target

    def _evict(self, leavers: Sequence[int], steps: TaskWave) -> None:
        if not steps or steps[-1].place:
            steps.append(TaskStep([], []))
        for t in leavers:
            task = self._tasks[t]
            assert task.source is not None
            self._state.leave(task.pod_class, task.source)
            steps[-1].evict.append(t)


def _last_step(steps: TaskWave) -> TaskStep:
    if not steps:
        steps.append(TaskStep([], []))
    return steps[-1]
