"""The best placement so far, offered to by several threads, and the frame that a search runs in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from berth_solver.columns import ColumnGeneration
from berth_solver.options import Options
from berth_solver.problem import IntArray
from berth_solver.solution import Evidence, Improvement
from berth_solver.stages import GroupedStage
from berth_solver.state import Ground, State

FEW_KINDS = 48
"""Classes at most for column generation to come before repacking ..."""
FEW_KINDS_NODES = 64
"""... on clusters of at least so many nodes."""
MOST_TABLE_CELLS = 1_000_000
"""Nodes x classes beyond which nodes are not even grouped."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A proven bound and the evidence for it."""

    value: int
    evidence: Evidence


@dataclass(frozen=True, eq=False)
class Frame:
    """What a search works in: the ground, the options, when it began and when it must end (in the clock's seconds)."""

    ground: Ground
    options: Options
    start: float
    deadline: float

    @property
    def clock(self) -> Callable[[], float]:
        return self.options.clock

    def until(self, deadline: float) -> Frame:
        """The same with another end."""
        return replace(self, deadline=deadline)

    @property
    def totals(self) -> tuple[int, ...]:
        """Movable pods of each tier, the highest first."""
        ground = self.ground
        return tuple(np.bincount(ground.tier[ground.cls], minlength=len(ground.priorities)).tolist())

    @property
    def has_few_kinds(self) -> bool:
        """Many nodes, few kinds of pods: column generation is quicker than repacking from the start."""
        problem = self.ground.problem
        return len(problem.nodes) >= FEW_KINDS_NODES and len(problem.classes) <= FEW_KINDS

    @property
    def is_groupable(self) -> bool:
        """Whether looking for nodes that are alike is worth its time."""
        problem = self.ground.problem
        return len(problem.nodes) * len(problem.classes) <= MOST_TABLE_CELLS


class Incumbent:
    """The best state so far: counts by tier first, then disruption. Safe to offer to from any thread."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.best = State.at(frame.ground, frame.ground.home, frame.options.seed + 1)
        self.placed = self.best.placed()
        self.disruption = 0
        self.improvements: list[Improvement] = []
        self._lock = threading.Lock()

    def offer(self, state: State) -> bool:
        """Take a state when it is better; it must be relabelled."""
        placed, disruption = state.placed(), state.disruption()
        with self._lock:
            better = placed > self.placed or (placed == self.placed and disruption < self.disruption)
            if not better:
                return False
            self.best, self.placed, self.disruption = state.copy(), placed, disruption
            improvement = Improvement(self.frame.clock() - self.frame.start, placed, disruption)
            self.improvements.append(improvement)
        if self.frame.options.on_improvement:
            self.frame.options.on_improvement(improvement)
        return True

    def adopt(self, other: Incumbent) -> None:
        """Begin where another search stands."""
        self.best, self.placed, self.disruption = other.copy(), other.placed, other.disruption
        self.improvements = list(other.improvements)

    def copy(self, stream: int | None = None) -> State:
        """A state to go on from; `stream` numbers its random stream (None: the one it had)."""
        with self._lock:
            return self.best.copy(None if stream is None else self.frame.options.seed * 1000 + stream)

    def take(self, grouped: GroupedStage, chosen: list[tuple[int, IntArray, int]]) -> bool:
        """Offer an assembly, with the pods that it leaves out fitted in around it, the highest tiers first."""
        problem = self.frame.ground.problem
        placement = grouped.place(chosen, problem.standing_counts, problem.totals)
        state = State.of(self.frame.ground, placement, self.frame.options.seed + 3)
        state.fill(np.arange(len(problem.nodes)), by_rank_and_size(state))
        state.relabel()
        return self.offer(state)

    def seed_columns(self, generation: ColumnGeneration, grouped: GroupedStage) -> None:
        """The fills of the incumbent, which make the first linear program feasible, and those that stand now."""
        stage = grouped.stage
        for placement in (self.copy().placement(), self.frame.ground.problem.standing_counts):
            fills = grouped.fills(placement)
            fits = fills.any(axis=1) & (fills @ stage.req <= stage.cap[grouped.group_of_node]).all(axis=1)
            seen: set[tuple[int, bytes]] = set()
            for n in np.flatnonzero(fits).tolist():
                group = int(grouped.group_of_node[n])
                key = (group, fills[n].tobytes())
                if key not in seen:
                    seen.add(key)
                    generation.add(group, fills[n])


def by_rank_and_size(state: State) -> IntArray:
    """Waiting pods, the highest tier first, the smallest of a tier first."""
    ground = state.ground
    waiting = state.waiting()
    classes = ground.cls[waiting]
    size = (ground.req[classes] * ground.scale).sum(axis=1)
    return waiting[np.lexsort((classes, size, ground.tier[classes]))]
