"""The image of `berth-fetch` for real nodes: the nodes' own Debian with Python, boto3, and the packages that fetching needs.

As small as its imports: no Kubernetes, no solver, no web server. Made anew when the code changes; 10 s, 180 MB.
"""

from __future__ import annotations

import hashlib
import shutil
from importlib.metadata import files
from pathlib import Path
from tempfile import TemporaryDirectory

from berth_e2e.real_node.image import built_image, run_tool
from berth_e2e.real_node.packages import SYSTEM_PATH
from berth_e2e.state import ROOT
from berth_e2e.tools import cache_folder

FETCH_IMAGE = "localhost/berth-fetch:local"
DISTRIBUTIONS = ("boto3", "botocore", "s3transfer", "urllib3", "jmespath", "python-dateutil", "six", "certifi")
OURS = ("api/berth_api", "operator/berth_operator/weights")
PACKAGES = "/opt/packages"


def built_fetch_image() -> Path:
    """As an archive for `RealNode.import_image`. Raises RealNodesError."""
    base = built_image(lambda _: None)
    code = hashlib.sha256(base.name.encode())
    for source in sorted(path for folder in OURS for path in (ROOT / folder).rglob("*.py")):
        code.update(source.read_bytes())
    archive = cache_folder() / "images" / f"berth-fetch-{code.hexdigest()[:10]}.tar"
    if archive.exists():
        return archive
    for old in archive.parent.glob("berth-fetch-*.tar"):
        old.unlink(missing_ok=True)
    with TemporaryDirectory(dir=archive.parent, prefix="unfinished-") as folder:
        work = Path(folder)
        packages = work / "packages"
        _gather(packages)
        buildah = ("buildah", "--storage-driver=vfs", f"--root={work / 'storage'}", f"--runroot={work / 'run'}")
        container = run_tool(*buildah, "from", f"docker-archive:{base}").strip()
        run_tool(*buildah, "add", container, str(packages), PACKAGES)
        entry = '["python3", "-m", "berth_operator.weights.main"]'
        environment = (f"--env=PYTHONPATH={PACKAGES}", f"--env=PATH={SYSTEM_PATH}", "--env=PYTHONDONTWRITEBYTECODE=1")
        run_tool(*buildah, "config", f"--entrypoint={entry}", "--cmd=", "--user=65532", *environment, container)
        run_tool(*buildah, "commit", "--quiet", container, f"docker-archive:{work / 'image.tar'}:{FETCH_IMAGE}")
        (work / "image.tar").rename(archive)
        shutil.rmtree(work / "storage", ignore_errors=True)
    return archive


def _gather(into: Path) -> None:
    for name in DISTRIBUTIONS:
        for file in files(name) or ():
            if not str(file).startswith("..") and file.suffix != ".pyc":
                target = into / str(file)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(file.locate()), target)
    for folder in OURS:
        package = Path(folder)
        shutil.copytree(ROOT / folder, into.joinpath(*package.parts[1:]), ignore=shutil.ignore_patterns("__pycache__"))
    (into / "berth_operator" / "__init__.py").touch()
