"""Column generation for consolidation: bounds on nodes and moves, and whole answers from the fills that it makes.

Both programs are `fewest_nodes` stages. A choice of fills that meets the bound is looked for among all fills within reach of
it where they can be listed, so that its absence is a proof; else among the columns, whole or a part at a time (`rounding`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from berth_solver.assembly import MOST_FILLS, assemble
from berth_solver.columns import SCALE, ColumnGeneration
from berth_solver.fewest_nodes import EmptiesStage, emptying_stage, staying_stage
from berth_solver.lean import Leanest
from berth_solver.rounding import Rounding
from berth_solver.solution import Evidence
from berth_solver.stages import MAX_PRICE, is_in_range
from berth_solver.state import State

MOST_GENERATION_CELLS = 150_000
"""Groups x classes beyond which column generation is not begun."""
MOST_TABLE_CELLS = 1_000_000
"""Nodes x classes beyond which nodes are not even grouped."""
ENUMERATION_STEPS = 400_000
"""Search steps a node while listing the fills within reach."""


class LeanColumns:
    """Column generation on a `Leanest`, in one thread."""

    def __init__(self, lean: Leanest, until: float, stop: Callable[[], bool], seed: int) -> None:
        self.lean, self.ground = lean, lean.ground
        self.until, self.stop, self.seed = until, stop, seed

    @property
    def is_over(self) -> bool:
        return self.lean.clock() >= self.until or self.stop()

    def fewest_nodes(self) -> None:
        """Until the leanest state has the fewest nodes, or no more can be told."""
        if not self._groupable or (stage := emptying_stage(self.ground, self.lean.placed)) is None:
            return
        nodes = len(self.ground.problem.nodes)
        generation = self._generation(stage)
        if generation is None:
            return
        # once the mix is worth as much as the bound from elsewhere, a choice may be; if not, all columns are wanted
        for known in (float(nodes - self.lean.nodes_bound.value), np.inf):
            generation.run(self.until, nodes - self.lean.nodes, known)
            evidence = Evidence("none")
            if generation.best is not None:
                evidence = stage.evidence(self.ground, generation.best, capped=False)
                if is_in_range(evidence):
                    self.lean.note_nodes_bound(nodes - generation.best.bound // SCALE, evidence)
            while not self.is_over and not self.lean.has_fewest_nodes:
                target = nodes - self.lean.nodes_bound.value
                if not self._assemble(stage, generation, target):
                    break
                if not self.lean.has_fewest_nodes:
                    exhausted = Evidence(
                        "exhausted", note="no choice of node fills uses fewer nodes", parts=(evidence,)
                    )
                    self.lean.note_nodes_bound(nodes - target + 1, exhausted)
            if self.is_over or self.lean.has_fewest_nodes:
                return
        self._assemble(stage, generation, nodes - self.lean.nodes + 1)

    def fewest_moves(self) -> None:
        """Least disruption on as many nodes as are in use."""
        nodes = self.lean.nodes
        if not self._groupable:
            return
        stage = staying_stage(self.ground, self.lean.placed, nodes)
        if stage is None:
            return
        running = int(stage.stage.size @ (stage.stage.standing @ stage.stage.bonus))
        known = running - self.lean.moves_bound.value
        generation = self._generation(stage)
        if generation is None:
            return
        generation.run(self.until, running - self.lean.disruption, known)
        evidence = Evidence("none")
        if generation.best is not None:
            evidence = stage.evidence(self.ground, generation.best, capped=True)
            if is_in_range(evidence) and evidence.node_price <= MAX_PRICE:
                self.lean.note_moves_bound(running - generation.best.bound // SCALE, evidence, nodes)
        while not self.is_over and self.lean.nodes == nodes and not self.lean.has_fewest_moves:
            target = running - self.lean.moves_bound.value
            if not self._assemble(stage, generation, target):
                self._round(stage, generation, target, running)
                return
            if not self.lean.has_fewest_moves:
                exhausted = Evidence("exhausted", note="no choice of node fills disturbs less", parts=(evidence,))
                self.lean.note_moves_bound(running - target + 1, exhausted, nodes)

    @property
    def _groupable(self) -> bool:
        problem = self.ground.problem
        return len(problem.nodes) * len(problem.classes) <= MOST_TABLE_CELLS

    def _generation(self, stage: EmptiesStage) -> ColumnGeneration | None:
        """Columns of the leanest state; None when there would be too many."""
        if stage.stage.standing.size > MOST_GENERATION_CELLS:
            return None
        generation = ColumnGeneration(stage.stage, self._clock)
        stage.seed(generation, self.lean.copy(1).placement())
        return generation

    def _clock(self) -> float:
        """Runs out once it is told to stop."""
        return np.inf if self.stop() else self.lean.clock()

    def _assemble(self, stage: EmptiesStage, generation: ColumnGeneration, least: int) -> bool:
        """Look for a choice worth `least`: True when it was found, and is on offer, or is proven not to exist."""
        fills = generation.fills_within_reach(least, MOST_FILLS, ENUMERATION_STEPS, self.until)
        some = fills if fills is not None else generation.fills(least, self.until)
        answer = assemble(stage.stage, some, least, self._clock, self.until)
        if answer.chosen is None:
            return fills is not None and answer.impossible
        table = stage.place(answer.chosen, self.ground.problem)
        return self.lean.offer(State.of(self.ground, table, self.seed))

    def _round(self, stage: EmptiesStage, generation: ColumnGeneration, target: int, running: int) -> None:
        """Part by part from the linear program's mix, each time better than the state on offer."""
        nodes = self.lean.nodes
        mix = generation.mix(self.until)
        if mix is None:
            return
        rounding = Rounding(generation, mix, self.seed)
        while not self.is_over and self.lean.nodes == nodes and running - self.lean.disruption < target:
            answer = rounding.attempt(running - self.lean.disruption + 1, target, self.until)
            if answer is None:
                return
            if answer.chosen is not None:
                self.lean.offer(State.of(self.ground, stage.place(answer.chosen, self.ground.problem), self.seed))
