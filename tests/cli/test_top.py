"""`berth top`, `berth plans` and `--watch`: the page's facts in the terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from berth_cli.demo.cluster import demo_dump
from berth_cli.exits import CommandError
from berth_cli.watching import watchable

from .command import Here
from .live_cluster import API, LiveCluster, needs_kubectl, plan


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    path = tmp_path / "dump.json"
    path.write_bytes(demo_dump())
    return path


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[LiveCluster]:
    with LiveCluster(tmp_path).serving() as serving:
        yield serving


def test_top_says_what_is_used_and_what_is_lost(here: Here, dump: Path) -> None:
    ended = here("top", "--dump", str(dump))
    assert ended.code == 0, ended.err
    assert "72 of 96 used, 24 free" in ended.out
    found = json.loads(here("top", "--dump", str(dump), "-o", "json").out)
    assert sum(node["gpusUsed"] for node in found["nodes"]) == 72
    eights = next(shape for shape in found["fragments"]["shapes"] if shape["gpus"] == 8)
    assert (eights["waiting"], eights["fitsNow"], eights["fitsAtMost"]) == (2, 0, 3)
    assert found["fragments"]["gpusFree"] == sum(hole["gpus"] * hole["nodes"] for hole in found["fragments"]["holes"])


def test_top_of_one_zone_counts_its_nodes_only(here: Here, dump: Path) -> None:
    found = json.loads(here("top", "--dump", str(dump), "--zone", "zone-a", "-o", "json").out)
    assert {node["zone"] for node in found["nodes"]} == {"zone-a"}
    assert found["fragments"]["gpusFree"] == sum(n["gpus"] - n["gpusUsed"] for n in found["nodes"])


@needs_kubectl
def test_plans_are_listed_newest_first_and_told_in_full(here: Here, cluster: LiveCluster) -> None:
    tier = {"priority": 7, "pods": 3, "placedBefore": 1, "placedAfter": 3, "bound": 3, "certificate": "Optimal"}
    cost = {"moves": 1, "evictions": 0, "value": 1, "bound": 1, "certificate": "Optimal"}
    proven = {"tiers": [tier], "disruption": cost, "verified": True, "solveSeconds": 0.1}
    old, new = plan("old", phase="Completed"), plan("new", certificate=proven)
    old["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    cluster.answers[f"{API}/packingplans"] = [old, new]
    cluster.answers |= {f"{API}/packingplans/{p['metadata']['name']}": p for p in (old, new)}
    listed = json.loads(here("plans", "--kubeconfig", cluster.kubeconfig, "-o", "json").out)
    assert [(p["name"], p["phase"]) for p in listed["items"]] == [("new", "Proposed"), ("old", "Completed")]
    told = here("plans", "new", "--kubeconfig", cluster.kubeconfig)
    assert "Proven: no arrangement places more pods" in told.out
    unproven = here("plans", "old", "--kubeconfig", cluster.kubeconfig)
    assert "Proven: no arrangement" not in unproven.out  # it says nothing of tiers
    assert here("plans", "nobody", "--kubeconfig", cluster.kubeconfig).code == 2


def test_watching_goes_on_when_a_round_fails(capsys: pytest.CaptureFixture[str]) -> None:
    rounds: list[int] = []

    def once(count: int = 1) -> None:
        rounds.append(count)
        if len(rounds) == 2:
            raise CommandError("away")

    def sleep(_: float) -> None:
        if len(rounds) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        watchable(once, sleep)(count=7, watch=1.0)
    assert rounds == [7, 7, 7]
    assert "error: away" in capsys.readouterr().err
    watchable(once, sleep)(count=8)
    assert rounds[-1] == 8


def test_watched_documents_follow_each_other(dump: Path) -> None:
    command = [sys.executable, "-m", "berth_cli.main", "top", "--dump", str(dump), "-o", "json", "--watch", "0.5"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)
    decoder, text, found = json.JSONDecoder(), "", []
    try:
        assert process.stdout is not None
        while len(found) < 2:
            text += process.stdout.readline()
            try:
                document, end = decoder.raw_decode(text)
            except ValueError:
                continue
            found.append(document)
            text = text[end:].lstrip()
    finally:
        process.terminate()
        process.wait(20)
    first: Any = found[0]
    assert found[1] == first
