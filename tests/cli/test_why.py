"""`berth why`: one row a kind of waiting pod, everything about one, and names as people type them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .command import Here
from .scenes import dump, fragmented, node, pod


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """`urgent` fits after a move, `giant` nowhere, `late` is gated, and `busy` runs."""
    gated = pod("late", gpus=1, app="late")
    gated["spec"]["schedulingGates"] = [{"name": "example.com/hold"}]
    return dump(
        tmp_path / "dump.json",
        *fragmented(),
        pod("giant", gpus=16, priority=5, app="train"),
        gated,
    )


def row(out: str, name: str) -> list[str]:
    return next(line for line in out.splitlines() if line.startswith(name)).split()


def test_each_waiting_pod_has_a_code_and_a_way_forward(here: Here, scene: Path) -> None:
    ended = here("why", "--dump", scene)
    assert ended.code == 0, ended.err
    assert "FitsAfterMoves" in row(ended.out, "llm/urgent")
    assert "NoPlacementExists" in row(ended.out, "llm/giant")
    assert "Gated" in row(ended.out, "llm/late")
    assert "llm/left" not in ended.out
    assert "3 pods waiting, 1 of them with a place in the plan" in ended.out


def test_one_pod_in_full_says_what_stands_against_it_on_how_many_nodes(here: Here, scene: Path) -> None:
    out = here("why", "giant", "--dump", scene).out
    assert "no placement exists" in out
    assert "2 of 2: InsufficientResource nvidia.com/gpu" in out
    assert "urgent" not in out


def test_the_smallest_change_that_would_help_is_named(here: Here, tmp_path: Path) -> None:
    scene = dump(tmp_path / "dump.json", node("a"), pod("nearly", gpus=9, app="x"))
    assert "with 1 nvidia.com/gpu fewer" in here("why", "nearly", "--dump", scene).out


@pytest.mark.parametrize(
    "name", ["urgent", "llm/urgent", "pod/urgent", "deploy/chat", "chat", "llm/deployment/chat", "deploy/llm/chat"]
)
def test_names_as_people_type_them(here: Here, scene: Path, name: str) -> None:
    document = json.loads(here("why", name, "--dump", scene, "-o", "json").out)
    assert [e["pods"] for e in document["explanations"]] == [["llm/urgent"]]
    assert document["explanations"][0]["code"] == "FitsAfterMoves"


def test_the_name_may_follow_the_dump(here: Here, scene: Path) -> None:
    assert "no placement exists" in here("why", "--dump", scene, "giant").out


def test_a_running_pod_is_said_to_run(here: Here, scene: Path) -> None:
    ended = here("why", "left", "--dump", scene)
    assert (ended.code, ended.out) == (0, "llm/left runs on a.\n")


def test_nobody_waits(here: Here, tmp_path: Path) -> None:
    scene = dump(tmp_path / "dump.json", node("a"))
    assert here("why", "--dump", scene).out == "No pod waits for a node.\n"
    assert here("why", "--dump", scene, "-n", "prod").out == "No pod of namespace prod waits for a node.\n"


def test_a_dump_without_its_flag_is_not_looked_for_among_pods(here: Here, scene: Path) -> None:
    ended = here("why", scene)
    assert ended.code == 2
    assert f"berth why --dump {scene}" in ended.err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["urgnet"], "Did you mean urgent"),
        (["urgent", "-n", "prod"], "in namespace prod\nDid you mean llm/urgent?"),
        (["nothing-like-it"], "`berth why` without a name"),
        (["llm/urgent", "-n", "prod"], "-n says prod"),
        (["a/b/c/d"], "no name of a pod"),
    ],
)
def test_a_name_that_is_not_there(here: Here, scene: Path, args: list[str], said: str) -> None:
    ended = here("why", *args, "--dump", scene)
    assert ended.code == 2
    assert said in ended.err


def test_a_name_in_two_namespaces_asks_which(here: Here, tmp_path: Path) -> None:
    scene = dump(tmp_path / "dump.json", node("a"), pod("x", gpus=1), pod("x", gpus=1, namespace="other"))
    assert "namespaces llm, other" in here("why", "x", "--dump", scene).err
    assert here("why", "x", "-n", "other", "--dump", scene).code == 0
