"""The openb trace as a site and kinds of pods: GPU shares as they are, GPU models honoured, GPU nodes only.

FGD's experiment (ATC'23, their artefact's experiments/run_scripts): the 1,213 nodes that have GPUs, empty; the trace's pods and
pods drawn from it again until 130 % of all GPUs are asked for; in random order; nothing leaves.
"""

from __future__ import annotations

import csv
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.openb import NODES_FILE, PODS_FILE
from berth_planner.arrivals import Amounts, Kind, Site

NAMES = ("cpu", "memory", "nvidia.com/gpu")
GPU = 2
MOST_DEVICES = 8
DEVICE = 1_000
LOAD = 1.3


class Trace(msgspec.Struct, frozen=True, eq=False):
    allocatable: Amounts
    devices: Amounts
    kinds: tuple[Kind, ...]
    counts: tuple[int, ...]
    """Pods of each kind."""
    pods: Amounts
    """Kind of each pod."""

    def site(self) -> Site:
        return Site(self.allocatable, NAMES, GPU, self.devices)

    def arrivals(self, seed: int, load: float = LOAD) -> list[int]:
        """Kinds in order of arrival."""
        draw = np.random.default_rng(seed)
        asked = np.array([int(kind.request[GPU]) for kind in self.kinds])
        most = load * float(self.devices.sum())
        order: list[int] = self.pods.tolist()
        total = int(asked[self.pods].sum())
        while True:
            kind = int(self.pods[draw.integers(len(self.pods))])
            if total + asked[kind] > most:
                break
            total += int(asked[kind])
            order.append(kind)
        draw.shuffle(order)
        return order


def read_trace(folder: Path) -> Trace:
    nodes = [row for row in _rows(folder / NODES_FILE) if int(row["gpu"]) > 0]
    allocatable = np.array([[int(r["cpu_milli"]), int(r["memory_mib"]), int(r["gpu"]) * DEVICE] for r in nodes])
    devices = np.zeros((len(nodes), MOST_DEVICES), np.int64)
    for i, row in enumerate(nodes):
        devices[i, : int(row["gpu"])] = DEVICE
    models = np.array([row["model"] for row in nodes])
    seen: dict[tuple[int, int, int, str], int] = {}
    pods = []
    for row in _rows(folder / PODS_FILE):
        milli = int(row["num_gpu"]) * int(row["gpu_milli"] or 0)
        asked = (int(row["cpu_milli"]), int(row["memory_mib"]), milli, row["gpu_spec"] if milli else "")
        pods.append(seen.setdefault(asked, len(seen)))
    kinds = tuple(
        Kind(np.array(asked[:3]), np.isin(models, asked[3].split("|")) if asked[3] else None) for asked in seen
    )
    return Trace(allocatable, devices, kinds, tuple(np.bincount(pods).tolist()), np.array(pods))


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))
