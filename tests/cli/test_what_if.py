"""`berth what-if`: what a change is worth, and an exit code that a pipeline can ask."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .command import Here, berth
from .scenes import dump, fragmented, node, pod

MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: new}
spec:
  replicas: REPLICAS
  template:
    metadata: {labels: {app: new}}
    spec:
      containers:
        - name: c
          resources: {requests: {nvidia.com/gpu: "4"}}
---
"""


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    return dump(tmp_path / "dump.json", *fragmented())


def test_two_nodes_more_make_the_move_needless(here: Here, scene: Path) -> None:
    ended = here("what-if", "--dump", scene, "--add-nodes", "2", "--like", "a", "-o", "json")
    assert ended.code == 0, ended.err
    comparison = json.loads(ended.out)["comparison"]
    assert (comparison["moves_before"], comparison["moves_after"]) == (1, 0)


def test_a_manifest_that_fits_and_one_that_does_not(here: Here, tmp_path: Path) -> None:
    scene = dump(tmp_path / "dump.json", node("a"), node("b"))
    manifest = tmp_path / "new.yaml"
    manifest.write_text(MANIFEST.replace("REPLICAS", "4"))
    fits = here("what-if", "--dump", scene, "--add", manifest, "-n", "llm")
    assert fits.code == 0
    assert "Yes: all 4 pods would have a place" in fits.out
    manifest.write_text(MANIFEST.replace("REPLICAS", "5"))
    too_many = here("what-if", "--dump", scene, "--add", manifest, "-n", "llm")
    assert too_many.code == 1
    assert "No: 1 of 5 pods would have no place: llm/new-" in too_many.out


def test_a_manifest_from_standard_input(tmp_path: Path) -> None:
    scene = dump(tmp_path / "dump.json", node("a"))
    ended = berth("what-if", "--dump", scene, "--add", "-", stdin=MANIFEST.replace("REPLICAS", "2"))
    assert ended.code == 0, ended.err


def test_draining_a_node_says_whether_its_pods_find_another(here: Here, tmp_path: Path) -> None:
    half = dump(tmp_path / "half.json", node("a"), node("b"), pod("p", gpus=4, on="a", app="x"))
    full = dump(
        tmp_path / "full.json",
        node("a"),
        node("b", gpus=2),
        pod("p", gpus=4, on="a", app="x"),
        pod("bare", gpus=1, on="a"),
    )
    assert here("what-if", "--dump", half, "--remove", "a").code == 0
    ended = here("what-if", "--dump", full, "--remove", "a")
    assert ended.code == 1
    assert "no controller recreates them: llm/bare" in ended.out
    assert "No: 1 of 1 pod would have no place: llm/p" in ended.out


def test_without_any_node_everything_waits(tmp_path: Path) -> None:
    scene = dump(tmp_path / "dump.json", node("a"), pod("p", gpus=4, on="a", app="x"))
    ended = berth("what-if", "--dump", scene, "--remove", "a")
    assert ended.code == 1, ended.err
    assert "No: 1 of 1 pod would have no place: llm/p" in ended.out


def test_a_cordoned_node_takes_nothing_new(here: Here, tmp_path: Path) -> None:
    scene = dump(tmp_path / "dump.json", node("a"), pod("p", gpus=1, app="x"))
    ended = here("what-if", "--dump", scene, "--cordon", "a")
    assert ended.code == 0
    assert "1 more pod would wait." in ended.out


def test_another_priority_changes_who_is_placed(here: Here, tmp_path: Path) -> None:
    scene = dump(
        tmp_path / "dump.json", node("a"), pod("p", gpus=8, app="x", priority=2), pod("q", gpus=8, app="y", priority=1)
    )
    document = json.loads(here("what-if", "--dump", scene, "--priority", "deploy/y=3", "-o", "json").out)
    placed = {name for w in document["after"]["waves"] for p in w["placements"] for name in p["pods"]}
    assert placed == {"llm/q"}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], "No change was given"),
        (["--add-nodes", "2"], "--like NODE"),
        (["--add-nodes", "0", "--like", "a"], "--add-nodes"),
        (["--add-nodes", "1", "--like", "z"], "no node 'z'"),
        (["--cordon", "z"], "no node 'z'"),
        (["--remove", "z"], "no node 'z'"),
        (["--priority", "deploy/batch"], "write NAME=NUMBER"),
        (["--priority", "deploy/batch=high"], "write NAME=NUMBER"),
        (["--priority", "deploy/nobody=1"], "no pod or workload"),
        (["--priority", "deploy/batch=9999999999"], "a priority is between"),
        (["--priority", "pc/nobody=1"], "PriorityClass"),
        (["--add", "nowhere.yaml"], "nowhere.yaml"),
    ],
)
def test_a_change_that_cannot_be_made(here: Here, scene: Path, args: list[str], said: str) -> None:
    ended = here("what-if", "--dump", scene, *args)
    assert ended.code == 2
    assert said in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{unclosed", "neither YAML nor JSON"),
        ("", "no objects"),
        ("just a word", "no Kubernetes object"),
        ("kind: Deployment\nmetadata: {name: x}\n", "spec.template.spec is missing"),
        ("kind: Service\nmetadata: {name: x}\n", "Service"),
        (MANIFEST.replace("REPLICAS", "-1"), "replicas"),
        (MANIFEST.replace("REPLICAS", "1").replace('"4"', "lots"), "lots"),
    ],
)
def test_a_manifest_that_is_none(here: Here, scene: Path, tmp_path: Path, text: str, said: str) -> None:
    manifest = tmp_path / "new.yaml"
    manifest.write_text(text)
    ended = here("what-if", "--dump", scene, "--add", manifest)
    assert ended.code == 2
    assert said in ended.err
