"""The harness itself: a cluster comes up whole, is ours alone, and leaves nothing behind."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import berth_e2e
from berth_e2e import tools
from berth_e2e.cluster import Cluster, KubectlError, take_down
from berth_e2e.objects import TERMINATES_AFTER, pod, replica_set
from berth_e2e.ports import is_free
from berth_e2e.process import marked_pids
from berth_e2e.state import ForeignClusterError, refuse_foreign, state_folder
from berth_e2e.waiting import wait_for


def listeners() -> list[tuple[str, int]]:
    """Address and pid of everything that listens on TCP."""
    told = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
    found = []
    for line in told.splitlines():
        pids = re.findall(r"pid=(\d+)", line)
        found += [(line.split()[3].rsplit(":", 1)[0], int(pid)) for pid in pids]
    return found


def test_pods_of_the_default_scheduler_run_on_fake_nodes(cluster: Cluster) -> None:
    cluster.add_nodes(3, gpus=8)
    cluster.create(replica_set("llama", 6, gpus=4))
    placed = cluster.wait_running("app=llama", 6)
    assert sorted(p["spec"]["nodeName"] for p in placed) == sorted([f"node-{i}" for i in range(3)] * 2)


def test_gpus_that_no_node_has_leave_a_pod_pending(cluster: Cluster) -> None:
    cluster.add_nodes(2, gpus=4)
    cluster.create(pod("wide", gpus=8))
    wait_for("the scheduler's word", lambda: "Insufficient nvidia.com/gpu" in cluster.told())


def test_the_server_says_its_version(cluster: Cluster) -> None:
    assert cluster.api.get("/version")["gitVersion"] == f"v{tools.DEFAULT_VERSION}"
    assert "v1.37.2" in cluster.kubectl("version")


def test_everything_listens_on_loopback_only(cluster: Cluster) -> None:
    ours = set(marked_pids(cluster.state.folder))
    heard = {address for address, pid in listeners() if pid in ours}
    assert heard == {"127.0.0.1"}


def test_a_pod_can_take_its_time_to_go(cluster: Cluster) -> None:
    cluster.add_nodes(1)
    cluster.create(pod("slow", annotations={TERMINATES_AFTER: "1500ms"}), pod("quick"))
    cluster.wait_running("", 2)
    for name in ("slow", "quick"):
        cluster.api.delete(f"/api/v1/namespaces/default/pods/{name}")
    wait_for("the quick one gone", lambda: len(cluster.pods()) == 1, 1.2, seen=cluster.told)
    assert "slow Running (terminating)" in cluster.told()
    wait_for("the slow one gone", lambda: not cluster.pods(), 5.0, seen=cluster.told)


def test_a_killed_api_server_comes_back_with_all_it_had(cluster: Cluster) -> None:
    cluster.add_nodes(1)
    cluster.create(pod("stays"))
    cluster.wait_running("", 1)
    server = cluster.processes["kube-apiserver"]
    before = server.pid
    server.kill()
    assert not server.is_running
    server.start()
    cluster.wait_api()
    assert server.pid != before
    assert [p["metadata"]["name"] for p in cluster.running()] == ["stays"]


@pytest.mark.slow
def test_clearing_leaves_neither_pods_nor_nodes_nor_namespaces(cluster: Cluster) -> None:
    cluster.add_nodes(2)
    cluster.kubectl("create", "namespace", "team")
    cluster.create(replica_set("here", 2), replica_set("there", 2, namespace="team"))
    cluster.wait_running("", 2, namespace="team")
    cluster.clear()
    assert cluster.api.items("/api/v1/pods") == []
    assert cluster.ready_nodes() == []
    assert "team" not in cluster.kubectl("get", "namespaces")


def test_another_run_finds_the_cluster_by_its_name(cluster: Cluster) -> None:
    found = Cluster.attach(cluster.name)
    assert {n: p.pid for n, p in found.processes.items()} == {n: p.pid for n, p in cluster.processes.items()}
    assert found.processes["etcd"].is_running


def test_kubectl_tells_what_went_wrong(cluster: Cluster) -> None:
    with pytest.raises(KubectlError, match="not found"):
        cluster.kubectl("get", "pod", "nobody")


@pytest.mark.parametrize("where", ["elsewhere/kubeconfig", "config"])
def test_kubeconfigs_of_others_are_refused(cluster: Cluster, tmp_path: Path, where: str) -> None:
    copy = tmp_path / where
    copy.parent.mkdir(exist_ok=True)
    shutil.copy(cluster.kubeconfig, copy)
    with pytest.raises(ForeignClusterError, match="not made by this harness"):
        refuse_foreign(copy)


def test_a_real_clusters_kubeconfig_in_the_place_of_ours_is_refused(cluster: Cluster) -> None:
    ours = cluster.kubeconfig.read_text()
    try:
        cluster.kubeconfig.write_text(ours.replace("https://127.0.0.1", "https://prod.example.com"))
        with pytest.raises(ForeignClusterError, match=r"prod\.example\.com"):
            Cluster.attach(cluster.name)
        cluster.kubeconfig.write_text(ours.replace(f"kwok-{cluster.name}", "prod"))
        with pytest.raises(ForeignClusterError, match="context"):
            Cluster.attach(cluster.name)
    finally:
        cluster.kubeconfig.write_text(ours)


def test_a_cluster_without_our_token_is_refused(cluster: Cluster) -> None:
    mark = "/api/v1/namespaces/kube-system/configmaps/berth-e2e"
    cluster.api.merge(mark, {"data": {"token": "of-somebody-else"}})
    try:
        with pytest.raises(ForeignClusterError, match="another one"):
            Cluster.attach(cluster.name)
    finally:
        cluster.api.merge(mark, {"data": {"token": cluster.state.token}})


def test_a_folder_that_is_not_ours_is_left_alone() -> None:
    folder = state_folder("somebody-elses")
    folder.mkdir(parents=True)
    precious = folder / "precious"
    precious.touch()
    try:
        with pytest.raises(ForeignClusterError, match="left alone"):
            take_down("somebody-elses")
        assert precious.exists()
    finally:
        shutil.rmtree(folder)


def test_going_down_after_a_crash_leaves_no_process_no_port_and_no_file(binaries: Path) -> None:
    crashed = Cluster.start("harness-down")
    folder, ports = crashed.state.folder, list(crashed.state.ports.values())
    crashed.processes["kube-apiserver"].pid_file.unlink()  # as if it had been lost
    crashed.processes["kwok-controller"].freeze()
    assert len(marked_pids(folder)) == 5
    assert len(take_down("harness-down")) == 5
    assert marked_pids(folder) == []
    assert not folder.exists()
    assert [port for port in ports if not is_free(port)] == []


def test_tools_that_are_there_are_found_without_building(binaries: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert tools.built() == binaries


def test_without_go_the_error_says_where_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(berth_e2e.tools, "GO_PLACES", ())
    with pytest.raises(tools.GoMissingError, match=r"https://go\.dev/dl"):
        tools.built()
    assert not tools.bin_folder().exists()


def test_a_go_that_is_too_old_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "go"
    old.write_text("#!/bin/sh\necho go1.25.4\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(tools.GoMissingError, match=r"go1\.25\.4.*1\.26"):
        tools.built()


def test_a_failed_build_leaves_nothing_half_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "go"
    broken.write_text('#!/bin/sh\n[ "$1" = env ] && { echo go1.99.0; exit; }\necho no space left >&2; exit 1\n')
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(tools.ToolsError, match="no space left"):
        tools.built(say=lambda line: None)
    assert not tools.bin_folder().exists()
    assert [p.name for p in (tools.cache_folder() / "parts").iterdir()] == []


def test_pods_of_berths_scheduler_are_placed_by_the_pair_that_leads(berth_cluster: Cluster) -> None:
    berth_cluster.add_nodes(2, gpus=8)
    berth_cluster.processes["extender-0"].kill()
    berth_cluster.create(replica_set("llama", 4, gpus=4, scheduler="berth"))
    placed = berth_cluster.wait_running("app=llama", 4)
    assert {p["spec"]["schedulerName"] for p in placed} == {"berth"}


def test_berth_can_be_taken_away_and_its_pods_wait(berth_cluster: Cluster) -> None:
    berth_cluster.add_nodes(1, gpus=8)
    berth_cluster.remove_berth()
    berth_cluster.create(pod("waits", scheduler="berth"), pod("runs"))
    assert [p["metadata"]["name"] for p in berth_cluster.wait_running("", 1)] == ["runs"]


@pytest.mark.slow
def test_clusters_stand_side_by_side(cluster: Cluster) -> None:
    with Cluster.start("harness-beside", nodes=1) as other:
        other.create(pod("only-there"))
        other.wait_running("", 1)
        assert cluster.pods() == []
        assert not set(other.state.ports.values()) & set(cluster.state.ports.values())


@pytest.mark.slow
def test_the_older_kubernetes_runs_too_with_berth(binaries: Path) -> None:
    with Cluster.start("harness-older", nodes=2, version="1.36.3", berth=True) as older:
        assert older.api.get("/version")["gitVersion"] == "v1.36.3"
        older.create(replica_set("llama", 4, gpus=4, scheduler="berth"))
        older.wait_running("app=llama", 4)
