"""The paper's instances (arXiv 2511.08373): the authors' generator from a seed, bit for bit, then the simulated scheduler.

The generator is that of the authors' test harness (github.com/henrikdchristensen/scheduler-plugins, configuration
`data/configs-workload/base.yaml`): ReplicaSets of 1 to 4 pods, cpu uniform in 100..1,000 milli, memory uniform in 100..1,000 MB,
priority uniform in 1..K; all nodes equal, just so large that total requests over total capacity is the usage asked for, in both
resources. The tests hold it against instances that the authors recorded.

Kept are only instances in which the scheduler left something pending, as in the paper; how many seeds that took is part of
the result (the paper's category "no calls").
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from benchmarks.arrivals import PENDING, arrive
from benchmarks.instance import Group, Instance
from benchmarks.seeds import instance_seed, stream
from berth_solver.problem import IntArray

RESOURCES = ("cpu", "memory")
REPLICAS = (1, 4)
CPU_MILLI = (100, 1_000)
MEMORY_BYTES = (100_000_000, 1_000_000_000)
MAX_ATTEMPTS = 200
"""Seeds tried for one instance before a cell counts as one that the scheduler always solves."""


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One combination of the grid."""

    nodes: int
    pods_per_node: int
    priorities: int
    usage: float

    @property
    def name(self) -> str:
        return f"nodes{self.nodes}-ppn{self.pods_per_node}-prio{self.priorities}-util{round(self.usage * 100):03d}"


@dataclass(frozen=True, slots=True)
class Found:
    """The first instance of a cell with something pending from an attempt on, and the attempts it took."""

    instance: Instance | None
    attempts: int


def replica_sets(seed: int, pods: int, priorities: int) -> tuple[Group, ...]:
    """The ReplicaSets of the authors' generator for a seed, in the order in which they arrive."""
    sizes, left, random_size = [], pods, stream(seed, "rs-sizes")
    while left:
        sizes.append(random_size.randint(REPLICAS[0], min(REPLICAS[1], left)))
        left -= sizes[-1]
    random_cpu, random_memory, random_priority = stream(seed, "rs-cpu"), stream(seed, "rs-mem"), stream(seed, "base")
    groups = []
    for i, size in enumerate(sizes, start=1):
        priority = random_priority.randint(1, priorities)
        request = (random_cpu.randint(*CPU_MILLI), random_memory.randint(*MEMORY_BYTES))
        groups.append(Group(f"rs-{i:02d}-p{priority}", priority, request, size))
    return tuple(groups)


def node_capacity(groups: tuple[Group, ...], nodes: int, usage: float) -> tuple[int, ...]:
    """What each of the equal nodes offers so that all pods together ask for `usage` of the cluster."""
    largest = [max(g.request[r] for g in groups) for r in range(len(RESOURCES))]
    total = [sum(g.replicas * g.request[r] for g in groups) for r in range(len(RESOURCES))]
    return tuple(
        max(most, math.ceil(math.ceil(all_pods / usage) / nodes)) for most, all_pods in zip(largest, total, strict=True)
    )


def instance(cell: Cell, seed: int) -> Instance:
    """The instance of a seed, whether or not something is pending in it."""
    groups = replica_sets(seed, cell.nodes * cell.pods_per_node, cell.priorities)
    capacity = np.tile(np.array(node_capacity(groups, cell.nodes, cell.usage), np.int64), (cell.nodes, 1))
    owner = np.repeat(np.arange(len(groups)), [g.replicas for g in groups])
    requests = np.array([g.request for g in groups], np.int64)[owner]
    nodes = arrive(capacity, np.zeros_like(capacity), requests, stream(seed, "arrival-ties"))
    standing: IntArray = np.zeros((len(groups), cell.nodes), np.int64)
    placed = nodes != PENDING
    np.add.at(standing, (owner[placed], nodes[placed]), 1)
    return Instance(f"{cell.name}-seed{seed}", seed, RESOURCES, capacity, groups, standing)


def find(cell: Cell, base_seed: int, first_attempt: int = 0) -> Found:
    """The first instance of the cell, counting attempts from `first_attempt`, that leaves a pod pending."""
    for attempt in range(first_attempt, first_attempt + MAX_ATTEMPTS):
        made = instance(cell, instance_seed(base_seed, cell.name, attempt))
        if made.pending:
            return Found(made, attempt - first_attempt + 1)
    return Found(None, MAX_ATTEMPTS)
