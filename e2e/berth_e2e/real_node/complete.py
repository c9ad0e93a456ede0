"""What a cluster's nodes have beside the kubelet, so that a chart can be installed as anywhere: Services and GPUs.

kube-proxy (nftables) and a device plugin run in the node's namespaces, as the DaemonSets of a real cluster do with hostNetwork and
hostPath; they die with the node. The taint that keeps pods without a real image away is taken off: there are only real nodes.
Names of Services are not served (no CoreDNS); Berth asks for none.

Cost: kube-proxy is built once, 5 s to 3 minutes (Go's cache), 45 MB of memory a node.
"""

from __future__ import annotations

import json

from berth_e2e import tools
from berth_e2e.cluster import Cluster
from berth_e2e.objects import GPU
from berth_e2e.process import LocalProcess
from berth_e2e.real_node.network import OURS
from berth_e2e.real_node.node import LABEL, RealNode
from berth_e2e.waiting import wait_for

SECONDS = 60.0
DEVICE_PLUGINS = "/var/lib/kubelet/device-plugins"


def complete_nodes(cluster: Cluster, gpus: int) -> None:
    """On return each real node tells so many GPUs, and its pods reach Services."""
    for node in cluster.real.values():
        cluster.kubectl("taint", "node", node.name, f"{LABEL}-")
    complete(cluster, list(cluster.real.values()), gpus)


def complete(cluster: Cluster, nodes: list[RealNode], gpus: int) -> None:
    """The same of some nodes, once more after a reboot."""
    processes = [process for node in nodes for process in (kube_proxy(node), device_plugin(node, gpus))]
    for process in processes:
        process.start()
    names = {node.name for node in nodes}

    def told() -> bool:
        for process in processes:
            process.assert_running()
        found = [n for n in cluster.api.items("/api/v1/nodes") if n["metadata"]["name"] in names]
        return all(one["status"]["allocatable"].get(GPU) == str(gpus) for one in found)

    logs = [process.log for process in processes]
    wait_for("GPUs on all nodes", told, SECONDS, seen=lambda: "\n".join(log.read_text()[-1_000:] for log in logs))


def device_plugin(node: RealNode, gpus: int) -> LocalProcess:
    """Its ill devices are named in `ill-gpus` of the node's folder."""
    binary = tools.built_alone(tools.FAKE_GPUS) / "fakegpus"
    return _on(node, "fakegpus", [str(binary), DEVICE_PLUGINS, str(gpus), str(node.folder / "ill-gpus")])


def kube_proxy(node: RealNode) -> LocalProcess:
    settings = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        # the answer of a pod beside the one that asked would else cross the bridge and miss the way back through the Service
        "nftables": {"masqueradeAll": True},
        "clientConnection": {"kubeconfig": str(node.folder / "etc" / "kubeconfig.json")},
        "clusterCIDR": str(OURS[1]),
        "hostnameOverride": node.name,
        # the machine's own limits are none of the node's business
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }
    path = node.folder / "etc" / "kube-proxy.json"
    path.write_text(json.dumps(settings, indent=2))
    binary = tools.built_alone(tools.KUBE_PROXY) / "kube-proxy"
    return _on(node, "kube-proxy", [str(binary), f"--config={path}", "--v=2"])


def _on(node: RealNode, name: str, argv: list[str]) -> LocalProcess:
    return LocalProcess(
        name=f"{name}-{node.name}",
        argv=[*node.inside, *argv],
        state=node.state.folder,
        log=node.folder / f"{name}.log",
        pid_file=node.state.folder / "pids" / f"{name}-{node.name}",
        env={"PATH": node.process.env["PATH"]},
    )
