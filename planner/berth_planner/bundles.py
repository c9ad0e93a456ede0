"""What has to happen for one goal: who must leave, where they go, and who must leave there in turn.

A bundle is closed under need: when all of it is done, everything in it has room. Of several pods that could leave a node,
one is taken whose leaving is enough and that can go at once, then the cheapest, then the least important.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from berth_planner.live_state import LiveState
from berth_planner.transition import Task
from berth_solver.problem import Problem


class Bundles:
    """Bundles of the tasks that are `undone`, as things are in `state`: both are the caller's, who changes them."""

    def __init__(self, problem: Problem, tasks: Sequence[Task], state: LiveState, undone: set[int]) -> None:
        self._problem = problem
        self._tasks = tasks
        self._state = state
        self._undone = undone
        self._departures: dict[int, list[int]] = defaultdict(list)
        for t, task in enumerate(tasks):
            if task.source is not None:
                self._departures[task.source].append(t)
        self.must_pay = True
        """Nothing is done that leaves the cluster worse by tier."""
        self.gang_of = _gangs(problem, tasks)
        """Tasks that pay off only together: task to number of gang."""

    def priority(self, t: int) -> int:
        return self._problem.classes[self._tasks[t].pod_class].priority

    def move_cost(self, t: int) -> int:
        task = self._tasks[t]
        return 0 if task.source is None else self._problem.classes[task.pod_class].move_cost

    def cost(self, bundle: Iterable[int]) -> tuple[int, int]:
        """(weighted disruption, pods evicted)"""
        evicted = [t for t in bundle if self._tasks[t].source is not None]
        return sum(self.move_cost(t) for t in evicted), len(evicted)

    def pays(self, bundle: Iterable[int]) -> bool:
        """Whether the cluster is no worse by tier when all of this is done; True where it need not be."""
        if not self.must_pay:
            return True
        gain: Counter[int] = Counter()
        for t in bundle:
            task = self._tasks[t]
            gain[self.priority(t)] += (task.target is not None) - (task.source is not None)
        changed = [change for _, change in sorted(gain.items(), reverse=True) if change]
        return not changed or changed[0] > 0

    def bundle(self, goal: Sequence[int]) -> set[int]:
        """The goal and what makes room for it, and room for that."""
        chosen: set[int] = set()
        lack: dict[int, dict[int, int]] = {}  # node -> resource -> room missing (negative: room left)
        open_nodes: set[int] = set()
        asked: dict[int, set[int]] = defaultdict(set)  # node -> resources that arrivals ask for

        def choose(t: int) -> None:
            if t in chosen:
                return
            chosen.add(t)
            task = self._tasks[t]
            for node, sign in ((task.target, 1), (task.source, -1)):
                if node is None:
                    continue
                missing = lack.get(node)
                if missing is None:
                    missing = lack[node] = {r: -amount for r, amount in enumerate(self._state.free[node])}
                for r, amount in self._state.needs[task.pod_class]:
                    missing[r] += sign * amount
                open_nodes.add(node)
            if task.target is not None:
                asked[task.target].update(r for r, _ in self._state.needs[task.pod_class])
            gang = self.gang_of.get(t)
            if gang is not None:
                for other in self._undone:
                    if self.gang_of.get(other) == gang:
                        choose(other)

        for t in goal:
            choose(t)
        while open_nodes:
            node = open_nodes.pop()
            short = {r: m for r, m in lack[node].items() if m > 0 and r in asked[node]}
            if not short:
                continue
            candidates = [t for t in self._departures[node] if t in self._undone and t not in chosen]
            if candidates:
                choose(min(candidates, key=lambda t: self._preference(t, short)))
        return chosen

    def _need(self, t: int) -> tuple[tuple[int, int], ...]:
        return self._state.needs[self._tasks[t].pod_class]

    def _preference(self, t: int, short: dict[int, int]) -> tuple[bool, bool, bool, int, int, int]:
        """Best departure first: one that is enough alone, keeps its place, can go at once, costs little."""
        task = self._tasks[t]
        amounts = dict(self._need(t))
        enough = all(amounts.get(r, 0) >= m for r, m in short.items())
        helps = any(amounts.get(r, 0) for r in short)
        at_once = task.target is not None and self._state.admits(task.pod_class, task.target)
        return (not helps, not (enough and at_once), not at_once, self.move_cost(t), self.priority(t), t)


def _gangs(problem: Problem, tasks: Sequence[Task]) -> dict[int, int]:
    """Tasks that pay off only together: arrivals of a gang that runs with fewer than its minimum, or
    whatever happens to a gang of which some lose their place."""
    placed = problem.standing_counts.sum(axis=1)
    gang_of_class: dict[int, int] = {}
    for g, gang in enumerate(problem.constraints.gangs):
        for c in gang.classes:
            gang_of_class[c] = g
    standing = {g: int(sum(placed[c] for c in gang.classes)) for g, gang in enumerate(problem.constraints.gangs)}
    losing = {
        gang_of_class[task.pod_class] for task in tasks if task.target is None and task.pod_class in gang_of_class
    }
    found: dict[int, int] = {}
    for t, task in enumerate(tasks):
        own = gang_of_class.get(task.pod_class)
        if own is None or (task.source is not None and task.target is not None):
            continue
        if task.source is not None or own in losing or standing[own] < problem.constraints.gangs[own].minimum:
            found[t] = own
    return found
