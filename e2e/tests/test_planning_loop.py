"""The planning loop on a real control plane: who waits is planned for or told why, whatever the policy and whoever dies."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from berth_api.annotations import SCALE_UP_DELAY, WHY
from berth_e2e.cluster import Cluster
from berth_e2e.objects import replica_set
from berth_e2e.waiting import wait_for
from berth_operator.plan_writing import PLANS_PATH
from berth_operator.policy_status import POLICIES_PATH

PLANNED_WITHIN = 6.0
"""Two quiet seconds, solving, and a busy machine."""

Json = dict[str, Any]


def plans(cluster: Cluster) -> list[Json]:
    return cluster.api.items(PLANS_PATH)


def the_plan(cluster: Cluster, timeout: float = 20.0) -> Json:
    return wait_for("a plan", lambda: next(iter(plans(cluster)), None), timeout)


def finished(plan: Json) -> str:
    conditions = plan.get("status", {}).get("conditions", [])
    return next((c["reason"] for c in conditions if c["type"] == "Finished" and c["status"] == "True"), "")


def why(cluster: Cluster, selector: str) -> Json:
    """What the first such pod has been told."""
    told = [p["metadata"].get("annotations", {}).get(WHY) for p in cluster.pods(selector)]
    found: Json = json.loads(told[0]) if told and told[0] else {}
    return found


def reasons(cluster: Cluster) -> set[str]:
    return {e["reason"] for e in cluster.events()}


def policy(name: str, **spec: object) -> Json:
    return {
        "apiVersion": "berth.dev/v1alpha1",
        "kind": "PackingPolicy",
        "metadata": {"name": name},
        "spec": spec,
    }


@pytest.fixture
def ready(berth_cluster: Cluster) -> Iterator[Cluster]:
    """Berth, nothing planned, the solver warm."""
    for path in (PLANS_PATH, POLICIES_PATH):
        for left in berth_cluster.api.items(path):
            berth_cluster.api.delete(f"{path}/{left['metadata']['name']}")
    log = berth_cluster.processes["operator-0"].log_text
    wait_for("a warm solver", lambda: "the solver is warm" in log(), 60.0)
    yield berth_cluster
    for left in berth_cluster.api.items(POLICIES_PATH):
        berth_cluster.api.delete(f"{POLICIES_PATH}/{left['metadata']['name']}")


def fragment(cluster: Cluster) -> None:
    """Two nodes of 8 GPUs, half full each."""
    cluster.add_nodes(2, gpus=8)
    for i, name in enumerate(("left", "right")):
        cluster.kubectl("cordon", f"node-{1 - i}")
        cluster.create(replica_set(name, 1, gpus=4, scheduler="berth"))
        cluster.wait_running(f"app={name}", 1)
        cluster.kubectl("uncordon", f"node-{1 - i}")


def test_room_in_pieces_becomes_a_plan_in_seconds_and_then_a_running_pod(ready: Cluster) -> None:
    fragment(ready)
    began = time.monotonic()
    ready.create(replica_set("big", 1, gpus=8, scheduler="berth"))
    plan = the_plan(ready)
    assert time.monotonic() - began < PLANNED_WITHIN
    assert plan["spec"]["trigger"] == "Unschedulable"
    assert plan["spec"]["certificate"]["verified"]
    ready.wait_running("app=big", 1)
    ready.wait_running("app in (left,right)", 2)
    wait_for("its end", lambda: finished(the_plan(ready)) == "Completed", 10.0)
    big = ready.pods("app=big")[0]
    told = json.loads(big["metadata"]["annotations"][WHY])
    assert (told["code"], told["plan"], told["position"]) == ("FitsAfterMoves", plan["metadata"]["name"], 1)
    assert big["metadata"]["annotations"][SCALE_UP_DELAY].endswith("s")
    assert len(plans(ready)) == 1


def test_a_pod_that_fits_nowhere_is_told_the_proof_once(ready: Cluster) -> None:
    ready.add_nodes(2, gpus=8)
    ready.create(replica_set("huge", 1, gpus=16, scheduler="berth"))
    wait_for("a verdict", lambda: why(ready, "app=huge").get("code") == "NoPlacementExists", 15.0)
    wait_for("an event", lambda: "NothingBetter" in reasons(ready), 5.0)
    version = ready.pods("app=huge")[0]["metadata"]["resourceVersion"]
    ready.create(replica_set("other", 1, gpus=1, scheduler="berth"))
    ready.wait_running("app=other", 1)
    time.sleep(4)
    assert ready.pods("app=huge")[0]["metadata"]["resourceVersion"] == version, "nothing new to say, nothing written"
    assert not plans(ready)


def test_scale_up_advice_names_the_shape_and_a_node_of_it_helps(ready: Cluster) -> None:
    ready.add_nodes(1, gpus=8)
    ready.create(replica_set("old", 2, gpus=4, scheduler="berth"))
    ready.wait_running("app=old", 2)
    ready.create(replica_set("new", 1, gpus=4, scheduler="berth"))
    wait_for("advice", lambda: "NeedsCapacity" in reasons(ready), 15.0)
    said = next(e["message"] for e in ready.events() if e["reason"] == "NeedsCapacity")
    assert "one more node like node-0" in said
    ready.add_nodes(1, gpus=8, prefix="more")
    ready.wait_running("app=new", 1)


@pytest.mark.slow
def test_a_dry_run_is_written_and_not_carried_out(ready: Cluster) -> None:
    ready.create(policy("careful", mode="DryRun"))
    fragment(ready)
    ready.create(replica_set("big", 1, gpus=8, scheduler="berth"))
    plan = the_plan(ready)
    assert (plan["spec"]["policy"], plan["spec"]["approved"]) == ("careful", False)
    wait_for("the pod told", lambda: "is not carried out" in why(ready, "app=big").get("message", ""), 5.0)
    time.sleep(5)
    assert ready.pods("app=big")[0]["status"]["phase"] == "Pending"
    assert len(plans(ready)) == 1


def test_a_manual_plan_waits_for_a_person_and_stays_the_same_plan(ready: Cluster) -> None:
    ready.create(policy("asks", mode="Manual"))
    fragment(ready)
    ready.create(replica_set("big", 1, gpus=8, scheduler="berth"))
    name = the_plan(ready)["metadata"]["name"]
    time.sleep(6)
    assert [p["metadata"]["name"] for p in plans(ready)] == [name]
    patch = {"spec": {"approved": True}}
    ready.api.request("PATCH", f"{PLANS_PATH}/{name}", patch, "application/merge-patch+json")
    ready.wait_running("app=big", 1)


def clock(minutes: int) -> str:
    """HH:MM so many minutes from now, UTC."""
    return (datetime.now(UTC) + timedelta(minutes=minutes)).strftime("%H:%M")


@pytest.mark.slow
def test_in_quiet_hours_nobody_is_moved_and_who_waits_is_told_until_when(ready: Cluster) -> None:
    end = clock(90)
    ready.create(policy("nights", budgets={"quietHours": [{"from": clock(-90), "to": end}]}))
    fragment(ready)
    ready.create(replica_set("big", 1, gpus=8, scheduler="berth"))
    told = wait_for("a verdict", lambda: why(ready, "app=big"), 15.0)
    assert told["code"] == "QuietHours"
    assert end in told["message"]
    ready.create(replica_set("small", 1, gpus=4, scheduler="berth"))
    ready.wait_running("app=small", 1)  # what fits needs no plan
    ready.api.delete("/apis/apps/v1/namespaces/default/replicasets/small")
    time.sleep(4)
    assert not plans(ready)
    patch = {"spec": {"budgets": {"quietHours": []}}}
    ready.api.request("PATCH", f"{POLICIES_PATH}/nights", patch, "application/merge-patch+json")
    ready.wait_running("app=big", 1, timeout=30.0)


@pytest.mark.slow
def test_consolidation_empties_a_node_on_the_policy_s_clock(ready: Cluster) -> None:
    fragment(ready)
    ready.create(policy("thrifty", consolidation={"enabled": True, "periodSeconds": 60}))
    began = time.monotonic()
    plan = the_plan(ready, timeout=90.0)
    assert time.monotonic() - began > 55
    assert (plan["spec"]["trigger"], plan["spec"]["policy"]) == ("Consolidation", "thrifty")
    wait_for("its end", lambda: finished(the_plan(ready)) == "Completed", 30.0)
    assert len({p["spec"]["nodeName"] for p in ready.wait_running("app in (left,right)", 2)}) == 1


@pytest.mark.slow
def test_a_period_plans_for_those_whom_no_trigger_served(ready: Cluster) -> None:
    ready.create(policy("hourly", triggers={"unschedulable": False, "periodSeconds": 60}))
    fragment(ready)
    ready.create(replica_set("big", 1, gpus=8, scheduler="berth"))
    time.sleep(15)
    assert not plans(ready)
    plan = the_plan(ready, timeout=90.0)
    assert plan["spec"]["trigger"] == "Period"
    ready.wait_running("app=big", 1)


def test_of_two_policies_that_overlap_the_younger_is_told(ready: Cluster) -> None:
    ready.create(policy("elder"))
    time.sleep(1.1)  # creation times are whole seconds
    ready.create(policy("younger", scope={"namespaces": ["default"]}))

    def conflict(name: str) -> str:
        conditions = ready.api.get(f"{POLICIES_PATH}/{name}").get("status", {}).get("conditions", [])
        return next((c["status"] for c in conditions if c["type"] == "Conflict"), "")

    wait_for("the conflict told", lambda: (conflict("elder"), conflict("younger")) == ("False", "True"), 15.0)
    ready.api.delete(f"{POLICIES_PATH}/elder")
    wait_for("the conflict over", lambda: conflict("younger") == "False", 15.0)


def test_a_hint_on_a_pod_of_another_scheduler_is_pointed_out_once(ready: Cluster) -> None:
    ready.add_nodes(1, gpus=8)
    body = replica_set("foreign", 3, gpus=1, annotations={"berth.dev/allocation-hint": "near the cache"})
    ready.create(body)
    wait_for("the event", lambda: "HintIgnored" in reasons(ready), 10.0)
    time.sleep(2)
    assert sum(e["reason"] == "HintIgnored" for e in ready.events()) == 1


@contextmanager
def frozen_solvers(operator: int) -> Iterator[None]:
    """Every solver that this operator starts hangs at once."""
    done = threading.Event()

    def freeze() -> None:
        while not done.wait(0.02):
            for child in children(operator):
                os.kill(child, signal.SIGSTOP)

    thread = threading.Thread(target=freeze)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        for child in children(operator):
            os.kill(child, signal.SIGCONT)


def children(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as listed:
        return [int(child) for child in listed.read().split()]


@pytest.mark.slow
def test_when_the_solver_never_answers_patience_ends_in_ordinary_preemption(ready: Cluster) -> None:
    ready.create(policy("hasty", timeBudgetSeconds=0.5, patienceSeconds=10))
    for name, value in (("low", 1), ("high", 1000)):
        ready.create(
            {
                "apiVersion": "scheduling.k8s.io/v1",
                "kind": "PriorityClass",
                "metadata": {"name": f"loop-{name}"},
                "value": value,
            }
        )
    try:
        ready.add_nodes(1, gpus=8)
        ready.create(replica_set("batch", 2, gpus=4, scheduler="berth", priority_class="loop-low"))
        ready.wait_running("app=batch", 2)
        operator = ready.processes["operator-0"].pid
        assert operator is not None
        with frozen_solvers(operator):
            ready.create(replica_set("urgent", 1, gpus=8, scheduler="berth", priority_class="loop-high"))
            plan = the_plan(ready, timeout=60.0)
            assert plan["spec"]["trigger"] == "Fallback"
            ready.wait_running("app=urgent", 1, timeout=20.0)
    finally:
        for name in ("low", "high"):
            ready.api.delete(f"/apis/scheduling.k8s.io/v1/priorityclasses/loop-{name}")


def test_a_killed_leader_is_followed_by_one_that_plans(ready: Cluster) -> None:
    ready.processes["operator-0"].kill()
    fragment(ready)
    ready.create(replica_set("big", 1, gpus=8, scheduler="berth"))
    ready.processes["operator-0"].start()
    ready.wait_running("app=big", 1, timeout=40.0)


def test_a_gang_is_held_until_a_plan_has_room_for_all_and_then_runs(ready: Cluster) -> None:
    fragment(ready)
    ready.add_nodes(1, gpus=8, prefix="whole")
    gang = {"berth.dev/gang": "ring", "berth.dev/gang-min": "2"}
    ready.create(replica_set("ring", 2, gpus=8, scheduler="berth", annotations=gang))
    the_plan(ready)
    ready.wait_running("app=ring", 2, timeout=20.0)
    ready.wait_running("app in (left,right)", 2)


def test_a_gang_without_room_for_all_does_not_start(ready: Cluster) -> None:
    ready.add_nodes(1, gpus=8)
    gang = {"berth.dev/gang": "wide", "berth.dev/gang-min": "2"}
    ready.create(replica_set("wide", 2, gpus=8, scheduler="berth", annotations=gang))
    wait_for("a verdict", lambda: bool(why(ready, "app=wide")), 15.0)
    assert not ready.running("app=wide")
    ready.add_nodes(1, gpus=8, prefix="more")
    ready.wait_running("app=wide", 2, timeout=30.0)
