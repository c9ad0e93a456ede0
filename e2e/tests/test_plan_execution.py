"""Plans carried out on a real control plane: budgets refuse, a leader dies, a person cancels, a node goes."""

from __future__ import annotations

import time
from typing import Any

import pytest

from berth_api.annotations import MOVED_AT
from berth_e2e.cluster import Cluster
from berth_e2e.objects import disruption_budget, replica_set
from berth_e2e.waiting import wait_for
from berth_operator.plan_writing import PLANS_PATH
from berth_operator.policy_status import POLICIES_PATH

TAKEN_OVER_WITHIN = 60.0
"""A dead leader's Lease lasts 15 s, and its successor loads first."""
POLICY = {"apiVersion": "berth.dev/v1alpha1", "kind": "PackingPolicy", "metadata": {"name": "asks"}}
BUDGETS_PATH = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"

Json = dict[str, Any]


@pytest.fixture
def proposed(berth_cluster: Cluster) -> Cluster:
    """Two nodes half full, a pod that needs a whole one, and a plan for it that waits for a person."""
    cluster = berth_cluster
    for path in (PLANS_PATH, POLICIES_PATH):
        for left in cluster.api.items(path):
            cluster.api.delete(f"{path}/{left['metadata']['name']}")
    log = cluster.processes["operator-0"].log_text
    wait_for("a warm solver", lambda: "the solver is warm" in log(), 60.0)
    cluster.create(POLICY | {"spec": {"mode": "Manual"}})
    cluster.add_nodes(2, gpus=8)
    for i, name in enumerate(("left", "right")):
        cluster.kubectl("cordon", f"node-{1 - i}")
        cluster.create(replica_set(name, 1, gpus=4, scheduler="berth"))
        cluster.wait_running(f"app={name}", 1)
        cluster.kubectl("uncordon", f"node-{1 - i}")
    cluster.create(replica_set("big", 1, gpus=8, scheduler="berth"))
    wait_for("a plan", lambda: cluster.api.items(PLANS_PATH), 20.0)
    return cluster


def the_plan(cluster: Cluster) -> Json:
    found: Json = cluster.api.items(PLANS_PATH)[0]
    return found


def change(cluster: Cluster, **spec: bool) -> None:
    name = the_plan(cluster)["metadata"]["name"]
    cluster.api.merge(f"{PLANS_PATH}/{name}", {"spec": spec})


def outcome(cluster: Cluster) -> str:
    conditions = the_plan(cluster).get("status", {}).get("conditions", [])
    return next((c["reason"] for c in conditions if c["type"] == "Finished" and c["status"] == "True"), "")


def step_states(cluster: Cluster) -> list[str]:
    return [step["state"] for step in the_plan(cluster).get("status", {}).get("steps", [])]


def forbid(cluster: Cluster) -> None:
    """From now on the Eviction API refuses both pods."""
    for app in ("left", "right"):
        cluster.create(disruption_budget(app, app, min_available=1))

    def counted() -> bool:
        budgets = cluster.api.items(BUDGETS_PATH)
        return all(b.get("status", {}).get("observedGeneration", 0) >= 1 for b in budgets)

    wait_for("the budgets counted", counted, 10.0)


def allow(cluster: Cluster) -> None:
    for app in ("left", "right"):
        cluster.api.delete(f"{BUDGETS_PATH}/{app}")


def names(cluster: Cluster, selector: str) -> set[str]:
    return {p["metadata"]["name"] for p in cluster.pods(selector)}


def begin_and_be_refused(cluster: Cluster) -> None:
    forbid(cluster)
    change(cluster, approved=True)
    wait_for("an eviction that is refused", lambda: "disruption budget" in the_plan(cluster)["status"]["message"], 20.0)


def test_a_move_takes_about_a_second_and_is_told_and_dated(proposed: Cluster) -> None:
    before = names(proposed, "app in (left,right)")
    began = time.monotonic()
    change(proposed, approved=True)
    proposed.wait_running("app=big", 1)
    assert time.monotonic() - began < 10
    wait_for("its end", lambda: outcome(proposed), 10.0)
    assert outcome(proposed) == "Completed"
    assert the_plan(proposed)["status"]["progress"] == "placed 2/2, moved 1/1"
    moved = [p for p in proposed.pods("app in (left,right)") if p["metadata"]["name"] not in before]
    assert len(moved) == 1
    assert MOVED_AT in moved[0]["metadata"]["annotations"]
    wait_for("events", lambda: {"Moved", "PlanFinished"} <= {e["reason"] for e in proposed.events()}, 5.0)


def test_a_disruption_budget_is_waited_for(proposed: Cluster) -> None:
    before = names(proposed, "app in (left,right)")
    begin_and_be_refused(proposed)
    time.sleep(3)
    assert names(proposed, "app in (left,right)") == before
    assert step_states(proposed)[0] == "Evicting"
    allow(proposed)
    wait_for("its end", lambda: outcome(proposed), 20.0)
    assert outcome(proposed) == "Completed"
    proposed.wait_running("app=big", 1)


def test_a_cancelled_plan_that_was_refused_has_moved_nobody_and_counts_nothing(proposed: Cluster) -> None:
    before = names(proposed, "app in (left,right)")
    begin_and_be_refused(proposed)
    change(proposed, cancelled=True)
    wait_for("its end", lambda: outcome(proposed), 20.0)
    assert outcome(proposed) == "Cancelled"
    assert names(proposed, "app in (left,right)") == before
    assert the_plan(proposed)["status"].get("evictions", []) == []


def test_a_leader_killed_in_mid_plan_is_followed_by_one_that_goes_on(proposed: Cluster) -> None:
    begin_and_be_refused(proposed)
    proposed.processes["operator-0"].kill()
    time.sleep(1)
    allow(proposed)
    proposed.heal()
    wait_for("its end", lambda: outcome(proposed), TAKEN_OVER_WITHIN)
    assert outcome(proposed) == "Completed"
    assert len(the_plan(proposed)["status"]["evictions"]) == 1
    proposed.wait_running("app=big", 1)


def test_a_target_that_is_cordoned_ends_the_plan_and_leaves_all_as_it_was(proposed: Cluster) -> None:
    begin_and_be_refused(proposed)
    before = names(proposed, "app in (left,right)")
    target = the_plan(proposed)["spec"]["waves"][0]["steps"][0]["evictions"][0]["target"]
    proposed.kubectl("cordon", target)
    wait_for("its end", lambda: outcome(proposed), 20.0)
    assert outcome(proposed) == "ClusterChanged"
    assert names(proposed, "app in (left,right)") == before
