"""GPU clusters with few shapes of pods: fill, churn, refill, so that free GPUs lie scattered.

Equal nodes of 8 GPUs; six shapes, each in K priorities drawn independently of the shape. Pods arrive until they ask for
`usage` of all GPUs and the simulated scheduler places what fits; 35 % of the running pods end, uniformly at random; what still
waits is tried again in priority order, and new pods arrive until the demand is back at `usage`. As kube-scheduler by
default, the simulation scores cpu and memory and is blind to GPUs: that is what scatters them.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

from benchmarks.arrivals import PENDING, arrive
from benchmarks.instance import Group, Instance
from benchmarks.seeds import stream
from berth_solver.problem import IntArray

RESOURCES = ("gpu", "cpu", "memory")
SCORED = (1, 2)
NODE = (8, 96, 1_024)
"""GPUs, cores, GiB."""
CHURN = 0.35


@dataclass(frozen=True, slots=True)
class Shape:
    name: str
    request: tuple[int, int, int]
    share: float
    """Of the pods that arrive."""


SHAPES = (
    Shape("gpu8", (8, 80, 800), 0.05),
    Shape("gpu4", (4, 40, 400), 0.09),
    Shape("gpu2", (2, 16, 160), 0.16),
    Shape("gpu1", (1, 8, 80), 0.45),
    Shape("gpu1-big", (1, 20, 250), 0.12),
    Shape("cpu", (0, 16, 64), 0.13),
)


@dataclass(frozen=True, slots=True, order=True)
class GpuCell:
    nodes: int
    priorities: int
    usage: float

    @property
    def name(self) -> str:
        return f"gpu-nodes{self.nodes}-prio{self.priorities}-util{round(self.usage * 100):03d}"


def gpu_groups(priorities: int, replicas: IntArray) -> tuple[Group, ...]:
    """One group a shape and priority, in the order of `kind = shape * priorities + priority - 1`."""
    return tuple(
        Group(f"{shape.name}-p{p + 1}", p + 1, shape.request, int(replicas[s * priorities + p]))
        for s, shape in enumerate(SHAPES)
        for p in range(priorities)
    )


def kind_requests(priorities: int) -> IntArray:
    return np.repeat(np.array([s.request for s in SHAPES], np.int64), priorities, axis=0)


def draw_demand(priorities: int, gpus: int, random_kind: random.Random) -> IntArray:
    """Kinds of pods in order of arrival, until together they ask for at least `gpus` GPUs."""
    kinds: list[int] = []
    asked, shares = 0, [s.share for s in SHAPES]
    while asked < gpus:
        shape = random_kind.choices(range(len(SHAPES)), shares)[0]
        kinds.append(shape * priorities + random_kind.randrange(priorities))
        asked += SHAPES[shape].request[0]
    return np.array(kinds, np.int64)


def gpu_instance(cell: GpuCell, seed: int) -> Instance:
    """The cluster after fill, churn and refill."""
    k = cell.priorities
    requests = kind_requests(k)
    capacity = np.tile(np.array(NODE, np.int64), (cell.nodes, 1))
    load = np.zeros_like(capacity)
    target = round(cell.usage * cell.nodes * NODE[0])
    ties, demand, churn = stream(seed, "arrival-ties"), stream(seed, "demand"), stream(seed, "churn")

    kinds = draw_demand(k, target, demand)
    nodes = arrive(capacity, load, requests[kinds], ties, SCORED)
    running = np.flatnonzero(nodes != PENDING).tolist()
    ended = np.array(sorted(churn.sample(running, int(CHURN * len(running)))), np.int64)
    np.subtract.at(load, nodes[ended], requests[kinds[ended]])
    kinds, nodes = np.delete(kinds, ended), np.delete(nodes, ended)

    waiting, kept = kinds[nodes == PENDING], nodes != PENDING
    lacking = target - int(requests[kinds, 0].sum())
    queue = np.concatenate([waiting, draw_demand(k, lacking, demand)])
    queue = queue[np.argsort(-(queue % k), kind="stable")]
    refilled = arrive(capacity, load, requests[queue], ties, SCORED)

    standing: IntArray = np.zeros((len(requests), cell.nodes), np.int64)
    np.add.at(standing, (kinds[kept], nodes[kept]), 1)
    np.add.at(standing, (queue[refilled != PENDING], refilled[refilled != PENDING]), 1)
    waits = np.bincount(queue[refilled == PENDING], minlength=len(requests))
    groups = gpu_groups(k, standing.sum(axis=1) + waits)
    return Instance(f"{cell.name}-seed{seed}", seed, RESOURCES, capacity, groups, standing)
