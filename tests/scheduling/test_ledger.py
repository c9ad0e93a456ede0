"""Approved is not bound: until the watch says what became of a pod, it counts where it may end."""

from __future__ import annotations

from .builders import Stage, node, plan, pod


def kept_beside(stage: Stage) -> None:
    """n1 keeps four GPUs; four are free beside them."""
    stage.plan(plan("p1").places("big", 1, on="n1", gpu=4))


def test_an_approval_counts_until_the_pod_is_bound() -> None:
    stage = Stage(node("n1"))
    kept_beside(stage)
    first = pod("a", gpu=4)
    assert stage.filter(first).nodes == ["n1"]
    assert stage.filter(pod("b", gpu=1)).nodes == []
    bound = stage.bind(first, "n1")
    assert stage.scheduler.ledger_size == 0
    assert stage.filter(pod("b", gpu=1)).nodes == []
    stage.remove(bound)
    assert stage.filter(pod("b", gpu=1)).nodes == ["n1"]


def test_an_approval_counts_on_every_node_where_the_pod_may_end_and_ranks_settle_it() -> None:
    stage = Stage(node("n1"), node("n2", gpu=4))
    kept_beside(stage)
    first = pod("a", gpu=4)
    assert stage.filter(first).nodes == ["n1", "n2"]
    assert stage.filter(pod("b", gpu=4), ["n1"]).nodes == []
    ranks = dict(stage.scheduler.prioritize(first, ["n1", "n2"]))
    assert ranks == {"n1": 9, "n2": 10}  # n2 is filled exactly
    assert stage.filter(pod("b", gpu=4), ["n1"]).nodes == ["n1"]


def test_an_approval_ends_when_the_pod_is_deleted_or_bound_elsewhere_or_its_time_is_over() -> None:
    for end in ("deleted", "elsewhere", "late"):
        stage = Stage(node("n1"), node("n2"))
        kept_beside(stage)
        first = pod("a", gpu=4)
        stage.tell(first)
        stage.filter(first, ["n1"])
        assert stage.filter(pod("b", gpu=4), ["n1"]).nodes == []
        match end:
            case "deleted":
                stage.remove(first)
            case "elsewhere":
                stage.bind(first, "n2")
            case _:
                stage.wait(14.9)
                assert stage.filter(pod("b", gpu=4), ["n1"]).nodes == []
                stage.wait(0.2)
        assert stage.filter(pod("b", gpu=4), ["n1"]).nodes == ["n1"], end


def test_asked_again_a_pod_does_not_stand_in_its_own_way() -> None:
    stage = Stage(node("n1"))
    kept_beside(stage)
    first = pod("a", gpu=4)
    assert stage.filter(first).nodes == ["n1"]
    assert stage.filter(first).nodes == ["n1"]
    big = pod("big-1", "big", gpu=4)
    assert stage.filter(big).nodes == ["n1"]
    assert stage.filter(big).nodes == ["n1"]
    assert stage.scheduler.ledger_size == 2


def test_a_place_that_an_approved_pod_takes_is_not_given_twice_nor_to_others() -> None:
    stage = Stage(node("n1"))
    kept_beside(stage)
    assert stage.filter(pod("big-1", "big", gpu=4)).nodes == ["n1"]
    assert stage.scheduler.reserved_pods == 0
    assert stage.filter(pod("big-2", "big", gpu=4)).nodes == ["n1"]  # the room beside it
    assert stage.filter(pod("big-3", "big", gpu=4)).nodes == []
    assert stage.filter(pod("other", gpu=1)).nodes == []


def test_asked_for_ranks_an_approved_pod_keeps_the_place_that_it_takes() -> None:
    stage = Stage(node("n1"))
    kept_beside(stage)
    first = pod("big-1", "big", gpu=4)
    stage.filter(first)
    stage.scheduler.prioritize(first, ["n1"])
    assert stage.scheduler.reserved_pods == 0
    assert stage.filter(pod("other", gpu=4)).nodes == ["n1"]  # the place is counted once, not twice


def test_a_place_opens_again_when_the_approved_pod_is_given_up() -> None:
    stage = Stage(node("n1", gpu=4))
    kept_beside(stage)
    stage.filter(pod("big-1", "big", gpu=4))
    stage.wait(16)
    assert stage.scheduler.reserved_pods == 1
    assert stage.filter(pod("big-2", "big", gpu=4)).nodes == ["n1"]


def test_the_replacement_of_a_standing_pod_leaves_the_place_open() -> None:
    standing = pod("big-0", "big", gpu=4, on="n1")
    stage = Stage(node("n1"), standing)
    stage.plan(plan("p1").places("big", 1, on="n1", gpu=4, standing=1))
    stage.remove(standing)
    stage.filter(pod("big-1", "big", gpu=4))
    assert stage.scheduler.reserved_pods == 1


def test_a_place_opens_again_though_it_was_counted_in_between() -> None:
    stage = Stage(node("n1", gpu=4))
    kept_beside(stage)
    stage.filter(pod("big-1", "big", gpu=4))
    assert stage.scheduler.reserved_pods == 0
    stage.wait(16)
    assert stage.scheduler.reserved_pods == 1


def test_a_pod_that_is_bound_already_is_not_written_down_again() -> None:
    stage = Stage(node("n1"))
    first = pod("a", gpu=4)
    stage.bind(first, "n1")
    stage.filter(first)
    assert stage.scheduler.ledger_size == 0
