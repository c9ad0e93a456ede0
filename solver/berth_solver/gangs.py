"""The bound on a tier whose gangs cannot reach their minimum: all or nothing then means nothing.

For each gang that has nothing running, the most of its pods that fit, given the counts of the tiers above, is bounded alone:
by capacity first, by column generation if that is not enough. A gang that stays below its minimum adds nothing to its tier.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from berth_solver.bounds import capacity_bound
from berth_solver.columns import ColumnGeneration
from berth_solver.counting import MOST_GENERATION_CELLS
from berth_solver.incumbent import Bound, Incumbent
from berth_solver.problem import Gang, Problem
from berth_solver.solution import Evidence
from berth_solver.stages import counting_stage, evidence

CAPACITY_SHARE = 0.3
"""Of the time left, for the linear program of one gang."""


class GangBounds:
    """Bounds by tier, remembered by the counts above."""

    def __init__(self, problem: Problem, incumbent: Incumbent, deadline: float) -> None:
        self.problem = problem
        self.incumbent = incumbent
        self.ground = incumbent.frame.ground
        self.clock: Callable[[], float] = incumbent.frame.clock
        self.deadline = deadline
        self._known: dict[tuple[int, tuple[int, ...]], Bound | None] = {}

    def bound(self, rank: int, placed: Sequence[int]) -> Bound | None:
        """The most movable pods of tier `rank` that can be placed, if gangs make it fewer than all; else None."""
        key = (rank, tuple(placed[:rank]))
        if key not in self._known:
            self._known[key] = self._compute(rank, placed)
        return self._known[key]

    def _compute(self, rank: int, placed: Sequence[int]) -> Bound | None:
        hopeless = []
        for gang in self.problem.constraints.gangs:
            if self._is_of(gang, rank):
                proof = self._proof(gang, rank, placed)
                if proof is not None:
                    hopeless.append((gang, proof))
        # two gangs of one name could not be told apart by whoever checks the evidence
        if not hopeless or len({g.name for g, _ in hopeless}) < len(hopeless):
            return None
        lost = {c for gang, _ in hopeless for c in gang.classes}
        members = [c for c, k in enumerate(self.problem.classes) if k.movable and self.ground.tier[c] == rank]
        rest = sum(int(self.problem.totals[c]) for c in members if c not in lost)
        note = ", ".join(gang.name for gang, _ in hopeless)
        return Bound(rest, Evidence("gang", note=note, parts=tuple(proof for _, proof in hopeless)))

    def _is_of(self, gang: Gang, rank: int) -> bool:
        """Nothing of it runs, and all of it is movable and of this tier: then all its pods wait and stand or fall together."""
        classes = self.problem.classes
        return all(
            classes[c].movable and self.ground.tier[c] == rank and classes[c].pending == self.problem.totals[c]
            for c in gang.classes
        )

    def _proof(self, gang: Gang, rank: int, placed: Sequence[int]) -> Evidence | None:
        """Evidence that fewer than the gang's minimum fit; None when that is not so, or not shown in time."""
        left = self.deadline - self.clock()
        if left <= 0:
            return None
        found = capacity_bound(self.ground, rank, placed, CAPACITY_SHARE * left, gang.classes)
        if found is not None and found[0] < gang.minimum:
            return found[1]
        if not self.incumbent.frame.is_groupable:
            return None
        grouped = counting_stage(self.ground, rank, placed, gang.classes)
        if grouped.stage.standing.size > MOST_GENERATION_CELLS:
            return None
        generation = ColumnGeneration(grouped.stage, self.clock)
        self.incumbent.seed_columns(generation, grouped)
        generation.run(self.deadline, gang.minimum - 1)
        if generation.best is None or generation.bound is None or generation.bound >= gang.minimum:
            return None
        return evidence(self.ground, grouped, generation.best)
