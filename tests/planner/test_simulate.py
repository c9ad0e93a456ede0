"""The simulator must see each way in which a plan can be unsafe: sound plans are spoiled on purpose."""

from __future__ import annotations

import msgspec
import pytest

from berth_api.reasons import Reason
from berth_planner.plan import Eviction, Placement, Plan, Step, Wave
from berth_planner.planning import make_plan
from berth_planner.simulate import simulate

from .clusters import HOSTNAME, Cluster, pod_term


def cluster() -> Cluster:
    made = Cluster().node("n1", gpu=8).node("n2", gpu=8).pods("a", on="n1", gpu=4).pods("b", on="n2", gpu=4)
    return made.pods("big", gpu=8, priority=10)


def spoiled(plan: Plan, **changes: object) -> Plan:
    wave = msgspec.structs.replace(plan.waves[0], steps=(), **changes)
    return msgspec.structs.replace(plan, waves=(wave,))


def test_the_sound_plan_is_sound() -> None:
    snapshot = cluster().snapshot()
    simulation = simulate(snapshot, make_plan(snapshot))
    assert simulation.violations == ()
    assert [dict(m.placed) for m in simulation.moments] == [{0: 2}, {0: 2, 10: 1}]


def test_room_that_is_not_free_yet_is_seen() -> None:
    snapshot = cluster().snapshot()
    plan = make_plan(snapshot)
    late = spoiled(plan, evictions=())
    assert any("cannot go to" in v for v in simulate(snapshot, late).violations)


def test_an_eviction_without_use_is_worse_by_tier() -> None:
    snapshot = cluster().snapshot()
    plan = make_plan(snapshot)
    lossy = spoiled(plan, placements=())
    assert any("worse by tier" in v for v in simulate(snapshot, lossy).violations)


def test_steps_that_do_not_add_up_are_seen() -> None:
    snapshot = cluster().snapshot()
    plan = make_plan(snapshot)
    wave = msgspec.structs.replace(plan.waves[0], steps=(Step((), plan.waves[0].placements),))
    broken = msgspec.structs.replace(plan, waves=(wave,))
    assert any("add up" in v for v in simulate(snapshot, broken).violations)


def test_a_budget_is_charged_until_the_replacement_stands() -> None:
    made = Cluster().node("n1", gpu=8).node("n2", gpu=8).node("n3", gpu=8)
    made.pods("a", 1, on="n1", gpu=1).pods("a", 1, on="n2", gpu=1).budget("a", 1, app="a")
    snapshot = made.snapshot()

    def move(number: int) -> tuple[Eviction, Placement]:
        pod = snapshot.pods[number]
        eviction = Eviction(pod.key, pod.uid, pod.workload, 0, pod.node or "", "n3", 1, pod.spec.requests)
        return eviction, Placement(pod.workload, 0, "n3", 1, pod.spec.requests)

    (first, first_place), (second, second_place) = move(0), move(1)
    sound = make_plan(snapshot)
    one_by_one = (Wave((first,), (first_place,)), Wave((second,), (second_place,)))
    together = (Wave((first, second), (first_place, second_place)),)
    assert simulate(snapshot, msgspec.structs.replace(sound, waves=one_by_one)).violations == ()
    assert any(
        "budget a allows no more" in v
        for v in simulate(snapshot, msgspec.structs.replace(sound, waves=together)).violations
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"ports": [80]}, {"ports": [80]}),
        ({"anti_affinity": [pod_term(HOSTNAME, app="q")]}, {}),
        ({}, {"anti_affinity": [pod_term(HOSTNAME, app="p")]}),
        ({"affinity": [pod_term(HOSTNAME, app="elsewhere")]}, {}),
    ],
)
def test_rules_between_pods_are_checked_as_kubernetes_does(first: dict[str, object], second: dict[str, object]) -> None:
    made = Cluster().node("n1", gpu=8).pods("p", gpu=1, **first).pods("q", gpu=1, **second)  # type: ignore[arg-type]
    snapshot = made.snapshot()
    placements = tuple(Placement(p.workload, 0, "n1", 1, p.spec.requests, (p.key,)) for p in snapshot.pods)
    plan = msgspec.structs.replace(make_plan(snapshot), waves=(Wave((), placements),))
    assert len(simulate(snapshot, plan).violations) == 1


def test_pods_that_must_stay_may_not_be_evicted() -> None:
    made = (
        Cluster()
        .node("n1", gpu=8)
        .pods("a", on="n1", gpu=8, immovable=[Reason.DO_NOT_MOVE])
        .pods("v", gpu=8, priority=1)
    )
    snapshot = made.snapshot()
    a, v = snapshot.pods
    wave = Wave(
        (Eviction(a.key, a.uid, a.workload, 0, "n1", None, 1, a.spec.requests),),
        (Placement(v.workload, 1, "n1", 1, v.spec.requests, (v.key,)),),
    )
    plan = msgspec.structs.replace(make_plan(snapshot), waves=(wave,))
    assert simulate(snapshot, plan).violations == ("wave 1, step 1: default/a-0 must not be moved",)
