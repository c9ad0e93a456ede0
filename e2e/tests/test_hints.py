"""Hints on a real control plane: pods stand where their text wishes, and whoever wrote it is told how it was understood."""

from __future__ import annotations

import time
from collections import Counter
from functools import partial
from typing import Any

import pytest

from berth_api.annotations import ALLOCATION_HINT
from berth_e2e.berth_processes import answers
from berth_e2e.cluster import Cluster
from berth_e2e.fragmented import wait_warm
from berth_e2e.objects import deployment, node, pod
from berth_e2e.waiting import wait_for
from berth_operator.policy_status import POLICIES_PATH

ZONES = ("us-east-1a", "us-east-1b")
EVENT_SECONDS = 15.0
SEEN_SECONDS = 0.5
"""For the extenders to have seen what has just been made."""


@pytest.fixture
def zoned(berth_cluster: Cluster) -> Cluster:
    """Three nodes in each of two zones, node-0 to node-2 in the first, and both extenders know them."""
    for name in ("extender-0", "extender-1"):
        port = berth_cluster.state.ports[name.replace("extender", "extender-metrics")]
        wait_for(f"{name} ready", partial(answers, port), 30.0)
    for i in range(6):
        zone = ZONES[i // 3]
        labels = {"topology.kubernetes.io/zone": zone, "topology.kubernetes.io/region": zone[:-1]}
        berth_cluster.create(node(f"node-{i}", gpus=8, labels=labels))
    names = {f"node-{i}" for i in range(6)}
    wait_for("nodes", lambda: names <= set(berth_cluster.ready_nodes()) & berth_cluster.served_nodes())
    time.sleep(SEEN_SECONDS)
    return berth_cluster


def hinted(app: str, replicas: int, hint: str, **spec: Any) -> dict[str, Any]:
    return deployment(app, replicas, scheduler="berth", annotations={ALLOCATION_HINT: hint}, **spec)


def where(cluster: Cluster, app: str, count: int) -> Counter[str]:
    """Node to pods, once all run."""
    return Counter(p["spec"]["nodeName"] for p in cluster.wait_running(f"app={app}", count))


def stand_on(cluster: Cluster, app: str, name: str, **spec: Any) -> None:
    """A workload of one pod on that node, known to the extenders."""
    cluster.create(deployment(app, 1, nodeSelector={"kubernetes.io/hostname": name}, **spec))
    cluster.wait_running(f"app={app}", 1)
    time.sleep(SEEN_SECONDS)


def wait_told(cluster: Cluster, app: str, reason: str) -> str:
    """What the Deployment's events say under that reason."""

    def told() -> str:
        return next(
            (
                e["message"]
                for e in cluster.events(fieldSelector=f"involvedObject.kind=Deployment,involvedObject.name={app}")
                if e["reason"] == reason
            ),
            "",
        )

    return wait_for(
        f"{reason} on {app}",
        told,
        EVENT_SECONDS,
        seen=lambda: [(e["reason"], e["message"]) for e in cluster.events()],
    )


def attract(cluster: Cluster, *names: str) -> None:
    """Half of these nodes' GPUs are taken: packing alone would put a pod of four GPUs there."""
    for name in names:
        stand_on(cluster, f"other-{name}", name, gpus=4)


# Where pods stand


def test_pods_run_in_the_zone_that_their_hint_prefers(zoned: Cluster) -> None:
    attract(zoned, "node-0", "node-1", "node-2")
    zoned.create(hinted("web", 3, "preferably in us-east-1b", gpus=4))
    assert set(where(zoned, "web", 3)) <= {"node-3", "node-4", "node-5"}


@pytest.mark.parametrize("name", ["node-0", "node-3"])
def test_pods_keep_off_the_node_of_a_workload_that_they_avoid(zoned: Cluster, name: str) -> None:
    stand_on(zoned, "batch-etl", name, gpus=4)
    zoned.create(hinted("web", 1, "never on the same node as batch-etl", gpus=4))
    assert name not in where(zoned, "web", 1)


def test_pods_stand_in_the_zone_of_a_workload_that_they_wish_to_be_near(zoned: Cluster) -> None:
    attract(zoned, "node-0", "node-1", "node-2")
    stand_on(zoned, "kafka", "node-4")
    zoned.create(hinted("web", 3, "in the same zone as kafka", gpus=4))
    assert set(where(zoned, "web", 3)) <= {"node-3", "node-4", "node-5"}


def test_a_burst_spreads_over_zones_and_within_them_over_nodes(zoned: Cluster) -> None:
    attract(zoned, "node-0", "node-1", "node-2")
    zoned.create(hinted("web", 4, "spread these pods evenly across all available zones", gpus=4))
    found = where(zoned, "web", 4)
    assert set(found.values()) == {1}
    assert len(set(found) & {"node-0", "node-1", "node-2"}) == 2


def test_a_burst_gathers_on_one_node_that_has_room_for_all(zoned: Cluster) -> None:
    attract(zoned, "node-2")
    zoned.create(hinted("web", 2, "collocate all pods of this deployment on a single node", gpus=4))
    assert len(where(zoned, "web", 2)) == 1


def test_a_burst_of_twenty_gathers_on_one_node(zoned: Cluster) -> None:
    stand_on(zoned, "other", "node-2", cpu="54")
    zoned.create(hinted("web", 20, "collocate all pods of this deployment on a single node", cpu="1"))
    assert len(where(zoned, "web", 20)) == 1


@pytest.mark.parametrize(("used", "empty"), [("node-4", "node-3"), ("node-3", "node-4")])
def test_among_nodes_that_a_hint_likes_equally_packing_decides_and_not_the_alphabet(
    zoned: Cluster, used: str, empty: str
) -> None:
    stand_on(zoned, "other", used, gpus=4)
    zoned.create(hinted("web", 1, f"on {used} or {empty}", gpus=4))
    assert set(where(zoned, "web", 1)) == {used}


def test_a_hint_on_the_deployment_itself_counts_for_its_pods(zoned: Cluster) -> None:
    attract(zoned, "node-0", "node-1", "node-2")
    body = deployment("web", 3, scheduler="berth", gpus=4)
    body["metadata"]["annotations"] = {ALLOCATION_HINT: "in us-east-1b"}
    zoned.create(body)
    assert set(where(zoned, "web", 3)) <= {"node-3", "node-4", "node-5"}


def test_native_preferences_still_count_with_a_hint_and_without(zoned: Cluster) -> None:
    liked = {"key": "kubernetes.io/hostname", "operator": "In", "values": ["node-2", "node-5"]}
    term = {"weight": 100, "preference": {"matchExpressions": [liked]}}
    affinity = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [term]}}
    zoned.create(
        hinted("first", 3, "must be in us-east-1a", affinity=affinity),
        hinted("second", 3, "must be in us-east-1b", affinity=affinity),
        deployment("plain", 3, scheduler="berth", affinity=affinity),
    )
    assert set(where(zoned, "first", 3)) == {"node-2"}
    assert set(where(zoned, "second", 3)) == {"node-5"}
    assert set(where(zoned, "plain", 3)) <= {"node-2", "node-5"}


