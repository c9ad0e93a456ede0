"""All real nodes of a cluster: made ready, given GPUs, and taken away without a trace."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from berth_e2e.api_client import ApiClient
from berth_e2e.objects import GPU
from berth_e2e.process import LocalProcess
from berth_e2e.real_node.image import IMAGE, built_image
from berth_e2e.real_node.network import MOST_NODES, NodeNetwork, claim_network
from berth_e2e.real_node.node import LABEL, RealNode
from berth_e2e.real_node.packages import RealNodesError, require_packages
from berth_e2e.state import ROOT, ClusterState
from berth_e2e.waiting import wait_for

READY_SECONDS = 90.0


def on_real_nodes(**fields: Any) -> dict[str, Any]:
    """Fields of a pod_spec that runs on real nodes: pod("a", **on_real_nodes(), container={"command": [...]})."""
    return {
        "image": IMAGE,
        "nodeSelector": {LABEL: "true"},
        "tolerations": [{"key": LABEL, "operator": "Exists", "effect": "NoSchedule"}],
        **fields,
    }


def claimed_network(count: int, say: Callable[[str], None]) -> NodeNetwork | None:
    """Packages, image and network for so many nodes; None for none. Raises RealNodesError."""
    if count == 0:
        return None
    if count > MOST_NODES:
        raise RealNodesError(f"{count} real nodes: {MOST_NODES} at most")
    require_packages()
    built_image(say)
    return claim_network()


def real_nodes(state: ClusterState, binaries: Path) -> dict[str, RealNode]:
    """By name."""
    if state.network is None:
        return {}
    network, archive = NodeNetwork(state.network), built_image(lambda line: None)
    return {
        name: RealNode(state, network, index, binaries, archive) for index, name in enumerate(state.real_nodes, start=1)
    }


def relay_process(state: ClusterState) -> LocalProcess:
    """Carries the nodes' requests to the API server."""
    assert state.network is not None
    port = str(state.ports["kube-apiserver"])
    return LocalProcess(
        name="relay",
        argv=[sys.executable, "-m", "berth_e2e.real_node.relay", NodeNetwork(state.network).host, port],
        state=state.folder,
        log=state.folder / "logs" / "relay.log",
        pid_file=state.folder / "pids" / "relay",
        env={"PYTHONPATH": str(ROOT / "e2e")},
    )


def start_real_nodes(api: ApiClient, nodes: list[RealNode], gpus: int) -> None:
    """Starts them side by side; back when pods can run on each."""
    for node in nodes:
        node.start()
    for node in nodes:
        wait_real_node(api, node)
        if gpus:
            give_gpus(api, node.name, gpus)


def wait_real_node(api: ApiClient, node: RealNode, timeout: float = READY_SECONDS) -> None:
    """Until it is Ready, after a start or a reboot; what was said before the reboot does not count."""

    lease = f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{node.name}"

    def ready() -> bool:
        node.process.assert_running()
        since = node.kubelet_started
        if since is None or not api.exists(lease):
            return False
        renewed = datetime.fromisoformat(api.get(lease)["spec"]["renewTime"])
        conditions = api.get(f"/api/v1/nodes/{node.name}")["status"].get("conditions", [])
        return renewed > since and any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)

    wait_for(f"real node {node.name} ready", ready, timeout, seen=node.log_tail)


def give_gpus(api: ApiClient, name: str, gpus: int) -> None:
    """GPUs that exist on paper: the scheduler counts them and the kubelet admits pods by them."""
    room = {GPU: str(gpus)}
    api.merge(f"/api/v1/nodes/{name}/status", {"status": {"capacity": room, "allocatable": room}})


def remove_real_nodes(state: ClusterState) -> None:
    """After their processes have ended: control groups and network."""
    for node in real_nodes(state, Path()).values():
        node.remove_cgroup()
    if state.network is not None:
        NodeNetwork(state.network).remove()
