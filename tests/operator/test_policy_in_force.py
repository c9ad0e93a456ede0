"""Which policy holds for whom, and what it lets the planner see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from berth_api.packing_policy import QuietHours
from berth_api.reasons import Reason
from berth_cluster.snapshot import Pod, Snapshot
from berth_operator.policy_in_force import PoliciesInForce, preemptable, scoped
from berth_operator.policy_status import policy_status
from berth_operator.quiet_hours import quiet_until, unknown_time_zones
from tests.planner.clusters import Cluster

from .world import NOW, ago, of_berth, plan_object, policy


def a_cluster() -> Snapshot:
    cluster = Cluster().node("n1", gpu=8, pool="a").node("n2", gpu=8, pool="b")
    cluster.pods("web", 1, gpu=2, on="n1").pods("job", 1, gpu=2, on="n2").pods("big", 1, gpu=8, priority=100)
    return of_berth(cluster.snapshot())


def named(snapshot: Snapshot, name: str) -> Pod | None:
    return next((p for p in snapshot.pods if p.name == name), None)


def test_without_policies_the_defaults_hold_for_everybody() -> None:
    policies = PoliciesInForce([])
    assert [p.name for p in policies.all] == [""]
    assert all(policies.of(pod) is policies.all[0] for pod in a_cluster().pods)


def test_the_older_of_two_that_overlap_wins_and_the_other_is_told() -> None:
    young = policy("young", created=ago(hours=1), scope={"namespaces": ["default", "team"]})
    old = policy("old", created=ago(hours=2), scope={"namespaces": ["default"]})
    policies = PoliciesInForce([young, old])
    pod = a_cluster().pods[0]
    elsewhere = msgspec.structs.replace(pod, namespace="team")
    assert policies.of(pod).name == "old"  # type: ignore[union-attr]
    assert policies.of(elsewhere).name == "young"  # type: ignore[union-attr]
    assert policies.conflicts == {"young": "old"}
    told = {p.metadata.name: policy_status(p, policies.conflicts, [], NOW).conditions for p in (young, old)}
    assert [(c.type, c.status) for c in told["young"]] == [("Conflict", "True"), ("Valid", "True")]
    assert [(c.type, c.status) for c in told["old"]] == [("Conflict", "False"), ("Valid", "True")]


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        ({}, {}, True),
        ({"namespaces": ["a"]}, {"namespaces": ["b"]}, False),
        ({"namespaces": ["a"]}, {}, True),
        ({"maxPriority": 9}, {"minPriority": 10}, False),
        ({"maxPriority": 10}, {"minPriority": 10}, True),
        ({"namespaces": ["a"], "minPriority": 5}, {"namespaces": ["a", "b"], "maxPriority": 4}, False),
    ],
)
def test_what_overlaps(one: dict[str, object], other: dict[str, object], overlap: bool) -> None:
    policies = PoliciesInForce([policy("a", created=ago(hours=1), scope=one), policy("b", scope=other)])
    assert bool(policies.conflicts) is overlap


def test_a_status_that_says_it_all_is_not_written_again() -> None:
    one = policy("one")
    first = policy_status(one, {}, [plan_object("p", policy="one")], NOW)
    again = policy_status(
        one.model_copy(update={"status": first}), {}, [plan_object("p", policy="one")], NOW + timedelta(minutes=5)
    )
    assert again == first
    assert first.last_plan == "p"


def test_waiting_pods_out_of_scope_are_not_planned_and_running_ones_not_moved() -> None:
    policies = PoliciesInForce([policy("top", scope={"minPriority": 50})])
    view = scoped(a_cluster(), policies, policies.all[0], NOW)
    assert named(view, "big-0") is not None
    assert named(view, "web-0").immovable == (Reason.OUT_OF_SCOPE,)  # type: ignore[union-attr]
    low = PoliciesInForce([policy("low", scope={"maxPriority": 50})])
    view = scoped(a_cluster(), low, low.all[0], NOW)
    assert named(view, "big-0") is None
    assert named(view, "web-0").is_movable  # type: ignore[union-attr]


def test_only_pods_of_selected_nodes_move() -> None:
    policies = PoliciesInForce([policy("pool-b", scope={"nodeSelector": {"pool": "b"}})])
    view = scoped(a_cluster(), policies, policies.all[0], NOW)
    assert named(view, "web-0").immovable == (Reason.OUT_OF_SCOPE,)  # type: ignore[union-attr]
    assert named(view, "job-0").is_movable  # type: ignore[union-attr]


def test_while_the_scheduler_is_busy_only_those_it_refused_are_planned_for_and_whole_gangs() -> None:
    snapshot = of_berth(Cluster().pods("refused").pods("fresh").pods("member", 2, gang=2).snapshot())
    fresh = {"fresh-0", "member-1"}
    pods = (msgspec.structs.replace(p, unschedulable=p.name not in fresh) for p in snapshot.pods)
    snapshot = msgspec.structs.replace(snapshot, pods=tuple(pods))
    policies = PoliciesInForce([])
    view = scoped(snapshot, policies, policies.all[0], NOW, only_refused=True)
    assert [p.name for p in view.pods] == ["member-0", "member-1", "refused-0"]
    assert scoped(snapshot, policies, policies.all[0], NOW) == snapshot


def test_a_moved_pod_rests_and_then_may_move_again() -> None:
    snapshot = a_cluster()
    moved = tuple(
        msgspec.structs.replace(p, moved_at="2026-11-22T11:30:00Z") if p.name == "web-0" else p for p in snapshot.pods
    )
    snapshot = msgspec.structs.replace(snapshot, pods=moved)
    policies = PoliciesInForce([])
    resting = scoped(snapshot, policies, policies.all[0], NOW)
    assert named(resting, "web-0").immovable == (Reason.RESTING,)  # type: ignore[union-attr]
    later = scoped(snapshot, policies, policies.all[0], NOW + timedelta(minutes=31))
    assert named(later, "web-0").is_movable  # type: ignore[union-attr]
    assert named(preemptable(snapshot, policies, NOW), "web-0").immovable == (Reason.RESTING,)  # type: ignore[union-attr]


def test_standalone_pods_move_only_where_the_policy_says_so() -> None:
    cluster = Cluster().node("n1", gpu=8)
    cluster.pods("bare", 1, gpu=2, on="n1", kind="Pod", immovable=(Reason.NO_CONTROLLER,))
    cluster.pods("pinned", 1, gpu=2, on="n1", kind="Pod", immovable=(Reason.NO_CONTROLLER, Reason.DO_NOT_MOVE))
    snapshot = of_berth(cluster.snapshot())
    for moves in (False, True):
        policies = PoliciesInForce([policy("p", moveStandalonePods=moves)])
        view = scoped(snapshot, policies, policies.all[0], NOW)
        assert named(view, "bare-0").is_movable is moves  # type: ignore[union-attr]
        assert not named(view, "pinned-0").is_movable  # type: ignore[union-attr]


def test_workloads_without_moves_left_stay() -> None:
    policies = PoliciesInForce([])
    view = scoped(a_cluster(), policies, policies.all[0], NOW, {"default/Deployment/web"})
    assert named(view, "web-0").immovable == (Reason.MOVE_BUDGET_SPENT,)  # type: ignore[union-attr]
    assert named(view, "job-0").is_movable  # type: ignore[union-attr]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "moment", "until"),
    [
        ({"from": "09:00", "to": "17:00"}, "2026-11-22 12:00", "2026-11-22 17:00"),
        ({"from": "09:00", "to": "17:00"}, "2026-11-22 17:00", None),
        ({"from": "22:00", "to": "06:00"}, "2026-11-22 23:30", "2026-11-23 06:00"),
        ({"from": "22:00", "to": "06:00"}, "2026-11-22 03:00", "2026-11-22 06:00"),
        ({"from": "22:00", "to": "06:00", "days": ["Sat"]}, "2026-11-22 03:00", "2026-11-22 06:00"),  # a Sunday
        ({"from": "22:00", "to": "06:00", "days": ["Sun"]}, "2026-11-22 03:00", None),
        ({"from": "00:00", "to": "00:00"}, "2026-11-22 03:00", "2026-11-23 00:00"),
        ({"from": "09:00", "to": "17:00", "timeZone": "Asia/Tokyo"}, "2026-11-22 03:00", "2026-11-22 08:00"),
        ({"from": "09:00", "to": "17:00", "timeZone": "Europe/Madrid"}, "2026-11-22 16:30", None),
    ],
)
def test_quiet_hours(hours: dict[str, object], moment: str, until: str | None) -> None:
    expected = None if until is None else at(until)
    assert quiet_until([QuietHours.model_validate(hours)], at(moment)) == expected


def test_an_unknown_time_zone_counts_as_utc_and_is_told() -> None:
    quiet = QuietHours.model_validate({"from": "09:00", "to": "17:00", "timeZone": "Mars/Olympus"})
    assert quiet_until([quiet], at("2026-11-22 12:00")) == at("2026-11-22 17:00")
    assert unknown_time_zones([quiet]) == ("Mars/Olympus",)
