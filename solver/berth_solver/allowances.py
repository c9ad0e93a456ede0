"""What the problem's caps leave to be disturbed: `max_disruption`, budgets of workloads, `max_evictions`, as one table.

Each cap is an allowance; a pod that leaves its home costs `price[class, allowance]` of each. Evictions are counted per class,
not per pod, and are checked apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from berth_solver.problem import IntArray
from berth_solver.state import Ground, State


@dataclass(frozen=True, eq=False)
class Allowances:
    """price: int64 [classes, allowances]; most: int64 [allowances]; max_evictions: None means any number."""

    price: IntArray
    most: IntArray
    max_evictions: int | None

    @staticmethod
    def of(ground: Ground) -> Allowances:
        constraints = ground.problem.constraints
        columns, most = [], []
        if constraints.max_disruption is not None:
            columns.append(ground.cost.astype(np.int64))
            most.append(constraints.max_disruption)
        for budget in constraints.budgets:
            members = np.zeros(len(ground.problem.classes), np.int64)
            members[sorted(budget.classes)] = 1
            columns.append(members)
            most.append(budget.max_disrupted)
        none = np.zeros((0, len(ground.problem.classes)), np.int64)
        price = np.ascontiguousarray(np.array(columns, np.int64).T if columns else none.T)
        return Allowances(price, np.array(most, np.int64), constraints.max_evictions)

    def left(self, state: State) -> IntArray:
        """What is left of each; negative where one is overdrawn. The state must be relabelled."""
        ground = state.ground
        away = (ground.home >= 0) & (state.node != ground.home)
        return np.asarray(self.most - self.price[ground.cls[away]].sum(axis=0), np.int64)

    def keep(self, state: State) -> bool:
        """Whether the state overdraws nothing. It must be relabelled."""
        if (self.left(state) < 0).any():
            return False
        if self.max_evictions is None:
            return True
        ground = state.ground
        classes = len(ground.problem.classes)
        stood = np.bincount(ground.cls[ground.home >= 0], minlength=classes)
        placed = np.bincount(ground.cls[state.node >= 0], minlength=classes)
        return int(np.maximum(stood - placed, 0).sum()) <= self.max_evictions

    def __bool__(self) -> bool:
        return bool(len(self.most)) or self.max_evictions is not None
