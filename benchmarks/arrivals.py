"""Where pods stand: the stock kube-scheduler simulated, pod by pod.

Each pod goes to a node with room that scores best; ties are broken at random, as kube-scheduler does. The score is the sum of
two of its default plugins at their default weight 1, in their integer arithmetic (Kubernetes 1.32):

- NodeResourcesFit, LeastAllocated: mean over cpu and memory of (capacity - requested) * 100 / capacity, divisions rounded
  down (pkg/scheduler/framework/plugins/noderesources/least_allocated.go);
- NodeResourcesBalancedAllocation: (1 - standard deviation of the requested fractions) * 100, rounded down
  (balanced_allocation.go; for two resources the deviation is half their difference).

Left out: preemption, and the soft spreading of a ReplicaSet's pods over hosts that PodTopologySpread adds by default. A pod
that does not fit stays pending. Costs about 50 us a pod at 1,024 nodes: 8,192 pods take half a second.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from berth_solver.problem import IntArray

PENDING = -1
MAX_NODE_SCORE = 100


def arrive(
    capacity: IntArray,
    load: IntArray,
    requests: IntArray,
    ties: random.Random,
    scored: Sequence[int] = (0, 1),
) -> IntArray:
    """Node of each pod of `requests` (int64 [pods, resources], in order of arrival), or PENDING. Adds them to `load`.

    scored: the two resources that the scores look at (cpu and memory, wherever they are).
    """
    first, second = scored
    free = [np.ascontiguousarray(column) for column in (capacity - load).T]
    size = [np.ascontiguousarray(column) for column in capacity.T]
    nodes = np.full(len(requests), PENDING, np.int64)
    for i, request in enumerate(requests.tolist()):
        fits = free[0] >= request[0]
        for column, amount in zip(free[1:], request[1:], strict=True):
            if amount:
                fits &= column >= amount
        candidates = np.flatnonzero(fits)
        if not len(candidates):
            continue
        left = [free[r][candidates] - request[r] for r in (first, second)]
        total = [size[r][candidates] for r in (first, second)]
        least = (left[0] * MAX_NODE_SCORE // total[0] + left[1] * MAX_NODE_SCORE // total[1]) // 2
        deviation = np.abs((total[0] - left[0]) / total[0] - (total[1] - left[1]) / total[1]) / 2
        score = least + ((1 - deviation) * MAX_NODE_SCORE).astype(np.int64)
        best = np.flatnonzero(score == score.max())
        node = int(candidates[best[ties.randrange(len(best))]])
        nodes[i] = node
        for column, amount in zip(free, request, strict=True):
            column[node] -= amount
    placed = nodes != PENDING
    np.add.at(load, nodes[placed], requests[placed])
    return nodes
