"""Plans that move a replica of an LLMService, and rollouts that are turned back: who serves goes on serving.

On a real control plane with fake nodes. A replica "loads" as long as its pod takes to be ready; a sampler looks at the Service's
endpoints and at the condition Ready many times a second.
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from berth_api.annotations import DELETION_COST, RELIEVED_BY
from berth_e2e.cluster import Cluster
from berth_e2e.objects import GPU, STARTS_AFTER, TERMINATES_AFTER, replica_set
from berth_e2e.plans import plan_of_one_step, planned_eviction
from berth_e2e.waiting import wait_for
from berth_operator.plan_writing import PLANS_PATH
from berth_operator.policy_status import POLICIES_PATH

SERVICES = "/apis/berth.dev/v1alpha1/namespaces/default/llmservices"
DEPLOYMENT = "/apis/apps/v1/namespaces/default/deployments/llama"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
PODS = "/api/v1/namespaces/default/pods"
OF_SERVICE = "berth.dev/llm-service=llama"
POLICY = {"apiVersion": "berth.dev/v1alpha1", "kind": "PackingPolicy", "metadata": {"name": "asks"}}
NEVER = "9999s"
SECONDS = 60.0
SAMPLE_SECONDS = 0.03

Json = dict[str, Any]


class Sampler:
    """What clients would have met, many times a second."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.endpoints: list[frozenset[str]] = []
        self.ready: list[tuple[str, str]] = []
        self.progressing: set[str] = set()

    def __enter__(self) -> Sampler:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            self.endpoints.append(endpoints(self._cluster))
            self.ready.append(condition(self._cluster)[:2])
            self.progressing.add(condition(self._cluster, "Progressing")[1])

    @property
    def fewest(self) -> int:
        assert len(self.endpoints) > 20, "it has hardly looked"
        return min(map(len, self.endpoints))


def endpoints(cluster: Cluster) -> frozenset[str]:
    """Names of the pods that the Service sends clients to."""
    return frozenset(
        found["targetRef"]["name"]
        for one in cluster.api.items(SLICES, labelSelector="kubernetes.io/service-name=llama")
        for found in one.get("endpoints") or ()
        if found["conditions"].get("ready") is not False
    )


def condition(cluster: Cluster, type_: str = "Ready") -> tuple[str, str, str]:
    for one in cluster.api.get(f"{SERVICES}/llama").get("status", {}).get("conditions", []):
        if one["type"] == type_:
            return one["status"], one["reason"], one["message"]
    return "", "", ""


def llama(loads: str, *, ends: str = "2s", **spec: Any) -> Json:
    """loads: until a replica is ready; ends: how long it drains."""
    annotations = {STARTS_AFTER: loads, TERMINATES_AFTER: ends}
    return {
        "apiVersion": "berth.dev/v1alpha1",
        "kind": "LLMService",
        "metadata": {"name": "llama", "namespace": "default"},
        "spec": {
            "model": {"uri": "path://tiny-mixtral"},
            "replicas": 1,
            "resources": {"gpus": 1},
            "podTemplate": {"metadata": {"annotations": annotations}},
            **spec,
        },
    }


def names(cluster: Cluster, selector: str = OF_SERVICE) -> set[str]:
    return {p["metadata"]["name"] for p in cluster.pods(selector)}


def the_plan(cluster: Cluster) -> Json:
    found: Json = cluster.api.items(PLANS_PATH)[0]
    return found


def outcome(cluster: Cluster) -> str:
    conditions = the_plan(cluster).get("status", {}).get("conditions", [])
    return next((c["reason"] for c in conditions if c["type"] == "Finished" and c["status"] == "True"), "")


def approve(cluster: Cluster) -> None:
    cluster.api.merge(f"{PLANS_PATH}/{the_plan(cluster)['metadata']['name']}", {"spec": {"approved": True}})


def marked(cluster: Cluster) -> list[str]:
    pods = cluster.pods(OF_SERVICE)
    return [p["metadata"]["name"] for p in pods if RELIEVED_BY in p["metadata"].get("annotations", {})]


