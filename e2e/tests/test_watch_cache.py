"""The watch cache before a real API server: by what it holds, and through what a real server does to its watchers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from berth_cluster.connection import Connection
from berth_cluster.dump import read_dumps
from berth_cluster.live import LiveCluster
from berth_cluster.snapshot import Snapshot
from berth_e2e.cluster import Cluster
from berth_e2e.objects import deployment, pod

PATIENCE = 30.0
DUMPED = (
    "nodes,namespaces,priorityclasses,deployments,replicasets,statefulsets,daemonsets,jobs,cronjobs,"
    "persistentvolumes,persistentvolumeclaims,storageclasses,poddisruptionbudgets,pods"
)


@asynccontextmanager
async def watching(cluster: Cluster) -> AsyncIterator[LiveCluster]:
    connection = await Connection.open(cluster.kubeconfig)
    live = LiveCluster(connection)
    task = asyncio.create_task(live.run())
    try:
        assert await live.wait_synced(PATIENCE)
        yield live
    finally:
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await connection.close()


async def until(holds: Callable[[], object]) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            while not holds():
                await asyncio.sleep(0.02)
    except TimeoutError:
        assert holds()


def dumped(cluster: Cluster, tmp_path: Path) -> Snapshot:
    """What `kubectl get` shows, read by the code that reads dumps."""
    path = tmp_path / "dump.json"
    path.write_text(cluster.kubectl("get", DUMPED, "-A", "-o", "json"))
    return comparable(read_dumps([path]))


def comparable(snapshot: Snapshot) -> Snapshot:
    return msgspec.structs.replace(snapshot, taken="", warnings=())


async def until_equal(live: LiveCluster, cluster: Cluster, tmp_path: Path) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            while comparable(live.snapshot()) != await asyncio.to_thread(dumped, cluster, tmp_path):
                await asyncio.sleep(0.2)
    except TimeoutError:
        found, expected = comparable(live.snapshot()), dumped(cluster, tmp_path)
        for name in found.__struct_fields__:
            assert getattr(found, name) == getattr(expected, name), name


def test_it_holds_what_kubectl_shows_while_pods_come_and_go(cluster: Cluster, tmp_path: Path) -> None:
    async def scenario() -> None:
        cluster.add_nodes(5)
        cluster.create(deployment("web", 12), pod("bare"))
        async with watching(cluster) as live:
            await asyncio.to_thread(cluster.wait_running, "app=web", 12)
            await until_equal(live, cluster, tmp_path)
            owners = {p.workload.kind for p in live.snapshot().pods if p.namespace == "default"}
            assert owners == {"Deployment", "Pod"}
            cluster.kubectl("scale", "deployment/web", "--replicas=4")
            cluster.kubectl("label", "namespace/default", "team=a", "--overwrite")
            cluster.create(pod("wide", cpu="900"))
            await asyncio.to_thread(cluster.wait_running, "app=web", 4)
            await until(lambda: (p := live.pod("default", "wide")) and p.unschedulable)
            await until_equal(live, cluster, tmp_path)
            assert live.restarts["ListenerFailed"] == live.restarts["Unreadable"] == 0

    asyncio.run(scenario())


def test_an_api_server_that_is_killed_and_comes_back_is_followed_again(cluster: Cluster, tmp_path: Path) -> None:
    async def scenario() -> None:
        cluster.add_nodes(3)
        cluster.create(deployment("web", 6))
        async with watching(cluster) as live:
            await asyncio.to_thread(cluster.wait_running, "app=web", 6)
            await until(lambda: len(live.snapshot().nodes) == 3)
            cluster.processes["kube-apiserver"].kill()
            await until(lambda: live.restarts["Unreachable"])
            assert len(live.snapshot().nodes) == 3  # what was known stays
            await asyncio.to_thread(cluster.heal)
            await asyncio.to_thread(cluster.kubectl, "delete", "deployment/web", "--wait=false")
            await until(lambda: not [p for p in live.snapshot().pods if p.namespace == "default"])
            await until_equal(live, cluster, tmp_path)

    asyncio.run(scenario())


def test_a_lists_pages_are_of_one_moment_on_a_real_server(cluster: Cluster) -> None:
    async def scenario() -> None:
        cluster.create(*(pod(f"p{i}", cpu="900") for i in range(12)))
        connection = await Connection.open(cluster.kubeconfig)
        path, query = "/api/v1/namespaces/default/pods", {"limit": "5"}
        first = json.loads(await connection.request("GET", path, query=query))
        cluster.delete(pod("p11"))
        query["continue"] = first["metadata"]["continue"]
        second = json.loads(await connection.request("GET", path, query=query))
        assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
        query["continue"] = second["metadata"]["continue"]
        third = json.loads(await connection.request("GET", path, query=query))
        assert len(first["items"] + second["items"] + third["items"]) == 12
        await connection.close()

    asyncio.run(scenario())
