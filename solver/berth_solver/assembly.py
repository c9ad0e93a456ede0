"""Choose one fill for every node: the mixed-integer program over given fills, by HiGHS.

Over the fills that column generation made it is a heuristic that is almost always right; over all fills within reach of a
target it is exact: no choice, no solution of that worth. A few hundred to a few thousand fills take 10 ms to a second.

HiGHS looks at its time limit rarely while it presolves and dives; the solve runs in a thread of its own, so that the caller
goes on at the deadline and the late answer is thrown away.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from ortools.linear_solver import pywraplp

from berth_solver.columns import Stage
from berth_solver.problem import IntArray

MOST_FILLS = 6_000
"""More are not worth building a program for."""
LATENESS = 0.01
"""Seconds that the caller waits beyond the program's own time limit."""


@dataclass(frozen=True, eq=False)
class Assembly:
    """chosen: [(group, fill, how many nodes)], None without an answer. impossible: proven that no choice exists."""

    worth: int
    chosen: list[tuple[int, IntArray, int]] | None
    impossible: bool = False
    complete: bool = False
    """The program was solved to optimality: no choice among these fills is worth more."""


def assemble(stage: Stage, fills: list[IntArray], least: int, clock: Callable[[], float], deadline: float) -> Assembly:
    """The best choice of fills worth >= `least`, within the deadline."""
    result: list[Assembly] = []
    left = deadline - clock()
    if left <= 0 or sum(len(f) for f in fills) > MOST_FILLS:
        return Assembly(0, None)

    def work() -> None:
        result.append(_solve(stage, fills, least, clock, deadline))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(left + LATENESS)
    return result[0] if result else Assembly(0, None)


def _solve(stage: Stage, fills: list[IntArray], least: int, clock: Callable[[], float], deadline: float) -> Assembly:
    solver = pywraplp.Solver.CreateSolver("SCIP")
    solver.SuppressOutput()
    infinity = solver.infinity()
    class_rows = [
        solver.Constraint(float(total) if exact else -infinity, float(total))
        for total, exact in zip(stage.total, stage.exact, strict=True)
    ]
    kept_rows = [solver.Constraint(float(count), infinity) for _, count in stage.kept]
    members = np.zeros((len(stage.kept), len(stage.total)), np.int64)
    for k, (classes, _) in enumerate(stage.kept):
        members[k, classes] = 1
    target = solver.Constraint(float(least), infinity)
    objective = solver.Objective()
    objective.SetMaximization()
    variables: list[list[pywraplp.Variable]] = []
    worths: list[IntArray] = []
    for g, rows in enumerate(fills):
        convex = solver.Constraint(-infinity, float(stage.size[g]))
        worth = stage.worth(g, rows)
        kept = rows @ members.T
        here = []
        for j in range(len(rows)):
            variable = solver.IntVar(0.0, float(stage.size[g]), "")
            convex.SetCoefficient(variable, 1.0)
            for c in np.flatnonzero(rows[j]):
                class_rows[c].SetCoefficient(variable, float(rows[j, c]))
            for k in range(len(kept_rows)):
                if kept[j, k]:
                    kept_rows[k].SetCoefficient(variable, float(kept[j, k]))
            if worth[j]:
                objective.SetCoefficient(variable, float(worth[j]))
                target.SetCoefficient(variable, float(worth[j]))
            here.append(variable)
        variables.append(here)
        worths.append(worth)
    left = deadline - clock()
    if left <= 0:
        return Assembly(0, None)
    solver.SetTimeLimit(max(1, int(left * 1000)))
    status = solver.Solve()
    if status == pywraplp.Solver.INFEASIBLE:
        return Assembly(0, None, impossible=True)
    if status not in (pywraplp.Solver.OPTIMAL, pywraplp.Solver.FEASIBLE):
        return Assembly(0, None)
    chosen = []
    total = 0
    for g, here in enumerate(variables):
        for j, variable in enumerate(here):
            times = round(variable.solution_value())
            if times:
                chosen.append((g, fills[g][j], times))
                total += times * int(worths[g][j])
    if not _holds(stage, chosen) or total < least:
        return Assembly(0, None)
    return Assembly(total, chosen, complete=status == pywraplp.Solver.OPTIMAL)


def _holds(stage: Stage, chosen: list[tuple[int, IntArray, int]]) -> bool:
    """Re-check a choice in whole numbers: floating point had the last word until here."""
    used = np.zeros(len(stage.total), np.int64)
    nodes = np.zeros(len(stage.size), np.int64)
    for g, fill, times in chosen:
        used += fill * times
        nodes[g] += times
    return bool(
        (nodes <= stage.size).all()
        and (used <= stage.total).all()
        and (used[stage.exact] == stage.total[stage.exact]).all()
        and all(int(used[classes].sum()) >= count for classes, count in stage.kept)
    )
