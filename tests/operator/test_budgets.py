"""Limits on moves: counted from plans' records, kept by every plan that is written."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from berth_api.packing_policy import Budgets
from berth_cluster.snapshot import WorkloadKey
from berth_operator.budgets import MovesLeft, moves_in_last_hour, moves_left, next_refill
from berth_operator.plan_cutting import cut_to_budget, pods_served
from berth_operator.retention import superfluous_plans
from berth_planner.plan import DisruptionReport, Eviction, Placement, Plan, TierReport, Wave

from .world import NOW, ago, evicted, plan_object, policy

BUDGETS = Budgets()


def test_moves_of_the_last_hour_count_whoever_led_then() -> None:
    plans = [
        plan_object("old", finished="Completed", records=[evicted("web", ago(minutes=61))]),
        plan_object(
            "recent", finished="Overtaken", records=[evicted("web", ago(minutes=59)), evicted("job", ago(minutes=5))]
        ),
    ]
    left = moves_left(plans, "", Budgets(moves_per_hour=3), NOW)
    assert left.in_plan == 1
    assert moves_in_last_hour(plans, NOW) == 2
    assert next_refill(plans, "", NOW) == NOW + timedelta(minutes=1)


def test_what_an_approved_plan_still_may_move_is_spent_already() -> None:
    running = plan_object("running", planned=["web", "job"], records=[evicted("web", ago(minutes=1))])
    assert moves_left([running], "", Budgets(moves_per_hour=10), NOW).in_plan == 8
    overdue = plan_object("overdue", planned=["web", "job"], deadline=ago(seconds=1))
    proposed = plan_object("proposed", planned=["web", "job"], approved=False)
    assert moves_left([overdue, proposed], "", Budgets(moves_per_hour=10), NOW).in_plan == 10


def test_each_policy_has_its_own_hour_but_a_workload_only_one() -> None:
    plans = [
        plan_object(
            "p", policy="other", finished="Completed", records=[evicted("web", ago(minutes=1), n) for n in range(10)]
        )
    ]
    left = moves_left(plans, "mine", BUDGETS, NOW)
    assert left.spent_in_hour == 0
    assert left.spent_workloads == {"default/Deployment/web"}


def test_a_limit_is_never_below_zero() -> None:
    plans = [plan_object("p", finished="Completed", records=[evicted("web", NOW, n) for n in range(9)])]
    assert moves_left(plans, "", Budgets(moves_per_hour=5), NOW).in_plan == 0


def a_plan(*waves: tuple[str, ...]) -> Plan:
    """Each wave moves one pod of each workload named, and places one waiting pod of priority 100."""
    made = []
    for w, workloads in enumerate(waves):
        evictions = tuple(
            Eviction(
                f"default/{name}-{w}-{i}",
                f"uid-{name}-{w}-{i}",
                WorkloadKey("default", "Deployment", name),
                0,
                "n1",
                "n2",
                1,
                (),
            )
            for i, name in enumerate(workloads)
        )
        placed = Placement(WorkloadKey("default", "Deployment", "big"), 100, "n1", 1, (), (f"default/big-{w}",))
        made.append(Wave(evictions, (placed,), ((100, 1),)))
    moves = sum(map(len, waves))
    tier = TierReport(100, "", len(waves), 0, len(waves), len(waves), "Optimal", "x")
    return Plan(
        (tier,),
        DisruptionReport(moves, 0, float(moves), float(moves), "Optimal", "x"),
        tuple(made),
        2,
        2,
        0.1,
        None,
        True,
    )


def test_a_plan_within_its_limits_is_left_alone() -> None:
    plan = a_plan(("web",), ("job",))
    cut = cut_to_budget(plan, MovesLeft(2, 0, 10, {}), BUDGETS)
    assert cut.plan is plan
    assert not cut.reason


def test_a_plan_is_cut_at_the_end_of_a_wave_and_says_so() -> None:
    cut = cut_to_budget(a_plan(("web",), ("job", "job")), MovesLeft(2, 0, 10, {}), BUDGETS)
    assert pods_served(cut.plan) == ("default/big-0",)
    assert cut.reason == "3 moves, and 2 are left under the policy"
    assert cut.plan.tiers[0].placed_after == 1
    assert cut.plan.tiers[0].certificate == "Bounded"
    assert cut.plan.disruption.moves == 1


def test_a_workload_is_not_moved_more_often_than_it_may() -> None:
    left = MovesLeft(50, 0, 2, {"default/Deployment/web": 1})
    cut = cut_to_budget(a_plan(("job",), ("web",), ("web",)), left, BUDGETS)
    assert len(cut.plan.waves) == 2
    assert "default/Deployment/web" in cut.reason


def test_moves_must_be_worth_it() -> None:
    left = MovesLeft(1_000, 0, 1_000, {})
    cut = cut_to_budget(a_plan(("web",), ("web",) * 5), left, Budgets(moves_per_pod_gained=2))
    assert len(cut.plan.waves) == 1
    dear_first = cut_to_budget(a_plan(("web",) * 3, ("web",)), left, Budgets(moves_per_pod_gained=2))
    assert len(dear_first.plan.waves) == 2, "together they are worth it"
    assert cut_to_budget(a_plan(("web",) * 3), left, Budgets(moves_per_pod_gained=2), gains_pods=False).reason == ""


@given(
    st.lists(st.lists(st.sampled_from("abc"), max_size=4).map(tuple), max_size=5),
    st.integers(0, 8),
    st.dictionaries(st.sampled_from([f"default/Deployment/{n}" for n in "abc"]), st.integers(0, 3)),
    st.integers(1, 3),
)
def test_what_is_left_never_passes_a_limit(
    waves: list[tuple[str, ...]], in_plan: int, spent: dict[str, int], per_pod: int
) -> None:
    left = MovesLeft(in_plan, 0, 3, spent)
    kept = cut_to_budget(a_plan(*waves), left, Budgets(moves_per_pod_gained=per_pod)).plan
    moved = [str(e.workload) for wave in kept.waves for e in wave.evictions]
    assert len(moved) <= in_plan
    assert all(moved.count(w) <= left.of(w) for w in set(moved))
    assert len(moved) <= per_pod * len(pods_served(kept))


def test_finished_plans_go_by_count_and_age_but_never_with_what_the_hour_counts() -> None:
    spec = {"": policy("", keepPlans=2, keepPlansHours=24).spec}
    plans = [
        plan_object("newest", finished="Completed", created=ago(hours=1)),
        plan_object("second", finished="Completed", created=ago(hours=2)),
        plan_object("third", finished="Completed", created=ago(hours=3)),
        plan_object(
            "third-with-moves", finished="Completed", created=ago(hours=4), records=[evicted("web", ago(minutes=30))]
        ),
        plan_object("running", created=ago(hours=30)),
    ]
    assert [p.metadata.name for p in superfluous_plans(plans, spec, NOW)] == ["third"]
    assert [p.metadata.name for p in superfluous_plans(plans, spec, NOW + timedelta(hours=22, minutes=30))] == [
        "third-with-moves", "third", "second",
    ]  # fmt: skip
