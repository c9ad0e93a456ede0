"""When patience ends a pod is served as the stock scheduler would serve it, unless that is no help or not allowed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
import pytest

from berth_api.packing_policy import PackingPolicy
from berth_api.reasons import Reason
from berth_cluster.snapshot import Gang, Pod, Snapshot
from berth_operator.budgets import MovesLeft
from berth_operator.patience import may_be_rescued, patience_seconds, rescue_plan
from berth_operator.policy_in_force import PoliciesInForce, PolicyInForce
from tests.planner.clusters import Cluster

from .world import NOW, of_berth, policy, waiting

PLENTY = MovesLeft(50, 0, 10, {})


def in_force(**spec: object) -> PolicyInForce:
    return PoliciesInForce([policy("p", **spec)]).all[0]


def the_pod(**changes: object) -> Pod:
    return waiting(Cluster().pods("big", gpu=4, priority=10).all_pods[0], **changes)


def rescued(pod: Pod, waited: float = 31.0, by: PolicyInForce | None = None, looked_at: bool = True) -> bool:
    return may_be_rescued(pod, waited, by, looked_at=looked_at, now=NOW)


def test_after_thirty_seconds_and_not_before() -> None:
    assert not rescued(the_pod(), 29.0)
    assert rescued(the_pod(), 30.0)


def test_patience_is_never_shorter_than_planning_needs() -> None:
    assert patience_seconds(in_force(patienceSeconds=1, timeBudgetSeconds=20)) == 30
    assert patience_seconds(in_force(patienceSeconds=60, timeBudgetSeconds=20)) == 60


def test_planning_has_its_turn_first_where_it_plans_at_all() -> None:
    assert not rescued(the_pod(), by=in_force(), looked_at=False)
    assert rescued(the_pod(), by=None, looked_at=False)
    assert rescued(the_pod(), by=in_force(triggers={"unschedulable": False}), looked_at=False)


@pytest.mark.parametrize("changes", [{"preemption_policy": "Never"}, {"gang": Gang("g", 4)}])
def test_pods_that_it_would_not_help(changes: dict[str, object]) -> None:
    assert not rescued(the_pod(**changes))


def test_a_person_decides_in_manual_mode_but_a_dry_run_holds_nobody_back() -> None:
    assert not rescued(the_pod(), by=in_force(mode="Manual"))
    assert rescued(the_pod(), by=in_force(mode="DryRun"))


def test_quiet_hours_hold_for_it_too() -> None:
    quiet = {"quietHours": [{"from": "11:00", "to": "13:00"}]}
    assert not rescued(the_pod(), by=in_force(budgets=quiet))


def rescue(
    snapshot: Snapshot, left: MovesLeft = PLENTY, policies: Sequence[PackingPolicy] = ()
) -> tuple[str, list[str]]:
    pod = next(p for p in snapshot.pods if p.name == "big-0")
    plan, _, result = asyncio.run(rescue_plan(snapshot, pod, PoliciesInForce(policies), left, NOW))
    return result, [] if plan is None else [e.pod for wave in plan.waves for e in wave.evictions]


def full_node(**pods: object) -> Cluster:
    cluster = Cluster().node("n1", gpu=4).pods("low", gpu=4, on="n1", **pods)  # type: ignore[arg-type]
    return cluster.pods("big", gpu=4, priority=10)


def test_the_victim_leaves_and_its_room_is_kept() -> None:
    assert rescue(of_berth(full_node().snapshot())) == ("written", ["default/low-0"])


def test_pods_of_other_schedulers_are_less_important_all_the_same() -> None:
    snapshot = full_node().snapshot()
    pods = tuple(waiting(p) if p.node is None else p for p in snapshot.pods)
    assert rescue(msgspec.structs.replace(snapshot, pods=pods)) == ("written", ["default/low-0"])


def test_no_disruption_budget_is_broken_for_it() -> None:
    snapshot = of_berth(full_node().budget("low", 0, app="low").snapshot())
    assert rescue(snapshot) == ("no-victims", [])


def test_what_must_stay_or_rests_stays() -> None:
    assert rescue(of_berth(full_node(immovable=(Reason.DO_NOT_MOVE,)).snapshot()))[0] == "no-victims"
    snapshot = of_berth(full_node().snapshot())
    moved = (msgspec.structs.replace(p, moved_at="2026-11-22T11:59:00Z") for p in snapshot.pods)
    assert rescue(msgspec.structs.replace(snapshot, pods=tuple(moved)))[0] == "no-victims"


def test_nobody_is_evicted_on_a_node_that_an_enforced_wish_rules_out() -> None:
    cluster = full_node().node("n2", gpu=4).pods("more", gpu=4, on="n2", priority=5)
    pods = tuple(
        msgspec.structs.replace(p, hint="must run on node n2") if p.node is None else p for p in cluster.all_pods
    )
    snapshot = of_berth(msgspec.structs.replace(cluster.snapshot(), pods=pods))
    assert rescue(snapshot) == ("written", ["default/low-0"])
    enforcing = policy("p", hints={"enforceStrong": ["default"]})
    assert rescue(snapshot, policies=[enforcing]) == ("written", ["default/more-0"])
    nowhere = tuple(msgspec.structs.replace(p, hint="must run on a spot node") if p.node is None else p for p in pods)
    snapshot = of_berth(msgspec.structs.replace(snapshot, pods=nowhere))
    assert rescue(snapshot, policies=[enforcing]) == ("no-victims", [])


def test_the_limits_on_moves_hold() -> None:
    assert rescue(of_berth(full_node().snapshot()), MovesLeft(0, 100, 10, {})) == ("no-moves-left", [])
    spent = MovesLeft(50, 0, 1, {"default/Deployment/low": 1})
    assert rescue(of_berth(full_node().snapshot()), spent)[0] == "no-victims"
