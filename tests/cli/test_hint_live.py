"""`berth hint` against a cluster that answers: its names, its pods, and what its policies say of hints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .command import Here
from .live_cluster import API, LiveCluster, needs_kubectl, policy
from .scenes import pod
from .test_hint_pod import HINT, hinted, zoned

pytestmark = needs_kubectl


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[LiveCluster]:
    live = LiveCluster(tmp_path)
    nodes = [zoned("n1", "a"), zoned("n2", "b")]
    pods = [pod("redis-1", gpus=0, on="n1", app="redis"), hinted("web-1", HINT, on="n2")]
    live.answers["/api/v1/nodes"] = {"kind": "NodeList", "apiVersion": "v1", "items": nodes}
    live.answers["/api/v1/pods"] = {"kind": "PodList", "apiVersion": "v1", "items": pods}
    with live.serving():
        yield live


def ask(here: Here, cluster: LiveCluster, *args: str) -> Any:
    ended = here("hint", *args, "--live", "--kubeconfig", cluster.kubeconfig)
    assert ended.code == 0, ended.err
    return ended


def allowing(namespaces: list[str], intents: list[str]) -> dict[str, Any]:
    return {"hints": {"allowedIntents": [{"namespaces": namespaces, "intents": intents}]}}


def test_names_are_those_of_the_cluster(here: Here, cluster: LiveCluster) -> None:
    found = json.loads(ask(here, cluster, "zone 1b, near rediss", "-o", "json").out)
    assert [p["values"] for p in found["preferences"]] == [["us-east-1b"], ["redis"]]
    assert "the cluster" in ask(here, cluster, "near redis").out


def test_a_kubeconfig_means_the_live_cluster(here: Here, cluster: LiveCluster) -> None:
    ended = here("hint", "zone 1b", "--kubeconfig", cluster.kubeconfig, "-o", "json")
    assert json.loads(ended.out)["preferences"][0]["values"] == ["us-east-1b"]


def test_without_live_no_cluster_is_asked(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert here("hint", "spread over zones").code == 0


def test_a_running_pods_wishes(here: Here, cluster: LiveCluster) -> None:
    assert "it is in zone us-east-1b" in ask(here, cluster, "--pod", "web-1").out


def test_wishes_that_the_policy_does_not_allow_are_shown_and_not_judged(here: Here, cluster: LiveCluster) -> None:
    cluster.answers[f"{API}/packingpolicies"] = [policy("p", **allowing(["llm"], ["prefer_memory_gb"]))]
    ended = ask(here, cluster, "--pod", "web-1")
    assert "not allowed  in zone us-east-1a (strong)" in ended.out
    found = json.loads(ask(here, cluster, "--pod", "web-1", "-o", "json").out)["pods"][0]
    assert [w["intent"] for w in found["nodes"][0]["wishes"]] == ["prefer_memory_gb"]


def test_hints_that_are_turned_off(here: Here, cluster: LiveCluster) -> None:
    cluster.answers[f"{API}/packingpolicies"] = [policy("p", hints={"enabled": False})]
    assert "turned off" in ask(here, cluster, "--pod", "web-1").out


def test_strong_wishes_that_are_enforced_are_said_to_be_so(here: Here, cluster: LiveCluster) -> None:
    cluster.answers[f"{API}/packingpolicies"] = [policy("p", hints={"enforceStrong": ["llm"]})]
    ended = ask(here, cluster, "--pod", "web-1")
    assert "enforced  in zone us-east-1a (strong)" in ended.out


def test_labels_that_the_policy_names_tell_the_nodes(here: Here, cluster: LiveCluster) -> None:
    cluster.answers[f"{API}/packingpolicies"] = [policy("p", hints={"labels": {"zone": ["example.com/hall"]}})]
    for made in cluster.answers["/api/v1/nodes"]["items"]:  # type: ignore[call-overload]
        made["metadata"]["labels"]["example.com/hall"] = "hall-7"
    assert json.loads(ask(here, cluster, "zone hal-7", "-o", "json").out)["preferences"][0]["values"] == ["hall-7"]
    assert "it is in zone hall-7" in ask(here, cluster, "--pod", "web-1").out


def test_policies_that_may_not_be_read_are_a_warning(here: Here, cluster: LiveCluster) -> None:
    cluster.forbidden.add(f"{API}/packingpolicies")
    ended = ask(here, cluster, "--pod", "web-1")
    assert "what policies say of hints is not known" in ended.err
    assert "it is in zone us-east-1b" in ended.out


def test_why_takes_the_policies_into_account(here: Here, cluster: LiveCluster) -> None:
    cluster.answers[f"{API}/packingpolicies"] = [policy("p", **allowing(["llm"], ["prefer_memory_gb"]))]
    ended = here("why", "web-1", "--kubeconfig", cluster.kubeconfig)
    assert "on n2: plain wishes met to 100%" in ended.out
