"""How much of a node's free room the cluster's demand cannot use, and how much more a pod would waste there.

    demand = Demand(worth_of(room.allocatable, names))
    demand.observe(request)                      # each pod that arrives
    demand.renew()                               # now and then: what was seen counts from here on
    increase(free, request, demand)              # float64 [nodes], lower is better, infinite where it does not fit

Beware of Fragmentation (Weng et al., ATC'23) adds up, over the pods that may come, the free GPUs that each could not use, a
node being useful to a pod that fits there once. Here a class of pods uses a node as far as *as many of its pods as fit* use
it, in every resource: eight GPUs with cores for five pods are three GPUs wasted, which one pod's look does not see. And since
pods of many kinds will come by before the room is needed, the kinds that use it best count most: usable room is the power
mean, of exponent `SHARPNESS`, of what each class could use.

    room(n)   = sum over resources of worth x free
    usable(n) = (sum over classes of weight x (copies x worth of the class)^8)^(1/8)
    F(n)      = room(n) - usable(n)              cost of a request = F(after) - F(before), a little more where much stays free

Worth decides what is spared. Where nodes have extended resources (GPUs), cores and memory are only worth what keeps them from
being strewn about. Where GPUs are shared, `bins` holds what is left on each device, in thousandths: a fraction goes onto the
device where it costs least, whole GPUs need devices that are free. On openb, see docs/fragmentation.md for what this gains
over the published measure, and what else was tried.

Cost: about 25 ns a node and class without devices; see `tests/scheduling/test_fragmentation.py` for the bound that is kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Amounts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]

SHARPNESS = 8
"""Three squarings. 1 would be the mean over classes; from 5 on the openb results hardly change."""
MAX_CLASSES = 32
"""Classes that are looked at, the most frequent ones."""
MAX_TALLIES = 2_048
"""Distinct requests that are counted; beyond, the rarest half is forgotten."""
HALF_LIFE = 8_192
"""After so many pods, one seen counts half."""
DEVICE = 1_000
"""A whole device, in the unit of `bins`."""
PLAIN_WORTH = 0.001
"""Worth of all of a node's cores, or memory, where its GPUs are worth 1."""
LEFT_FREE = 0.001
"""Cost of room that stays free beside the pod: of two nodes equally fragmented, the fuller one."""
PLAIN = frozenset({"cpu", "memory"})
UNCOUNTED = frozenset({"pods", "ephemeral-storage"})
ROWS_AT_ONCE = 1_024
"""Temporaries of so many nodes stay in the processor's cache."""
DIGITS = 6
ROUNDING = 1e-6
"""Quotients are so much larger, relatively, than exact: single precision must not take a pod from an exact fit."""


def worth_of(allocatable: Amounts, names: Sequence[str]) -> Floats:
    """float64 [resources]: worth of a unit, so that a mean node's extended resource is worth 1. Rows are nodes."""
    worth = np.zeros(allocatable.shape[1])
    held = [allocatable[:, r][allocatable[:, r] > 0] for r in range(len(names))]
    scarce = [r for r, name in enumerate(names) if _is_extended(name) and len(held[r])]
    for r, name in enumerate(names):
        if len(held[r]) and (name in PLAIN or r in scarce):
            weight = 1.0 if r in scarce or not scarce else PLAIN_WORTH
            worth[r] = weight / held[r].mean()
    return worth