def replicas(cluster: Cluster) -> int:
    return int(cluster.api.get(DEPLOYMENT)["spec"]["replicas"])


def put_on(cluster: Cluster, node: str, body: Json, ready: Callable[[], bool]) -> None:
    """On that node alone."""
    others = [name for name in cluster.ready_nodes() if name != node]
    for other in others:
        cluster.kubectl("cordon", other)
    cluster.create(body)
    wait_for(f"{body['metadata']['name']} on {node}", ready, SECONDS, seen=cluster.told)
    for other in others:
        cluster.kubectl("uncordon", other)


@pytest.fixture
def asking(berth_cluster: Cluster) -> Iterator[Cluster]:
    """Plans wait for a person."""
    cluster = berth_cluster
    for path in (PLANS_PATH, POLICIES_PATH):
        for left in cluster.api.items(path):
            cluster.api.delete(f"{path}/{left['metadata']['name']}")
    log = cluster.processes["operator-0"].log_text
    wait_for("a warm solver", lambda: "the solver is warm" in log(), 60.0)
    cluster.create(POLICY | {"spec": {"mode": "Manual"}})
    yield cluster
    cluster.heal()


def proposed(cluster: Cluster, *, loads: str) -> str:
    """node-0 is half free, llama's one replica has half of node-1, and a pod that needs a whole node waits: there is a plan to
    move the replica to node-0, beside a pod that must not move. Its name."""
    cluster.add_nodes(2, gpus=2)
    stays = replica_set("stays", 1, gpus=1, scheduler="berth", annotations={"berth.dev/do-not-move": "true"})
    put_on(cluster, "node-0", stays, lambda: len(cluster.running("app=stays")) == 1)
    put_on(cluster, "node-1", llama(loads), lambda: condition(cluster)[0] == "True" and len(endpoints(cluster)) == 1)
    cluster.create(replica_set("big", 1, gpus=2, scheduler="berth"))
    wait_for("a plan", lambda: cluster.api.items(PLANS_PATH), 30.0)
    (name,) = names(cluster)
    return name


def moved_to_node_0(cluster: Cluster, before: str) -> None:
    wait_for("its end", lambda: outcome(cluster), SECONDS, seen=lambda: (the_plan(cluster), cluster.told()))
    assert outcome(cluster) == "Completed", the_plan(cluster)["status"]
    cluster.wait_running("app=big", 1)
    (pod,) = cluster.wait_running(OF_SERVICE, 1)
    assert pod["metadata"]["name"] != before
    assert pod["spec"]["nodeName"] == "node-0"
    assert [r["pod"] for r in the_plan(cluster)["status"]["evictions"]] == [f"default/{before}"]
    wait_for("as asked for", lambda: replicas(cluster) == 1 and names(cluster) == {pod["metadata"]["name"]}, SECONDS)
    wait_for("told", lambda: condition(cluster, "Progressing")[1] == "Done", SECONDS)


def test_a_single_replica_with_room_for_two_moves_and_somebody_always_answers(asking: Cluster) -> None:
    before = proposed(asking, loads="3s")
    with Sampler(asking) as seen:
        approve(asking)
        moved_to_node_0(asking, before)
    assert seen.fewest == 1
    assert set(seen.ready) == {("True", "Answering")}
    assert "Moving" in seen.progressing
    assert frozenset((before,)) in seen.endpoints
    assert before not in seen.endpoints[-1]


