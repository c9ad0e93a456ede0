"""`berth status`: who is alive, what holds, what runs and who waits, in words and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from berth_cli.holders import live_holders
from berth_cluster.leases import Lease

from .command import Here
from .live_cluster import API, LEASES, Json, LiveCluster, alive, lease, needs_kubectl, plan, policy

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[LiveCluster]:
    with LiveCluster(tmp_path).serving() as serving:
        yield serving


def waiting(name: str, why: Json | None, scheduler: str = "berth") -> Json:
    annotations = {"berth.dev/why": json.dumps(why)} if why else {}
    return {
        "metadata": {"name": name, "namespace": "llm", "annotations": annotations},
        "spec": {"schedulerName": scheduler},
    }


@needs_kubectl
def test_a_quiet_cluster_shows_the_defaults_that_hold(here: Here, cluster: LiveCluster) -> None:
    ended = here("status", "--kubeconfig", cluster.kubeconfig)
    assert ended.code == 0, ended.err
    assert "built-in defaults (no PackingPolicy): Automatic, at most 50 moves a plan, 100 an hour" in ended.out
    assert "No pod of scheduler berth waits." in ended.out


@needs_kubectl
def test_pods_are_counted_by_why_they_wait(here: Here, cluster: LiveCluster) -> None:
    full = {"code": "NothingBetter", "message": "every node is full"}
    cluster.answers["/api/v1/pods"] = [
        waiting("a", full),
        waiting("b", full),
        waiting("new", None),
        waiting("odd", None) | {"metadata": {"name": "odd", "annotations": {"berth.dev/why": "}not json"}}},
        waiting("other", None, scheduler="default-scheduler"),
    ]
    told = json.loads(here("status", "--kubeconfig", cluster.kubeconfig, "-o", "json").out)["waiting"]
    assert [(w["code"], w["pods"], w["message"]) for w in told] == [
        ("NothingBetter", 2, "every node is full"),
        ("NoWordYet", 2, ""),
    ]


@needs_kubectl
def test_plans_are_told_by_name_where_extenders_keep_their_room(here: Here, cluster: LiveCluster) -> None:
    cluster.answers[f"{API}/packingplans"] = [plan("plan-now", approved=True), plan("plan-old", phase="Completed")]
    cluster.answers[f"{API}/packingpolicies"] = [policy("gold", mode="Manual", budgets={"movesPerHour": 7})]
    cluster.answers[LEASES] = [*alive(), lease("berth-extender-b", plans=("uid-plan-now",))]
    out = here("status", "--kubeconfig", cluster.kubeconfig).out
    assert "keeps room for plan-now" in out
    assert "gold: Manual, at most 50 moves a plan, 7 an hour" in out
    assert out.index("plan-now ") < out.index("plan-old ")


@needs_kubectl
def test_a_dead_operator_is_called_gone(here: Here, cluster: LiveCluster) -> None:
    cluster.answers[LEASES] = [lease("berth-operator", renewed_ago=60, holder="op-1"), *alive()[1:]]
    ended = here("status", "--kubeconfig", cluster.kubeconfig)
    assert ended.code == 1
    assert "op-1 is gone (last sign 6" in ended.out


@needs_kubectl
def test_without_berth_it_is_said_how_to_install_it(here: Here, cluster: LiveCluster) -> None:
    del cluster.answers[API]
    ended = here("status", "--kubeconfig", cluster.kubeconfig)
    assert ended.code == 2
    assert "NotInstalled" in ended.err
    assert "kubectl apply -f manifests/crds" in ended.err


def looked_at(*looks: Mapping[str, Lease]) -> frozenset[str]:
    """Live ones by these looks, a second apart; the last one stays."""
    left, time = list(looks), [0.0]

    def pause(seconds: float) -> None:
        time[0] += seconds

    return live_holders(
        lambda: left.pop(0) if len(left) > 1 else left[0],
        matters=lambda name: name.startswith("berth-"),
        now=lambda: NOON,
        clock=lambda: time[0],
        sleep=pause,
    )[1]


def renewed(at: str, holder: str = "x") -> dict[str, Lease]:
    return {"berth-operator": Lease("berth-operator", holder, at)}


def test_who_renews_is_alive_whatever_the_clocks_say() -> None:
    """This machine's clock is an hour ahead."""
    assert looked_at(renewed("2026-11-23T11:00:00Z"), renewed("2026-11-23T11:00:02Z")) == {"berth-operator"}


def test_who_does_not_renew_is_gone() -> None:
    assert looked_at(renewed("2026-11-23T11:00:00Z")) == frozenset()


def test_a_lease_that_was_given_back_is_held_by_nobody() -> None:
    assert looked_at(renewed("2026-11-23T12:00:00Z", holder="")) == frozenset()
