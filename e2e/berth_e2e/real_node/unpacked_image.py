"""Runs a program of an image as a container would: its user and environment, a read-only root, no network but
loopback, nothing writable but shared memory.

No container runtime: namespaces of `unshare`, a read-only bind mount of the image's files, and chroot. No cgroups, so no
limits of memory and CPU, and no seccomp. Needs root.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from berth_e2e.real_node.image import run_tool

# $0 is the image's root, $1 its user; the rest is the program
CONFINE = """
ip link set lo up && mount --bind "$0" "$0" && mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" &&
mount -t tmpfs -o mode=1777 none "$0/dev/shm" && mount -o remount,bind,ro "$0" && user=$1 && shift && exec chroot --userspec="$user" "$0" "$@"
"""


@dataclass(frozen=True, slots=True)
class UnpackedImage:
    root: Path
    user: str
    environment: dict[str, str]
    entrypoint: tuple[str, ...]
    labels: dict[str, str]

    def run(self, *program: str, seconds: float = 120.0, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                "unshare",
                "--mount",
                "--pid",
                "--fork",
                "--net",
                "sh",
                "-c",
                CONFINE,
                str(self.root),
                self.user,
                *program,
            ],
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def mebibytes(self) -> int:
        return int(run_tool("du", "-smx", str(self.root)).split()[0])


@contextmanager
def unpacked(archive: Path) -> Iterator[UnpackedImage]:
    with (
        TemporaryDirectory(dir=archive.parent, prefix="unpacked-") as folder,
        mounted(Path(folder), f"docker-archive:{archive}") as image,
    ):
        yield image


@contextmanager
def mounted(work: Path, name: str) -> Iterator[UnpackedImage]:
    """An image of the storage in this folder, or one that is loaded into it."""
    buildah = ("buildah", "--storage-driver=vfs", f"--root={work / 'storage'}", f"--runroot={work / 'run'}")
    container = run_tool(*buildah, "from", name).split()[-1]
    config = json.loads(run_tool(*buildah, "inspect", container))["OCIv1"]["config"]
    root = Path(run_tool(*buildah, "mount", container).strip())
    environment = dict(entry.split("=", 1) for entry in config["Env"])
    entrypoint = tuple(config["Entrypoint"])
    try:
        yield UnpackedImage(root, config["User"], environment, entrypoint, config["Labels"])
    finally:
        run_tool(*buildah, "umount", container)
