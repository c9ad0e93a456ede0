"""What brings a model to nodes: the sample is what the command prints, and its pods are seen for what they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from typer.testing import CliRunner

from berth_cli.main import app
from berth_operator.residency.copies import FetchingPod, copy_of

from .test_model_copies import pod

SAMPLE = Path(__file__).parents[2] / "manifests" / "samples" / "prefetch.yaml"
DIGEST = "sha256:" + "01e4" * 16


def printed(*arguments: str) -> list[dict[str, Any]]:
    run = CliRunner().invoke(app, ["model", "prefetch", *arguments])
    assert run.exit_code == 0, run.output
    return list(yaml.safe_load_all(run.stdout))


def test_the_sample_is_what_the_command_prints() -> None:
    made = printed(
        "s3://models/mixtral-8x7b", "--digest", DIGEST, "--secret", "s3-credentials", "--claim-in", "default"
    )
    assert list(yaml.safe_load_all(SAMPLE.read_text())) == made
    assert "&id" not in SAMPLE.read_text()


def test_its_pods_count_as_copies_once_they_have_fetched() -> None:
    _, daemons = printed("s3://models/m", "--digest", DIGEST, "--nodes", "pool=h100", "--folder", "/srv/models")
    template = daemons["spec"]["template"]
    assert template["spec"]["nodeSelector"] == {"pool": "h100"}
    seen = msgspec.to_builtins(pod())
    seen["spec"] = {**template["spec"], "nodeName": "n9"}
    seen["metadata"] = {"name": "x", "namespace": "berth-prefetch", **template["metadata"]}
    found = copy_of(msgspec.convert(seen, FetchingPod))
    assert found is not None
    assert (found.node, found.claim) == ("n9", None)
    assert "01e4" * 10 in found.names
    (fetch,), (hold,) = template["spec"]["initContainers"], template["spec"]["containers"]
    assert hold["args"] == [*fetch["args"], "--hold"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["s3://models/m", "--digest", "sha256:12"], "digest"),
        (["pvc://claim/m", "--digest", DIGEST], "not fetched"),
        (["ftp://models/m", "--digest", DIGEST], "ftp"),
        (["s3://models/m", "--digest", DIGEST, "--nodes", "h100"], "label"),
        (["s3://models/m", "--digest", DIGEST, "--folder", "/srv/../etc"], "folder"),
        (["s3://models/m", "--digest", DIGEST, "--claim-in", "Bad_NS"], "Bad_NS is no namespace"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: list[str], said: str) -> None:
    run = CliRunner().invoke(app, ["model", "prefetch", *arguments])
    assert run.exit_code != 0
    assert said in str(run.exception)
