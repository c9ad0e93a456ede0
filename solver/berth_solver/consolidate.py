"""Fewest nodes at the counts that were reached, then the least disruption on that many: consolidation.

1. Nodes. Those with little to keep are emptied into the room on others, as long as that goes (`emptying`, a few ms). Packing
   everything anew tells how few nodes would do (`packing`); whichever uses fewer is kept. Where neither meets the bound, local
   search drops further nodes (`dropping`), in a thread of its own, while this one sharpens the bound by column generation and
   tries to assemble fewer nodes from the fills that came up (`lean_columns`).
2. Disruption, at that many nodes. What lies together is handed to the nodes where most of it stays (`homing`), displaced pods
   are brought home by repacking; the gentle line of step 1 goes on to the number of nodes that the others reached. What stands
   on the fullest nodes bounds what can stay, and column generation with a price on nodes does better.

Every state that is kept has the same counts, keeps the problem's caps on disruption, and uses no more nodes than the one
before. 410 pods on 500 nodes: 3 to 60 ms to a plan that is proven but for one node; 12,000 pods on 5,000 nodes: 1 s.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from berth_solver.dropping import Dropping, least_kept_first
from berth_solver.emptying import empty_in_order
from berth_solver.lean import Leanest, in_use
from berth_solver.lean_columns import LeanColumns
from berth_solver.packing import Packer
from berth_solver.problem import IntArray
from berth_solver.solution import StageResult
from berth_solver.state import Ground, State

NODES_SHARE = 0.55
"""Of the time for the number of nodes at most, when it is not proven before."""
PACKING_SHARE = 0.1
"""Of that for packing anew at most."""
FIRST_SHARE = 0.3
"""Of the time for local search before column generation begins, where there is a single thread."""
BARREN_PACKINGS = 24
"""In a row that use no fewer nodes, after which packing anew is given up."""


@dataclass(frozen=True, eq=False)
class Consolidation:
    """The state found, with the two stages that consolidation decides; both bounds hold at the state's counts."""

    state: State
    nodes_in_use: StageResult
    disruption: StageResult


def consolidate(
    ground: Ground,
    state: State,
    clock: Callable[[], float],
    deadline: float,
    seed: int,
    threads: int = 1,
    accepts: Callable[[IntArray], bool] | None = None,
) -> Consolidation:
    """The fewest nodes for what `state` places, then the least disruption; never worse than `state`.

    The problem may have caps (`max_disruption`, budgets, `max_evictions`), which `state` must keep. `accepts` is asked about
    each better placement where there are constraints that the search does not know. Without time the answer is `state`, with
    the bounds that arithmetic gives.
    """
    lean = Leanest(ground, state, clock, seed, threads, accepts)
    begin = clock()
    gentle = _fewest_nodes(lean, begin + NODES_SHARE * (deadline - begin))
    _least_disruption(lean, gentle, deadline)
    nodes, moves = lean.nodes_bound, lean.moves_bound
    return Consolidation(
        lean.best,
        StageResult(lean.nodes, nodes.value, nodes.evidence),
        StageResult(lean.disruption, moves.value, moves.evidence),
    )


def _fewest_nodes(lean: Leanest, until: float) -> State:
    """Brings the nodes down; returns the state of the gentle line, in which most stays."""
    state = lean.copy(lean.seed)
    for _ in range(2):  # what took in others' pods may itself be emptied after
        used = np.flatnonzero(state.head >= 0)
        if not empty_in_order(state, used[least_kept_first(state, used)], lean.allowances, lean.clock, until):
            break
        lean.offer(state)
    gentle = lean.copy(lean.seed + 2)
    if not lean.has_fewest_nodes:
        _pack_anew(lean, lean.clock() + PACKING_SHARE * max(0.0, until - lean.clock()))
    if not lean.has_fewest_nodes:
        _together(
            lean,
            lambda end, stop: Dropping(lean, end, stop, lean.seed + 7).fewer_nodes(),
            lambda end, stop: LeanColumns(lean, end, stop, lean.seed + 3).fewest_nodes(),
            lambda: lean.has_fewest_nodes,
            until,
        )
    return gentle


def _pack_anew(lean: Leanest, until: float) -> None:
    packer = Packer(lean.ground, lean.best)
    if packer.is_slow:
        return
    random = np.random.default_rng(lean.seed)
    attempt = barren = 0
    while lean.clock() < until and not lean.has_fewest_nodes and barren < BARREN_PACKINGS:
        attempt += 1
        barren += 1
        packed = packer.attempt(packer.rule(random, attempt), lean.nodes - 1, random, lean.seed + attempt)
        if packed is not None and lean.offer(packed):
            barren = 0


def _least_disruption(lean: Leanest, gentle: State, until: float) -> None:
    if not lean.has_fewest_moves:
        Dropping(lean, until, never, lean.seed + 11).better_nodes()
    if lean.has_fewest_moves:
        return

    def by_repacking(end: float, stop: Callable[[], bool]) -> None:
        Dropping(lean, end, stop, lean.seed + 13).fewer_moves()
        if in_use(gentle) > lean.nodes:
            Dropping(lean, end, stop, lean.seed + 17).gently(gentle)
            Dropping(lean, end, stop, lean.seed + 19).fewer_moves()

    _together(
        lean,
        by_repacking,
        lambda end, stop: LeanColumns(lean, end, stop, lean.seed + 5).fewest_moves(),
        lambda: lean.has_fewest_moves,
        until,
    )


def never() -> bool:
    return False


Work = Callable[[float, Callable[[], bool]], None]
"""What is done until an end (in the clock's seconds) or until it is told to stop."""


def _together(lean: Leanest, search: Work, columns: Work, is_proven: Callable[[], bool], until: float) -> None:
    """Local search beside column generation; with a single thread in turns. Ends when the best is proven."""
    if lean.threads < 2:
        now = lean.clock()
        search(now + FIRST_SHARE * (until - now), is_proven)
        columns(until, is_proven)
        search(until, is_proven)
        return
    failures: list[BaseException] = []

    def work() -> None:
        try:
            search(until, is_proven)
        except BaseException as failure:  # raised again below, in the thread that asked
            failures.append(failure)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    try:
        columns(until, is_proven)
    finally:
        worker.join()
    if failures:
        raise failures[0]
