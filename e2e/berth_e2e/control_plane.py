"""etcd, the API server, the controllers, the default scheduler and KWOK, started by kwokctl's binary runtime on loopback.

kwokctl writes the certificates, the configuration and the command lines; we choose the ports (its own search for free ones
clashes when two clusters start at once), bind everything to 127.0.0.1 (its default is every address) and give it stages for
the fake nodes' pods. Afterwards each component is a LocalProcess: it can be killed and started again like ours.

Cost: ready 2 to 4 s after the start on 2 cores; 570 MB of memory.
"""

from __future__ import annotations

import os
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from berth_e2e.audit import audit_flags
from berth_e2e.process import MARK, LocalProcess
from berth_e2e.real_node.network import NodeNetwork
from berth_e2e.state import ClusterState

COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok-controller")
PORTS = ("etcd", "etcd-peer", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok-controller")
BINARIES = {
    "etcdBinary": "etcd",
    "kubeApiserverBinary": "kube-apiserver",
    "kubeControllerManagerBinary": "kube-controller-manager",
    "kubeSchedulerBinary": "kube-scheduler",
    "kwokControllerBinary": "kwok",
}
CREATE_SECONDS = 120.0
SERVICES = "10.96.0.0/16"
API_SERVER_SERVICE = "10.96.0.1"
"""The Service `kubernetes`: the first address of SERVICES."""
FAKE_NODES = "kwok.x-k8s.io/node=fake"


class ControlPlaneError(Exception):
    """kwokctl could not start the control plane; the message carries what it said."""


def start_control_plane(state: ClusterState, binaries: Path) -> dict[str, LocalProcess]:
    """Starts all components and returns them by name; they may not be ready yet. Raises ControlPlaneError."""
    config = state.folder / "kwokctl.yaml"
    config.write_text(_configuration(state, binaries))
    run = subprocess.run(
        [
            str(binaries / "kwokctl"),
            "create",
            "cluster",
            *("--name", state.name),
            *("--runtime", "binary"),
            *("--config", str(config)),
            *("--kubeconfig", str(state.kubeconfig)),
        ],
        env={
            **os.environ,
            "KWOK_WORKDIR": str(state.folder / "kwok"),
            "KWOK_KUBE_VERSION": f"v{state.version}",
            MARK: str(state.folder),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=CREATE_SECONDS,
        check=False,
    )
    if run.returncode:
        raise ControlPlaneError(f"kwokctl create cluster failed:\n{run.stderr[-3_000:]}")
    return components(state)


def components(state: ClusterState) -> dict[str, LocalProcess]:
    """The processes that kwokctl started, by the command lines that it recorded."""
    recorded = (state.kwok_folder / "kwok.yaml").read_text()
    configuration = next(d for d in yaml.load_all(recorded, Loader=_Loader) if d["kind"] == "KwokctlConfiguration")
    return {
        told["name"]: LocalProcess(
            name=told["name"],
            argv=[told["binary"], *told["args"]],
            state=state.folder,
            log=state.kwok_folder / "logs" / f"{told['name']}.log",
            pid_file=state.kwok_folder / "pids" / f"{told['name']}.pid",
            cwd=Path(told["workDir"]),
        )
        for told in configuration["components"]
    }


_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's where there is one: kwok.yaml takes 60 ms in pure Python."""


def _configuration(state: ClusterState, binaries: Path) -> str:
    """A KwokctlConfiguration and the stages, as kwokctl reads them with --config."""
    certificate = state.kwok_folder / "pki" / "admin.crt"
    key = state.kwok_folder / "pki" / "admin.key"
    ports = state.ports
    options: dict[str, Any] = {
        "runtime": "binary",
        "bindAddress": "127.0.0.1",
        "kubeVersion": f"v{state.version}",
        "etcdPort": ports["etcd"],
        "etcdPeerPort": ports["etcd-peer"],
        "kubeApiserverPort": ports["kube-apiserver"],
        "kubeApiserverCertSANs": [API_SERVER_SERVICE],
        "kubeControllerManagerPort": ports["kube-controller-manager"],
        "kubeSchedulerPort": ports["kube-scheduler"],
        "kwokControllerPort": ports["kwok-controller"],
        "disableQPSLimits": True,
        # 5 (kwokctl's default) saves a thousand fake nodes' heartbeats; a real node that dies must be NotReady after 40 s
        "heartbeatFactor": 1 if state.real_nodes else 5,
        "nodeLeaseDurationSeconds": 40 if state.real_nodes else 200,
        **{option: str(binaries / binary) for option, binary in BINARIES.items()},
    }
    extra = {
        # a crash of a process loses nothing by it, a crash of the machine would: fine for a cluster that lives an hour
        "etcd": {"unsafe-no-fsync": "true"},
        "kube-apiserver": {
            "kubelet-preferred-address-types": "InternalIP",
            "service-cluster-ip-range": SERVICES,
            "kubelet-client-certificate": str(certificate),
            "kubelet-client-key": str(key),
            **audit_flags(state),
        },
        # one replica each: waiting for a Lease after a restart would only cost time
        "kube-controller-manager": {"leader-elect": "false"},
        "kube-scheduler": {"leader-elect": "false"},
        "kwok-controller": {"manage-all-nodes": "false", "manage-nodes-with-annotation-selector": FAKE_NODES},
    }
    if state.network is not None:  # the endpoint behind the Service `kubernetes`: where pods can reach it
        extra["kube-apiserver"]["advertise-address"] = NodeNetwork(state.network).host
    configuration = {
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "kind": "KwokctlConfiguration",
        "options": options,
        # not --extra-args: kwokctl 0.8.0 panics when a component is named twice there
        "componentsPatches": [
            {"name": name, "extraArgs": [{"key": k, "value": v} for k, v in arguments.items()]}
            for name, arguments in extra.items()
        ],
    }
    stages = resources.files("berth_e2e").joinpath("stages.yaml").read_text()
    return yaml.safe_dump(configuration) + "---\n" + stages
