"""A cluster after office hours: 410 pods run on 500 nodes, none waits, and far fewer nodes would do.

Two kinds: `gpu`, the six shapes of `gpu_instances`; `mixed`, ReplicaSets of the paper's generator on nodes that hold about
eight of its pods. The simulated scheduler spreads them, as LeastAllocated does, over nearly as many nodes as there are pods.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from benchmarks import paper_instances
from benchmarks.arrivals import PENDING, arrive
from benchmarks.gpu_instances import NODE, RESOURCES, SCORED, SHAPES
from benchmarks.instance import Group, Instance
from benchmarks.seeds import stream
from berth_solver.problem import IntArray

ConsolidationKind = Literal["gpu", "mixed"]
KINDS: tuple[ConsolidationKind, ...] = ("gpu", "mixed")
NODES, PODS = 500, 410
MIXED_NODE = (4_400, 4_400_000_000)
"""Eight average pods of the paper's generator: 550 milli and 550 MB each."""


def consolidation_instance(kind: ConsolidationKind, seed: int) -> Instance:
    if kind == "gpu":
        drawn = stream(seed, "demand").choices(range(len(SHAPES)), [s.share for s in SHAPES], k=PODS)
        groups = tuple(Group(s.name, 1, s.request, drawn.count(i)) for i, s in enumerate(SHAPES))
        resources: tuple[str, ...] = RESOURCES
        node: tuple[int, ...] = NODE
        scored = SCORED
        owner = np.array(drawn, np.int64)
    else:
        groups = paper_instances.replica_sets(seed, PODS, 1)
        resources, node, scored = paper_instances.RESOURCES, MIXED_NODE, (0, 1)
        owner = np.repeat(np.arange(len(groups)), [g.replicas for g in groups])
    capacity = np.tile(np.array(node, np.int64), (NODES, 1))
    requests = np.array([g.request for g in groups], np.int64)[owner]
    nodes = arrive(capacity, np.zeros_like(capacity), requests, stream(seed, "arrival-ties"), scored)
    if (nodes == PENDING).any():
        raise RuntimeError(f"seed {seed}: a pod found no room on an almost empty cluster")
    standing: IntArray = np.zeros((len(groups), NODES), np.int64)
    np.add.at(standing, (owner, nodes), 1)
    return Instance(f"consolidate-{kind}-seed{seed}", seed, resources, capacity, groups, standing)
