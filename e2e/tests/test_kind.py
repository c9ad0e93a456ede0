"""What `DRIVER=kind` would apply, asked of a real API server; kind itself needs containers and is not run."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from berth_e2e import kind, tools
from berth_e2e.cluster import Cluster
from berth_e2e.state import state_folder


def test_a_real_api_server_accepts_the_manifests(cluster: Cluster) -> None:
    given = yaml.safe_dump_all(kind.manifests(tools.DEFAULT_VERSION))
    said = cluster.kubectl("apply", "--dry-run=server", "--validate=strict", "--filename", "-", given=given)
    assert "deployment.apps/berth-scheduler created" in said
    assert "deployment.apps/berth-operator created" in said


def test_a_real_scheduler_accepts_the_configuration_within(binaries: Path, tmp_path: Path) -> None:
    settings = next(m for m in kind.manifests(tools.DEFAULT_VERSION) if m["kind"] == "ConfigMap")["data"]
    config = tmp_path / "scheduler.json"
    config.write_text(settings["scheduler.json"])
    # it ends with an error of its own, as it runs in no cluster; a wrong field would end it before
    run = subprocess.run(
        [str(binaries / "kube-scheduler"), f"--config={config}", "--secure-port=0"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert "strict decoding error" not in run.stderr
    assert "unable to load in-cluster configuration" in run.stderr


def test_without_kind_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(kind.KindError, match="DRIVER=kind needs kind"):
        kind.up("nowhere", nodes=1, gpus=8, version=tools.DEFAULT_VERSION)
    assert not state_folder("nowhere").exists()
