"""The openb trace as arrivals: models honoured, shares as they are, as much asked for as said, and the same for every policy."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.openb_arrivals import POLICIES, Result, measure, table
from benchmarks.openb_trace import read_trace

NODES = """sn,cpu_milli,memory_mib,gpu,model
n0,32000,131072,2,T4
n1,32000,131072,4,V100
n2,32000,131072,0,
"""
PODS = """name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time
p0,4000,8192,1,500,,LS,Running,0,1,0
p1,4000,8192,1,1000,V100,LS,Running,0,1,0
p2,4000,8192,0,0,,LS,Running,0,1,0
p3,4000,8192,2,1000,V100|T4,LS,Running,0,1,0
"""


@pytest.fixture
def openb(tmp_path: Path) -> Path:
    (tmp_path / "openb_node_list_all_node.csv").write_text(NODES)
    (tmp_path / "openb_pod_list_default.csv").write_text(PODS)
    return tmp_path


def test_nodes_without_gpus_are_left_out_and_shares_and_models_kept(openb: Path) -> None:
    trace = read_trace(openb)
    assert trace.devices.sum(axis=1).tolist() == [2000, 4000]
    assert [int(kind.request[2]) for kind in trace.kinds] == [500, 1000, 0, 2000]
    allowed = [kind.allowed.tolist() if kind.allowed is not None else None for kind in trace.kinds]
    assert allowed == [None, [False, True], None, [True, True]]


def test_so_much_is_asked_for_as_said_and_by_every_pod_of_the_trace(openb: Path) -> None:
    trace = read_trace(openb)
    order = trace.arrivals(seed=1, load=3.0)
    asked = sum(int(trace.kinds[kind].request[2]) for kind in order)
    assert 18_000 - 2_000 < asked <= 18_000
    assert set(order) == {0, 1, 2, 3}
    assert order == trace.arrivals(seed=1, load=3.0) != trace.arrivals(seed=2, load=3.0)


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_fills_gpus(openb: Path, policy: str) -> None:
    result = measure(openb, policy, 1)
    assert 50 < result.at_full_demand <= result.allocated <= 100
    assert result == Result(
        **{f: getattr(measure(openb, policy, 1), f) for f in Result.__struct_fields__} | {"seconds": result.seconds}
    )


def test_the_table_counts_seeds_above_fgd() -> None:
    results = [
        Result(p, s, a, a, 1, 0, 1.0)
        for p, s, a in [("FGD", 0, 95), ("FGD", 1, 95), ("Berth", 0, 96), ("Berth", 1, 94)]
    ]
    lines = table(results).splitlines()
    assert lines[-1].startswith("| Berth | 95.00 % | 94.00 | 96.00 |")
    assert "1 of 2" in lines[-1]
