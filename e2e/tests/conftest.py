"""One cluster for all tests of a run: started by the first test that wants it, emptied before each.

`cluster`: the control plane. `berth_cluster`: the same with Berth beside it. Both come without nodes and pods; a test adds what
its scenario needs. Clusters that an interrupted run left behind are taken down by the next.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from berth_e2e import tools
from berth_e2e.audit import log_of, refused
from berth_e2e.canary import leaks
from berth_e2e.cluster import Cluster, take_down
from berth_e2e.state import CLUSTERS

PREFIX = "e2e-"
HERE = Path(__file__).parent
_missing: list[str] = []


def pytest_collection_finish(session: pytest.Session) -> None:
    """Builds the tools outside of any test's time limit, if a test here is going to run."""
    if session.config.option.collectonly or not any(HERE in item.path.parents for item in session.items):
        return
    try:
        tools.built()
    except tools.GoMissingError as error:
        _missing.append(str(error))


@pytest.fixture(scope="session")
def binaries() -> Path:
    """Folder of the control plane's binaries. Skips when they cannot be built for want of Go."""
    if _missing:
        pytest.skip(f"the control plane cannot be built: {_missing[0]}")
    return tools.built()


@pytest.fixture(scope="session", autouse=True)
def _held_to() -> Iterator[None]:
    """What holds over the whole run, in whichever clusters its tests start. Set up first, and so looked at last."""
    refusals: list[str] = []
    leaked: list[str] = []
    Cluster.last_looks += [
        lambda cluster: refusals.extend(
            r for r in refused(log_of(cluster.state)) if not r.startswith(tuple(cluster.meant))
        ),
        lambda cluster: leaked.extend(leaks(cluster)),
    ]
    yield
    Cluster.last_looks.clear()
    assert leaked == [], "a secret was told"
    assert refusals == [], "the chart's roles do not allow what Berth asked for: see docs/rbac.md"


@pytest.fixture(scope="session")
def _started(binaries: Path) -> Iterator[Cluster]:
    for left in sorted(CLUSTERS.glob(f"{PREFIX}*")) if CLUSTERS.is_dir() else []:
        found = re.fullmatch(rf"{PREFIX}(\d+)", left.name)
        if found is not None and not Path(f"/proc/{found[1]}").exists():
            take_down(left.name)
    with Cluster.start(f"{PREFIX}{os.getpid()}") as cluster:
        yield cluster


@pytest.fixture
def cluster(_started: Cluster) -> Cluster:
    """A running control plane, empty."""
    _started.heal()
    _started.forget_outages()
    _started.clear()
    return _started


@pytest.fixture
def berth_cluster(cluster: Cluster) -> Cluster:
    """The same with two pairs of scheduler and extender and an operator."""
    if "extender-0" not in cluster.processes:
        cluster.add_berth()
    return cluster
