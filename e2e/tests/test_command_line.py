"""What a person does with `kubectl berth` on a real cluster: look, approve, cancel, carry out, adopt."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from berth_e2e.cluster import Cluster
from berth_e2e.objects import deployment, replica_set
from berth_e2e.waiting import wait_for

PLANS = "/apis/berth.dev/v1alpha1/packingplans"
POLICIES = "/apis/berth.dev/v1alpha1/packingpolicies"


def berth(cluster: Cluster, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """`berth ... --kubeconfig` of this cluster, in a process of its own with our kubectl on the PATH."""
    return subprocess.run(
        [sys.executable, "-m", "berth_cli.main", *arguments, "--kubeconfig", str(cluster.kubeconfig)],
        input=given,
        capture_output=True,
        text=True,
        timeout=90,
        env={**os.environ, "PATH": f"{cluster.binaries}:{os.environ['PATH']}"},
        check=False,
    )


def only_proposals(cluster: Cluster) -> None:
    body = {"apiVersion": "berth.dev/v1alpha1", "kind": "PackingPolicy", "metadata": {"name": "by-hand"}}
    cluster.api.request("POST", POLICIES, body | {"spec": {"mode": "Manual"}})


def fragmented(cluster: Cluster) -> None:
    """Three nodes of 8 GPUs with 6 taken each, and a pod of 4 that waits."""
    cluster.add_nodes(3, gpus=8)
    cluster.create(replica_set("small", 12, gpus=2, scheduler="berth"))
    cluster.wait_running("app=small", 12)
    one_of: dict[str, str] = {}
    for pod in cluster.running("app=small"):
        one_of.setdefault(pod["spec"]["nodeName"], pod["metadata"]["name"])
    for name in one_of.values():
        cluster.kubectl("annotate", "pod", name, "controller.kubernetes.io/pod-deletion-cost=-100")
    cluster.kubectl("scale", "rs/small", "--replicas=9")
    wait_for("nine of them", lambda: len(cluster.pods("app=small")) == 9 or None, 20)
    cluster.create(replica_set("big", 1, gpus=4, scheduler="berth"))


def the_plan(cluster: Cluster) -> dict[str, Any]:
    return wait_for("a plan", lambda: next(iter(cluster.api.items(PLANS)), None), 30)


def test_a_proposed_plan_is_seen_and_approved(berth_cluster: Cluster) -> None:
    cluster = berth_cluster
    only_proposals(cluster)
    fragmented(cluster)
    name = the_plan(cluster)["metadata"]["name"]
    seen = json.loads(berth(cluster, "status", "-o", "json").stdout)
    assert [plan["name"] for plan in seen["active"]] == [name]
    assert seen["policies"][0] == {
        "name": "by-hand",
        "mode": "Manual",
        "movesPerPlan": 50,
        "movesPerHour": 100,
        "conflict": "",
    }
    assert not cluster.running("app=big")
    ended = berth(cluster, "plan", "--approve", name)
    assert ended.returncode == 0, ended.stderr
    assert "1 waiting pod placed by 1 move" in ended.stdout
    assert f"{name}: Completed placed 2/2, moved 1/1" in ended.stdout
    cluster.wait_running("app=big", 1)
    table = berth(cluster, "status")
    assert table.returncode == 0
    assert "1 in the last hour" in table.stdout
    assert "No pod of scheduler berth waits." in table.stdout
    again = berth(cluster, "plan", "--cancel", name)
    assert again.returncode == 2
    assert "PlanFinished" in again.stderr


def test_a_person_plans_and_carries_out(berth_cluster: Cluster) -> None:
    cluster = berth_cluster
    only_proposals(cluster)
    fragmented(cluster)
    unsure = berth(cluster, "plan", "--apply", given="n\n")
    assert unsure.returncode == 1
    assert not [p for p in cluster.api.items(PLANS) if p["spec"]["trigger"] == "Person"]
    ended = berth(cluster, "plan", "--apply", "--yes")
    assert ended.returncode == 0, ended.stderr + ended.stdout
    assert "Completed placed 2/2, moved 1/1" in ended.stdout
    cluster.wait_running("app=big", 1)


def test_a_cancelled_plan_moves_nobody(berth_cluster: Cluster) -> None:
    cluster = berth_cluster
    only_proposals(cluster)
    fragmented(cluster)
    before = {p["metadata"]["uid"] for p in cluster.pods("app=small")}
    name = the_plan(cluster)["metadata"]["name"]
    assert berth(cluster, "plan", "--cancel", name).returncode == 0
    wait_for(
        "its end", lambda: cluster.api.get(f"{PLANS}/{name}").get("status", {}).get("phase") == "Cancelled" or None, 20
    )
    refused = berth(cluster, "plan", "--approve", name)
    assert refused.returncode == 2
    assert "PlanFinished" in refused.stderr
    assert {p["metadata"]["uid"] for p in cluster.pods("app=small")} == before


def test_what_runs_already_is_adopted_and_given_back(berth_cluster: Cluster) -> None:
    cluster = berth_cluster
    cluster.add_nodes(2, gpus=8)
    cluster.create(deployment("llama", 2, gpus=2))
    cluster.wait_running("app=llama", 2)
    told = berth(cluster, "adopt", "deploy/llama", "--dry-run")
    assert told.returncode == 0, told.stderr
    assert "schedulerName default-scheduler -> berth" in told.stdout
    assert "Its 2 pods are replaced rolling" in told.stdout
    assert {p["spec"]["schedulerName"] for p in cluster.pods("app=llama")} == {"default-scheduler"}
    done = berth(cluster, "adopt", "deploy/llama", "--yes")
    assert done.returncode == 0, done.stderr
    wait_for(
        "all pods with Berth",
        lambda: [p["spec"]["schedulerName"] for p in cluster.running("app=llama")] == ["berth", "berth"] or None,
        40,
    )
    assert "uses the scheduler berth already" in berth(cluster, "adopt", "deploy/llama").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("adopt", "deploy/nobody"), "UnknownWorkload"),
        (("adopt", "ds/agent"), "DaemonSets belong to their nodes"),
        (("plan", "--approve", "plan-nobody"), "UnknownPlan"),
        (("plan", "--apply", "--cancel", "x"), "exclude each other"),
        (("plan", "--apply", "--movable", "all"), "--movable all"),
    ],
)
def test_mistakes_are_told(cluster: Cluster, arguments: tuple[str, ...], words: str) -> None:
    ended = berth(cluster, *arguments)
    assert ended.returncode == 2
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr
