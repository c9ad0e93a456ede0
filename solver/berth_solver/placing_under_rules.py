"""As many pods as can be placed while rules hold that repacking does not know: step by step, each taken back if it breaks one.

Repacking without the rules and mending the outcome leaves little: its moves hang together, and the first gains cost as many
as the last. So budgets, caps and rules hold after each step here. A waiting pod of the highest tier that lacks one is inserted
by repacking few nodes, at first two or three, which costs few moves. A step that overdraws a cap first brings displaced pods
home at equal counts; if that is not enough, it is taken back. All moves are reconsidered so from time to time, and what that
saves pays for the next gain.

Capacity, eligibility and limits of single nodes are known to the repacking itself, and caps are counted here; other rules are
looked at where a step changed something. A step costs 0.1 to 3 ms.

Measured at 300 nodes, 2,400 pods of which 64 wait, at most 20 moves, 2 s: all 573 of the highest tier and 592 of 602 of the
next are placed in half the time in which the neighbourhood search of `constrained` reaches 566 and 590.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from berth_solver.feasible import keeps_rules
from berth_solver.incumbent import by_rank_and_size
from berth_solver.occupancy import Occupancy
from berth_solver.problem import IntArray, Problem
from berth_solver.rules import Rules
from berth_solver.state import Ground, State

REACH = (2, 3, 4, 6, 8, 12)
EFFORT = (60, 60, 120, 200, 300, 400)
"""Nodes of a repacking and proposals for each of its pods, in turns while nothing comes of it: the cheapest first."""
ATTEMPTS = 8
"""Repackings tried in a step; a step is kept or taken back as a whole, so it ends with its first gain."""
RESCUES = 3
"""Rounds of bringing pods home that a step gets which overdraws a cap."""
ATTEMPTS_AT_HOME = 24
"""Repackings in such a round."""
ROUNDS_AT_THE_END = 60
"""Rounds without a gain after which moves are left as they are."""
COUNT_SHARE = 0.7
"""Of the time for counts where moves are free: then they are reconsidered only in the end."""
STEP_PROPOSALS = 100_000
"""In one repacking at most, about 3 ms: nodes of a hundred pods get fewer for each."""
BARREN_STEPS = 60
"""Steps without a gain after which a tier gives way to the next, and all moves are reconsidered."""
SETTLE_ROUNDS = 6
BARREN_ROUNDS = 4
"""Rounds over all tiers without a gain after which the search gives up: what remains to be had takes another method."""


@dataclass(frozen=True, eq=False)
class Caps:
    """Budgets and caps of a problem, as sums over the pods of each class that are away from home."""

    members: IntArray
    """[budgets, classes]: 1 for each class of the budget, or its move cost."""
    most: IntArray
    """[budgets]"""
    most_evicted: int | None

    @staticmethod
    def of(problem: Problem) -> Caps:
        constraints = problem.constraints
        rows: list[IntArray] = []
        most: list[int] = []
        for budget in constraints.budgets:
            row = np.zeros(len(problem.classes), np.int64)
            row[sorted(budget.classes)] = 1
            rows.append(row)
            most.append(budget.max_disrupted)
        if constraints.max_disruption is not None:
            rows.append(np.array([c.move_cost for c in problem.classes], np.int64))
            most.append(constraints.max_disruption)
        table = np.array(rows, np.int64).reshape(len(rows), len(problem.classes))
        return Caps(table, np.array(most, np.int64), constraints.max_evictions)

    @property
    def bind(self) -> bool:
        """Whether there are any."""
        return bool(len(self.most)) or self.most_evicted is not None

    def hold(self, state: State) -> bool:
        """The state must be relabelled: then as many pods of each class are at home as its counts allow."""
        ground = state.ground
        classes = len(ground.problem.classes)
        away = (ground.home >= 0) & (state.node != ground.home)
        left = np.bincount(ground.cls[away], minlength=classes)
        if (self.members @ left > self.most).any():
            return False
        if self.most_evicted is None:
            return True
        stood = np.bincount(ground.cls[ground.home >= 0], minlength=classes)
        placed = np.bincount(ground.cls[state.node >= 0], minlength=classes)
        return int(np.maximum(stood - placed, 0).sum()) <= self.most_evicted


def place_under_rules(
    ground: Ground,
    start: State,
    deadline: float,
    clock: Callable[[], float],
    seed: int,
    most: Sequence[int],
    rules: Rules | None = None,
) -> State:
    """The best state found by `deadline` (a time of `clock`); `start` must keep every rule, and so does what is returned.

    most: pods of each tier that can be placed at all, highest first. rules: None where there are none beyond capacity,
    eligibility, limits of single nodes, budgets and caps.
    """
    search = _Search(ground, start, deadline, clock, seed, tuple(most), rules)
    search.run()
    return search.best


class _Search:
    def __init__(
        self,
        ground: Ground,
        start: State,
        deadline: float,
        clock: Callable[[], float],
        seed: int,
        most: tuple[int, ...],
        rules: Rules | None,
    ) -> None:
        self.ground, self.caps = ground, Caps.of(ground.problem)
        self.deadline, self.until, self.clock = deadline, deadline, clock
        self.most = most
        self.pool = np.arange(len(ground.problem.nodes))
        self.state = start.copy(seed * 1000 + 41)
        self.state.relabel()
        self.best = self.state.copy()
        self.occupancy = None if rules is None else Occupancy(rules, self.state.placement())
        """What the rules say of `state`; None where there are none."""
        self.worth = self._worth(self.best)

    def run(self) -> None:
        if not len(self.pool):
            return
        now = self.clock()
        self.until = now + (1.0 if self.caps.bind else COUNT_SHARE) * (self.deadline - now)
        barren = 0
        while self.clock() < self.until and barren < BARREN_ROUNDS:
            before = self.worth
            for rank in range(len(self.most)):
                self._raise(rank)
            if self.caps.bind:
                self._reconsider(SETTLE_ROUNDS, ATTEMPTS_AT_HOME)
            barren = barren + 1 if self.worth == before else 0
        self.until, barren = self.deadline, 0
        while barren < ROUNDS_AT_THE_END and self.state.disruption() and self.clock() < self.deadline:
            # a few at a time where each may break a rule
            gained = self._reconsider(1, ATTEMPTS_AT_HOME if self.occupancy is None else 1)
            barren = 0 if gained else barren + 1

    def _reconsider(self, rounds: int, attempts: int) -> bool:
        trial = self.state.copy()
        self._settle(trial, rounds, attempts)
        self.state.rng = trial.rng
        if trial.disruption() >= self.state.disruption() or not self._is_allowed(trial):
            return False
        self.state = trial
        self._keep(trial)
        return True

    def _raise(self, rank: int) -> None:
        """Insert pods of the tier until that stops to succeed; a step may cost lower tiers, and refills them."""
        barren = 0
        while barren < BARREN_STEPS and self.clock() < self.until:
            waiting = self.state.waiting()
            pods = waiting[self.ground.tier[self.ground.cls[waiting]] == rank]
            if not len(pods) or self.state.placed()[rank] >= self.most[rank]:
                return
            turn = barren % len(REACH)
            barren = 0 if self._step(pods, REACH[turn], EFFORT[turn]) else barren + 1

    def _step(self, pods: IntArray, reach: int, effort: int) -> bool:
        trial = self.state.copy()
        reach = min(len(self.pool), reach)
        effort = max(1, min(effort, STEP_PROPOSALS * len(self.pool) // (reach * len(self.ground.cls))))
        for _ in range(ATTEMPTS):
            trial.insert(self.pool, pods, 1, reach, effort)
            if int(trial.outcome[0]) or self.clock() >= self.deadline:
                break
        self.state.rng = trial.rng
        if not int(trial.outcome[0]):
            return False
        if self.occupancy is None:
            self._fill(trial)
        trial.relabel()
        if trial.placed() <= self.state.placed():
            return False
        for _ in range(RESCUES):
            if self.caps.hold(trial):
                break
            self._settle(trial, 1, ATTEMPTS_AT_HOME)
        if not self._is_allowed(trial):
            return False
        self.state = trial
        self._keep(trial)
        return True

    def _fill(self, state: State) -> None:
        order = by_rank_and_size(state)
        if len(order):
            state.fill(self.pool, order)
            state.relabel()

    def _settle(self, state: State, rounds: int, attempts: int) -> None:
        """Bring displaced pods home at equal counts."""
        for _ in range(rounds):
            away = np.flatnonzero((self.ground.home >= 0) & (state.node != self.ground.home))
            if not len(away) or self.clock() >= self.deadline:
                return
            state.settle(self.pool, away, state.waiting(), attempts, min(len(self.pool), 6), 100)
            state.relabel()

    def _keep(self, state: State) -> None:
        worth = self._worth(state)
        if worth > self.worth:
            self.best, self.worth = state.copy(), worth

    def _is_allowed(self, trial: State) -> bool:
        """Whether a state that differs from this one keeps everything; if so it must become this one."""
        if not self.caps.hold(trial):
            return False
        if self.occupancy is None:
            return True
        changes = _changes(self.state, trial)
        for c, n, count in changes:
            self.occupancy.add(c, n, count)
        if keeps_rules(self.occupancy, changes):
            return True
        for c, n, count in changes:
            self.occupancy.add(c, n, -count)
        return False

    @staticmethod
    def _worth(state: State) -> tuple[tuple[int, ...], int]:
        return state.placed(), -state.disruption()


def _changes(before: State, after: State) -> list[tuple[int, int, int]]:
    """(class, node, pods more) wherever the counts differ."""
    nodes = len(before.ground.problem.nodes)
    moved = np.flatnonzero(before.node != after.node)
    net: dict[int, int] = {}
    for node, sign in ((before.node[moved], -1), (after.node[moved], 1)):
        at = node >= 0
        for key in (before.ground.cls[moved[at]] * nodes + node[at]).tolist():
            net[key] = net.get(key, 0) + sign
    return [(key // nodes, key % nodes, count) for key, count in sorted(net.items()) if count]