class Demand:
    """What pods have asked for lately. `shapes` int64 [classes, resources] and `weights` float64 [classes] change in `renew`
    only, which counts `version` up."""

    def __init__(self, worth: Floats, half_life: float = HALF_LIFE) -> None:
        self.worth = worth
        self.shapes: Amounts = np.zeros((0, len(worth)), np.int64)
        self.weights: Floats = np.zeros(0)
        self.version = 0
        self._tallies: dict[tuple[int, ...], float] = {}
        self._next = 1.0
        self._growth = 2.0 ** (1.0 / half_life)
        self._set_columns()

    def observe(self, request: Amounts) -> None:
        """int64 [resources]. A pod that asks for nothing says nothing."""
        shape = tuple(request.tolist())
        if not any(shape):
            return
        self._tallies[shape] = self._tallies.get(shape, 0.0) + self._next
        self._next *= self._growth
        if self._next > 1e12:
            self._tallies = {s: count / self._next for s, count in self._tallies.items()}
            self._next = 1.0
        if len(self._tallies) > MAX_TALLIES:
            self._tallies = dict(self._most_frequent(MAX_TALLIES // 2))

    def renew(self, worth: Floats | None = None) -> None:
        """What was observed counts from now on. worth: where the nodes have changed; may have more resources than before."""
        if worth is not None:
            self.worth = worth
        kept = self._most_frequent(MAX_CLASSES)
        self.shapes = np.zeros((len(kept), len(self.worth)), np.int64)
        for i, (shape, _) in enumerate(kept):
            self.shapes[i, : len(shape)] = shape
        counts = np.array([count for _, count in kept], np.float64)
        self.weights = counts / counts.sum() if len(counts) else counts
        self.version += 1
        self._set_columns()

    def usable(self, free: Floats, gpu: int | None, bins: Amounts | None) -> Floats:
        """float64 [nodes]: the power mean of the room that each class could use. free: [nodes, resources], nothing below 0."""
        room = free @ self.worth
        scale = np.where(room > 0, room, 1.0)
        used = self._copies(free.astype(np.float32), gpu, bins)
        used *= self._class_worth[:, None]
        used /= scale.astype(np.float32)
        for _ in range(3):
            np.square(used, out=used)
        mean = (self._single_weights @ used).astype(np.float64)
        for _ in range(3):
            np.sqrt(mean, out=mean)
        mean *= scale
        return mean

    def _copies(self, free: Singles, gpu: int | None, bins: Amounts | None) -> Singles:
        """float32 [classes, nodes]: as many pods of each class as fit."""
        copies = np.full((len(self.shapes), len(free)), np.float32(np.inf))
        quotient = np.empty_like(copies)
        for r in np.flatnonzero(self.shapes.any(axis=0)).tolist():
            if r == gpu and bins is not None:
                continue
            np.multiply(self._per_unit[:, r, None], free[:, r], out=quotient)
            if not self._by_all[r]:
                quotient += self._unasked[:, r, None]
            np.minimum(copies, quotient, out=copies)
        np.floor(copies, out=copies)
        if gpu is not None and bins is not None:
            np.minimum(copies, self._on_devices(gpu, bins), out=copies)
        return copies

    def _on_devices(self, gpu: int, bins: Amounts) -> Singles:
        """float32 [classes, nodes]: pods that the devices have room for; infinite for those that ask for none."""
        asked = self.shapes[:, gpu]
        whole = (bins >= DEVICE).sum(axis=1).astype(np.float32)
        devices = np.maximum(asked // DEVICE, 1).astype(np.float32)
        pods: Singles = np.floor(whole / devices[:, None])
        shared = np.flatnonzero((asked > 0) & (asked < DEVICE))
        if len(shared):
            pods[shared] = (bins[None, :, :] // asked[shared, None, None]).sum(axis=2)
        pods[asked == 0] = np.inf
        return pods

    def _most_frequent(self, count: int) -> list[tuple[tuple[int, ...], float]]:
        return sorted(self._tallies.items(), key=lambda item: (-item[1], item[0]))[:count]

    def _set_columns(self) -> None:
        asked = self.shapes > 0
        self._by_all = np.atleast_1d(asked.all(axis=0))
        self._per_unit = np.where(asked, (1.0 + ROUNDING) / np.maximum(self.shapes, 1), 0.0).astype(np.float32)
        self._unasked = np.where(asked, 0.0, np.inf).astype(np.float32)
        self._class_worth = (self.shapes @ self.worth).astype(np.float32)
        self._single_weights = self.weights.astype(np.float32)


def fragmentation(free: Amounts, demand: Demand, gpu: int | None = None, bins: Amounts | None = None) -> Floats:
    """F of each node: worth of the free room that the demand cannot use. free: int64 [nodes, resources]."""
    waste = np.empty(len(free))
    for begin in range(0, len(free), ROWS_AT_ONCE):
        rows = slice(begin, begin + ROWS_AT_ONCE)
        part = np.maximum(free[rows], 0).astype(np.float64)
        waste[rows] = part @ demand.worth - demand.usable(part, gpu, None if bins is None else bins[rows])
    return waste


def increase(
    free: Amounts, request: Amounts, demand: Demand, gpu: int | None = None, bins: Amounts | None = None
) -> Floats:
    """Growth of F on each node if `request` were placed there, plus `LEFT_FREE` of the room that stays free; infinite where
    it does not fit. free: int64 [nodes, resources]; bins: int64 [nodes, devices], then free and request count column `gpu` in
    thousandths of a device, whole devices as multiples of `DEVICE`."""
    if gpu is None or bins is None or not 0 < request[gpu] < DEVICE:
        return _increase(free, request, demand, gpu, bins, None)
    return np.asarray(increase_by_device(free, request, demand, gpu, bins).min(axis=1, initial=np.inf), np.float64)


def increase_by_device(free: Amounts, request: Amounts, demand: Demand, gpu: int, bins: Amounts) -> Floats:
    """float64 [nodes, devices]: as `increase`, if the fraction went onto that device; of equal devices only the first."""
    costs = np.full(bins.shape, np.inf)
    for device in range(bins.shape[1]):
        same = (bins[:, :device] == bins[:, device, None]).any(axis=1)
        rows = np.flatnonzero((bins[:, device] >= request[gpu]) & ~same)
        if len(rows):
            costs[rows, device] = _increase(free[rows], request, demand, gpu, bins[rows], device)
    return costs


def take_devices(bins: Amounts, milli: int, device: int | None) -> None:
    """Takes the request from one node's devices, int64 [devices], in place: from `device`, or so many whole ones as are free."""
    if device is not None:
        bins[device] -= milli
    elif milli > 0:
        bins[np.flatnonzero(bins >= DEVICE)[: milli // DEVICE]] -= DEVICE


def _increase(
    free: Amounts, request: Amounts, demand: Demand, gpu: int | None, bins: Amounts | None, device: int | None
) -> Floats:
    asked = np.flatnonzero(request)
    fits = (free[:, asked] >= request[asked]).all(axis=1)
    if gpu is not None and bins is not None and device is None and request[gpu]:
        fits &= (bins >= DEVICE).sum(axis=1) * DEVICE >= request[gpu]
    rows = np.flatnonzero(fits)
    costs = np.full(len(free), np.inf)
    before, bins_before = free[rows], None if bins is None else bins[rows]
    after, bins_after = before - request, bins_before
    if gpu is not None and bins_before is not None and request[gpu]:
        bins_after = bins_before.copy()
        if device is not None:
            bins_after[:, device] -= request[gpu]
        else:
            whole = bins_before >= DEVICE
            bins_after[whole & (np.cumsum(whole, axis=1) * DEVICE <= request[gpu])] -= DEVICE
    grown = fragmentation(after, demand, gpu, bins_after) - fragmentation(before, demand, gpu, bins_before)
    grown += LEFT_FREE * (np.maximum(after, 0) @ demand.worth)
    costs[rows] = np.round(grown, DIGITS)
    return costs


def _is_extended(name: str) -> bool:
    return name not in PLAIN and name not in UNCOUNTED and not name.startswith("hugepages-")
