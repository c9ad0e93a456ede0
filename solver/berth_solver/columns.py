"""Dantzig-Wolfe: one set of fills per kind of node, priced exactly, for a bound on a stage and for fills to build with.

The relaxation chooses for every node a convex mix of fills, such that no class is used beyond its pods and every tier that
is already decided keeps its count. A stage gives each pod of a class a value (1 for the tier being counted) and each pod that
stays a bonus (its move cost). Its linear program is solved by column generation; at any prices, filling every node best gives
the Lagrangian bound, so that a valid bound stands from the first round on, even if time ends there.

Nodes that look alike (capacity, who may come, who stands there as far as it matters) share a group and are priced once.
Prices are rounded to 1/SCALE before pricing, hence bounds are exact in whole numbers, and `verify` can recompute them.

Measured on 2 shared cores: 16 nodes with 8 pods each converge in about 0.15 s, 32 nodes in 0.3 to 1.5 s, pricing and linear
program half each. GLOP without its preprocessing and scaling is three times faster here, and does not end abnormally.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from ortools.linear_solver import pywraplp

from berth_solver.pricing import enumerate_fills, price
from berth_solver.problem import BoolArray, IntArray

FloatArray = npt.NDArray[np.float64]

SCALE = 1 << 20
STEPS = (20_000, 150_000, 1_000_000)
"""Search steps a node, from the first rounds to the last; a bound that is cut short is valid, but weak."""
GUESSES = ((2.0, 0.5), (4.0, 0.7))
"""Prices to start from: what a node's average pod is worth in moves, and how much less any pod is."""
SMOOTHING = 0.85
"""Weight of the best prices known in the prices tried (Wentges smoothing); 0.3 was twice, 0.9 a tenth slower."""
CHUNK_STEPS = 400_000
"""Search steps between two looks at the clock, about 10 ms."""
TOLERANCE = 1e-4
GLOP_PARAMETERS = "use_preprocessing:false use_scaling:false"


@dataclass(frozen=True, eq=False)
class Stage:
    """One linear program: what a pod is worth, what a staying pod is worth, what must be kept.

    group arrays are [groups, ...]: cap [.., R], standing [.., C] (pods that earn the bonus), most_new [.., C], size [..].
    value, bonus: [C], whole numbers. total [C]: pods at most. exact [C]: all of them must be placed.
    kept: (class indices, count): at least so many of them together. Classes of equal request stand side by side.
    """

    req: IntArray
    cap: IntArray
    size: IntArray
    standing: IntArray
    most_new: IntArray
    value: IntArray
    bonus: IntArray
    total: IntArray
    exact: BoolArray
    kept: tuple[tuple[IntArray, int], ...]

    @cached_property
    def shape_of(self) -> IntArray:
        """[C]: the number of each class's shape; classes are sorted by it."""
        change = (self.req[1:] != self.req[:-1]).any(axis=1)
        return np.concatenate([np.zeros(1, np.int64), np.cumsum(change)]).astype(np.int64)[: len(self.req)]

    def worth(self, group: int, fills: IntArray) -> IntArray:
        """Value plus bonus of fills [.., C] on a node of the group."""
        stays = np.minimum(fills, self.standing[group])
        return np.asarray(fills @ self.value + stays @ self.bonus, np.int64)


@dataclass(frozen=True, eq=False)
class Prices:
    """Dual prices in 1/SCALE and the Lagrangian bound that they give: (sum of everything) / SCALE."""

    pod: IntArray
    """[C]: price of using a pod; any sign for exact classes."""
    kept: IntArray
    """[kept]: reward for each pod of a kept set."""
    gain: IntArray
    """[C]: what one more pod of a class is worth at these prices."""
    uppers: IntArray
    """[groups]: no fill of a node of the group is worth more."""
    bound: int
    """In 1/SCALE."""


