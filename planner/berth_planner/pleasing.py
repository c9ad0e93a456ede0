"""Better places for new pods, once counts and disruption are settled: a local search under the wishes of hints.

What stays where it stands is not touched, and what moves or arrives still does; only where to is open. A pod that would like
another node better goes there if there is room, else changes places with a new pod of the same request, else sends another new
pod that is in its way to wherever that still fits. A change is kept when the sum of all scores it touches rises and every rule
holds after it. It ends when a whole round brings nothing, or when time is over: it is no proof of anything.

Cost: a pod tried on 5,000 nodes under a wish about other pods about 0.5 ms; nothing at all where nobody has a wish.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from berth_cluster.snapshot import Pod
from berth_planner.node_sets import Mask
from berth_planner.transition import Task
from berth_solver.feasible import keeps_rules
from berth_solver.occupancy import Occupancy
from berth_solver.problem import IntArray, Problem
from berth_solver.rules import Rules

Shares = npt.NDArray[np.float64]
Change = tuple[int, int, int]
"""Class, node, pods more."""

MAX_ROUNDS = 8
TRIES = 4
"""Nodes tried for a pod in one turn and one way, those it likes best first."""
LEAST_GAIN = 1e-9


class Judge(Protocol):
    """What pods think of nodes, given where the others stand. Nodes by number, in the snapshot's order."""

    def kind(self, pod: Pod) -> Hashable | None:
        """Equal for pods that think alike; None: it has no wish."""

    def minded_by(self, pod: Pod) -> Collection[Hashable]:
        """The kinds that mind where this pod stands, besides its own wish for itself."""

    def opinion(self, pod: Pod) -> Shares:
        """float64 [nodes], 0 to 1: how well each would suit the pod, which itself stands nowhere."""

    def worth(self, pod: Pod, node: int) -> float:
        """The same of one node."""

    def stand(self, pod: Pod, node: int) -> None: ...

    def leave(self, pod: Pod, node: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Terms:
    """held: tasks whose place is settled. closed: nodes that take nobody new. until: a time of `clock`."""

    until: float
    clock: Callable[[], float]
    held: frozenset[int] = frozenset()
    closed: Mask | None = None


def please(problem: Problem, placement: IntArray, tasks: Sequence[Task], judge: Judge, terms: Terms) -> list[Task]:
    """The same tasks, some of them to other nodes. placement: what `tasks` lead to; `judge` knows it too.

    Whatever `judge` is told of comings and goings meanwhile, in the end it knows the placement of the tasks returned.
    """
    search = _Search(problem, placement, tasks, judge, terms)
    search.run()
    return search.tasks


class _Search:
    def __init__(
        self, problem: Problem, placement: IntArray, tasks: Sequence[Task], judge: Judge, terms: Terms
    ) -> None:
        self.tasks = list(tasks)
        self._problem = problem
        self._judge = judge
        self._terms = terms
        self._occupancy = Occupancy(Rules.of(problem), placement)
        self._kinds: dict[Hashable, set[int]] = defaultdict(set)
        """Tasks whose pods think alike."""
        self._on: dict[int, set[int]] = defaultdict(set)
        """Open tasks by the node they lead to."""
        self._vacated = {(task.pod_class, task.source) for task in tasks if task.source is not None}
        """A pod that came to a node which one of its class leaves would make that one's leaving senseless."""
        self._open = [t for t, task in enumerate(tasks) if task.target is not None and t not in terms.held]
        for t in self._open:
            self._on[self._target(t)].add(t)
        for t, task in enumerate(tasks):
            kind = judge.kind(task.pod) if task.target is not None else None
            if kind is not None:
                self._kinds[kind].add(t)

    def run(self) -> None:
        wishing = [t for t in self._open if self._judge.kind(self.tasks[t].pod) is not None]
        wishing.sort(key=lambda t: (-self.tasks[t].pod.priority, self.tasks[t].pod.key))
        for _ in range(MAX_ROUNDS):
            improved = False
            for t in wishing:
                if self._is_late():
                    return
                improved |= self._improve(t)
            if not improved:
                return

    # One pod

    def _improve(self, t: int) -> bool:
        home = self._target(t)
        self._lift(t, home)
        opinion = self._judge.opinion(self.tasks[t].pod)
        liked = opinion > opinion[home] + LEAST_GAIN
        if self._terms.closed is not None:
            liked &= ~self._terms.closed
        liked &= self._problem.eligibility[self.tasks[t].pod_class]
        room = self._occupancy.insertable(self.tasks[t].pod_class) if liked.any() else liked
        self._settle(t, home)
        if not liked.any():
            return False
        return (
            any(self._try([(t, n)]) for n in self._best(opinion, liked & room))
            or any(self._swap(t, home, n) for n in self._best(opinion, liked & ~room))
            or any(self._send_away(t, home, n) for n in self._best(opinion, liked & ~room))
        )

    def _best(self, opinion: Shares, among: Mask) -> list[int]:
        """Among equals the fullest, so that what is free stays together."""
        nodes = np.flatnonzero(among)
        if not len(nodes):
            return []
        free = self._free_share(nodes)
        return [int(nodes[i]) for i in np.lexsort((free, -opinion[nodes]))[:TRIES]]

    def _free_share(self, nodes: IntArray) -> Shares:
        capacity = np.maximum(self._problem.capacity[nodes], 1)
        share: Shares = (self._occupancy.free[nodes] / capacity).sum(axis=1)
        return share

    def _swap(self, t: int, home: int, node: int) -> bool:
        """With a new pod there that asks for the same."""
        request = self._problem.classes[self.tasks[t].pod_class].request
        others = [
            u for u in sorted(self._on[node]) if self._problem.classes[self.tasks[u].pod_class].request == request
        ]
        tried: set[Hashable] = set()
        for u in others:
            look = (self._judge.kind(self.tasks[u].pod), self.tasks[u].pod_class, self.tasks[u].pod.workload)
            if look in tried:
                continue
            tried.add(look)
            if len(tried) > TRIES:
                return False
            if self._try([(t, node), (u, home)]):
                return True
        return False

    def _send_away(self, t: int, home: int, node: int) -> bool:
        """A new pod there makes room and goes where it still fits."""
        tried: set[Hashable] = set()
        for u in sorted(self._on[node]):
            look = (self._judge.kind(self.tasks[u].pod), self.tasks[u].pod_class, self.tasks[u].pod.workload)
            if look in tried:
                continue
            tried.add(look)
            if len(tried) > TRIES or self._is_late():
                return False
            place = self._place_elsewhere(t, u, home, node)
            if place is not None and self._try([(t, node), (u, place)]):
                return True
        return False

    def _place_elsewhere(self, t: int, u: int, home: int, node: int) -> int | None:
        """The node that suits u best once it has made room for t; None: there is none, or t would not fit even so."""
        self._lift(t, home)
        self._lift(u, node)
        place = None
        if self._occupancy.insertable(self.tasks[t].pod_class)[node]:
            self._settle(t, node)
            room = self._occupancy.insertable(self.tasks[u].pod_class)
            room[node] = False
            if self._terms.closed is not None:
                room &= ~self._terms.closed
            room[[n for c, n in self._vacated if c == self.tasks[u].pod_class]] = False
            if room.any():
                has_wish = self._judge.kind(self.tasks[u].pod) is not None
                opinion = self._judge.opinion(self.tasks[u].pod) if has_wish else np.zeros(len(room))
                place = self._best(opinion, room)[0]
            self._lift(t, node)
        self._settle(u, node)
        self._settle(t, home)
        return place

    # Changes

    def _try(self, moves: Sequence[tuple[int, int]]) -> bool:
        """Moves tasks to other nodes if that raises the sum of the scores it touches and keeps every rule."""
        if any((self.tasks[t].pod_class, n) in self._vacated for t, n in moves):
            return False
        homes = [(t, self._target(t)) for t, _ in moves]
        touched = self._touched([t for t, _ in moves])
        before = self._sum(touched)
        self._carry_out(moves)
        changes: list[Change] = [(self.tasks[t].pod_class, n, -1) for t, n in homes]
        changes += [(self.tasks[t].pod_class, n, 1) for t, n in moves]
        if self._sum(touched) > before + LEAST_GAIN and keeps_rules(self._occupancy, changes):
            return True
        self._carry_out(homes)
        return False

    def _carry_out(self, moves: Sequence[tuple[int, int]]) -> None:
        for t, _ in moves:
            self._lift(t, self._target(t))
        for t, n in moves:
            self._on[self._target(t)].discard(t)
            self._settle(t, n)
            self._on[n].add(t)
            self.tasks[t] = replace(self.tasks[t], target=n)

    def _touched(self, moved: Collection[int]) -> set[int]:
        found = set(moved)
        for t in moved:
            for kind in self._judge.minded_by(self.tasks[t].pod):
                found |= self._kinds.get(kind, set())
        return {t for t in found if self._judge.kind(self.tasks[t].pod) is not None}

    def _sum(self, touched: Collection[int]) -> float:
        """Pods that think alike and stand together are asked once."""
        groups: dict[tuple[Hashable, object, int], list[int]] = defaultdict(list)
        for t in touched:
            pod = self.tasks[t].pod
            groups[self._judge.kind(pod), pod.workload, self._target(t)].append(t)
        total = 0.0
        for (_, _, node), alike in groups.items():
            pod = self.tasks[alike[0]].pod
            self._judge.leave(pod, node)
            total += len(alike) * self._judge.worth(pod, node)
            self._judge.stand(pod, node)
        return total

    def _lift(self, t: int, node: int) -> None:
        self._occupancy.add(self.tasks[t].pod_class, node, -1)
        self._judge.leave(self.tasks[t].pod, node)

    def _settle(self, t: int, node: int) -> None:
        self._occupancy.add(self.tasks[t].pod_class, node, 1)
        self._judge.stand(self.tasks[t].pod, node)

    def _target(self, t: int) -> int:
        target = self.tasks[t].target
        assert target is not None
        return target

    def _is_late(self) -> bool:
        return self._terms.clock() >= self._terms.until
