"""A plan that moves replicas of an LLMService: where both have room the new one answers before the old one leaves."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from berth_api.packing_plan import Outcome
from berth_api.packing_policy import Budgets, PackingPolicySpec
from berth_operator.relieving import SURGE_SECONDS
from berth_planner.plan_object import LOADING_SECONDS

from .model_cluster import ModelCluster, outcome, stamp
from .plans import PlanBuilder, plan
from .test_plan_execution import cancel_at, is_released


def beside_a_free_half(load: float = 30.0) -> ModelCluster:
    """A replica on n2, half of n1 free, and a pod that needs a whole node."""
    cluster = ModelCluster().node("n1").node("n2").deploy("web", gpu=4, on=["n1"])
    return cluster.serve("llm", gpu=4, on=["n2"], load=load, grace=5.0).deploy("big", gpu=8, priority=100, on=[None])


def repack(cluster: ModelCluster, **options: float) -> PlanBuilder:
    built = plan("p1", cluster, **options).evicts("llm-0", to="n1").places("llm", on="n1")
    return built.then().places("big", on="n2", pods=("big-0",))


def settled(cluster: ModelCluster) -> bool:
    """A while after the plan: as many replicas as asked for, and nobody is marked."""
    for _ in range(20):
        cluster.tick()
    services = [owner for owner in cluster.owners.values() if owner.load is not None]
    alive = [p for p in cluster.pods.values() if not p.terminating]
    return all(
        owner.extra == 0 and sum(p.workload == owner.key for p in alive) == owner.replicas for owner in services
    ) and not any(p.relieved_by or p.deletion_cost for p in alive)


def test_where_both_have_room_the_new_replica_answers_before_the_old_one_leaves() -> None:
    cluster = beside_a_free_half()
    done = cluster.carry_out(repack(cluster).build())
    assert outcome(done) is Outcome.COMPLETED
    assert cluster.fewest["llm"] == 1
    assert (cluster.evicted, cluster.relieved) == ([], ["uid-llm-0"])
    assert cluster.apps_on("n1") == {"web": 1, "llm": 1}
    assert cluster.on("n2") == ["big-0"]
    assert [r.uid for r in done.status.evictions] == ["uid-llm-0"]
    assert done.status.progress == "placed 2/2, moved 1/1"
    assert 30 < cluster.seconds < 50
    assert [bool(p.moved_at) for p in cluster.pods.values() if p.workload.name == "llm"] == [True]
    assert is_released(cluster)
    assert settled(cluster)


def test_where_only_one_has_room_it_drains_and_then_moves() -> None:
    """llm-0 and old-0 change places' rooms: n1 is full until old-0 has gone."""
    cluster = ModelCluster().node("n1").node("n2").node("n3", gpu=4).deploy("old", gpu=8, on=["n1"])
    cluster.serve("llm", gpu=4, on=["n2"], load=30.0).deploy("big", gpu=8, priority=100, on=[None])
    built = plan("p1", cluster).evicts("old-0").evicts("llm-0", to="n1").places("llm", on="n1")
    done = cluster.carry_out(built.then().places("big", on="n2", pods=("big-0",)).build())
    assert outcome(done) is Outcome.COMPLETED
    assert (sorted(cluster.evicted), cluster.relieved) == (["uid-llm-0", "uid-old-0"], [])
    assert cluster.seconds < 10
    assert settled(cluster)