def test_without_room_for_two_it_drains_and_then_moves(asking: Cluster) -> None:
    """old has all of node-0 and no place any more; it and the replica leave together."""
    asking.add_nodes(2, gpus=2)
    put_on(asking, "node-0", replica_set("old", 1, gpus=2, scheduler="berth"), lambda: bool(asking.running("app=old")))
    put_on(asking, "node-1", replica_set("stays", 1, gpus=1), lambda: len(asking.running("app=stays")) == 1)
    put_on(asking, "node-1", llama("1s"), lambda: condition(asking)[0] == "True")
    (before,) = names(asking)
    asking.create(plan_of_swap(asking))
    with Sampler(asking) as seen:
        wait_for("its end", lambda: outcome(asking), SECONDS, seen=lambda: (the_plan(asking), asking.told()))
        wait_for("ready again", lambda: names(asking) and condition(asking)[0] == "True", SECONDS, seen=asking.told)
    assert outcome(asking) == "Completed", the_plan(asking)["status"]
    (pod,) = asking.wait_running(OF_SERVICE, 1)
    assert (pod["metadata"]["name"] != before, pod["spec"]["nodeName"]) == (True, "node-0")
    assert max(map(len, seen.endpoints)) == 1, "there was never a second one"
    assert frozenset() in seen.endpoints


def plan_of_swap(cluster: Cluster) -> Json:
    """One step: old leaves node-0 and has no place, the replica goes there."""
    leaves = planned_eviction(cluster, "app=old", "/apis/apps/v1/namespaces/default/replicasets/old", {GPU: 2})
    moves = planned_eviction(cluster, OF_SERVICE, f"{SERVICES}/llama", {GPU: 1}, target="node-0")
    return plan_of_one_step("swap", leaves, moves)


@pytest.mark.slow
def test_where_a_quota_forbids_a_second_replica_it_is_evicted_after_a_while(asking: Cluster) -> None:
    before = proposed(asking, loads="1s")
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "full", "namespace": "default"}}
    asking.create(quota | {"spec": {"hard": {"pods": str(len(asking.pods()))}}})
    path = "/api/v1/namespaces/default/resourcequotas/full"
    try:
        wait_for("the quota counted", lambda: asking.api.get(path).get("status", {}).get("used"), SECONDS)
        approve(asking)
        moved_to_node_0(asking, before)
    finally:
        asking.api.delete(path)
    assert not marked(asking)


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["marked", "surged", "answered"])
def test_an_operator_killed_in_mid_move_is_followed_by_one_that_goes_on(asking: Cluster, moment: str) -> None:
    before = proposed(asking, loads="4s")
    reached: dict[str, Callable[[], bool]] = {
        "marked": lambda: bool(marked(asking)),
        "surged": lambda: replicas(asking) == 2,
        "answered": lambda: bool(endpoints(asking) - {before}),
    }
    with Sampler(asking) as seen:
        approve(asking)
        wait_for(moment, reached[moment], SECONDS, seen=lambda: the_plan(asking).get("status"))
        asking.processes["operator-0"].kill()
        time.sleep(1)
        asking.heal()
        moved_to_node_0(asking, before)
    assert seen.fewest == 1
    assert {ready for ready, _ in seen.ready} == {"True"}


@pytest.mark.slow
def test_a_move_that_is_cancelled_leaves_the_replica_and_no_mark(asking: Cluster) -> None:
    before = proposed(asking, loads="5s")
    with Sampler(asking) as seen:
        approve(asking)
        wait_for("a second replica", lambda: len(names(asking)) == 2, SECONDS)
        asking.api.merge(f"{PLANS_PATH}/{the_plan(asking)['metadata']['name']}", {"spec": {"cancelled": True}})
        wait_for("its end", lambda: outcome(asking) == "Cancelled", SECONDS)
        wait_for("one replica", lambda: names(asking) == {before}, SECONDS, seen=asking.told)
        wait_for("no mark", lambda: not marked(asking), SECONDS)
    assert DELETION_COST not in asking.api.get(f"{PODS}/{before}")["metadata"].get("annotations", {})
    assert replicas(asking) == 1
    assert seen.fewest == 1
    assert {ready for ready, _ in seen.ready} == {"True"}


@pytest.mark.slow
def test_a_change_in_mid_move_rolls_out_in_the_room_of_the_move(asking: Cluster) -> None:
    """The new generation takes the place of the replica that was still loading, and answers before the old one leaves."""
    before = proposed(asking, loads="8s")
    with Sampler(asking) as seen:
        approve(asking)
        wait_for("a second replica", lambda: len(names(asking)) == 2, SECONDS)
        asking.api.merge(f"{SERVICES}/llama", {"spec": {"podTemplate": llama("1s")["spec"]["podTemplate"]}})
        wait_for("its end", lambda: outcome(asking), SECONDS, seen=lambda: (the_plan(asking), asking.told()))
        wait_for("the new one", lambda: condition(asking)[0] == "True" and len(names(asking)) == 1, SECONDS)
    assert seen.fewest == 1
    assert before not in names(asking)
    assert not marked(asking)


