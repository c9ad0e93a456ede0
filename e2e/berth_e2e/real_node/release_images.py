"""All images of a release on a real node, under the names by which the chart and the operator ask for them, so that no value and no
registry is needed.

| name | from |
| --- | --- |
| `ghcr.io/berth-dev/berth`, `berth-fetch` | their Dockerfiles, by images/build.sh |
| `registry.k8s.io/kube-scheduler` | the binary of `make tools`, where the stock image has it |
| `ghcr.io/berth-dev/berth-engine` | **not its Dockerfile**: the nodes' Debian, the engine's code, and torch from `PACKAGES_CLAIM`, since the real one is 5 GB |

Cost: 3 minutes to build once, then 20 to 40 s a node to import, 2.5 GB of disk a node.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from berth_e2e.cluster import Cluster
from berth_e2e.real_node.fetch_image import FETCH_IMAGE, built_fetch_image
from berth_e2e.real_node.image import built_image, run_tool
from berth_e2e.real_node.node import RealNode
from berth_e2e.real_node.shipped_image import shipped_image
from berth_e2e.state import ROOT
from berth_e2e.tools import cache_folder
from berth_operator.serving.pod_template import Images

RELEASE = "0.1.0"
CONTROL_PLANE = "localhost/berth:local"
FLOORS = (
    "solver",
    "api",
    "intent",
    "cluster",
    "scheduling",
    "planner",
    "extender",
    "operator",
    "gateway",
    "ui/berth_ui",
    "cli",
)
SOURCES = (*FLOORS, "pyproject.toml", "images/build-constraints.txt")
ENGINE = "localhost/berth-engine-without-torch:local"
PACKAGES_CLAIM = "engine-packages"
PACKAGES_FOLDER = "/opt/packages"
Fill = Callable[[tuple[str, ...], str, Path], None]
"""Adds to a container, given buildah's command, the container and a folder for files."""
LAUNCHER = """#!/bin/sh
exec python3 -m berth_engine.main "$@"
"""


def load_release(cluster: Cluster) -> dict[str, Path]:
    """Onto all nodes, side by side. Returns the archives by the names they got. Raises RealNodesError."""
    scheduler = f"registry.k8s.io/kube-scheduler:v{cluster.state.version}"
    archives = {
        f"ghcr.io/berth-dev/berth:{RELEASE}": (CONTROL_PLANE, built_control_plane_image()),
        Images().fetch: (FETCH_IMAGE, built_fetch_image()),
        Images().engine: (ENGINE, built_engine_image()),
        scheduler: (scheduler, built_scheduler_image(cluster.binaries, scheduler)),
    }

    def load(node: RealNode) -> None:
        for name, (own, archive) in archives.items():
            node.import_image(archive)
            if own != name:
                node.tag_image(own, name)

    with ThreadPoolExecutor() as loading:
        list(loading.map(load, cluster.real.values()))
    return {name: archive for name, (_, archive) in archives.items()}


def built_control_plane_image() -> Path:
    return shipped_image("control-plane", CONTROL_PLANE, SOURCES)


def built_scheduler_image(binaries: Path, name: str) -> Path:
    """Nothing but the static binary, as in the stock image."""
    binary = binaries / "kube-scheduler"

    def fill(buildah: tuple[str, ...], container: str, _: Path) -> None:
        run_tool(*buildah, "copy", "--chmod=0755", container, str(binary), "/usr/local/bin/kube-scheduler")
        run_tool(*buildah, "config", "--env=PATH=/usr/local/bin", '--entrypoint=["kube-scheduler"]', container)

    return _image("kube-scheduler", name, "scratch", str(binaries), fill)


def built_engine_image() -> Path:
    code = ROOT / "engine" / "berth_engine"
    files = sorted(path for path in code.rglob("*.py"))
    content = "".join(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)

    def fill(buildah: tuple[str, ...], container: str, work: Path) -> None:
        launcher = work / "berth-engine"
        launcher.write_text(LAUNCHER)
        run_tool(*buildah, "copy", container, str(code), "/opt/berth/lib/berth_engine")
        run_tool(*buildah, "copy", "--chmod=0755", container, str(launcher), "/usr/local/bin/berth-engine")
        run_tool(
            *buildah, "config", "--user=65532:65532", '--entrypoint=["berth-engine", "serve"]', "--cmd=",
            f"--env=PYTHONPATH=/opt/berth/lib:{PACKAGES_FOLDER}", "--env=PYTHONDONTWRITEBYTECODE=1",
            "--env=OMP_NUM_THREADS=1", container,
        )  # fmt: skip

    return _image("engine-without-torch", ENGINE, f"docker-archive:{built_image(print)}", content, fill)


def packages_claim(packages: Path, namespace: str) -> list[dict[str, Any]]:
    """torch of this checkout, mounted read-only: `restricted` forbids hostPath in pods, and allows claims."""
    size = {"storage": "10Gi"}
    volume = f"{PACKAGES_CLAIM}-{namespace}"
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": volume},
            "spec": {
                "accessModes": ["ReadOnlyMany"],
                "capacity": size,
                "claimRef": {"namespace": namespace, "name": PACKAGES_CLAIM},
                "hostPath": {"path": os.path.realpath(packages)},
                "persistentVolumeReclaimPolicy": "Retain",
                "storageClassName": "",
            },
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": PACKAGES_CLAIM, "namespace": namespace},
            "spec": {
                "accessModes": ["ReadOnlyMany"],
                "resources": {"requests": size},
                "storageClassName": "",
                "volumeName": volume,
            },
        },
    ]


def _image(label: str, name: str, base: str, content: str, fill: Fill) -> Path:
    """An archive of `base` and what `fill` adds, kept until `content` changes."""
    digest = hashlib.sha256(repr((name, base, content, LAUNCHER)).encode()).hexdigest()[:10]
    archive = cache_folder() / "images" / f"{label}-{digest}.tar"
    if archive.exists():
        return archive
    archive.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=archive.parent, prefix="unfinished-") as folder:
        work = Path(folder)
        buildah = ("buildah", "--storage-driver=vfs", f"--root={work / 'storage'}", f"--runroot={work / 'run'}")
        container = run_tool(*buildah, "from", base).split()[-1]
        fill(buildah, container, work)
        run_tool(*buildah, "commit", "--quiet", container, f"docker-archive:{work / 'image.tar'}:{name}")
        (work / "image.tar").rename(archive)
        shutil.rmtree(work / "storage", ignore_errors=True)
    return archive