class ColumnGeneration:
    """The restricted master and its columns; `run` improves both until the bound is tight or time ends."""

    def __init__(self, stage: Stage, clock: Callable[[], float]) -> None:
        self.stage = stage
        self.clock = clock
        self.best: Prices | None = None
        self.converged = False
        self.lp_value = -np.inf
        groups, classes = stage.standing.shape
        mean = np.maximum(stage.cap.max(axis=0), 1)
        self.lam = np.zeros((groups, stage.req.shape[1]), np.float64) + SCALE * 2.0 / (mean * stage.req.shape[1])
        """Multipliers of each group's knapsack, kept warm."""
        self.columns = np.zeros((256, classes), np.int16)
        self.group_of = np.zeros(256, np.int64)
        self.worth = np.zeros(256, np.int64)
        self.count = 0
        self._known: set[bytes] = set()
        self._build()

    def _build(self) -> None:
        solver = pywraplp.Solver.CreateSolver("GLOP")
        solver.SetSolverSpecificParametersAsString(GLOP_PARAMETERS)
        stage = self.stage
        infinity = solver.infinity()
        self._solver = solver
        self._objective = solver.Objective()
        self._objective.SetMaximization()
        self._convex = [solver.Constraint(-infinity, float(size)) for size in stage.size]
        self._class_rows = [
            solver.Constraint(float(total) if exact else -infinity, float(total))
            for total, exact in zip(stage.total, stage.exact, strict=True)
        ]
        self._kept_rows = [solver.Constraint(float(least), infinity) for _, least in stage.kept]
        self._kept_of: list[list[int]] = [[] for _ in range(len(stage.total))]
        for k, (members, _) in enumerate(stage.kept):
            for c in members:
                self._kept_of[int(c)].append(k)

    def add(self, group: int, fill: IntArray) -> bool:
        """Add a column (copies per class on a node of the group); False when it is already there."""
        key = group.to_bytes(4, "little") + fill.astype(np.int16).tobytes()
        if key in self._known:
            return False
        self._known.add(key)
        if self.count == len(self.columns):
            self.columns = np.concatenate([self.columns, np.zeros_like(self.columns)])
            self.group_of = np.concatenate([self.group_of, np.zeros_like(self.group_of)])
            self.worth = np.concatenate([self.worth, np.zeros_like(self.worth)])
        worth = int(self.stage.worth(group, fill))
        self.columns[self.count] = fill
        self.group_of[self.count] = group
        self.worth[self.count] = worth
        self.count += 1
        variable = self._solver.NumVar(0.0, self._solver.infinity(), "")
        self._objective.SetCoefficient(variable, float(worth))
        self._convex[group].SetCoefficient(variable, 1.0)
        kept: dict[int, float] = {}
        for c in np.flatnonzero(fill):
            copies = float(fill[c])
            self._class_rows[c].SetCoefficient(variable, copies)
            for k in self._kept_of[c]:
                kept[k] = kept.get(k, 0.0) + copies
        for k, copies in kept.items():
            self._kept_rows[k].SetCoefficient(variable, copies)
        return True

    def _solve_master(self, deadline: float) -> bool:
        left = deadline - self.clock()
        if left <= 0:
            return False
        self._solver.SetTimeLimit(max(1, int(left * 1000)))
        if self._solver.Solve() != pywraplp.Solver.OPTIMAL:
            return False
        self.lp_value = self._objective.Value()
        return True

    def _price(
        self, pod: FloatArray, kept: FloatArray, limit: int, deadline: float
    ) -> tuple[Prices | None, list[tuple[int, IntArray]]]:
        """Fill every group best at these prices: the prices with their bound (None: time ended first), better fills."""
        stage = self.stage
        pod_price = np.rint(pod * SCALE).astype(np.int64)
        pod_price = np.where(stage.exact, pod_price, np.maximum(pod_price, 0))
        kept_price = np.maximum(np.rint(kept * SCALE).astype(np.int64), 0)
        gain = stage.value * SCALE - pod_price
        for k, (members, _) in enumerate(stage.kept):
            gain[members] += kept_price[k]
        bonus = stage.bonus * SCALE
        groups = len(stage.size)
        # what known columns are worth now: only better fills are of interest
        floor = np.zeros(groups, np.int64)
        live = self.columns[: self.count].astype(np.float64)
        stays = np.minimum(live, stage.standing[self.group_of[: self.count]])
        profit = np.rint(live @ gain.astype(np.float64) + stays @ bonus.astype(np.float64)).astype(np.int64)
        np.maximum.at(floor, self.group_of[: self.count], profit)
        counts = np.zeros((groups, len(stage.total)), np.int64)
        profits = floor.copy()
        uppers = np.zeros(groups, np.int64)
        steps = np.zeros(2, np.int64)
        done = 0
        chunk = max(1, min(groups, CHUNK_STEPS // limit))
        while done < groups:
            if self.clock() >= deadline:
                break
            batch = np.arange(done, min(groups, done + chunk))
            price(
                stage.cap, stage.req, stage.shape_of, gain, bonus, stage.standing, stage.most_new, floor, limit,
                self.lam, batch, counts, profits, uppers, steps,
            )  # fmt: skip
            done += chunk
        better = [(int(g), counts[g]) for g in np.flatnonzero(profits > floor)]
        if done < groups:
            return None, better
        bound = int(pod_price @ stage.total) + int(uppers @ stage.size)
        bound -= sum(int(p) * least for p, (_, least) in zip(kept_price, stage.kept, strict=True))
        return Prices(pod_price, kept_price, gain, uppers, bound), better

    def run(self, deadline: float, enough: int, known: float = np.inf) -> None:
        """Generate columns until the bound, rounded down, reaches `enough`, nothing improves, or the deadline comes.

        known: a bound from elsewhere; once the mix is worth as much, more columns would tell nothing.
        """
        if self.best is None and self.stage.bonus.any():
            self._guess(deadline)
        misses = level = 0
        while self._solve_master(deadline):
            if self.lp_value >= known - TOLERANCE:
                return
            pod = np.array([row.dual_value() for row in self._class_rows], np.float64)
            kept = -np.array([row.dual_value() for row in self._kept_rows], np.float64)
            smooth = self.best is not None and misses == 0
            if smooth and self.best is not None:
                pod = SMOOTHING * self.best.pod / SCALE + (1 - SMOOTHING) * pod
                kept = SMOOTHING * self.best.kept / SCALE + (1 - SMOOTHING) * kept
            prices, better = self._price(pod, kept, STEPS[level], deadline)
            if prices is not None:
                self._note(prices)
            if self.best is not None and self.best.bound // SCALE <= enough:
                return
            added = sum(self.add(g, fill) for g, fill in better)
            if prices is None:
                return
            if self.best is not None and self.best.bound / SCALE - self.lp_value < TOLERANCE:
                self.converged = True
                return
            if added:
                misses = 0
            elif smooth:
                misses = 1
            else:
                # nothing to add at the program's own prices: look longer
                level += 1
                if level == len(STEPS):
                    return

    def _guess(self, deadline: float) -> None:
        """Prices to start from: a pod is worth what it takes of a node, as the prices of finished runs nearly are.

        Regressions on such runs (4 and 8 pods a node, usage 1.00 and 1.05) leave a tenth of the spread unexplained.
        """
        stage = self.stage
        pods = float(stage.total.sum()) / max(1.0, float(stage.size.sum()))
        mean = np.maximum((stage.cap * stage.size[:, None]).sum(axis=0) / stage.size.sum(), 1.0)
        used = stage.req.any(axis=0)
        size = (stage.req[:, used] / mean[used]).sum(axis=1) * pods / max(1, int(used.sum()))
        unit = float(stage.bonus.max())
        for rate, less in GUESSES:
            gain = np.maximum(unit * (rate * size - less), 0.0)
            pod, kept = -gain, np.zeros(len(stage.kept))
            for k, (members, _) in enumerate(stage.kept):
                kept[k] = gain[members].max(initial=0.0)
                pod[members] += kept[k]
            prices, better = self._price(np.where(stage.exact, pod, np.maximum(pod, 0.0)), kept, STEPS[0], deadline)
            if prices is None:
                return
            for g, fill in better:
                self.add(g, fill)
            self._note(prices)

    def _note(self, prices: Prices) -> None:
        if self.best is None or prices.bound < self.best.bound:
            self.best = prices

    def mix(self, deadline: float) -> FloatArray | None:
        """How often the linear program uses each column, solved once more over all of them; None when time ends first."""
        if not self._solve_master(deadline):
            return None
        return np.array([v.solution_value() for v in self._solver.variables()], np.float64)

    @property
    def bound(self) -> int | None:
        """The stage's value is at most this; None when no bound stands."""
        return None if self.best is None else self.best.bound // SCALE

    def fills(self, least: int, deadline: float) -> list[IntArray]:
        """By group, the columns generated so far that a solution worth >= `least` can use, by the linear program's prices.

        The prices are floating point: enough to choose by, not to prove by.
        """
        live = self.columns[: self.count].astype(np.int64)
        groups = self.group_of[: self.count]
        useful = np.ones(self.count, np.bool_)
        if self._solve_master(deadline):
            pod = np.array([row.dual_value() for row in self._class_rows], np.float64)
            for (members, _), row in zip(self.stage.kept, self._kept_rows, strict=True):
                pod[members] += row.dual_value()
            node = np.array([row.dual_value() for row in self._convex], np.float64)
            shortfall = node[groups] + live @ pod - self.worth[: self.count]
            useful = shortfall <= max(0.0, self.lp_value - least) + TOLERANCE
        return [live[useful & (groups == g)] for g in range(len(self.stage.size))]

    def fills_within_reach(self, least: int, most: int, limit: int, deadline: float) -> list[IntArray] | None:
        """By group, every fill that a solution worth >= `least` can use: a choice among them settles whether one exists.

        A fill whose worth at the best prices falls short of its group's best by more than (bound - least) cannot be
        part of one. None when there are more than `most` of them, one node takes over `limit` steps, or time ends.
        """
        best, stage = self.best, self.stage
        if best is None:
            return None
        reach = best.bound - least * SCALE
        bonus = stage.bonus * SCALE
        found = np.zeros((most, len(stage.total)), np.int16)
        profits = np.zeros(most, np.int64)
        steps = np.zeros(2, np.int64)
        fills: list[IntArray] = []
        left = most
        for g in range(len(stage.size)):
            if self.clock() >= deadline:
                return None
            n = enumerate_fills(
                stage.cap[g], stage.req, best.gain, bonus, stage.standing[g], stage.most_new[g],
                int(best.uppers[g]) - reach - 1, limit, self.lam[g].copy(), found[:left], profits, steps,
            )  # fmt: skip
            if n < 0:
                return None
            here = found[:n].astype(np.int64)
            # the empty fill is worth 0, and is allowed without a column
            fills.append(np.unique(here, axis=0))
            left -= n
            if left <= 0:
                return None
        return fills
