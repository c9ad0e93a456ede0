"""From a live cluster's snapshot to what owners are told: real texts, the cluster's own names, the policies in force."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from berth_cluster.snapshot import Pod, Snapshot, Taint
from berth_operator.others_names import SOMEBODY
from berth_operator.understood_reading import HintReaders
from tests.planner.clusters import Cluster

from .world import of_berth, policy


def three_zones() -> Cluster:
    return Cluster().node("n1", zone="west", gpu=8).node("n2", zone="east").node("n3", zone="south")


def told(hint: str, cluster: Cluster | None = None, **hints: Any) -> dict[str, str]:
    """Reason to sentence for a pod with this hint, under a policy that says `hints`."""
    snapshot = of_berth((cluster or three_zones()).pods("web", gpu=1, hint=hint).snapshot())
    pod = next(p for p in snapshot.pods if p.workload.name == "web")
    reader = HintReaders()(snapshot, [policy("p", hints=hints)] if hints else [])
    return {outcome.reason.value: outcome.sentence for outcome in reader.outcomes(pod)}


def test_the_example_of_the_guide_is_understood() -> None:
    cluster = three_zones().pods("batch-etl", on="n1")
    found = told("spread us over zones, and never next to batch-etl", cluster)
    assert found == {
        "HintUnderstood": "the allocation hint is understood as: pods of its workload spread over zones; "
        "not on a node where batch-etl runs (strong)"
    }


def test_names_are_the_clusters_own() -> None:
    assert "in zone east" in told("please run in zone East")["HintUnderstood"]


def test_what_is_not_there_is_out_of_reach() -> None:
    found = told("on H100s if possible")
    assert 'no node satisfies "on a node with GPU model H100"' in found["HintUnsatisfiable"]


def test_a_contradiction_is_told() -> None:
    assert "HintConflict" in told("must be in zone east, avoid zone east")


def test_a_wish_that_may_not_be_made_there_is_left_aside_and_not_called_out_of_reach() -> None:
    found = told(
        "on a spot node, in zone east", allowedIntents=[{"namespaces": ["default"], "intents": ["prefer_zones"]}]
    )
    assert list(found) == ["HintPartlyUnderstood"]
    assert "not allowed in this namespace: on a spot node" in found["HintPartlyUnderstood"]


def test_where_hints_are_off_nothing_is_said() -> None:
    assert told("in zone east", enabled=False) == {}


def test_an_enforced_wish_that_the_pods_own_rules_forbid_is_said_to_wait() -> None:
    cluster = Cluster().node("n1", zone="west", gpu=8)
    cluster.node("n2", zone="east", gpu=8, taints=[Taint("dedicated", "infra", "NoSchedule")])
    assert "HintUnsatisfiable" not in told("must run in zone east", cluster)
    cluster.all_pods.clear()
    found = told("must run in zone east", cluster, enforceStrong=["default"])
    assert 'no node that the pod\'s own rules allow satisfies "in zone east": it waits' in found["HintUnsatisfiable"]


def test_facts_of_nodes_are_made_once_and_again_when_labels_are_named() -> None:
    snapshot = of_berth(three_zones().pods("web", hint="in zone x").snapshot())
    read = HintReaders()
    first, second = (read(snapshot, [])._reading for _ in range(2))
    assert first.facts is second.facts
    third = read(snapshot, [policy("p", hints={"labels": {"zone": ["kubernetes.io/hostname"]}})])._reading
    assert [f.zone for f in third.facts] == ["n1", "n2", "n3"]


def elsewhere(snapshot: Snapshot, name: str) -> Snapshot:
    """The same with that workload in another namespace."""

    def moved(pod: Pod) -> Pod:
        if pod.workload.name != name:
            return pod
        return replace(pod, namespace="theirs", workload=replace(pod.workload, namespace="theirs"))

    return replace(snapshot, pods=tuple(moved(pod) for pod in snapshot.pods))


@pytest.mark.parametrize(
    "hint", ["close to the quixotc-ledger pods", "near quixotic-legder", "never next to quixotic-leder"]
)
def test_names_of_other_namespaces_that_the_hint_does_not_write_are_not_told(hint: str) -> None:
    cluster = three_zones().pods("quixotic-ledger", on="n1").pods("web", hint=hint)
    snapshot = of_berth(cluster.snapshot())
    pod = next(p for p in snapshot.pods if p.workload.name == "web")
    own = " ".join(o.sentence for o in HintReaders()(snapshot, []).outcomes(pod))
    assert "quixotic-l" in own.replace(hint, ""), "in one's own namespace it is told"
    theirs = elsewhere(snapshot, "quixotic-ledger")
    told = " ".join(o.sentence for o in HintReaders()(theirs, []).outcomes(pod))
    assert "quixotic-ledger" not in told
    assert SOMEBODY in told


def test_a_name_that_the_hint_writes_is_told_wherever_it_runs() -> None:
    cluster = three_zones().pods("redis", on="n1").pods("web", hint="close to redis")
    snapshot = elsewhere(of_berth(cluster.snapshot()), "redis")
    pod = next(p for p in snapshot.pods if p.workload.name == "web")
    assert "close to redis" in HintReaders()(snapshot, []).outcomes(pod)[0].sentence
