"""Two threads on one large state: the nodes are dealt into two halves anew each round, and each thread repacks its own.

Repacking a few nodes touches nothing else, so two threads that share no node and no waiting pod may work on the same arrays.
The halves come from the state's own random stream and neither thread sees the other, so that the outcome depends on no race.
A round is long enough (20 ms) for the thread's start, 0.1 ms, not to matter.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from berth_solver.problem import IntArray
from berth_solver.state import State, Stream

LEAST_NODES = 96
"""Below, halves would be too small to find partners for a repacking."""
Share = Callable[[int, IntArray, Stream], None]
"""Which half (0 or 1), its nodes, its random stream."""


def in_halves(state: State, pool: IntArray, work: Share) -> bool:
    """Run `work` on each half of the pool, side by side; True when either committed something."""
    seeds = state.rng[0]
    deal = np.random.default_rng(int(seeds))
    shuffled = deal.permutation(pool)
    cut = len(shuffled) // 2
    streams = [Stream.seeded(int(s)) for s in deal.integers(1, 1 << 30, 2)]
    state.rng[0] = np.uint64(int(deal.integers(1, 1 << 62)))
    other = threading.Thread(target=work, args=(0, shuffled[:cut], streams[0]), daemon=True)
    other.start()
    work(1, shuffled[cut:], streams[1])
    other.join()
    for stream in streams:
        state.outcome[:] += stream.outcome
    return any(int(s.outcome[0]) > 0 for s in streams)