def test_replicas_of_one_service_move_one_after_the_other() -> None:
    cluster = ModelCluster().node("n1").node("n2").serve("llm", gpu=2, on=["n2", "n2", "n2"], load=10.0)
    cluster.deploy("big", gpu=8, priority=100, on=[None])
    built = plan("p1", cluster).evicts("llm-0", to="n1").evicts("llm-1", to="n1").evicts("llm-2", to="n1")
    built = built.places("llm", 3, on="n1").then().places("big", on="n2", pods=("big-0",))
    most = [0]

    def count(cluster: ModelCluster, seconds: float) -> None:
        most[0] = max(most[0], sum(p.workload.name == "llm" and not p.terminating for p in cluster.pods.values()))

    done = cluster.carry_out(built.build(), during=count)
    assert outcome(done) is Outcome.COMPLETED
    assert (cluster.fewest["llm"], most, len(cluster.relieved)) == (3, [4], 3)
    assert cluster.evicted == []
    assert cluster.apps_on("n1") == {"llm": 3}
    assert settled(cluster)


def test_replicas_of_two_services_load_side_by_side() -> None:
    cluster = ModelCluster().node("n1").node("n2").deploy("big", gpu=8, priority=100, on=[None])
    cluster.serve("a", gpu=4, on=["n2"], load=30.0).serve("b", gpu=4, on=["n2"], load=30.0)
    built = plan("p1", cluster).evicts("a-0", to="n1").evicts("b-0", to="n1").places("a", on="n1").places("b", on="n1")
    done = cluster.carry_out(built.then().places("big", on="n2", pods=("big-0",)).build())
    assert outcome(done) is Outcome.COMPLETED
    assert cluster.fewest == {"a": 1, "b": 1}
    assert cluster.seconds < 45


def test_others_of_the_step_wait_until_the_replica_has_left() -> None:
    """web-0 is to have llm-0's room: evicted at once it would wait for it as long as the new replica loads."""
    cluster = ModelCluster().node("n1").node("n2", gpu=4).node("n3").deploy("web", gpu=4, on=["n3"])
    cluster.serve("llm", gpu=4, on=["n2"], load=30.0).deploy("big", gpu=8, priority=100, on=[None])
    built = plan("p1", cluster).evicts("web-0", to="n2").evicts("llm-0", to="n1").places("web", on="n2")
    built = built.places("llm", on="n1").then().places("big", on="n3", pods=("big-0",))

    def watch(cluster: ModelCluster, seconds: float) -> None:
        assert not cluster.evicted or cluster.relieved

    done = cluster.carry_out(built.build(), during=watch)
    assert outcome(done) is Outcome.COMPLETED
    assert (cluster.evicted, cluster.fewest["llm"]) == (["uid-web-0"], 1)


def test_of_a_service_without_room_for_all_its_replicas_none_is_spared() -> None:
    """The ReplicaSet would take the one that waits away, and never the marked one."""
    cluster = ModelCluster().node("n1").node("n2", gpu=4).serve("llm", gpu=4, on=["n2"])
    cluster.owners["llm"].replicas = 2
    cluster.scheduler_runs = False
    for _ in range(5):
        cluster.tick()
    assert cluster.on(None) == ["llm-1"]
    built = plan("p1", cluster).evicts("llm-0", to="n1").places("llm", on="n1")
    cluster.carry_out(built.build(), seconds=30.0)
    assert (cluster.evicted, cluster.relieved) == (["uid-llm-0"], [])


def test_a_replica_whose_place_another_replacement_has_taken_is_evicted() -> None:
    """llm-0 has no place in the plan; its replacement takes the one that is kept for that of llm-1."""
    cluster = ModelCluster().node("n1", gpu=4).node("n2").node("n3")
    cluster.serve("llm", gpu=4, on=["n2", "n3"], load=1.0)
    cluster.deploy("web", gpu=4, on=["n2", "n3"]).deploy("big", gpu=4, priority=100, on=[None, None])
    built = plan("p1", cluster).evicts("llm-0").places("big", on="n2", pods=("big-0",)).next_wave()
    built = built.evicts("llm-1", to="n1").places("llm", on="n1").then().places("big", on="n3", pods=("big-1",))
    done = cluster.carry_out(built.build())
    assert outcome(done) is Outcome.COMPLETED
    assert cluster.evicted == ["uid-llm-0", "uid-llm-1"]


