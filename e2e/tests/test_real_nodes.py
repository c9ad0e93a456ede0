"""Real kubelets: pods are processes there, and a node can die. Slow: `make test-all`."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from berth_e2e.cluster import Cluster
from berth_e2e.objects import pod, replica_set
from berth_e2e.process import marked_pids
from berth_e2e.real_node.nodes import on_real_nodes, wait_real_node
from berth_e2e.waiting import wait_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="namespaces, mounts and a bridge need root"),
]


@pytest.fixture(scope="module")
def standing(binaries: Path) -> Iterator[Cluster]:
    with Cluster.start(f"real-{os.getpid()}", nodes=1, gpus=8, real=2) as cluster:
        yield cluster


@pytest.fixture
def real(standing: Cluster) -> Cluster:
    standing.clear(nodes=False)
    return standing


def listening(address: str) -> list[str]:
    told = subprocess.run(["ss", "-Hltn"], capture_output=True, text=True, check=True).stdout
    return [line for line in told.splitlines() if line.split()[3].startswith(address)]


def test_a_pod_is_a_process_with_logs_exec_and_an_address(real: Cluster) -> None:
    script = "import time; print('served', flush=True); time.sleep(600)"
    real.create(pod("py", gpus=2, **on_real_nodes(), container={"command": ["python3", "-c", script]}))
    found = real.wait_running("", 1, timeout=60)[0]
    assert found["spec"]["nodeName"].startswith("real-")
    assert found["status"]["podIP"].startswith("10.251.")
    wait_for("its log", lambda: "served" in real.kubectl("logs", "py"))
    assert real.kubectl("exec", "py", "--", "python3", "-c", "print(6 * 7)").strip() == "42"


def test_a_pods_prestop_hook_is_waited_for(real: Cluster) -> None:
    hook = {"lifecycle": {"preStop": {"exec": {"command": ["sleep", "5"]}}}}
    ends_at_once = {"command": ["bash", "-c", "trap exit TERM; sleep infinity & wait"]}
    real.create(pod("slow", grace_seconds=30, **on_real_nodes(), container={**hook, **ends_at_once}))
    real.wait_running("", 1, timeout=60)
    began = time.monotonic()
    real.api.delete("/api/v1/namespaces/default/pods/slow")
    wait_for("its end", lambda: not real.pods(), 30.0, seen=real.told)
    assert 5.0 < time.monotonic() - began < 15.0


def test_gpus_on_paper_count_on_real_nodes(real: Cluster) -> None:
    real.create(replica_set("wide", 3, gpus=8, **on_real_nodes()))
    real.wait_running("app=wide", 2, timeout=60)
    wait_for("the third waits", lambda: "Insufficient nvidia.com/gpu" in real.told())


def test_pods_without_a_real_image_stay_off_real_nodes(real: Cluster) -> None:
    real.create(replica_set("fake", 6))
    assert {p["spec"]["nodeName"] for p in real.wait_running("app=fake", 6)} == {"node-0"}


def test_a_killed_node_comes_back_as_after_a_reboot(real: Cluster) -> None:
    node = real.real["real-1"]
    before = len(marked_pids(real.state.folder))
    node.kill()
    assert len(marked_pids(real.state.folder)) < before - 2, "containerd and the kubelet have gone with it"
    node.start()
    wait_real_node(real.api, node)
    real.create(pod("again", **on_real_nodes(nodeName="real-1")))
    real.wait_running("", 1, timeout=60)


def test_a_cut_cable_makes_a_node_not_ready_and_a_mended_one_ready(real: Cluster) -> None:
    node = real.real["real-2"]
    node.cut()
    try:
        wait_for("the node's absence noticed", lambda: "real-2" not in real.ready_nodes(), 75.0)
    finally:
        node.mend()
    wait_for("the node back", lambda: "real-2" in real.ready_nodes(), 60.0)


def test_nothing_is_left_of_real_nodes(binaries: Path) -> None:
    cluster = Cluster.start(f"real-{os.getpid()}-gone", real=1)
    folder, node = cluster.state.folder, cluster.real["real-1"]
    cluster.create(pod("there", **on_real_nodes()))
    cluster.wait_running("", 1, timeout=60)
    bridge, address = node.network.bridge, node.network.host
    assert listening(address), "the relay, on the bridge alone"
    cluster.stop()
    assert marked_pids(folder) == []
    assert not folder.exists()
    assert not Path(f"/sys/class/net/{bridge}").exists()
    assert not listening(address)
    assert str(folder) not in Path("/proc/mounts").read_text()
    assert not list(Path("/sys/fs/cgroup").glob(f"*/{node.cgroup}"))
