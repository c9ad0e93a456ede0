"""checkov over what is installed: nothing fails but what skips.yaml lists with its reason. Needs `make checkov`; 5 s a rendering."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from charts import render as charts

CHECKOV = charts.ROOT / ".venv-checkov" / "bin" / "checkov"
SKIPS: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "checkov" / "skips.yaml").read_text())
WITH_GATEWAY = {"gateway": {"enabled": True, "namespace": "chat"}, "samplePriorityClasses": {"enabled": True}}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHECKOV.exists(), reason="checkov has an environment of its own: make checkov"),
]


def failures(file: Path) -> set[tuple[str, str]]:
    """Check and object."""
    command = [str(CHECKOV), "-f", str(file), "--framework", "kubernetes", "-o", "json", "--quiet", "--skip-download"]
    environment = {**os.environ, "LOG_LEVEL": "ERROR", "HOME": str(file.parent)}
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)
    told = json.loads(run.stdout)
    assert told["summary"]["parsing_errors"] == 0
    assert told["summary"]["passed"] > 200, "it has looked at everything"
    return {(c["check_id"], c["resource"].rsplit(".", 1)[-1]) for c in told["results"]["failed_checks"]}


def listed() -> set[tuple[str, str]]:
    return {(check, name) for check, skip in SKIPS.items() for name in skip["about"]}


def test_the_install_file_fails_nothing_but_what_is_listed(tmp_path: Path) -> None:
    file = tmp_path / "install.yaml"
    file.write_text((charts.ROOT / "manifests" / "install.yaml").read_text())
    assert failures(file) == {(check, name) for check, name in listed() if name != "berth-gateway"}


def test_the_chart_with_a_gateway_fails_nothing_but_what_is_listed(tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(yaml.safe_dump_all(charts.objects(charts.render(WITH_GATEWAY))))
    assert failures(file) == listed()


def test_a_privileged_container_is_found(tmp_path: Path) -> None:
    """It does look."""
    made = charts.objects(charts.render())
    for body in made:
        if body["kind"] == "Deployment":
            body["spec"]["template"]["spec"]["containers"][0]["securityContext"]["privileged"] = True
    file = tmp_path / "bad.yaml"
    file.write_text(yaml.safe_dump_all(made))
    assert {check for check, _ in failures(file) - listed()} >= {"CKV_K8S_16"}
