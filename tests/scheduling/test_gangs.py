"""Members of a gang wait for room for all, but never for ever, and never where nobody plans."""

from __future__ import annotations

from msgspec.structs import replace

from berth_api.packing_policy import PackingPolicy
from berth_scheduling.answers import Outcome
from berth_scheduling.settings import Settings

from .builders import Stage, node, plan, pod

FOUR = [pod(f"m{i}", "train", gpu=4, gang=("default/train", 4)) for i in range(4)]


def test_members_wait_until_a_plan_has_room_for_all_that_are_missing() -> None:
    stage = Stage(node("n1"), node("n2"), *FOUR)
    held = stage.filter(FOUR[0])
    assert held.nodes == []
    assert held.unresolvable["n1"] == "waiting for gang default/train: room for 4 more is missing"
    assert held.outcome is Outcome.WAITING_FOR_GANG

    made = stage.plan(plan("p1").places("train", 2, on="n1", gpu=4).places("train", 1, on="n2", gpu=4))
    assert stage.filter(FOUR[0]).nodes == []  # three places, four are missing

    stage.delete_plan(made)
    stage.plan(plan("p2").places("train", 2, on="n1", gpu=4).places("train", 2, on="n2", gpu=4))
    went = []
    for member in FOUR:  # the watch is late: what was approved counts too
        (on,) = stage.filter(member).nodes
        went.append(on)
    assert sorted(went) == ["n1", "n1", "n2", "n2"]


def test_bound_members_count() -> None:
    stage = Stage(node("n1"), node("n2"), *FOUR)
    for member in FOUR[:3]:
        stage.bind(member, "n1")
    assert stage.filter(FOUR[3]).nodes == []
    stage.plan(plan("p1").places("train", 1, on="n2", gpu=4))
    assert stage.filter(FOUR[3]).nodes == ["n2"]


def test_a_member_beyond_the_minimum_is_not_held() -> None:
    stage = Stage(node("n1"), node("n2"))
    stage.tell(*(replace(m, node="n1", phase="Running") for m in FOUR))
    assert stage.filter(pod("m4", "train", gpu=4, gang=("default/train", 4))).nodes == ["n1", "n2"]


def test_terminating_members_do_not_count() -> None:
    stage = Stage(node("n1"), node("n2"))
    for member in FOUR:
        stage.tell(replace(member, node="n1", phase="Running", terminating=True))
    assert stage.filter(pod("m4", "train", gpu=4, gang=("default/train", 4))).nodes == []


def test_the_hold_ends_in_time_from_when_the_first_member_was_seen() -> None:
    stage = Stage(node("n1"), settings=Settings(gang_hold_seconds=60))
    stage.tell(FOUR[0])
    stage.wait(30)
    stage.tell(*FOUR)  # told again: the clock goes on
    assert stage.filter(FOUR[1]).nodes == []
    stage.wait(29.9)
    assert stage.filter(FOUR[1]).nodes == []
    stage.wait(0.2)
    assert stage.filter(FOUR[1]).nodes == ["n1"]


def test_a_gated_member_does_not_begin_the_hold() -> None:
    stage = Stage(node("n1"), settings=Settings(gang_hold_seconds=60))
    stage.tell(replace(FOUR[0], gated=True))
    stage.wait(50)
    assert stage.scheduler.waiting_gang_pods == 0
    stage.tell(*FOUR)
    stage.wait(50)
    assert stage.filter(FOUR[0]).nodes == []
    stage.wait(11)
    assert stage.filter(FOUR[0]).nodes == ["n1"]


def test_a_gang_that_waits_again_is_held_anew() -> None:
    stage = Stage(node("n1"), settings=Settings(gang_hold_seconds=60))
    stage.tell(*FOUR)
    bound = [stage.bind(member, "n1") for member in FOUR]
    stage.wait(3_600)
    stage.remove(bound[0])
    assert stage.filter(pod("m9", "train", gpu=4, gang=("default/train", 4))).nodes == []


def test_without_a_leader_nobody_is_held() -> None:
    stage = Stage(node("n1"), *FOUR, leader=False)
    assert stage.filter(FOUR[0]).nodes == ["n1"]


def test_a_member_that_the_watch_has_not_told_of_yet_is_held_like_the_others() -> None:
    stage = Stage(node("n1"))
    assert stage.filter(FOUR[0]).outcome is Outcome.WAITING_FOR_GANG
    assert stage.scheduler.waiting_gang_pods == 1
    stage.tell(FOUR[0])
    stage.remove(FOUR[0])
    assert stage.scheduler.waiting_gang_pods == 0


def test_one_place_is_not_counted_for_two_members() -> None:
    stage = Stage(node("n1"), *FOUR)
    stage.plan(plan("p1").places("train", 3, on="n1", gpu=4).places("other", 5, on="n1", gpu=1))
    assert stage.filter(FOUR[0]).nodes == []


def test_places_count_only_for_members_that_are_there_to_take_them() -> None:
    stage = Stage(node("n1"), node("n2"), *FOUR[:2])
    stage.plan(plan("p1").places("train", 2, on="n1", gpu=4).places("train", 2, on="n2", gpu=4))
    assert stage.filter(FOUR[0]).unresolvable["n1"].endswith("room for 2 more is missing")


def test_an_approved_member_does_not_take_a_second_place() -> None:
    stage = Stage(node("n1"), node("n2"), *FOUR, leader=False)
    stage.filter(FOUR[0])
    stage.remove(FOUR[3])
    stage.scheduler.leader_alive = True
    stage.plan(plan("p1").places("train", 1, on="n1", gpu=4).places("train", 2, on="n2", gpu=4))
    assert stage.filter(FOUR[1]).unresolvable["n1"].endswith("room for 1 more is missing")


def test_the_oldest_policy_that_covers_a_gang_says_how_long_it_is_held() -> None:
    stage = Stage(node("n1"), *FOUR)

    def policy(name: str, day: int, seconds: int, **scope: object) -> PackingPolicy:
        spec = {"gangHoldSeconds": seconds, "scope": scope}
        created = {"name": name, "creationTimestamp": f"2026-01-0{day}T00:00:00Z"}
        return PackingPolicy.model_validate({"metadata": created, "spec": spec})

    assert stage.filter(FOUR[0]).nodes == []
    stage.wait(20)
    assert stage.filter(FOUR[0]).nodes == []
    others = policy("others", 1, 5, namespaces=["elsewhere"])
    older, younger = policy("older", 2, 60), policy("younger", 3, 10)
    for told in (younger, others, older):
        stage.scheduler.policy_changed(None, told)
    assert stage.filter(FOUR[0]).nodes == []
    stage.scheduler.policy_changed(older, None)
    assert stage.filter(FOUR[0]).nodes == ["n1"]
