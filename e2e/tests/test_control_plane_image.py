"""The control plane's image, built from its Dockerfile without a registry, run as nobody on a read-only root. Slow."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

from berth_e2e.real_node.packages import require_packages
from berth_e2e.real_node.shipped_image import shipped_image
from berth_e2e.real_node.unpacked_image import UnpackedImage, unpacked

MOST_MEBIBYTES = 700
MOST_SECONDS = 5.0
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
# prints what numba loaded and what it compiled, and how long being ready took
WARM_AND_SOLVE = """
import gc, json, sys, time
began = time.monotonic()
import kubernetes.aio.config, kopf, berth_cluster.official_client, berth_gateway, berth_ui.server, berth_extender, berth_operator
from berth_solver.warm import warm
warm()
ready = time.monotonic() - began
from berth_cli.main import main
rc = main(["demo", "--html", ""])
from numba.core.dispatcher import Dispatcher
ours = [d for d in gc.get_objects() if isinstance(d, Dispatcher) and d.py_func.__module__.startswith("berth_solver")]
compiled = {d.py_func.__name__: len(d.stats.cache_misses) for d in ours if d.stats.cache_misses}
loaded = sum(len(d.stats.cache_hits) for d in ours)
print(json.dumps({"rc": rc, "ready": ready, "loaded": loaded, "compiled": compiled}))
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.geteuid() != 0, reason="mounts and namespaces need root"),
]


@pytest.fixture(scope="module")
def image() -> Iterator[UnpackedImage]:
    require_packages()
    with unpacked(shipped_image("control-plane", "localhost/berth:local", SOURCES)) as image:
        yield image


def test_runs_as_nobody_and_says_its_version(image: UnpackedImage) -> None:
    assert image.user == "65532:65532"
    assert image.labels["org.opencontainers.image.title"] == "berth"
    run = image.run(*image.entrypoint, "version")
    assert (run.returncode, run.stdout) == (0, "berth 0.1.0\n"), run.stderr
    assert image.run("touch", "/opt/berth/kernels/new").returncode != 0
    assert image.run("id", "-u").stdout == "65532\n"


# a name that the build did not run under must not matter: the image's own environment says generic
@pytest.mark.parametrize("times", [1, 2])
def test_starts_warm_and_compiles_nothing(image: UnpackedImage, times: int) -> None:
    run = image.run("/opt/berth/bin/python3", "-c", WARM_AND_SOLVE)
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout.splitlines()[-1])
    print(f"ready in {told['ready']:.1f} s (start {times}), {told['loaded']} kernels loaded")
    assert told["rc"] == 0
    assert told["compiled"] == {}
    assert told["loaded"] > 10
    assert told["ready"] <= MOST_SECONDS


def test_a_kernel_that_is_not_there_is_compiled_and_fails_nothing(image: UnpackedImage) -> None:
    """As after a start on another processor with a CPU name of its own."""
    run = image.run("/opt/berth/bin/python3", "-c", WARM_AND_SOLVE, NUMBA_CPU_NAME="x86-64", NUMBA_CPU_FEATURES="")
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout.splitlines()[-1])["compiled"] != {}


def test_is_not_larger_than_promised(image: UnpackedImage) -> None:
    size = image.mebibytes()
    print(f"{size} MiB unpacked")
    assert size <= MOST_MEBIBYTES
