"""Whom a tenant's waiting pod can disturb: its equals and those above it by moves alone, and nobody who forbids it."""

from __future__ import annotations

import pytest

from berth_api.reasons import Reason
from berth_planner.planning import make_plan
from tests.planner.clusters import Cluster


def disturbed(priority: int, *, room: bool = True, **others: object) -> tuple[int, int]:
    """(moves, evictions) that a plan makes for a pod of priority 0 among two halves of nodes with pods of `priority`."""
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8 if room else 4)
    cluster.pods("left", 1, gpu=4, priority=priority, on="n1", **others)  # type: ignore[arg-type]
    cluster.pods("right", 1, gpu=4, priority=priority, on="n2", **others)  # type: ignore[arg-type]
    plan = make_plan(cluster.pods("tenant", 1, gpu=8, priority=0).snapshot())
    every = [eviction for wave in plan.waves for eviction in wave.evictions]
    return sum(e.is_move for e in every), sum(not e.is_move for e in every)


@pytest.mark.parametrize("priority", [0, 1, 100, 2_000_000_000])
def test_its_equals_and_those_above_it_are_never_evicted_for_it(priority: int) -> None:
    """Moved they may be, when a place waits for each: that is what plans are for."""
    assert disturbed(priority) == (1, 0)
    assert disturbed(priority, room=False) == (0, 0)


def test_those_below_it_may_be() -> None:
    assert disturbed(-5, room=False) == (0, 1)


def test_nobody_is_moved_who_forbids_it() -> None:
    assert disturbed(0, immovable=[Reason.DO_NOT_MOVE]) == (0, 0)
    assert disturbed(-5, immovable=[Reason.DO_NOT_MOVE]) == (0, 0)
