"""One more replica while a plan moves one, until it answers; and marks that mean nothing any more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
from scenes import NOW, observed, pod, revision, service

from berth_api.annotations import DELETION_COST, LOWEST_DELETION_COST, RELIEVED_BY
from berth_api.packing_plan import (
    DisruptionCertificate,
    PackingPlan,
    PackingPlanSpec,
    PackingPlanStatus,
    PlanCertificate,
    PlannedEviction,
    PlannedStep,
    PlannedWave,
    PlanSnapshot,
    Trigger,
    WorkloadRef,
)
from berth_api.resource import Condition, Metadata, find_condition
from berth_operator.serving.moving import Moves, MovingServices, moves_of, unmarked
from berth_operator.serving.seen import SeenPod
from berth_operator.serving.status import status_of

SERVICE = service()
REVISION = revision(SERVICE)


def plan_for(*pods: str, conditions: tuple[str, ...] = ("Approved",), cancelled: bool = False) -> PackingPlan:
    """It moves these pods to node-2."""
    workload = WorkloadRef(namespace="chat", kind="LLMService", name="llama", uid="u-1")
    evictions = [
        PlannedEviction(
            pod=f"chat/{name}", uid=f"uid-{name}", workload=workload, priority=0, node="node-1", target="node-2", requests={}
        )
        for name in pods
    ]  # fmt: skip
    return PackingPlan(
        metadata=Metadata(name="plan-1", uid="uid-plan-1"),
        spec=PackingPlanSpec(
            trigger=Trigger.PERSON, summary="", approved=True, cancelled=cancelled, deadline=NOW + timedelta(hours=1),
            certificate=PlanCertificate(
                tiers=[], verified=True, solve_seconds=0,
                disruption=DisruptionCertificate(moves=1, evictions=0, value=0, bound=0, certificate="Optimal"),
            ),
            snapshot=PlanSnapshot(taken=NOW),
            waves=[PlannedWave(steps=[PlannedStep(evictions=evictions)])],
        ),
        status=PackingPlanStatus(
            conditions=[Condition(type=c, status="True", reason="", last_transition_time=NOW) for c in conditions]
        ),
    )  # fmt: skip


def replica(
    name: str, *, ready: bool = True, marked: str = "", cost: str = LOWEST_DELETION_COST, **more: Any
) -> SeenPod:
    """marked: uid of the plan."""
    made = pod(name, **{"revision": REVISION, "ready": ready, **more})
    annotations = {RELIEVED_BY: marked, DELETION_COST: cost} if marked else {}
    return msgspec.structs.replace(made, metadata=msgspec.structs.replace(made.metadata, annotations=annotations))


def moves(
    *pods: SeenPod, plan: PackingPlan | None = None, desired: int | None = 1, routed: Sequence[str] | None = None
) -> Moves:
    names = [p.name for p in pods if p.ready] if routed is None else routed
    return moves_of(pods, desired, REVISION, frozenset(names), lambda: {} if plan is None else {"plan-1": plan})


def test_one_more_until_the_new_one_answers() -> None:
    old, plan = replica("a", marked="uid-plan-1"), plan_for("a")
    assert moves(old, plan=plan).extra == 1
    assert moves(old, replica("b", ready=False), plan=plan).extra == 1
    assert moves(old, replica("b"), plan=plan, routed=["a"]).extra == 1, "ready, and not among the endpoints yet"
    found = moves(old, replica("b"), plan=plan)
    assert (found.extra, found.void) == (0, ())
    assert found.told == "a moves from node-1 to node-2, by plan-1; a new replica answers before it leaves"
    assert moves(replica("a", marked="uid-plan-1", leaves=True), replica("b"), plan=plan) == Moves()


def test_of_several_one_at_a_time() -> None:
    a, b, c = (replica(name, marked="uid-plan-1") for name in "abc")
    plan = plan_for("a", "b")
    assert moves(a, b, replica("c"), plan=plan, desired=3).extra == 1
    assert moves(a, b, replica("c"), replica("d"), plan=plan, desired=3).extra == 0
    gone = replica("a", marked="uid-plan-1", leaves=True)
    assert moves(gone, b, replica("c"), replica("d"), plan=plan, desired=3).extra == 1
    assert moves(a, b, c, plan=plan, desired=3).void == (c,), "that one the plan does not move"


def test_no_more_than_asked_for_while_a_rollout_or_an_autoscaler_is_at_work_or_none_is_wanted() -> None:
    old, plan = replica("a", marked="uid-plan-1"), plan_for("a")
    assert moves(old, replica("new", revision="other"), plan=plan).extra == 0
    assert moves(replica("a", marked="uid-plan-1", revision="other"), plan=plan).extra == 0
    assert moves(old, plan=plan, desired=None).extra == 0
    assert moves(old, plan=plan, desired=0).extra == 0


def test_a_mark_is_void_when_its_plan_has_ended_and_not_before() -> None:
    old = replica("a", marked="uid-plan-1")
    finished = plan_for("a", conditions=("Approved", "Finished"))
    assert moves(old, plan=finished) == Moves(void=(old,))
    assert moves(old, plan=None) == Moves(void=(old,))
    assert moves(old, plan=plan_for("a", cancelled=True)) == Moves()
    assert moves(old, plan=plan_for("a", conditions=())) == Moves(), "the watch may be behind"


def test_a_mark_that_was_taken_back_is_void() -> None:
    old = replica("a", marked="uid-plan-1")
    annotations = {**(old.metadata.annotations or {}), RELIEVED_BY: ""}
    old = msgspec.structs.replace(old, metadata=msgspec.structs.replace(old.metadata, annotations=annotations))
    assert moves(old, plan=plan_for("a")) == Moves(void=(old,))
    assert unmarked(old) == {RELIEVED_BY: None, DELETION_COST: None}


def test_a_deletion_cost_of_somebody_elses_is_left_to_them() -> None:
    assert unmarked(replica("a", marked="x")) == {RELIEVED_BY: None, DELETION_COST: None}
    theirs = replica("a", marked="uid-plan-1", cost="5")
    assert unmarked(theirs) == {RELIEVED_BY: None}
    assert moves(theirs, plan=plan_for("a")).extra == 0, "the ReplicaSet would take another"


def test_a_service_that_moves_is_ready_and_says_so() -> None:
    pods = (replica("a", marked="uid-plan-1"), replica("b", ready=False, node="node-2"))
    told = moves(*pods, plan=plan_for("a")).told
    status = status_of(observed(SERVICE, *pods, routed=("a",), moving=told), NOW)
    ready, progressing = (find_condition(status.conditions, type_) for type_ in ("Ready", "Progressing"))
    assert ready is not None
    assert progressing is not None
    assert (ready.status, ready.reason) == ("True", "Answering")
    assert (progressing.status, progressing.reason, progressing.message) == ("True", "Moving", told)
    assert (status.replicas, status.desired_replicas, status.ready_replicas) == (2, 1, 1)


def test_services_are_looked_at_when_a_plan_that_moves_them_changes() -> None:
    looked: list[tuple[str, str]] = []
    listener = MovingServices(looked.append)
    listener.plan_changed(None, plan_for("a", "b", conditions=("Approved", "Finished")))
    assert looked == [("chat", "llama")]
    listener.plan_changed(plan_for("a"), plan_for())
    assert len(looked) == 1
    listener.plan_changed(plan_for("a"), None)
    assert len(looked) == 2
