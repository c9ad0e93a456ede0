"""What waiting pods are told: the sentence that `berth why` prints, the plan that serves them, or the limit in the way."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from berth_api.packing_policy import Mode
from berth_api.reasons import Reason
from berth_operator.events import About, event_name
from berth_operator.plan_cutting import first_waves
from berth_operator.telling import read_why
from berth_operator.unsteered import sentence
from berth_operator.verdicts import Limits, Verdict, WrittenPlan, verdicts
from berth_planner.options import PlanOptions
from berth_planner.planning import Planned, build, plan_packing
from berth_planner.why import explain
from tests.planner.clusters import Cluster

from .world import of_berth, waiting

NO_LIMITS = Limits()


@pytest.fixture(scope="module")
def fragmented() -> Planned:
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8)
    cluster.pods("a", 1, gpu=4, on="n1").pods("b", 1, gpu=4, on="n2").pods("big", 1, gpu=8, priority=100)
    return planned(cluster.pods("huge", 2, gpu=16, priority=1))


def planned(cluster: Cluster, **options: object) -> Planned:
    chosen = PlanOptions(movable="berth", budget=1.0, **options)  # type: ignore[arg-type]
    return plan_packing(build(of_berth(cluster.snapshot()), chosen), chosen)


def told(found: Planned, mode: Mode | None, limits: Limits = NO_LIMITS, **options: object) -> dict[str, Verdict]:
    chosen = PlanOptions(movable="berth", budget=1.0, **options)  # type: ignore[arg-type]
    written = None if mode is None else WrittenPlan("plan-1", mode, found.plan)
    return {pod: v for v in verdicts(explain(found, chosen, seconds=2.0), written, limits) for pod in v.pods}


def test_a_planned_pod_is_told_its_plan_and_its_wave(fragmented: Planned) -> None:
    why = told(fragmented, Mode.AUTOMATIC)["default/big-0"].why["default/big-0"]
    assert (why.code, why.plan, why.position) == (Reason.FITS_AFTER_MOVES, "plan-1", 1)
    assert why.message.startswith("default/big-0 goes to n")
    assert why.message.endswith("after 1 move")


@pytest.mark.parametrize(("mode", "tail"), [(Mode.MANUAL, "waits for approval"), (Mode.DRY_RUN, "is not carried out")])
def test_a_plan_that_nobody_carries_out_yet_says_so(fragmented: Planned, mode: Mode, tail: str) -> None:
    assert told(fragmented, mode)["default/big-0"].sentence.endswith(tail)


def test_a_pod_that_fits_nowhere_is_told_the_proof(fragmented: Planned) -> None:
    verdict = told(fragmented, Mode.AUTOMATIC)["default/huge-0"]
    assert verdict.is_final
    assert verdict.code == Reason.NO_PLACEMENT_EXISTS
    assert verdict.why["default/huge-0"].plan is None
    assert "not even if everything movable moved" in verdict.sentence


def test_scale_up_advice_says_how_many_nodes_of_which_shape() -> None:
    cluster = Cluster().node("gpu-a", gpu=8).pods("old", 2, gpu=4, on="gpu-a").pods("new", 5, gpu=4)
    verdict = told(planned(cluster), None)["default/new-0"]
    assert verdict.sentence.endswith("It would fit if there were one more node like gpu-a (3 for all 5 pods).")
    assert verdict.capacity == ("5 pods of new would fit if there were one more node like gpu-a (3 for all 5 pods)")


def test_what_a_limit_keeps_waiting_is_told_the_limit() -> None:
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8)
    cluster.pods("a", 1, gpu=4, on="n1").pods("b", 1, gpu=4, on="n2").pods("big", 1, gpu=8, priority=100)
    found = planned(cluster, pending_only=True)
    quiet = Limits(quiet_until=datetime(2026, 1, 1, 6, 30, tzinfo=UTC))
    night = told(found, None, quiet, pending_only=True)["default/big-0"]
    assert (night.code, "quiet hours until 06:30 UTC" in night.sentence) == (Reason.QUIET_HOURS, True)
    spent = told(found, None, Limits(no_moves_left=True), pending_only=True)["default/big-0"]
    assert spent.code == Reason.MOVE_BUDGET_SPENT
    whole = planned(cluster)
    cut = msgspec.structs.replace(whole.plan)
    explanations = explain(whole, PlanOptions(movable="berth", budget=1.0), seconds=1.0)
    written = WrittenPlan("plan-1", Mode.AUTOMATIC, first_waves(cut, 0, "3 moves, and 0 are left"))
    (verdict,) = verdicts(explanations, written, Limits(cut="3 moves, and 0 are left"))
    assert verdict.code == Reason.MOVE_BUDGET_SPENT
    assert "3 moves, and 0 are left" in verdict.sentence
    assert verdict.why["default/big-0"].plan is None


def test_an_answer_that_stands_on_the_pod_is_recognised(fragmented: Planned) -> None:
    why = told(fragmented, Mode.AUTOMATIC)["default/big-0"].why["default/big-0"]
    assert read_why(why.model_dump_json(by_alias=True, exclude_none=True)) == why
    assert read_why('{"code": 7}') is None
    assert read_why("somebody else's text") is None
    assert read_why("") is None


def test_the_same_event_has_the_same_name_and_another_another() -> None:
    about = About("Pod", "default", "big-0", "uid")
    assert event_name(about, "NothingBetter", "x") == event_name(about, "NothingBetter", "x")
    assert event_name(about, "NothingBetter", "x") != event_name(about, "NothingBetter", "y")
    long = event_name(About("Pod", "default", "p" * 253, "uid"), "NothingBetter", "x")
    assert len(long) <= 253


def test_whose_hint_is_ignored_is_told_how_to_change_that() -> None:
    pod = waiting(Cluster().pods("web").all_pods[0], scheduler="default-scheduler", hint="near the cache")
    assert "kubectl berth adopt deployment/web -n default" in sentence(pod)
    assert sentence(pod) == sentence(msgspec.structs.replace(pod, name="web-9"))
