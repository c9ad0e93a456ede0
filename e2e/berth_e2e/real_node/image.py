"""The one image that real nodes run: a small Debian with Python, made without a daemon or a registry.

mmdebstrap makes the files, buildah the image; it is kept beside the tools and imported by each node. Pods name it
`IMAGE` and give their own command; it is the pods' sandbox, too, whose command sleeps.

Cost: 40 s once, 140 MB on disk; importing it takes a node 3 to 6 s.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from berth_e2e.real_node.packages import SYSTEM_PATH, RealNodesError
from berth_e2e.tools import cache_folder

IMAGE = "localhost/berth-e2e:local"
SUITE = "bookworm"
PACKAGES = ("python3-minimal", "libpython3-stdlib", "libstdc++6")
LEFT_OUT = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*")
COMMAND = '["sleep", "infinity"]'
BUILD_SECONDS = 600.0


def built_image(say: Callable[[str], None]) -> Path:
    """The image as an archive for `ctr images import`, made if it is not there. Raises RealNodesError."""
    recipe = repr((IMAGE, SUITE, PACKAGES, LEFT_OUT, COMMAND))
    archive = cache_folder() / "images" / f"debian-python-{hashlib.sha256(recipe.encode()).hexdigest()[:10]}.tar"
    if archive.exists():
        return archive
    archive.parent.mkdir(parents=True, exist_ok=True)
    say("making the image of the real nodes' pods (once, 40 s)")
    with TemporaryDirectory(dir=archive.parent, prefix="unfinished-") as folder:
        work = Path(folder)
        files, unfinished = work / "files.tar", work / "image.tar"
        left_out = [f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT]
        run_tool("mmdebstrap", "--variant=essential", f"--include={','.join(PACKAGES)}", *left_out, SUITE, str(files))
        buildah = ("buildah", "--storage-driver=vfs", f"--root={work / 'storage'}", f"--runroot={work / 'run'}")
        container = run_tool(*buildah, "from", "scratch").strip()
        run_tool(*buildah, "add", container, str(files), "/")
        run_tool(*buildah, "config", f"--cmd={COMMAND}", f"--env=PATH={SYSTEM_PATH}", container)
        run_tool(*buildah, "commit", "--quiet", container, f"docker-archive:{unfinished}:{IMAGE}")
        unfinished.rename(archive)
        shutil.rmtree(work / "storage", ignore_errors=True)
    return archive


def run_tool(*command: str) -> str:
    run = subprocess.run(
        command,
        env={**os.environ, "PATH": SYSTEM_PATH},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )
    if run.returncode:
        raise RealNodesError(f"{' '.join(command[:3])} ... failed:\n{run.stderr[-1_500:]}")
    return run.stdout
