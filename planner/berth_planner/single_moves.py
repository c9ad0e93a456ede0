"""Room for a pod that fits nowhere, by moving one pod that stands elsewhere fits: for arrivals on nodes with shared GPUs.

    arrive(run, order, SingleMoves(run))

The solver knows resources, not the devices of a node, so it cannot plan where GPUs are shared in parts. This is the smallest
repacking that can: of all pods whose leaving makes the room, and that fit on another node, the one is moved whose new place
and the old one's new guest together waste least by the policy's own costs.

Cost: 5 ms a pod at 1,213 nodes.
"""

from __future__ import annotations

import numpy as np

from berth_planner.arrivals import Arriving, Kind
from berth_scheduling.fragmentation import DEVICE

MAX_NODES = 128
"""Nodes that are looked at, those that miss least."""
MAX_TRIED = 64
"""Moves that are compared."""


class SingleMoves:
    def __init__(self, run: Arriving, only_gpus: bool = True) -> None:
        """only_gpus: nobody is moved for a pod that asks for no GPU."""
        self.moves = 0
        self._run = run
        self._only_gpus = only_gpus
        self._asked = [kind.request.tolist() for kind in run.kinds]

    def make_room(self, kind: int) -> bool:
        wanted = self._run.kinds[kind]
        if self._only_gpus and not wanted.request[self._run.site.gpu]:
            return False
        best: tuple[float, int, int] | None = None
        tried = 0
        elsewhere: dict[int, tuple[tuple[float, int], ...]] = {}
        for number in self._candidates(wanted):
            place = self._run.places[number]
            if place.kind not in elsewhere:
                elsewhere[place.kind] = self._two_best(place.kind)
            for cost, row in elsewhere[place.kind]:
                if row != place.row:
                    if best is None or cost < best[0]:
                        best = (cost, number, row)
                    tried += 1
                    break
            if tried >= MAX_TRIED:
                break
        if best is None:
            return False
        _, number, row = best
        place = self._run.leave(number)
        self._run.stand(place.kind, row)
        self.moves += 1
        return True

    def _two_best(self, kind: int) -> tuple[tuple[float, int], ...]:
        """Cost and node, as many as there are."""
        costs = self._run.costs(kind)
        first = int(costs.argmin())
        others = costs.copy()
        others[first] = np.inf
        rows = (first, int(others.argmin()))
        return tuple((float(costs[row]), row) for row in rows if np.isfinite(costs[row]))

    def _candidates(self, wanted: Kind) -> list[int]:
        """Pods, one of a kind and node and device, whose leaving makes room for the wanted kind; nodes that miss least first."""
        site = self._run.site
        missing = np.maximum(wanted.request - site.free, 0) / np.maximum(site.allocatable.max(axis=0), 1)
        lack = missing.sum(axis=1)
        if wanted.allowed is not None:
            lack[~wanted.allowed] = np.inf
        found: list[int] = []
        asked = wanted.request.tolist()
        for row in np.argsort(lack, kind="stable")[:MAX_NODES].tolist():
            if not np.isfinite(lack[row]):
                break
            free, bins = site.free[row].tolist(), site.bins[row].tolist()
            distinct = {(place.kind, place.devices): number for number, place in self._run.on[row].items()}
            for (kind, devices), number in distinct.items():
                leaving = self._asked[kind]
                if all(f + gone >= w for f, gone, w in zip(free, leaving, asked, strict=True)):
                    left = bins.copy()
                    for device in devices:
                        left[device] += min(leaving[site.gpu], DEVICE)
                    if _fits(asked[site.gpu], left):
                        found.append(number)
        return found


def _fits(milli: int, bins: list[int]) -> bool:
    if milli >= DEVICE:
        return sum(left >= DEVICE for left in bins) * DEVICE >= milli
    return max(bins) >= milli