def test_a_mark_that_nobody_answers_ends_in_the_plain_eviction() -> None:
    cluster = beside_a_free_half()
    cluster.owners["llm"].reconciled = False
    done = cluster.carry_out(repack(cluster).build())
    assert outcome(done) is Outcome.COMPLETED
    assert (cluster.evicted, cluster.relieved) == (["uid-llm-0"], [])
    assert SURGE_SECONDS <= cluster.seconds < SURGE_SECONDS + 20
    assert len(done.status.evictions) == 1


def test_where_a_quota_forbids_one_more_the_budget_lets_it_be_evicted() -> None:
    """As long as one more is asked for, one is missing, and the budget lets nobody go."""
    cluster = beside_a_free_half().budget("llm", 1)
    cluster.owners["llm"].most = 1
    done = cluster.carry_out(repack(cluster).build())
    assert outcome(done) is Outcome.COMPLETED
    assert (cluster.evicted, cluster.relieved) == (["uid-llm-0"], [])
    assert cluster.seconds < SURGE_SECONDS + 20
    assert settled(cluster)


def test_a_replica_whose_place_is_taken_by_a_pod_of_the_same_plan_holds_nobody_up() -> None:
    """n1 has room for one of two, the further replica and pod-0, until old-0 has left it."""
    cluster = ModelCluster().node("n1").node("n2", gpu=4).node("n3", gpu=4).budget("llm", 1)
    cluster.deploy("old", gpu=4, on=["n1"]).serve("llm", gpu=4, on=["n2"], load=5.0)
    cluster.deploy("pod", gpu=4, priority=100, on=[None])
    built = plan("p1", cluster).evicts("old-0", to="n3").evicts("llm-0", to="n1").places("llm", on="n1")
    built = built.places("pod", on="n1", pods=("pod-0",)).places("old", on="n3")

    def come_first(cluster: ModelCluster, seconds: float) -> None:
        if cluster.owners["llm"].extra and cluster.pod("pod-0").node is None:
            cluster.change_pod(replace(cluster.pod("pod-0"), node="n1", phase="Running", unschedulable=False))

    done = cluster.carry_out(built.build(), during=come_first)
    assert outcome(done) is Outcome.COMPLETED
    assert (cluster.evicted, cluster.relieved, cluster.fewest["llm"]) == (["uid-old-0"], ["uid-llm-0"], 1)
    assert cluster.seconds < 30
    assert settled(cluster)


def test_a_deletion_cost_of_somebody_elses_is_left_alone() -> None:
    cluster = beside_a_free_half()
    cluster.change_pod(replace(cluster.pod("llm-0"), deletion_cost="7"))
    assert outcome(cluster.carry_out(repack(cluster).build())) is Outcome.COMPLETED
    assert (cluster.evicted, cluster.relieved) == (["uid-llm-0"], [])


@pytest.mark.parametrize(("deadline", "words"), [(600.0, "before the deadline"), (4_000.0, "for 15 minutes")])
def test_a_replacement_that_never_answers_ends_the_plan_and_the_old_one_serves_on(deadline: float, words: str) -> None:
    cluster = beside_a_free_half(load=float("inf"))
    done = cluster.carry_out(repack(cluster, deadline=deadline).build(), seconds=4_000.0)
    assert outcome(done) is Outcome.REPLACEMENT_NOT_READY
    assert words in done.status.message
    assert cluster.seconds <= LOADING_SECONDS + 20
    assert is_released(cluster)
    assert settled(cluster)
    assert (cluster.answering("llm"), cluster.fewest["llm"]) == (["llm-0"], 1)
    assert (cluster.evicted, cluster.relieved) == ([], [])


def test_cancelled_while_the_new_replica_loads_the_old_one_stays() -> None:
    cluster = beside_a_free_half()
    done = cluster.carry_out(repack(cluster).build(), during=cancel_at(15))
    assert outcome(done) is Outcome.CANCELLED
    assert cluster.seconds < 20
    assert settled(cluster)
    assert cluster.answering("llm") == ["llm-0"]