def test_a_hint_never_keeps_pods_waiting(zoned: Cluster) -> None:
    zoned.create(hinted("web", 3, "must run on an H200 in eu-west-1, never in us-east-1"))
    zoned.wait_running("app=web", 3)


def test_where_a_policy_enforces_it_a_must_that_no_node_meets_waits_and_says_why(zoned: Cluster) -> None:
    spec = {"hints": {"enforceStrong": ["default"]}}
    body = {"apiVersion": "berth.dev/v1alpha1", "kind": "PackingPolicy", "metadata": {"name": "strict"}}
    zoned.api.request("POST", POLICIES_PATH, body | {"spec": spec})
    time.sleep(SEEN_SECONDS)
    zoned.create(hinted("web", 1, "must run on an H200"), hinted("other", 1, "must run in us-east-1b"))
    assert set(where(zoned, "other", 1)) <= {"node-3", "node-4", "node-5"}

    def refused() -> bool:
        return "H200" in zoned.told("app=web")

    wait_for("the scheduler's message", refused, EVENT_SECONDS, seen=lambda: zoned.told("app=web"))
    assert not zoned.running("app=web")


# What the owner is told


def test_the_owner_is_told_once_what_was_understood(zoned: Cluster) -> None:
    wait_warm(zoned)
    zoned.create(hinted("web", 4, "spread over zones, ideally in us-east-1"))
    zoned.wait_running("app=web", 4)
    said = wait_told(zoned, "web", "HintUnderstood")
    assert "zones" in said
    assert "us-east-1" in said
    time.sleep(2.0)
    found = [e for e in zoned.events() if e["reason"] == "HintUnderstood"]
    assert [(e["involvedObject"]["kind"], e.get("count", 1)) for e in found] == [("Deployment", 1)]


@pytest.mark.parametrize(
    ("hint", "reason", "word"),
    [
        (
            "collocate all pods on a single node, you must also spread these pods across all zones",
            "HintConflict",
            'spread these pods across all zones") counts',
        ),
        ("must run on an H200", "HintUnsatisfiable", "H200"),
        ("near the frobnicator deployment, in us-east-1a", "HintPartlyUnderstood", "frobnicator"),
    ],
)
def test_the_owner_is_told_what_does_not_come_true(zoned: Cluster, hint: str, reason: str, word: str) -> None:
    wait_warm(zoned)
    zoned.create(hinted("web", 2, hint))
    zoned.wait_running("app=web", 2)
    assert word in wait_told(zoned, "web", reason)


def test_a_bare_pod_is_told_itself(zoned: Cluster) -> None:
    wait_warm(zoned)
    zoned.create(pod("alone", scheduler="berth", annotations={ALLOCATION_HINT: "in us-east-1b"}))
    wait_for(
        "HintUnderstood on the pod",
        lambda: [e for e in zoned.events(fieldSelector="involvedObject.name=alone") if e["reason"] == "HintUnderstood"],
        EVENT_SECONDS,
        seen=lambda: [(e["reason"], e["involvedObject"]["kind"]) for e in zoned.events()],
    )
