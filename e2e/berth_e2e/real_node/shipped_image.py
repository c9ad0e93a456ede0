"""Builds the images that ship, from their own Dockerfiles, on a Debian made here: no daemon, no registry.

The base is the one that real nodes run anyway; pip runs in a second one that has `venv`, and asks the index that the machine
is configured for. Costs 50 s once for the second base, then 10 s for berth-fetch and 2 minutes for the control plane.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from berth_e2e.real_node.image import BUILD_SECONDS, IMAGE, LEFT_OUT, PACKAGES, SUITE, built_image, run_tool
from berth_e2e.real_node.packages import SYSTEM_PATH, RealNodesError
from berth_e2e.state import ROOT
from berth_e2e.tools import cache_folder

BUILD_BASE = "localhost/berth-build-base:local"
BUILD_PACKAGES = (*PACKAGES, "python3-venv")
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")


def shipped_image(name: str, tag: str, sources: tuple[str, ...]) -> Path:
    """The image of images/`name` as a docker archive, made anew when the sources change. Raises RealNodesError."""
    bases = _bases()
    code = hashlib.sha256("".join(archive.name for archive in bases.values()).encode())
    for folder in (f"images/{name}", "images/build.sh", *sources):
        top = ROOT / folder
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and "__pycache__" not in path.parts:
                code.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    archive = cache_folder() / "images" / f"shipped-{name}-{code.hexdigest()[:10]}.tar"
    if archive.exists():
        return archive
    for old in archive.parent.glob(f"shipped-{name}-*.tar"):
        old.unlink(missing_ok=True)
    with TemporaryDirectory(dir=archive.parent, prefix="unfinished-") as folder:
        work = Path(folder)
        build_in(work, name, tag)
        buildah = _buildah(work)
        run_tool(*buildah, "push", "--quiet", tag, f"docker-archive:{work / 'image.tar'}:{tag}")
        (work / "image.tar").rename(archive)
        shutil.rmtree(work / "storage", ignore_errors=True)
    return archive


def build_in(work: Path, name: str, tag: str, seconds: float = BUILD_SECONDS) -> None:
    """The image of images/`name` into buildah's storage in this folder. Raises RealNodesError."""
    for base in _bases().values():
        run_tool(*_buildah(work), "pull", "--quiet", f"docker-archive:{base}")
    _build(name, tag, work, seconds)


def _bases() -> dict[str, Path]:
    return {IMAGE: built_image(lambda _: None), BUILD_BASE: _build_base()}


def _buildah(work: Path) -> tuple[str, ...]:
    return ("buildah", "--storage-driver=vfs", f"--root={work / 'storage'}", f"--runroot={work / 'run'}")


def _build(name: str, tag: str, work: Path, seconds: float) -> None:
    settings = {
        "BUILDER": "buildah", "BUILDAH_ISOLATION": "chroot", "STORAGE": str(work), "TAG": tag, "BASE": IMAGE,
        "BUILD_BASE": BUILD_BASE, "PATH": SYSTEM_PATH,
    }  # fmt: skip
    if AUTHORITIES.exists():
        configuration = work / "pip.conf"
        configuration.write_text("[global]\ncert = /run/secrets/ca\n")
        settings |= {"PIP_CONF": str(configuration), "CA_BUNDLE": str(AUTHORITIES)}
    run = subprocess.run(
        [str(ROOT / "images" / "build.sh"), name],
        env={**os.environ, **settings},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    if run.returncode:
        raise RealNodesError(f"building the image {name} failed:\n{(run.stdout + run.stderr)[-3_000:]}")


def _build_base() -> Path:
    """The nodes' Debian with what `python3 -m venv` needs, as an archive."""
    recipe = repr((BUILD_BASE, SUITE, BUILD_PACKAGES, LEFT_OUT))
    archive = cache_folder() / "images" / f"build-base-{hashlib.sha256(recipe.encode()).hexdigest()[:10]}.tar"
    if archive.exists():
        return archive
    with TemporaryDirectory(dir=archive.parent, prefix="unfinished-") as folder:
        work = Path(folder)
        left_out = [f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT]
        include = f"--include={','.join(BUILD_PACKAGES)}"
        run_tool("mmdebstrap", "--variant=essential", include, *left_out, SUITE, str(work / "files.tar"))
        buildah = ("buildah", "--storage-driver=vfs", f"--root={work / 'storage'}", f"--runroot={work / 'run'}")
        container = run_tool(*buildah, "from", "scratch").strip()
        run_tool(*buildah, "add", container, str(work / "files.tar"), "/")
        run_tool(*buildah, "config", f"--env=PATH={SYSTEM_PATH}", container)
        run_tool(*buildah, "commit", "--quiet", container, f"docker-archive:{work / 'image.tar'}:{BUILD_BASE}")
        (work / "image.tar").rename(archive)
        shutil.rmtree(work / "storage", ignore_errors=True)
    return archive
