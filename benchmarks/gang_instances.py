"""A 500-node, 4,000-GPU cluster on which a gang of 10 pods, 8 GPUs each, waits: all ten or none.

All other pods run and rank above the gang. The cluster is planted: whole nodes are filled to exactly 8 GPUs, ten or more are
left empty, so a placement of the gang is known to exist; then, in random order and repeatedly, each pod is taken off and given
to the simulated scheduler again, until the free GPUs lie scattered, one or two a node. Four cases:

- `exact`: 80 GPUs are free; the gang fits if everything else is packed without a gap (planted, so it can be).
- `roomy`: 160 GPUs are free; the gang fits with room to spare.
- `short`: as `exact`, but one more 1-GPU pod runs: 79 GPUs are free, no placement exists even moving everything.
- `pinned`: half of all GPUs are free, but on 491 nodes one is taken by pods that must not be moved: 9 whole nodes at most.
"""

from __future__ import annotations

import random
from typing import Literal

import numpy as np

from benchmarks.arrivals import arrive
from benchmarks.gpu_instances import NODE, RESOURCES, SCORED, SHAPES
from benchmarks.instance import Group, Instance
from benchmarks.seeds import stream
from berth_solver.problem import IntArray

GangCase = Literal["exact", "roomy", "short", "pinned"]
CASES: tuple[GangCase, ...] = ("short", "pinned", "exact", "roomy")
FITS: dict[GangCase, bool] = {"exact": True, "roomy": True, "short": False, "pinned": False}
"""Whether the gang can be placed: by construction, not by a solver."""

NODES = 500
GANG_PODS = 10
GANG_REQUEST = (8, 80, 800)
GANG_PRIORITY = 1
PRIORITIES = (2, 3)
EMPTY_NODES: dict[GangCase, int] = {"exact": 10, "roomy": 20, "short": 10, "pinned": 250}
WHOLE_NODES = 9
"""Of the pinned case: nodes without immovable load."""
SCATTER_PASSES = 3
ONE_GPU = 3
"""Index of the plain 1-GPU shape in SHAPES."""


def gang_instance(case: GangCase, seed: int) -> Instance:
    """The cluster with its ten pending pods."""
    plant, ties = stream(seed, "plant"), stream(seed, "arrival-ties")
    capacity = np.tile(np.array(NODE, np.int64), (NODES, 1))
    if case == "pinned":
        capacity[plant.sample(range(NODES), NODES - WHOLE_NODES)] -= np.array(SHAPES[ONE_GPU].request, np.int64)
    filled = sorted(plant.sample(range(NODES), NODES - EMPTY_NODES[case]))
    planted = [(shape, node) for node in filled for shape in _full_node(plant, capacity[node])]
    if case == "short":
        planted.append((ONE_GPU, next(n for n in range(NODES) if n not in filled)))
    shapes, nodes = (np.array(column, np.int64) for column in zip(*planted, strict=True))
    requests = np.array([s.request for s in SHAPES], np.int64)[shapes]
    load = np.zeros_like(capacity)
    np.add.at(load, nodes, requests)
    for _ in range(SCATTER_PASSES):
        for i in plant.sample(range(len(nodes)), len(nodes)):
            load[nodes[i]] -= requests[i]
            nodes[i] = arrive(capacity, load, requests[i : i + 1], ties, SCORED)[0]
    kinds = shapes * len(PRIORITIES) + np.array([plant.randrange(len(PRIORITIES)) for _ in planted])
    standing: IntArray = np.zeros((len(SHAPES) * len(PRIORITIES) + 1, NODES), np.int64)
    np.add.at(standing, (kinds, nodes), 1)
    groups = [
        Group(f"{shape.name}-p{p}", p, shape.request, int(standing[s * len(PRIORITIES) + i].sum()))
        for s, shape in enumerate(SHAPES)
        for i, p in enumerate(PRIORITIES)
    ]
    groups.append(Group("gang", GANG_PRIORITY, GANG_REQUEST, GANG_PODS, gang_minimum=GANG_PODS))
    return Instance(f"gang-{case}-seed{seed}", seed, RESOURCES, capacity, tuple(groups), standing)


def _full_node(plant: random.Random, capacity: IntArray) -> list[int]:
    """Shapes that fill one node's GPUs exactly, drawn by their shares."""
    gpu_shapes = [s for s in range(len(SHAPES)) if SHAPES[s].request[0]]
    shares = [SHAPES[s].share for s in gpu_shapes]
    while True:
        left, chosen = capacity.copy(), []
        while left[0]:
            shape = plant.choices(gpu_shapes, shares)[0]
            if (left < np.array(SHAPES[shape].request)).any():
                if (left < np.array(SHAPES[ONE_GPU].request)).any():
                    break
                continue
            left = left - np.array(SHAPES[shape].request, np.int64)
            chosen.append(shape)
        if not left[0]:
            return chosen
