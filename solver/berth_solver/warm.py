"""Compile, or load from the disk cache, everything that is compiled: seconds once after an install, 0.3 s in each process.

CP-SAT is imported too, in 0.4 s: otherwise the first problem with constraints would pay for that, past its deadline.
Compiling is not solving: whoever measures or serves calls this first, and says so when it takes long.
"""

from __future__ import annotations

import numpy as np

from berth_solver.allowances import Allowances
from berth_solver.columns import ColumnGeneration
from berth_solver.cpsat import preload
from berth_solver.emptying import empty_in_order, take_off
from berth_solver.leftover import all_cannot_fit
from berth_solver.packing import Packer
from berth_solver.problem import PodClass, Problem, Standing
from berth_solver.stages import counting_stage, moves_stage
from berth_solver.state import State, make_ground


def warm() -> None:
    """Call every compiled function once, on the kinds of arrays that the search hands them."""
    preload()
    problem = Problem(
        ("a", "b"),
        ("n0", "n1"),
        np.array([[4, 4], [4, 4]], np.int64),
        (PodClass("x", 1, (2, 2), pending=1), PodClass("y", 1, (3, 1), pending=1)),
        (Standing(0, 0, 1), Standing(0, 1, 1)),
    )
    ground = make_ground(problem)
    pool = np.arange(2)
    state = State.of(ground, problem.standing_counts, 1)
    state.fill(pool, state.waiting())
    state.insert(pool, state.waiting(), 2, 2, 4)
    state.settle(pool, np.arange(len(ground.cls)), state.waiting(), 2, 2, 4)
    state.relabel()
    fresh = State.of(ground, problem.standing_counts, 1)
    random = np.random.default_rng(0)
    packer = Packer(ground, fresh)
    packer.attempt(packer.rule(random, 1), 2, random, 1)

    def never() -> float:
        return 0.0

    empty_in_order(fresh, pool, Allowances.of(ground), never, 1.0)
    take_off(fresh, pool)
    for grouped in (counting_stage(ground, 0, (2,)), moves_stage(ground, (2,))):
        generation = ColumnGeneration(grouped.stage, never)
        for n, fill in enumerate(grouped.fills(problem.standing_counts)):
            generation.add(int(grouped.group_of_node[n]), fill)
        generation.run(1.0, 0)
        generation.fills_within_reach(0, 100, 100, 1.0)
    all_cannot_fit(ground, 0, never, 1.0)
    full = Problem(("a",), ("n0",), np.array([[4]], np.int64), (PodClass("x", 1, (3,), 1), PodClass("y", 1, (1,), 1)))
    all_cannot_fit(make_ground(full), 0, never, 1.0)