def test_another_replica_that_fails_just_then_is_taken_in_its_place_and_it_begins_anew() -> None:
    cluster = ModelCluster().node("n1").node("n2").node("n3", gpu=4)
    cluster.serve("llm", gpu=4, on=["n2", "n3"], load=10.0).deploy("big", gpu=8, priority=100, on=[None])
    service = cluster.owners["llm"]
    failed = []

    def fail(cluster: ModelCluster, seconds: float) -> None:
        service.reconciled = bool(failed) or not service.extra
        if not failed and len(cluster.answering("llm")) == 3:
            failed.append(seconds)
            cluster.fail("llm-1")
            service.extra, service.reconciled = 0, False  # it has scaled down a moment before

    done = cluster.carry_out(repack(cluster).build(), during=fail)
    assert failed
    assert outcome(done) is Outcome.COMPLETED
    assert (cluster.relieved, cluster.evicted, cluster.fewest["llm"]) == (["uid-llm-0"], [], 2)
    assert "uid-llm-1" not in cluster.pods
    assert settled(cluster)


def test_the_policys_limits_count_relieved_replicas() -> None:
    cluster = beside_a_free_half()
    cluster.policy = PackingPolicySpec(budgets=Budgets(moves_per_plan=1))
    built = plan("p1", cluster).evicts("llm-0", to="n1").places("llm", on="n1")
    built = built.next_wave().evicts("web-0", to="n2").places("web", on="n2")
    done = cluster.carry_out(built.build())
    assert outcome(done) is Outcome.BUDGET_EXHAUSTED
    assert (cluster.relieved, cluster.evicted) == (["uid-llm-0"], [])


def test_a_more_important_pod_need_not_wait_until_the_model_has_loaded() -> None:
    cluster = beside_a_free_half(load=300.0)

    def urgent(cluster: ModelCluster, seconds: float) -> None:
        if seconds == 20:
            cluster.deploy("urgent", gpu=9, priority=1000, on=[None])
            cluster.change_pod(replace(cluster.pod("urgent-0"), created=stamp(cluster.now)))

    done = cluster.carry_out(repack(cluster).build(), during=urgent)
    assert outcome(done) is Outcome.OVERTAKEN
    assert cluster.seconds < 25
    assert settled(cluster)
    assert cluster.answering("llm") == ["llm-0"]


def test_a_thief_who_takes_the_room_ends_the_plan_and_the_old_replica_serves_on() -> None:
    cluster = beside_a_free_half()
    cluster.scheduler_runs = False

    def steal(cluster: ModelCluster, seconds: float) -> None:
        if cluster.owners["llm"].extra and "thief" not in cluster.owners:
            cluster.deploy("thief", gpu=4, on=["n1"], scheduler="default-scheduler")
            cluster.change_pod(replace(cluster.pod("thief-0"), created=stamp(cluster.now)))
            cluster.scheduler_runs = True

    done = cluster.carry_out(repack(cluster).build(), during=steal)
    assert outcome(done) is Outcome.OVERTAKEN
    assert settled(cluster)
    assert (cluster.answering("llm"), cluster.fewest["llm"]) == (["llm-0"], 1)


@pytest.mark.parametrize("every", [2, 3, 5, 7])
def test_an_executor_that_dies_at_any_moment_is_followed_by_one_that_goes_on(every: int) -> None:
    cluster = beside_a_free_half()
    calls = [0]

    def dies() -> bool:
        calls[0] += 1
        return calls[0] % (every + 1) == 0

    done = cluster.carry_out(repack(cluster).build(), dies=dies)
    assert outcome(done) is Outcome.COMPLETED
    assert (cluster.fewest["llm"], cluster.relieved, cluster.evicted) == (1, ["uid-llm-0"], [])
    assert cluster.overdrawn == []
    assert settled(cluster)
