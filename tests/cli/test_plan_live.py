"""`berth plan --apply`, `--approve`, `--cancel`: what is refused before anything is written, and which policy holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from berth_api.packing_plan import PackingPlan
from berth_api.packing_policy import PackingPolicy
from berth_cli.exits import CommandError
from berth_cli.under_policy import UnderPolicy, under_policy
from berth_cluster.dump import read_dumps
from berth_cluster.snapshot import Snapshot
from berth_planner.options import PlanOptions

from .command import Here
from .live_cluster import API, LiveCluster, needs_kubectl, plan, policy
from .scenes import dump, fragmented

NOW = datetime.now(UTC)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[LiveCluster]:
    with LiveCluster(tmp_path).serving() as serving:
        yield serving


@needs_kubectl
@pytest.mark.parametrize(
    ("phase", "spec", "code"),
    [("Completed", {}, "PlanFinished"), ("", {"cancelled": True}, "PlanCancelled"), ("", {"policy": "dry"}, "DryRun")],
)
def test_a_plan_that_would_not_be_carried_out_is_not_approved(
    here: Here, cluster: LiveCluster, phase: str, spec: dict[str, object], code: str
) -> None:
    cluster.answers[f"{API}/packingplans/plan-x"] = plan("plan-x", phase=phase) | {
        "spec": {**plan("plan-x")["spec"], **spec}
    }
    cluster.answers[f"{API}/packingpolicies/dry"] = policy("dry", mode="DryRun")
    ended = here("plan", "--approve", "plan-x", "--kubeconfig", cluster.kubeconfig)
    assert ended.code == 2
    assert f"error: {code}: plan plan-x" in ended.err


@needs_kubectl
def test_a_plan_that_is_not_there(here: Here, cluster: LiveCluster) -> None:
    ended = here("plan", "--cancel", "../pods", "--kubeconfig", cluster.kubeconfig)
    assert ended.code == 2
    assert "UnknownPlan" in ended.err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--apply", "-o", "json"), "--out FILE"),
        (("--apply", "--dump", "d.json"), "--dump"),
        (("--policy", "gold"), "--apply"),
        (("--approve", "a", "--cancel", "b"), "exclude each other"),
    ],
)
def test_what_does_not_go_together(here: Here, args: tuple[str, ...], said: str) -> None:
    ended = here("plan", *args)
    assert ended.code == 2
    assert said in ended.err


def of_berth(tmp_path: Path) -> Snapshot:
    read = read_dumps([dump(tmp_path / "d.json", *fragmented())])
    return msgspec.structs.replace(
        read, pods=tuple(msgspec.structs.replace(p, scheduler="berth", immovable=()) for p in read.pods)
    )


def under(snapshot: Snapshot, *policies: dict[str, object], named: str | None = None, plans: int = 0) -> UnderPolicy:
    records = [
        {"pod": "llm/x", "uid": str(i), "workload": "llm/Deployment/x", "at": NOW.isoformat()} for i in range(plans)
    ]
    ended = plan("plan-old", policy="gold", phase="Completed")
    ended["status"]["evictions"] = records
    return under_policy(
        snapshot,
        [PackingPolicy.model_validate(p) for p in policies],
        [PackingPlan.model_validate(ended)],
        named,
        NOW + timedelta(seconds=1),
    )


def test_without_a_policy_the_defaults_hold(tmp_path: Path) -> None:
    found = under(of_berth(tmp_path))
    assert (found.policy.name, found.left.in_plan) == ("", 50)
    assert "built-in defaults" in found.sentence


def test_what_policies_say_of_hints_goes_with_the_question(tmp_path: Path) -> None:
    gold = {"metadata": {"name": "gold"}, "spec": {"hints": {"enforceStrong": ["llm"]}}}
    found = under(of_berth(tmp_path), gold)
    assert [p.spec.hints.enforce_strong for p in found.limited(PlanOptions()).policies] == [["llm"]]


def test_the_policy_is_that_of_the_most_important_waiting_pod(tmp_path: Path) -> None:
    """`urgent` has priority 1000; the older policy is for others."""
    low = policy("low", scope={"maxPriority": 10})
    assert under(of_berth(tmp_path), low, policy("gold", scope={"minPriority": 500})).policy.name == "gold"


def test_moves_of_the_hour_are_spent_for_a_person_too(tmp_path: Path) -> None:
    found = under(of_berth(tmp_path), policy("gold", budgets={"movesPerHour": 5}), plans=3)
    assert found.limited(PlanOptions()).caps.max_moves == 2


def test_pods_out_of_its_scope_stay_where_they_are(tmp_path: Path) -> None:
    gold = policy("gold", scope={"minPriority": 500})
    view = under(of_berth(tmp_path), gold).view
    assert [p.is_movable for p in view.pods if p.node] == [False, False]


def test_a_policy_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="UnknownPolicy"):
        under(of_berth(tmp_path), policy("gold"), named="silver")
