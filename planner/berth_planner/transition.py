"""From counts to pods: who stays, who goes where, who waits no longer.

The solver says how many pods of each class are on each node. Of pods that it cannot tell apart those that stand stay;
the youngest leave first; what leaves takes the new places of its class before any pending pod does, so that a replacement
has a node waiting (a move, not an eviction and a placement); the oldest pending pods get the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from berth_cluster.snapshot import Pod
from berth_planner.packing import Packing
from berth_solver.problem import IntArray


@dataclass(frozen=True, slots=True)
class Task:
    """One pod's way. No source: it is pending. No target: it loses its place. Nodes and classes by number."""

    pod: Pod
    pod_class: int
    source: int | None
    target: int | None


def tasks_of(packing: Packing, placement: IntArray) -> tuple[Task, ...]:
    """Everything that has to happen between the snapshot and `placement`, in no particular order."""
    standing = packing.problem.standing_counts
    leaving = np.maximum(standing - placement, 0)
    new = np.maximum(placement - standing, 0)
    busy = leaving.sum(axis=0) > 0
    """Nodes that somebody leaves: places there may not be free yet, so displaced pods take other places first."""
    tasks: list[Task] = []
    for c in np.flatnonzero(leaving.any(axis=1) | new.any(axis=1)).tolist():
        members = packing.members[c]
        displaced = [(p, n) for n in np.flatnonzero(leaving[c]).tolist() for p in members.running[n][: leaving[c, n]]]
        displaced.sort(key=lambda entry: (entry[0].created, entry[0].key))  # the youngest go without, if any must
        slots = [n for n in np.flatnonzero(new[c]).tolist() for _ in range(new[c, n])]
        slots.sort(key=lambda n: bool(busy[n]))
        tasks.extend(_matched(c, displaced, slots, members.pending))
    return tuple(tasks)


def _matched(c: int, displaced: Sequence[tuple[Pod, int]], slots: Sequence[int], pending: Sequence[Pod]) -> list[Task]:
    moves = min(len(displaced), len(slots))
    tasks = [Task(pod, c, source, slots[i]) for i, (pod, source) in enumerate(displaced[:moves])]
    tasks += [Task(pod, c, source, None) for pod, source in displaced[moves:]]
    tasks += [Task(pod, c, None, slot) for pod, slot in zip(pending, slots[moves:], strict=False)]
    return tasks
