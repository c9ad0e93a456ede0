"""Gets the solver ready before the first problem: heavy imports, and kernels compiled or loaded from numba's cache.

The first run after an installation compiles for half a minute or so; whatever takes over a second is said on stderr.
"""

from __future__ import annotations

import time
from functools import lru_cache

import typer

SLOW_WARM_UP_SECONDS = 1.0
WARM_UP_SECONDS = 0.2
WARM_UP = b"""{"id": "warm-up", "resources": ["gpu"], "nodes": [{"name": "a", "capacity": [8]}, {"name": "b", "capacity": [8]}],
 "pods": [{"name": "p", "priority": 1, "request": [8]}, {"name": "q", "priority": 0, "request": [4], "node": "a"},
 {"name": "r", "priority": 0, "request": [4], "node": "b"}]}"""
"""Small, and in need of a move: solving it loads what is loaded lazily."""


@lru_cache(maxsize=1)
def warm_up() -> None:
    """Compiles the kernels, or loads them from the cache, so that no problem pays for it. Said when it takes a while."""
    start = time.perf_counter()

    from berth_solver.options import Options
    from berth_solver.problem_json import read_problem
    from berth_solver.solution_json import write_solution
    from berth_solver.solve import solve as run
    from berth_solver.warm import warm

    warm()
    read = read_problem(WARM_UP)
    write_solution(read, run(read.problem, Options(budget=WARM_UP_SECONDS, threads=1)))
    took = time.perf_counter() - start
    if took > SLOW_WARM_UP_SECONDS:
        typer.echo(f"the solver was ready after {took:.1f} s (its kernels are compiled once, then cached)", err=True)
