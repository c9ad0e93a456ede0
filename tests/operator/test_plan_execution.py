"""What becomes of a plan, on a model cluster under virtual time: the plain case, and everything that comes between."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from berth_api.packing_plan import Outcome, Trigger
from berth_api.packing_policy import Budgets, Mode, PackingPolicySpec, QuietHours
from berth_api.reasons import Reason
from berth_cluster.snapshot import Taint

from .model_cluster import START, ModelCluster, outcome, stamp
from .plans import PlanBuilder, plan


def fragmented() -> ModelCluster:
    """Two nodes with half a node free each, and a pod that needs a whole one."""
    cluster = ModelCluster().node("n1").node("n2")
    return cluster.deploy("web", gpu=4, on=["n1", "n2"]).deploy("big", gpu=8, priority=100, on=[None])


def fragmented_slowly(grace: float) -> ModelCluster:
    """The same, of a StatefulSet: its pods take their time to end, and are replaced only then."""
    cluster = (
        ModelCluster().node("n1").node("n2").deploy("web", gpu=4, on=["n1", "n2"], grace=grace, kind="StatefulSet")
    )
    return cluster.deploy("big", gpu=8, priority=100, on=[None])


def repack(cluster: ModelCluster, **options: float) -> PlanBuilder:
    """web-1 joins web-0 on n1, big-0 gets n2."""
    built = plan("p1", cluster, **options).evicts("web-1", to="n1").places("web", on="n1")
    return built.then().places("big", on="n2", pods=("big-0",))


def is_released(cluster: ModelCluster) -> bool:
    cluster.scheduler.expire()
    return cluster.scheduler.active_plan_uids == () and cluster.scheduler.reserved_pods == 0


def test_a_fragmented_cluster_is_repacked() -> None:
    cluster = fragmented()
    done = cluster.carry_out(repack(cluster).build())
    assert outcome(done) is Outcome.COMPLETED
    assert cluster.apps_on("n1") == {"web": 2}
    assert cluster.on("n2") == ["big-0"]
    assert (done.status.progress, done.status.phase) == ("placed 2/2, moved 1/1", "Completed")
    assert [(s.state, s.evicted, s.placed) for s in done.status.steps] == [("Done", 1, 1), ("Done", 0, 1)]
    assert is_released(cluster)


def test_it_takes_seconds_when_nothing_is_in_the_way() -> None:
    cluster = fragmented()
    cluster.carry_out(repack(cluster).build())
    assert cluster.seconds <= 6


def test_replacements_are_dated_so_that_they_rest_and_new_pods_are_not() -> None:
    cluster = fragmented()
    cluster.carry_out(repack(cluster).build())
    moved = [pod for pod in cluster.pods.values() if pod.moved_at]
    assert [pod.workload.name for pod in moved] == ["web"]
    assert moved[0].name not in ("web-0", "web-1")


def test_room_is_not_used_before_its_pod_has_ended() -> None:
    cluster = fragmented_slowly(grace=30.0)
    done = cluster.carry_out(repack(cluster).build())
    assert outcome(done) is Outcome.COMPLETED
    assert cluster.seconds > 30


def test_a_pod_of_the_plan_that_our_filter_rejected_is_woken() -> None:
    """Its room has been free on paper all along: nothing but the annotation tells it so."""
    cluster = ModelCluster().node("n1").node("n2").deploy("big", gpu=8, priority=100, on=[None])
    done = cluster.carry_out(plan("p1", cluster).places("big", on="n2", pods=("big-0",)).build())
    assert outcome(done) is Outcome.COMPLETED
    assert '"code":"FitsNow"' in cluster.pod("big-0").why


# -- taking it up -------------------------------------------------------------------------------------------------------


def test_a_plan_waits_for_a_person() -> None:
    cluster = fragmented()
    waits = cluster.carry_out(repack(cluster).proposed().build(), seconds=60)
    assert (waits.status.phase, waits.status.conditions, cluster.evicted) == ("Proposed", [], [])

    def approve(cluster: ModelCluster, seconds: float) -> None:
        current = cluster.plans["uid-p1"]
        cluster.put(current.model_copy(update={"spec": current.spec.model_copy(update={"approved": True})}))

    assert outcome(cluster.carry_out(waits, during=approve)) is Outcome.COMPLETED


def test_a_plan_that_nobody_approves_expires() -> None:
    cluster = fragmented()
    assert outcome(cluster.carry_out(repack(cluster).proposed().build())) is Outcome.EXPIRED
    assert cluster.evicted == []


def test_under_dry_run_nothing_is_carried_out_but_what_a_person_asked_for() -> None:
    cluster = fragmented()
    cluster.policy = PackingPolicySpec(mode=Mode.DRY_RUN)
    assert outcome(cluster.carry_out(repack(cluster).build())) is Outcome.EXPIRED
    cluster = fragmented()
    cluster.policy = PackingPolicySpec(mode=Mode.DRY_RUN)
    assert outcome(cluster.carry_out(repack(cluster).because(Trigger.PERSON).build())) is Outcome.COMPLETED


def test_no_plan_begins_in_quiet_hours() -> None:
    cluster = fragmented()
    quiet = QuietHours.model_validate({"from": "11:00", "to": "12:05"})
    cluster.policy = PackingPolicySpec(budgets=Budgets(quiet_hours=[quiet]))
    done = cluster.carry_out(repack(cluster).build())
    assert outcome(done) is Outcome.COMPLETED
    assert cluster.seconds >= 300


def test_a_plan_whose_cluster_has_changed_expires_before_it_reserves() -> None:
    cluster = fragmented()
    written = repack(cluster).build()
    cluster.deploy("other", gpu=4, on=["n1"])
    done = cluster.carry_out(written)
    assert outcome(done) is Outcome.EXPIRED
    assert "cannot go to n1" in done.status.message
    assert cluster.evicted == []


def test_a_plan_whose_room_is_held_by_a_pod_that_is_leaving_waits_for_it() -> None:
    cluster = ModelCluster().node("n1").node("n2")
    cluster.deploy("web", gpu=4, on=["n1", "n2"]).deploy("gone", gpu=4, on=["n1"], grace=20.0)
    cluster.deploy("big", gpu=8, priority=100, on=[None])
    cluster.scale("gone", 0)
    done = cluster.carry_out(repack(cluster).build())
    assert outcome(done) is Outcome.COMPLETED
    assert cluster.seconds > 20


def test_a_plan_for_pods_that_are_gone_expires() -> None:
    cluster = fragmented()
    written = repack(cluster).build()
    cluster.scale("big", 0)
    assert outcome(cluster.carry_out(written)) is Outcome.EXPIRED
    assert cluster.evicted == []


def test_a_plan_for_pods_that_have_found_a_place_evicts_nobody() -> None:
    cluster = fragmented().node("n3")
    written = repack(cluster).build()
    for _ in range(10):
        cluster.tick()
    assert cluster.on("n3") == ["big-0"]
    assert outcome(cluster.carry_out(written)) is Outcome.EXPIRED
    assert cluster.evicted == []


def test_without_an_extender_nothing_is_evicted() -> None:
    cluster = fragmented()
    cluster.extenders_live = False
    done = cluster.carry_out(repack(cluster).build())
    assert outcome(done) is Outcome.NO_EXTENDER
    assert cluster.seconds <= 35
    assert cluster.evicted == []


def test_nothing_is_evicted_while_the_extender_that_is_asked_is_not_alive() -> None:
    cluster = fragmented()
    cluster.lost_extender = "berth-extender-b"

    def comes_back(cluster: ModelCluster, seconds: float) -> None:
        if seconds < 20:
            assert cluster.evicted == []
        else:
            cluster.lost_extender = ""

    done = cluster.carry_out(repack(cluster).build(), during=comes_back)
    assert outcome(done) is Outcome.COMPLETED
    cluster = fragmented()
    cluster.lost_extender = "berth-extender-b"
    done = cluster.carry_out(repack(cluster).build())
    assert outcome(done) is Outcome.NO_EXTENDER
    assert "berth-extender-b, which kube-scheduler asks, is not alive" in done.status.message
    assert cluster.evicted == []


def test_nothing_is_evicted_before_every_live_extender_keeps_the_room() -> None:
    cluster = fragmented()
    cluster.extender_answers = False

    def answers_later(cluster: ModelCluster, seconds: float) -> None:
        if seconds < 20:
            assert cluster.evicted == []
        else:
            cluster.extender_answers = True

    done = cluster.carry_out(repack(cluster).build(), during=answers_later)
    assert outcome(done) is Outcome.COMPLETED
    assert cluster.seconds > 20


def test_an_extender_that_lives_and_never_answers_ends_the_plan() -> None:
    cluster = fragmented()
    cluster.extender_answers = False
    assert outcome(cluster.carry_out(repack(cluster).build())) is Outcome.NO_EXTENDER
    assert is_released(cluster)


# -- pods that must not be evicted -----------------------------------------------------------------------------------------


def test_a_pod_that_must_not_be_moved_any_more_is_not() -> None:
    cluster = fragmented()
    written = repack(cluster).build()
    cluster.change_pod(replace(cluster.pod("web-1"), immovable=(Reason.DO_NOT_MOVE,)))
    done = cluster.carry_out(written)
    assert outcome(done) is Outcome.EXPIRED
    assert "DoNotMove" in done.status.message
    assert cluster.evicted == []


def test_standalone_pods_are_evicted_only_where_the_policy_says_so() -> None:
    for allowed, expected in ((False, Outcome.EXPIRED), (True, Outcome.COMPLETED)):
        cluster = fragmented()
        cluster.policy = PackingPolicySpec(move_standalone_pods=allowed)
        cluster.change_pod(replace(cluster.pod("web-1"), immovable=(Reason.NO_CONTROLLER,)))
        assert outcome(cluster.carry_out(repack(cluster).build())) is expected


def test_pods_of_other_schedulers_are_not_evicted() -> None:
    cluster = ModelCluster().node("n1").node("n2")
    cluster.deploy("web", gpu=4, on=["n1", "n2"], scheduler="default-scheduler")
    cluster.deploy("big", gpu=8, priority=100, on=[None])
    done = cluster.carry_out(repack(cluster).build())
    assert outcome(done) is Outcome.EXPIRED
    assert cluster.evicted == []


def test_a_moved_pod_rests_unless_a_person_says_otherwise() -> None:
    for trigger, expected in ((Trigger.UNSCHEDULABLE, Outcome.EXPIRED), (Trigger.PERSON, Outcome.COMPLETED)):
        cluster = fragmented()
        cluster.change_pod(replace(cluster.pod("web-1"), moved_at=stamp(START)))
        assert outcome(cluster.carry_out(repack(cluster).because(trigger).build())) is expected


# -- budgets ---------------------------------------------------------------------------------------------------------------


def test_a_disruption_budget_is_waited_for() -> None:
    cluster = fragmented().budget("web", 1)
    cluster.owners["web"].replicas = 3  # one is missing already: nothing may go

    def give_back(cluster: ModelCluster, seconds: float) -> None:
        if seconds >= 60 and cluster.owners["web"].replicas == 3:
            cluster.scale("web", 2)
        if seconds < 60:
            assert cluster.evicted == []

    cluster.owners["web"].paused = True

    def both(cluster: ModelCluster, seconds: float) -> None:
        give_back(cluster, seconds)
        cluster.owners["web"].paused = seconds < 60

    done = cluster.carry_out(repack(cluster).build(), during=both)
    assert outcome(done) is Outcome.COMPLETED
    assert cluster.seconds > 60


def test_a_budget_that_never_allows_it_ends_the_plan_at_its_deadline_and_costs_nothing() -> None:
    cluster = fragmented().budget("web", 0)
    done = cluster.carry_out(repack(cluster, deadline=120.0).build())
    assert outcome(done) is Outcome.EVICTION_BLOCKED
    assert "disruption budget" in done.status.message
    assert (cluster.evicted, done.status.evictions) == ([], [])
    assert is_released(cluster)


def test_limits_of_the_policy_hold_for_whole_waves() -> None:
    cluster = ModelCluster().node("n1").node("n2").node("n3").node("n4")
    cluster.deploy("web", gpu=4, on=["n1", "n2", "n3", "n4"]).deploy("big", gpu=8, priority=100, on=[None, None])
    cluster.policy = PackingPolicySpec(budgets=Budgets(moves_per_plan=1))
    built = plan("p1", cluster).evicts("web-1", to="n1").places("web", on="n1")
    built = built.then().places("big", on="n2", pods=("big-0",)).next_wave()
    built = built.evicts("web-3", to="n3").places("web", on="n3").then().places("big", on="n4", pods=("big-1",))
    done = cluster.carry_out(built.build())
    assert outcome(done) is Outcome.BUDGET_EXHAUSTED
    assert "1 moves per plan" in done.status.message
    assert len(cluster.evicted) == 1
    assert cluster.on("n2") == ["big-0"]


@pytest.mark.parametrize("limit", ["moves_per_plan", "moves_per_hour", "moves_per_workload"])
def test_a_wave_that_would_pass_a_limit_half_way_is_not_begun(limit: str) -> None:
    cluster = ModelCluster().node("n1").node("n2").node("n3")
    cluster.deploy("web", gpu=2, on=["n1", "n2", "n2"]).deploy("big", gpu=8, priority=100, on=[None])
    cluster.policy = PackingPolicySpec(budgets=Budgets.model_validate({limit: 1}))
    cluster.change_node(replace(cluster.nodes["n3"], unschedulable=True))
    built = plan("p1", cluster).evicts("web-1", to="n1").evicts("web-2", to="n1").places("web", 2, on="n1")
    done = cluster.carry_out(built.then().places("big", on="n2", pods=("big-0",)).build())
    assert outcome(done) is Outcome.BUDGET_EXHAUSTED
    assert cluster.evicted == []


def test_moves_of_other_plans_within_the_hour_count() -> None:
    cluster = fragmented()
    done = cluster.carry_out(repack(cluster).build())
    cluster.policy = PackingPolicySpec(budgets=Budgets(moves_per_hour=1))
    cluster.node("n3")
    second = plan("p2", cluster).evicts("big-0", to="n3").places("big", on="n3").build()
    assert len(done.status.evictions) == 1
    assert outcome(cluster.carry_out(second)) is Outcome.BUDGET_EXHAUSTED
    assert len(cluster.evicted) == 1


# -- what comes between ----------------------------------------------------------------------------------------------------


def test_a_node_that_is_cordoned_in_mid_plan_ends_it() -> None:
    cluster = fragmented_slowly(grace=20.0)

    def cordon(cluster: ModelCluster, seconds: float) -> None:
        if seconds == 10:
            cluster.change_node(replace(cluster.nodes["n1"], unschedulable=True))

    done = cluster.carry_out(repack(cluster).build(), during=cordon)
    assert outcome(done) is Outcome.CLUSTER_CHANGED
    assert "n1" in done.status.message
    assert "still waiting: default/web-2" in done.status.message
    assert is_released(cluster)


def test_a_node_that_flaps_for_a_moment_does_not() -> None:
    cluster = fragmented_slowly(grace=20.0)

    def flap(cluster: ModelCluster, seconds: float) -> None:
        cluster.change_node(replace(cluster.nodes["n1"], ready=not 20 <= seconds < 22))

    assert outcome(cluster.carry_out(repack(cluster).build(), during=flap)) is Outcome.COMPLETED


def test_nor_one_that_flaps_while_an_eviction_is_refused() -> None:
    cluster = fragmented().budget("web", 0)

    def flap(cluster: ModelCluster, seconds: float) -> None:
        cluster.change_node(replace(cluster.nodes["n1"], ready=not 10 <= seconds < 12))
        if seconds == 20:
            cluster.budgets.clear()

    assert outcome(cluster.carry_out(repack(cluster).build(), during=flap)) is Outcome.COMPLETED


def test_a_replacement_that_takes_the_place_of_a_later_one_leaves_its_own_to_it() -> None:
    """n3, meant for the second replacement, is free at once; n1 is not before old-0 has gone."""
    cluster = ModelCluster().node("n1").node("n2").node("n3", gpu=4).node("n4")
    cluster.deploy("web", gpu=4, on=["n2", "n4"]).deploy("old", gpu=8, on=["n1"], grace=20.0)
    cluster.deploy("big", gpu=8, priority=100, on=[None])
    built = plan("p1", cluster).evicts("old-0").evicts("web-0", to="n1").places("web", on="n1")
    built = built.then().evicts("web-1", to="n3").places("web", on="n3").places("big", on="n2", pods=("big-0",))
    done = cluster.carry_out(built.build())
    assert outcome(done) is Outcome.COMPLETED
    assert (cluster.apps_on("n1"), cluster.apps_on("n3")) == ({"web": 1}, {"web": 1})
    assert cluster.seconds < 30


def test_pods_of_a_node_that_does_not_answer_are_not_evicted() -> None:
    """They would be terminating for ever."""
    cluster = ModelCluster().node("n1").node("n2").deploy("web", gpu=4, on=["n1", "n2"]).budget("web", 0)

    def go_down(cluster: ModelCluster, seconds: float) -> None:
        if seconds == 5:
            cluster.change_node(replace(cluster.nodes["n2"], ready=False))
            cluster.budgets.clear()

    built = plan("p1", cluster).evicts("web-1", to="n1").places("web", on="n1")
    done = cluster.carry_out(built.build(), during=go_down)
    assert outcome(done) is Outcome.CLUSTER_CHANGED
    assert cluster.evicted == []


def test_a_target_that_is_deleted_ends_it() -> None:
    cluster = fragmented_slowly(grace=20.0)

    def delete(cluster: ModelCluster, seconds: float) -> None:
        if seconds == 10:
            cluster.delete_node("n1")

    done = cluster.carry_out(repack(cluster).build(), during=delete)
    assert outcome(done) is Outcome.CLUSTER_CHANGED
    assert is_released(cluster)


def test_a_thief_who_takes_the_freed_room_overtakes_the_plan() -> None:
    cluster = fragmented_slowly(grace=5.0)

    def thief(cluster: ModelCluster, seconds: float) -> None:
        if seconds == 3:
            cluster.deploy("thief", gpu=4, on=["n1"], scheduler="default-scheduler")
            pod = cluster.pod("thief-0")
            cluster.change_pod(replace(pod, created=stamp(cluster.now)))

    done = cluster.carry_out(repack(cluster).build(), during=thief)
    assert outcome(done) is Outcome.OVERTAKEN
    assert "taken by default/thief-0" in done.status.message
    assert is_released(cluster)


def test_a_pod_of_higher_priority_that_comes_meanwhile_is_not_kept_waiting_by_the_rest() -> None:
    cluster = ModelCluster().node("n1").node("n2").node("n3").node("n4")
    cluster.deploy("web", gpu=4, on=["n1", "n2", "n3", "n4"], grace=10.0)
    cluster.deploy("big", gpu=8, priority=100, on=[None, None])
    built = plan("p1", cluster).evicts("web-1", to="n1").places("web", on="n1")
    built = built.then().places("big", on="n2", pods=("big-0",)).next_wave()
    built = built.evicts("web-3", to="n3").places("web", on="n3").then().places("big", on="n4", pods=("big-1",))

    def urgent(cluster: ModelCluster, seconds: float) -> None:
        if seconds == 5:
            cluster.deploy("urgent", gpu=9, priority=1000, on=[None])
            cluster.change_pod(replace(cluster.pod("urgent-0"), created=stamp(cluster.now)))

    done = cluster.carry_out(built.build(), during=urgent)
    assert outcome(done) is Outcome.OVERTAKEN
    assert "urgent-0 of priority 1000 came meanwhile" in done.status.message
    assert cluster.on("n2") == ["big-0"]  # the wave that had begun was finished
    assert len(cluster.evicted) == 1
    assert is_released(cluster)


def test_an_old_waiting_pod_of_higher_priority_does_not_end_plans() -> None:
    cluster = fragmented().deploy("huge", gpu=16, priority=1000, on=[None])
    assert outcome(cluster.carry_out(repack(cluster).build())) is Outcome.COMPLETED


def test_a_paused_owner_does_not_block_the_rest() -> None:
    cluster = fragmented()
    cluster.owners["web"].paused = True
    done = cluster.carry_out(repack(cluster).build())
    assert outcome(done) is Outcome.PARTLY_COMPLETED
    assert cluster.on("n2") == ["big-0"]
    assert [s.reason for s in done.status.steps] == ["ReplacementNeverCame", ""]
    assert cluster.seconds < 80
    assert is_released(cluster)


def test_no_more_pods_are_taken_from_an_owner_that_does_not_replace_them() -> None:
    cluster = ModelCluster().node("n1").node("n2").node("n3").node("n4")
    cluster.deploy("web", gpu=4, on=["n1", "n2", "n3", "n4"]).deploy("big", gpu=8, priority=100, on=[None, None])
    cluster.owners["web"].paused = True
    built = plan("p1", cluster).evicts("web-1", to="n1").places("web", on="n1")
    built = built.then().places("big", on="n2", pods=("big-0",)).next_wave()
    built = built.evicts("web-3", to="n3").places("web", on="n3").then().places("big", on="n4", pods=("big-1",))
    done = cluster.carry_out(built.build())
    assert outcome(done) is Outcome.PARTLY_COMPLETED
    assert cluster.evicted == ["uid-web-1"]


def test_an_owner_that_is_scaled_down_in_mid_plan_does_not_block() -> None:
    cluster = fragmented()
    cluster.owners["web"].grace = 5.0

    def scale(cluster: ModelCluster, seconds: float) -> None:
        if seconds == 3:
            cluster.scale("web", 1)

    done = cluster.carry_out(repack(cluster).build(), during=scale)
    assert outcome(done) is Outcome.PARTLY_COMPLETED
    assert cluster.on("n2") == ["big-0"]


def test_a_replacement_that_landed_elsewhere_is_counted_as_such() -> None:
    """An extender that was not asked: kube-scheduler places the replacement where it likes."""
    cluster = fragmented().node("n0", gpu=4, unschedulable=True)

    def lure(cluster: ModelCluster, seconds: float) -> None:
        strays = [pod for pod in cluster.pods.values() if pod.is_pending and pod.workload.name == "web"]
        for pod in strays:
            cluster.change_pod(replace(pod, node="n0", phase="Running"))
        cluster.scheduler_runs = bool(cluster.on("n0"))

    done = cluster.carry_out(repack(cluster).build(), during=lure)
    assert outcome(done) is Outcome.PARTLY_COMPLETED
    assert [s.reason for s in done.status.steps] == ["PlacedElsewhere", ""]
    assert cluster.on("n2") == ["big-0"]
    assert [p.moved_at != "" for p in cluster.pods.values() if p.node == "n0"] == [True]


def test_a_wave_whose_pod_has_gone_moves_nobody() -> None:
    cluster = ModelCluster().node("n1").node("n2").node("n3").node("n4")
    cluster.deploy("web", gpu=4, on=["n1", "n2", "n3", "n4"], grace=10.0)
    cluster.deploy("big", gpu=8, priority=100, on=[None]).deploy("huge", gpu=8, priority=100, on=[None])
    built = plan("p1", cluster).evicts("web-1", to="n1").places("web", on="n1")
    built = built.then().places("big", on="n2", pods=("big-0",)).next_wave()
    built = built.evicts("web-3", to="n3").places("web", on="n3").then().places("huge", on="n4", pods=("huge-0",))

    def withdraw(cluster: ModelCluster, seconds: float) -> None:
        if seconds == 5:
            cluster.scale("huge", 0)

    done = cluster.carry_out(built.build(), during=withdraw)
    assert outcome(done) is Outcome.PARTLY_COMPLETED
    assert cluster.evicted == ["uid-web-1"]
    assert [s.state for s in done.status.steps] == ["Done", "Done", "Skipped", "Skipped"]


def test_a_scheduler_that_stands_still_is_waited_for() -> None:
    cluster = fragmented()

    def pause(cluster: ModelCluster, seconds: float) -> None:
        cluster.scheduler_runs = seconds >= 60

    assert outcome(cluster.carry_out(repack(cluster).build(), during=pause)) is Outcome.COMPLETED


def test_a_pod_that_its_scheduler_never_places_does_not_hold_the_plan_for_ever() -> None:
    cluster = fragmented()

    def stop(cluster: ModelCluster, seconds: float) -> None:
        cluster.scheduler_runs = False

    done = cluster.carry_out(repack(cluster).build(), during=stop)
    assert outcome(done) is Outcome.CLUSTER_CHANGED
    assert cluster.seconds < 200


def test_at_its_deadline_a_plan_ends_and_keeps_nothing() -> None:
    cluster = fragmented_slowly(grace=500.0)
    done = cluster.carry_out(repack(cluster, deadline=60.0).build())
    assert outcome(done) is Outcome.DEADLINE_EXCEEDED
    assert is_released(cluster)


# -- cancelling ------------------------------------------------------------------------------------------------------------


def cancel_at(when: float) -> Callable[[ModelCluster, float], None]:
    def cancel(cluster: ModelCluster, seconds: float) -> None:
        current = cluster.plans["uid-p1"]
        if seconds >= when and not current.spec.cancelled:
            cluster.put(current.model_copy(update={"spec": current.spec.model_copy(update={"cancelled": True})}))

    return cancel


def test_cancelled_before_it_began_it_does_nothing() -> None:
    cluster = fragmented()
    assert outcome(cluster.carry_out(repack(cluster).build(), during=cancel_at(0))) is Outcome.CANCELLED
    assert cluster.evicted == []


def test_cancelled_in_the_middle_the_evicted_pod_is_still_placed_and_no_other_is_evicted() -> None:
    cluster = ModelCluster().node("n1").node("n2").node("n3").node("n4")
    cluster.deploy("web", gpu=4, on=["n1", "n2", "n3", "n4"], grace=10.0)
    cluster.deploy("big", gpu=8, priority=100, on=[None, None])
    built = plan("p1", cluster).evicts("web-1", to="n1").places("web", on="n1")
    built = built.then().evicts("web-3", to="n3").places("web", on="n3")
    built = built.then().places("big", on="n2", pods=("big-0",)).places("big", on="n4", pods=("big-1",))
    done = cluster.carry_out(built.build(), during=cancel_at(5))
    assert outcome(done) is Outcome.CANCELLED
    assert cluster.evicted == ["uid-web-1"]
    assert cluster.apps_on("n1") == {"web": 2}
    assert is_released(cluster)
    assert cluster.seconds < 20  # nobody waits for a pod that was not evicted


def test_cancelled_while_nobody_had_to_go_it_ends_at_once() -> None:
    cluster = ModelCluster().node("n1").deploy("big", gpu=8, priority=100, on=[None])
    cluster.scheduler_runs = False
    done = cluster.carry_out(plan("p1", cluster).places("big", on="n1").build(), during=cancel_at(5))
    assert outcome(done) is Outcome.CANCELLED
    assert cluster.seconds < 8


def test_cancelled_while_a_pod_ends_its_replacement_is_still_placed() -> None:
    cluster = fragmented_slowly(grace=10.0)
    built = repack(cluster).next_wave().evicts("web-0").build()
    done = cluster.carry_out(built, during=cancel_at(3))
    assert outcome(done) is Outcome.CANCELLED
    assert cluster.apps_on("n1") == {"web": 2}
    assert cluster.evicted == ["uid-web-1"]


def test_cancelled_while_a_budget_refuses_it_ends_at_once_and_counts_nothing() -> None:
    cluster = fragmented().budget("web", 0)
    done = cluster.carry_out(repack(cluster).build(), during=cancel_at(5))
    assert outcome(done) is Outcome.CANCELLED
    assert cluster.seconds < 8
    assert (cluster.evicted, done.status.evictions) == ([], [])


def test_a_finished_plan_is_left_as_it_is() -> None:
    cluster = fragmented()
    done = cluster.carry_out(repack(cluster).build())
    again = cluster.carry_out(done)
    assert again.status == done.status


def test_a_pod_with_a_taint_against_it_is_not_waited_for() -> None:
    cluster = fragmented_slowly(grace=20.0)

    def taint(cluster: ModelCluster, seconds: float) -> None:
        if seconds == 10:
            cluster.change_node(replace(cluster.nodes["n1"], taints=(Taint("maintenance", "", "NoSchedule"),)))

    done = cluster.carry_out(repack(cluster).build(), during=taint)
    assert outcome(done) is Outcome.CLUSTER_CHANGED
    assert "UntoleratedTaint" in done.status.message
