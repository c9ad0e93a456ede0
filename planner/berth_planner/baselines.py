"""Placement policies from the literature, as their authors publish them, for `arrivals`.

Formulas as in the artefact of Beware of Fragmentation (Weng et al., ATC'23; hkust-adsl/kubernetes-scheduler-simulator,
pkg/simulator/plugin): scores are whole numbers from 0 to 100 there, higher is better, so costs here are their negatives. Memory
is filtered on but not scored. A fraction of a GPU goes onto the fitting device with the least left, except where said.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from berth_planner.arrivals import Amounts, Costs, Kind, Rows, Site
from berth_scheduling.fragmentation import DEVICE, take_devices

Floats = npt.NDArray[np.float64]

MOST_CORES = 128_000
MOST_GPUS = 8_000
"""The largest node's cpu and GPUs in thousandths, by which the published formulas normalise."""
POPULARITY = 0.95
"""FGD looks at the most frequent kinds that make up so large a share of all pods."""
CPU = 0
UNKNOWN = np.int64(0)


class _Fixed:
    """A score that does not depend on what was seen."""

    version = 0

    def saw(self, kind: Kind) -> None: ...

    def device(self, site: Site, row: int, kind: Kind) -> int:
        return tightest(site.bins[row], int(kind.request[site.gpu]))


class Random(_Fixed):
    """Any node that fits, and any device that does."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw

    def costs(self, site: Site, rows: Rows, kind: Kind) -> Costs:
        return np.zeros(len(rows))

    def device(self, site: Site, row: int, kind: Kind) -> int:
        return self._draw.choice(np.flatnonzero(site.bins[row] >= kind.request[site.gpu]).tolist())


class BestFit(_Fixed):
    """The node with the least cpu and GPUs left, normalised by the largest node, half and half."""

    def costs(self, site: Site, rows: Rows, kind: Kind) -> Costs:
        left = 0.5 * (site.free[rows, CPU] - kind.request[CPU]) / MOST_CORES
        left = left + 0.5 * (site.free[rows, site.gpu] - kind.request[site.gpu]) / MOST_GPUS
        return np.asarray(-np.floor((1.0 - left) * 100), np.float64)


class DotProduct(_Fixed):
    """Tetris' alignment (Grandl et al., SIGCOMM'14) as the artefact has it: the smaller the product of free and asked, the better."""

    def costs(self, site: Site, rows: Rows, kind: Kind) -> Costs:
        product = site.free[rows, CPU] * (int(kind.request[CPU]) / MOST_CORES**2)
        product = product + site.free[rows, site.gpu] * (int(kind.request[site.gpu]) / MOST_GPUS**2)
        return np.asarray(-np.floor((1.0 - product / 2) * 100), np.float64)


class LeastAllocated(_Fixed):
    """kube-scheduler's defaults for cpu and memory: NodeResourcesFit by LeastAllocated and NodeResourcesBalancedAllocation,
    in their integer arithmetic. It knows nothing of devices."""

    def __init__(self, scored: Sequence[int] = (0, 1)) -> None:
        self._scored = tuple(scored)

    def costs(self, site: Site, rows: Rows, kind: Kind) -> Costs:
        left = [site.free[rows, r] - kind.request[r] for r in self._scored]
        total = [site.allocatable[rows, r] for r in self._scored]
        least = sum((a * 100 // np.maximum(b, 1) for a, b in zip(left, total, strict=True)), UNKNOWN) // len(left)
        used = [1 - a / np.maximum(b, 1) for a, b in zip(left, total, strict=True)]
        balanced = ((1 - np.std(used, axis=0)) * 100).astype(np.int64)
        return np.asarray(-(least + balanced), np.float64)


class FragmentationGradientDescent(_Fixed):
    """FGD: the node whose fragmentation grows least, by the kinds that the whole trace will bring, known beforehand.

    Fragmentation of a node to a kind is what is left on all its GPUs if the kind does not fit there or asks for no GPU, else
    what is left on those of its GPUs that hold too little for it; of a node, the mean over the typical kinds.
    """

    def __init__(
        self, site: Site, kinds: Sequence[Kind], counts: Sequence[int], popularity: float = POPULARITY
    ) -> None:
        """counts: how many pods of each kind the trace has."""
        tally: dict[tuple[int, int], int] = {}
        for kind, count in zip(kinds, counts, strict=True):
            shape = (int(kind.request[CPU]), int(kind.request[site.gpu]))
            tally[shape] = tally.get(shape, 0) + count
        ordered = sorted(tally.items(), key=lambda item: (-item[1], item[0]))
        reach = np.searchsorted(np.cumsum([n for _, n in ordered]), popularity * sum(counts)) + 1
        typical = ordered[: int(reach)]
        self._cpu = np.array([shape[0] for shape, _ in typical])
        milli = np.array([shape[1] for shape, _ in typical])
        self._number = np.where(milli >= DEVICE, milli // DEVICE, (milli > 0).astype(np.int64))
        self._each = np.minimum(milli, DEVICE)
        self._weight = np.array([n for _, n in typical], np.float64)
        self._weight /= self._weight.sum()

    def costs(self, site: Site, rows: Rows, kind: Kind) -> Costs:
        return np.asarray(-_score(self._increase(site, rows, kind)).max(axis=1), np.float64)

    def device(self, site: Site, row: int, kind: Kind) -> int:
        return int(_score(self._increase(site, np.array([row]), kind)[0]).argmax())

    def _increase(self, site: Site, rows: Rows, kind: Kind) -> Floats:
        """float64 [rows, devices]; for whole GPUs in the first column only."""
        milli = int(kind.request[site.gpu])
        free, bins = site.free[rows, CPU] - kind.request[CPU], site.bins[rows]
        before = self._fragmentation(site.free[rows, CPU], bins)
        grown = np.full(bins.shape, np.inf)
        if 0 < milli < DEVICE:
            for device in range(bins.shape[1]):
                same = (bins[:, :device] == bins[:, device, None]).any(axis=1)
                at = np.flatnonzero((bins[:, device] >= milli) & ~same)
                after = bins[at].copy()
                after[:, device] -= milli
                grown[at, device] = self._fragmentation(free[at], after) - before[at]
            return grown
        after = bins.copy()
        if milli:
            for row in after:
                take_devices(row, milli, None)
        grown[:, 0] = self._fragmentation(free, after) - before
        return grown

    def _fragmentation(self, cpu: Amounts, bins: Amounts) -> Floats:
        enough = bins[:, None, :] >= self._each[None, :, None]
        fits = (enough.sum(axis=2) >= self._number) & (cpu[:, None] >= self._cpu) & (self._number > 0)
        total = bins.sum(axis=1)[:, None]
        too_small = np.where(enough, 0, bins[:, None, :]).sum(axis=2)
        return np.asarray(np.where(fits, too_small, total) @ self._weight, np.float64)


def _score(increase: Floats) -> Floats:
    """0 to 100, whole; -1 where it does not fit. Clipped where the exponential is 0 to double precision anyway."""
    scores = np.floor(100 / (1 + np.exp(np.minimum(increase, 700_000) / 1000)))
    return np.asarray(np.where(np.isfinite(increase), scores, -1.0), np.float64)


def tightest(bins: Amounts, milli: int) -> int:
    """The fitting device with the least left."""
    return int(np.where(bins >= milli, bins, np.iinfo(np.int64).max).argmin())
