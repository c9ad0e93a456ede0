"""The Debian packages that real nodes need, installed when they are missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

COMMANDS = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "buildah": "buildah",
    "mmdebstrap": "mmdebstrap",
    "ip": "iproute2",
    "unshare": "util-linux",
    "nsenter": "util-linux",
}
FOR_SERVICES = {"nft": "nftables"}
"""What kube-proxy needs beside them."""
CNI_PLUGINS = Path("/usr/lib/cni")
CNI_PACKAGE = "containernetworking-plugins"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
APT_SECONDS = 600.0


class RealNodesError(Exception):
    """Real nodes cannot run here; the message says what is missing."""


def require_packages(commands: Mapping[str, str] = COMMANDS) -> None:
    """Everything is there, or is installed now. Raises RealNodesError."""
    if os.geteuid() != 0:
        raise RealNodesError(
            "real nodes need root: they make namespaces, mounts and a bridge. Run with REAL=0 or as root"
        )
    missing = missing_packages(commands)
    if not missing:
        return
    if shutil.which("apt-get") is None:
        raise RealNodesError(
            f"real nodes need {', '.join(missing)} (names of Debian packages), and there is no apt-get"
        )
    apt = ["apt-get", "-y", "--no-install-recommends"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in ([*apt, "update"], [*apt, "install", *missing]):
        run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=APT_SECONDS, check=False)
        if run.returncode:
            raise RealNodesError(f"{' '.join(command)} failed:\n{run.stderr[-1_500:]}")


def missing_packages(commands: Mapping[str, str] = COMMANDS) -> list[str]:
    found = {package for command, package in commands.items() if shutil.which(command, path=SYSTEM_PATH) is None}
    if not (CNI_PLUGINS / "bridge").exists():
        found.add(CNI_PACKAGE)
    return sorted(found)
