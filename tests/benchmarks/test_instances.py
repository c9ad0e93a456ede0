"""What the other generators promise about their clusters."""

import msgspec
import numpy as np
import pytest

from benchmarks.check import faults
from benchmarks.consolidation_instances import KINDS, consolidation_instance
from benchmarks.gang_instances import CASES, FITS, GANG_PODS, GangCase, gang_instance
from benchmarks.gpu_instances import NODE, GpuCell, gpu_instance
from benchmarks.paper_instances import Cell, instance


def test_problem_says_what_the_line_says() -> None:
    made = instance(Cell(4, 4, 2, 1.00), 3)
    line = msgspec.json.decode(made.json_line())
    problem = made.problem()

    assert len(line["pods"]) == made.pods == problem.totals.sum()
    assert sum(p["node"] is None for p in line["pods"]) == made.pending
    asked = np.array([p["request"] for p in line["pods"] if p["node"] == "n2"]).sum(axis=0)
    assert asked.tolist() == (problem.standing_counts[:, 2] @ problem.requests).tolist()


@pytest.mark.parametrize("usage", [0.90, 1.05])
@pytest.mark.parametrize("priorities", [1, 4])
def test_gpu_cluster_asks_for_its_usage_and_is_fragmented(usage: float, priorities: int) -> None:
    made = gpu_instance(GpuCell(50, priorities, usage), 9)
    problem = made.problem()

    assert faults(problem, problem.standing_counts) == []
    assert not problem.overloaded.any()
    demand = int((problem.totals @ problem.requests)[0]) / (50 * NODE[0])
    assert usage <= demand < usage + 0.02
    assert made.pending > 0
    free = problem.capacity - problem.standing_counts.T @ problem.requests
    assert free[:, 0].sum() > 8
    assert len(problem.priorities) == priorities


@pytest.mark.parametrize("case", CASES)
def test_gang_waits_and_no_node_row_is_simply_empty(case: GangCase) -> None:
    made = gang_instance(case, 4)
    problem = made.problem()
    free = problem.capacity - problem.standing_counts.T @ problem.requests

    assert faults(problem, problem.standing_counts) == []
    assert not problem.overloaded.any()
    assert made.pending == GANG_PODS
    assert (free[:, 0] >= NODE[0]).sum() < GANG_PODS
    if case == "pinned":
        assert (problem.capacity[:, 0] == NODE[0]).sum() < GANG_PODS
        assert free[:, 0].sum() > 1_000
    else:
        assert (free[:, 0].sum() >= GANG_PODS * NODE[0]) == FITS[case]


@pytest.mark.parametrize("kind", KINDS)
def test_consolidation_starts_with_nothing_pending_on_many_nodes(kind: str) -> None:
    made = consolidation_instance(kind, 4)  # type: ignore[arg-type]

    assert made.pending == 0
    assert made.pods == 410
    assert np.count_nonzero(made.standing.any(axis=0)) > 300
