"""Pods are packed by what this cluster has seen asked for."""

from __future__ import annotations

from berth_cluster.snapshot import Pod

from .builders import Stage, node, pod


def ranks(stage: Stage, asked: Pod, *names: str) -> dict[str, int]:
    return dict(stage.scheduler.prioritize(asked, list(names)))


def test_a_pod_without_gpus_keeps_off_cores_that_pods_with_gpus_need() -> None:
    stage = Stage(node("gpus", cpu=32), node("plain", gpu=0, cpu=64))
    stage.tell(*(pod(f"g{i}", gpu=1, cpu=4) for i in range(5)), pod("x", cpu=2, on="gpus"))
    assert ranks(stage, pod("web", cpu=8), "gpus", "plain") == {
        "plain": 10,
        "gpus": 9,
    }  # best fit would take the fuller


def test_what_is_asked_for_later_changes_the_ranks_once_it_is_common() -> None:
    stage = Stage(node("a", gpu=4), node("b", gpu=8), pod("x", gpu=1, on="a"), pod("y", gpu=4, on="b"))
    small = [pod(f"s{i}", gpu=1, cpu=1) for i in range(20)]
    stage.tell(*small)
    asked = pod("asked", gpu=1)
    before = ranks(stage, asked, "a", "b")
    stage.tell(*(pod(f"big{i}", gpu=3, cpu=1) for i in range(400)))
    assert ranks(stage, asked, "a", "b") == before  # not in the middle of requests
    for _ in range(10):
        stage.wait(1.0)
    assert before == {"a": 10, "b": 9}
    assert ranks(stage, asked, "a", "b") == {"b": 10, "a": 9}  # three are left on a: just one of the big ones


def test_nodes_that_come_later_are_ranked_like_those_that_were_there() -> None:
    stage = Stage()
    stage.filter(pod("early", gpu=1), ["n0"])
    stage.tell(*(node(f"n{i}") for i in range(200)))
    stage.tell(pod("x", gpu=4, on="n150"))
    answer = ranks(stage, pod("a", gpu=4), *stage.nodes)
    assert [name for name, rank in answer.items() if rank == 10] == ["n150"]


def test_a_resource_that_comes_to_the_cluster_later_is_packed_too() -> None:
    stage = Stage(node("old", gpu=0))
    assert ranks(stage, pod("a"), "old") == {"old": 10}
    stage.tell(node("n1"), node("n2"), pod("x", gpu=4, on="n2"))
    assert ranks(stage, pod("b", gpu=4), "n1", "n2") == {"n2": 10, "n1": 9}
    assert set(ranks(stage, pod("a"), "old", "n1")) == {"old", "n1"}


def test_pods_that_are_told_before_their_nodes_do_not_spoil_the_measure() -> None:
    stage = Stage(pod("x", gpu=4, on="n2"))
    assert set(ranks(stage, pod("early", gpu=4), "n1", "n2")) == {"n1", "n2"}
    stage.tell(node("n1"), node("n2"))
    assert ranks(stage, pod("b", gpu=4), "n1", "n2") == {"n2": 10, "n1": 9}