@pytest.mark.slow
@pytest.mark.parametrize("rollout", ["InPlace", "Surge"])
def test_a_rollout_that_never_gets_ready_and_is_turned_back_takes_nobody_down(
    berth_cluster: Cluster, rollout: str
) -> None:
    """Two of three in place, all three with room to surge; and turned to a third revision on the way, before it goes back."""
    cluster = berth_cluster
    cluster.add_nodes(3, gpus=4)
    cluster.create(llama("1s", replicas=3, rollout=rollout))
    wait_for("ready", lambda: condition(cluster)[0] == "True" and len(endpoints(cluster)) == 3, SECONDS)
    first = endpoints(cluster)
    least = 2 if rollout == "InPlace" else 3

    def roll_to(loads: str, batch: int | None) -> None:
        change = {"podTemplate": llama(loads)["spec"]["podTemplate"], "engine": {"maxBatch": batch}}
        cluster.api.merge(f"{SERVICES}/llama", {"spec": change})

    with Sampler(cluster) as seen:
        for batch in (8, 16):
            roll_to(NEVER, batch)
            begun = functools.partial(has_batch, cluster, batch)
            wait_for("a pod that never gets ready", begun, SECONDS, seen=cluster.told)
            time.sleep(3)
            kept = endpoints(cluster)
            assert len(kept) >= least
        roll_to("1s", None)
        wait_for(
            "turned back",
            lambda: condition(cluster)[0] == "True" and len(endpoints(cluster)) == 3 and len(names(cluster)) == 3,
            SECONDS,
            seen=lambda: (condition(cluster), cluster.told()),
        )
    assert seen.fewest >= least
    assert kept <= first, "who served all the time was of the first revision"
    assert kept <= endpoints(cluster), "and the way back took none of them down"


@pytest.mark.slow
def test_a_rollout_that_is_changed_on_the_way_takes_its_only_server_down_at_no_time(berth_cluster: Cluster) -> None:
    """There is room for one more. The first pod that never gets ready has it; so there is none for the next, but its own."""
    cluster = berth_cluster
    cluster.add_nodes(1, gpus=2)
    cluster.create(llama("1s"))
    wait_for("ready", lambda: condition(cluster)[0] == "True" and len(endpoints(cluster)) == 1, SECONDS)
    first = endpoints(cluster)
    with Sampler(cluster) as seen:
        for batch in (8, 16, 32):
            change = {"podTemplate": llama(NEVER)["spec"]["podTemplate"], "engine": {"maxBatch": batch}}
            cluster.api.merge(f"{SERVICES}/llama", {"spec": change})
            begun = functools.partial(has_batch, cluster, batch)
            wait_for("a pod that never gets ready", begun, SECONDS, seen=cluster.told)
            time.sleep(2)
            assert endpoints(cluster) == first
        change = {"podTemplate": llama("1s")["spec"]["podTemplate"], "engine": {"maxBatch": 64}}
        cluster.api.merge(f"{SERVICES}/llama", {"spec": change})
        wait_for(
            "the new one alone",
            lambda: condition(cluster)[0] == "True" and has_batch(cluster, 64) and len(names(cluster)) == 1,
            SECONDS,
            seen=lambda: (condition(cluster), cluster.told()),
        )
    assert seen.fewest >= 1


def has_batch(cluster: Cluster, batch: int) -> bool:
    """Whether a pod of that revision is there."""
    pods = cluster.running(OF_SERVICE) + [p for p in cluster.pods(OF_SERVICE) if p["status"]["phase"] == "Pending"]
    return any(str(batch) in p["spec"]["containers"][0].get("args", []) for p in pods)
