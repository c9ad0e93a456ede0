"""From the linear program's mix of fills to whole nodes, where listing every fill within reach would be too much.

With many nodes of few kinds nearly all of the mix is whole already. That part is kept; the nodes whose fill is torn, and a
growing number of others drawn at random, are chosen anew by the exact assembly over the columns that were generated. Each
attempt either betters the answer, and is where the next one starts from, or frees more nodes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from berth_solver.assembly import MOST_FILLS, Assembly, assemble
from berth_solver.columns import ColumnGeneration, FloatArray
from berth_solver.problem import IntArray

WHOLE = 1e-6
"""A mix within this of a whole number is whole."""
FIRST_FREE = 24
"""Groups set free besides the torn ones, at first."""
GROWTH = 1.6


class Rounding:
    """Repeated partial assemblies around one mix."""

    def __init__(self, generation: ColumnGeneration, mix: FloatArray, seed: int) -> None:
        self.generation = generation
        self.stage = generation.stage
        self.columns = generation.columns[: generation.count].astype(np.int64)
        self.group_of = generation.group_of[: generation.count]
        self.mix = mix
        self.random = np.random.default_rng(seed)
        self.times: IntArray = np.floor(mix + WHOLE).astype(np.int64)
        """How often each column is used in what is kept."""
        torn = np.abs(mix - np.rint(mix)) > WHOLE
        self.torn = np.unique(self.group_of[torn])
        self.extra = FIRST_FREE
        self.whole = not len(self.torn)
        """Whether `times` is a complete answer by now."""

    def attempt(self, least: int, target: int, deadline: float) -> Assembly | None:
        """One assembly of a part; a choice worth >= least, or none this time. None when nothing is left to try."""
        stage = self.stage
        free = self._free_groups()
        usable = np.isin(self.group_of, free)
        if usable.sum() > MOST_FILLS:
            return None
        kept = np.where(usable, 0, self.times)
        used = kept @ self.columns
        worth = int(kept @ self.generation.worth[: self.generation.count])
        size = np.zeros_like(stage.size)
        size[free] = stage.size[free]
        part = replace(
            stage,
            size=size,
            total=stage.total - used,
            kept=tuple((classes, count - int(used[classes].sum())) for classes, count in stage.kept),
        )
        fills = [np.zeros((0, len(stage.total)), np.int64)] * len(size)
        for g in free.tolist():
            fills[g] = self.columns[usable & (self.group_of == g)]
        answer = assemble(part, fills, max(0, least - worth), self.generation.clock, deadline)
        self.extra = int(self.extra * GROWTH) + 1
        if answer.chosen is None:
            return Assembly(0, None)
        self._adopt(kept, answer)
        if answer.worth + worth >= target:
            self.extra = FIRST_FREE
        return Assembly(answer.worth + worth, list(self._choice()))

    def _free_groups(self) -> IntArray:
        groups = len(self.stage.size)
        extra = self.random.choice(groups, size=min(groups, self.extra), replace=False)
        return np.union1d(self.torn, extra).astype(np.int64)

    def _adopt(self, kept: IntArray, answer: Assembly) -> None:
        self.times = kept.copy()
        index = {(int(g), row.tobytes()): j for j, (g, row) in enumerate(zip(self.group_of, self.columns, strict=True))}
        for g, fill, times in answer.chosen or ():
            self.times[index[(g, np.ascontiguousarray(fill, np.int64).tobytes())]] += times
        self.torn = np.zeros(0, np.int64)
        self.whole = True

    def _choice(self) -> Iterator[tuple[int, IntArray, int]]:
        for j in np.flatnonzero(self.times).tolist():
            yield int(self.group_of[j]), self.columns[j], int(self.times[j])
