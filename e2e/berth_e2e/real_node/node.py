"""One real node: its files, its process, and what can befall it.

    node.kill()             power cut: kubelet, containerd and all containers are gone at once
    node.start()            back as after a reboot; its disk is as it was
    node.restart_kubelet()  containers go on
    node.cut() / mend()     network gone and back; NotReady after 40 s

Settings that are not defaults are there because the machine's cgroups and sysctls are not the node's own: see the comments.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from berth_e2e.process import LocalProcess, marked_pids
from berth_e2e.real_node.image import IMAGE
from berth_e2e.real_node.network import NodeNetwork
from berth_e2e.real_node.packages import CNI_PLUGINS, SYSTEM_PATH
from berth_e2e.state import ClusterState
from berth_e2e.waiting import wait_for

MAIN = Path(__file__).with_name("node_main.sh")
LABEL = "e2e.berth.dev/real"
TAINT = f"{LABEL}=true:NoSchedule"
"""Keeps pods that have no real image off the real nodes; `on_real_nodes` tolerates it."""
FOLDERS = ("etc", "run", "kubelet", "log-pods", "log-containers", "libexec", "cni", "sysctl", "network", "containerd")
SYSCTLS = {"vm_overcommit_memory": "1", "kernel_panic": "10", "kernel_panic_on_oops": "1"}
"""What the kubelet wants to find, so that it need not write it."""
CGROUPS = Path("/sys/fs/cgroup")
START_SECONDS = 30.0
CTR_SECONDS = 240.0
"""Unpacking the control plane's image takes the longest."""


