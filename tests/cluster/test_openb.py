"""The openb trace as a cluster."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from berth_cluster.dump import read_dumps
from berth_cluster.errors import DumpError
from berth_cluster.matching import node_matches
from berth_cluster.openb import OpenbImport, import_openb
from berth_cluster.snapshot import Snapshot

NODES = """sn,cpu_milli,memory_mib,gpu,model
node-0,32000,262144,0,
node-1,96500,393216,8,V100M32
node-2,64000,131072,2,T4
"""
PODS = """name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time
pod-0,12000,16384,1,1000,,LS,Running,0,12537496,0
pod-1,6000,12288,1,460,V100M16|V100M32,LS,Failed,427061,12902960,427061
pod-2,500,1024,0,0,,BE,Succeeded,86400,12902960,
pod-3,1000,1024,2,1000,T4,Guaranteed,Pending,86401,,
"""


def imported(folder: Path, nodes: str = NODES, pods: str = PODS, *, priority_from_qos: bool = False) -> OpenbImport:
    (folder / "nodes.csv").write_text(nodes)
    (folder / "pods.csv").write_text(pods)
    return import_openb(folder / "nodes.csv", folder / "pods.csv", priority_from_qos=priority_from_qos)


def snapshot(given: OpenbImport) -> Snapshot:
    return read_dumps([io.BytesIO(given.body)])


def test_nodes_and_pods_are_those_of_the_trace(tmp_path: Path) -> None:
    found = snapshot(imported(tmp_path))
    assert found.warnings == ()
    assert found.nodes[1].amounts == {"cpu": 96500, "memory": 393216 * 2**20, "nvidia.com/gpu": 8, "pods": 110}
    assert found.nodes[1].labels == {"kubernetes.io/hostname": "node-1", "nvidia.com/gpu.product": "V100M32"}
    assert "nvidia.com/gpu" not in found.nodes[0].amounts
    assert dict(found.pods[0].spec.requests) == {"cpu": 12000, "memory": 2**34, "nvidia.com/gpu": 1, "pods": 1}
    assert dict(found.pods[2].spec.requests) == {"cpu": 500, "memory": 2**30, "pods": 1}


def test_every_pod_waits_may_move_and_has_no_rank(tmp_path: Path) -> None:
    found = snapshot(imported(tmp_path))
    assert len(found.pods) == 4
    assert all(p.is_pending and p.is_movable and p.priority == 0 for p in found.pods)
    assert len({p.workload for p in found.pods}) == 4


def test_a_share_of_a_gpu_counts_as_a_whole_one_and_is_noted(tmp_path: Path) -> None:
    given = imported(tmp_path)
    assert given.shared_gpu_pods == 1
    assert given.notes[0].startswith("1 pods ask for a share")
    assert dict(snapshot(given).pods[1].spec.requests)["nvidia.com/gpu"] == 1


def test_gpu_models_decide_the_nodes(tmp_path: Path) -> None:
    found = snapshot(imported(tmp_path))
    takers = [[n.name for n in found.nodes if node_matches(p.spec, n) is None] for p in found.pods]
    assert takers == [["node-0", "node-1", "node-2"], ["node-1"], ["node-0", "node-1", "node-2"], ["node-2"]]


def test_arrival_times_are_kept(tmp_path: Path) -> None:
    found = snapshot(imported(tmp_path))
    assert [p.created for p in found.pods][2] == "2023-01-02T00:00:00Z"
    assert b'"openb.berth.dev/creation-time":"427061"' in imported(tmp_path).body


def test_quality_of_service_can_become_priority(tmp_path: Path) -> None:
    found = snapshot(imported(tmp_path, priority_from_qos=True))
    assert [p.priority for p in found.pods] == [300, 300, 100, 400]
    assert {p.priority_class for p in found.pods} < set(found.priority_classes)


def test_the_same_trace_gives_the_same_bytes(tmp_path: Path) -> None:
    assert imported(tmp_path) == imported(tmp_path)


@pytest.mark.parametrize(
    ("nodes", "pods", "place"),
    [
        (PODS, PODS, ("nodes.csv", "", "")),
        (NODES.replace("96500", "-1"), PODS, ("nodes.csv", "line 3", "cpu_milli")),
        (NODES.replace("node-2", "node-1"), PODS, ("nodes.csv", "line 4", "sn")),
        (NODES, PODS.replace("427061,", "soon,", 1), ("pods.csv", "line 3", "creation_time")),
        (NODES, PODS.replace("pod-3", ""), ("pods.csv", "line 5", "name")),
        (NODES, PODS.replace("12000", "9" * 18), ("pods.csv", "line 2", "cpu_milli")),
        (NODES, "", ("pods.csv", "", "")),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, nodes: str, pods: str, place: tuple[str, str, str]) -> None:
    with pytest.raises(DumpError) as caught:
        imported(tmp_path, nodes, pods)
    error = caught.value
    assert (Path(error.file).name, error.object, error.field) == place


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DumpError, match="nowhere"):
        import_openb(tmp_path / "nowhere.csv", tmp_path / "nowhere.csv")