@dataclass
class RealNode:
    """Node `index` (from 1) of a cluster with real nodes."""

    state: ClusterState
    network: NodeNetwork
    index: int
    binaries: Path
    archive: Path

    @property
    def name(self) -> str:
        return self.state.real_nodes[self.index - 1]

    @property
    def folder(self) -> Path:
        return self.state.folder / "nodes" / self.name

    @property
    def process(self) -> LocalProcess:
        """`unshare`, which takes the whole node with it when it dies."""
        return LocalProcess(
            name=self.name,
            argv=[
                *("unshare", "--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--kill-child=KILL"),
                *("--propagation", "private", "bash", str(MAIN)),
            ],
            state=self.state.folder,
            log=self.folder / "node.log",
            pid_file=self.state.folder / "pids" / self.name,
            env={
                "PATH": SYSTEM_PATH,
                "NODE": self.name,
                "FOLDER": str(self.folder),
                "BINARIES": str(self.binaries),
                "IMAGE": IMAGE,
                "IMAGE_ARCHIVE": str(self.archive),
                "ADDRESS": self.network.address(self.index),
                "TAINT": TAINT,
                "LABELS": f"{LABEL}=true",
            },
        )

    @property
    def cgroup(self) -> str:
        return f"berth-{self.state.name}-{self.name}"

    def start(self) -> None:
        """Starts or reboots it; back when its network is there, before it is Ready."""
        for name in FOLDERS:
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        for left in ("waits-for-network", "network-ready", "image-ready"):
            (self.folder / "run" / left).unlink(missing_ok=True)
        self._write_files()
        self._make_cgroup()
        process = self.process
        process.start()

        def waiting() -> bool:
            process.assert_running()
            return (self.folder / "run" / "waits-for-network").exists()

        wait_for(f"{self.name} ready for its network", waiting, START_SECONDS, seen=process.log_tail)
        self.network.plug_in(self.index, self._first_pid())
        (self.folder / "run" / "network-ready").touch()

    @property
    def kubelet_started(self) -> datetime | None:
        """When its kubelet was first started since the last `start`; None before."""
        try:
            seconds = (self.folder / "run" / "image-ready").stat().st_mtime
        except FileNotFoundError:
            return None
        return datetime.fromtimestamp(seconds, UTC)

    @property
    def inside(self) -> tuple[str, ...]:
        """What goes before a command that shall run in its namespaces."""
        return ("nsenter", "--all", "--target", str(self._first_pid()))

    def ctr(self, *arguments: str) -> str:
        """What containerd's own client wrote to stdout."""
        ctr = ("ctr", "--address", "/run/containerd/containerd.sock", "--namespace", "k8s.io")
        run = subprocess.run(
            (*self.inside, *ctr, *arguments), check=True, capture_output=True, text=True, timeout=CTR_SECONDS
        )
        return run.stdout

    def import_image(self, archive: Path) -> None:
        """Give its pods one image more."""
        self.ctr("images", "import", str(archive))

    def tag_image(self, name: str, other: str) -> None:
        """An image that it has, under another name too."""
        self.ctr("images", "tag", "--force", name, other)

    def kill(self) -> None:
        self.process.kill()

    def cut(self) -> None:
        self.network.cut(self.index)

    def mend(self) -> None:
        self.network.mend(self.index)

    def restart_kubelet(self) -> None:
        os.kill(self._kubelet(), signal.SIGKILL)

    def log_tail(self) -> str:
        """The ends of its three logs, for errors."""
        logs = [self.folder / name for name in ("node.log", "containerd.log", "kubelet.log")]
        return "\n".join(f"{p}:\n" + "\n".join(p.read_text().splitlines()[-8:]) for p in logs if p.exists())

    def remove_cgroup(self) -> None:
        """After its death: empty groups are all that is left of it."""
        end = time.monotonic() + START_SECONDS
        for root in self._cgroup_roots():
            groups = sorted(root.rglob("*/"), key=lambda p: len(p.parts), reverse=True) if root.exists() else []
            for group in [*groups, root]:
                while group.exists():
                    try:
                        group.rmdir()
                    except OSError:
                        if time.monotonic() > end:
                            raise
                        time.sleep(0.05)  # the kernel is still putting its last process away

    def _first_pid(self) -> int:
        """Process 1 of its namespaces: the child of unshare."""
        outer = self.process.pid
        children = Path(f"/proc/{outer}/task/{outer}/children").read_text().split()
        return int(children[0])

    def _kubelet(self) -> int:
        for pid in marked_pids(self.state.folder):
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if command[0].endswith(b"/kubelet") and self.name.encode() in command:
                return pid
        raise ProcessLookupError(f"no kubelet of {self.name} runs")

    def _cgroup_roots(self) -> list[Path]:
        if (CGROUPS / "cgroup.controllers").exists():  # version 2: one tree
            return [CGROUPS / self.cgroup]
        names = ("cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "systemd", "hugetlb")
        return [CGROUPS / n / self.cgroup for n in names if (CGROUPS / n).is_dir() and not (CGROUPS / n).is_symlink()]

    def _make_cgroup(self) -> None:
        """The kubelet refuses a root group that is not there."""
        for root in self._cgroup_roots():
            root.mkdir(exist_ok=True)
            for limit in ("cpuset.cpus", "cpuset.mems"):
                if (root / limit).exists() and (root.parent / limit).exists():
                    (root / limit).write_text((root.parent / limit).read_text())

    def _write_files(self) -> None:
        pki = self.state.kwok_folder / "pki"
        server = f"https://{self.network.host}:{self.state.ports['kube-apiserver']}"
        files: dict[str, dict[str, Any]] = {
            "etc/kubeconfig.json": {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "node",
                "clusters": [
                    {
                        "name": "node",
                        "cluster": {
                            "server": server,
                            "tls-server-name": "localhost",  # the certificate does not know the bridge
                            "certificate-authority": str(pki / "ca.crt"),
                        },
                    }
                ],
                "users": [
                    {
                        "name": "node",
                        "user": {"client-certificate": str(pki / "admin.crt"), "client-key": str(pki / "admin.key")},
                    }
                ],
                "contexts": [{"name": "node", "context": {"cluster": "node", "user": "node"}}],
            },
            "etc/kubelet.json": self._kubelet_configuration(pki),
            "network/10-berth.conflist": {
                "cniVersion": "0.4.0",
                "name": "berth",
                "plugins": [
                    {
                        "type": "bridge",
                        "bridge": "cni0",
                        "isGateway": True,
                        "ipMasq": False,
                        "hairpinMode": True,
                        "ipam": {
                            "type": "host-local",
                            "dataDir": str(self.folder / "cni"),
                            "ranges": [[{"subnet": self.network.pods(self.index)}]],
                            "routes": [{"dst": "0.0.0.0/0"}],
                        },
                    },
                    {"type": "portmap", "capabilities": {"portMappings": True}},
                ],
            },
        }
        for name, content in files.items():
            (self.folder / name).write_text(json.dumps(content, indent=2))
        for name, value in SYSCTLS.items():
            (self.folder / "sysctl" / name).write_text(value + "\n")
        (self.folder / "etc" / "containerd.toml").write_text(self._containerd_configuration())

    def _kubelet_configuration(self, pki: Path) -> dict[str, Any]:
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": self.network.address(self.index),
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": str(pki / "ca.crt")},
            },
            "authorization": {"mode": "Webhook"},
            "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{self.cgroup}",
            "failCgroupV1": False,
            "failSwapOn": False,
            "enforceNodeAllocatable": ["pods"],
            "oomScoreAdj": 0,
            "maxOpenFiles": 20_000,
            "makeIPTablesUtilChains": False,
            # the disk is the machine's: how full it is is none of the node's business
            "evictionHard": {
                "memory.available": "50Mi",
                "nodefs.available": "1%",
                "imagefs.available": "1%",
                "nodefs.inodesFree": "1%",
            },
            "imageGCHighThresholdPercent": 100,
            "imageGCLowThresholdPercent": 99,
            "nodeStatusUpdateFrequency": "5s",
            "resolvConf": "/etc/resolv.conf",
        }

    def _containerd_configuration(self) -> str:
        cri = '[plugins."io.containerd.grpc.v1.cri"'
        return "\n".join(
            [
                "version = 2",
                f'root = "{self.folder / "containerd"}"',
                'state = "/run/containerd/state"',
                "[grpc]",
                'address = "/run/containerd/containerd.sock"',
                f"{cri}]",
                f'sandbox_image = "{IMAGE}"',
                # without it every sandbox fails where the machine may not lower a process's OOM score
                "restrict_oom_score_adj = true",
                f"{cri}.cni]",
                f'bin_dir = "{CNI_PLUGINS}"',
                f'conf_dir = "{self.folder / "network"}"',
                f"{cri}.containerd]",
                'snapshotter = "overlayfs"',
                'default_runtime_name = "runc"',
                f"{cri}.containerd.runtimes.runc]",
                'runtime_type = "io.containerd.runc.v2"',
                f"{cri}.containerd.runtimes.runc.options]",
                "SystemdCgroup = false",
                "",
            ]
        )
