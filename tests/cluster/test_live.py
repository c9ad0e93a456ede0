"""The live cluster: what a change on the server does to the snapshot, and what listeners hear of it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from berth_api.reasons import Reason
from berth_cluster.errors import FieldError
from berth_cluster.live import FOR_EXTENDER, Kind
from berth_cluster.snapshot import Gang

from .api_server import PATHS
from .builders import PodThing, Thing, budget, node, pod
from .live_builders import Heard, comparable, truth, until, watched

PODS_ONLY = frozenset((Kind.PODS, Kind.NODES))


def owner(kind: str, name: str, api_version: str = "apps/v1") -> Thing:
    return Thing(api_version, kind, name, "default").meta(uid=f"uid-{name}")


def refused(thing: PodThing, message: str) -> PodThing:
    condition = {
        "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    return thing.status(conditions=[condition])


def run(scenario: Any) -> None:
    asyncio.run(scenario)


def test_everything_that_the_server_holds_is_in_the_snapshot() -> None:
    async def scenario() -> None:
        things = [
            *(node(f"n{i}") for i in range(7)),
            *(pod(f"p{i}").on(f"n{i % 7}").owned_by("ReplicaSet", "web-1") for i in range(10)),
            owner("ReplicaSet", "web-1").owned_by("Deployment", "web"),
            owner("Deployment", "web"),
            budget("web", {"matchLabels": {"app": "web"}}, 1),
            Thing("v1", "Namespace", "default").labelled({"team": "a"}),
            Thing("scheduling.k8s.io/v1", "PriorityClass", "high", value=100),
        ]
        async with watched(*things) as (server, cluster):
            found = cluster.snapshot()
            assert comparable(found) == truth(server)
            assert len(found.nodes) == 7
            assert {str(p.workload) for p in found.pods} == {"default/Deployment/web"}
            assert cluster.synced

    run(scenario())


def test_a_snapshot_is_the_same_object_until_something_changes() -> None:
    async def scenario() -> None:
        async with watched(node("n1"), pod("a")) as (server, cluster):
            before = cluster.snapshot()
            assert cluster.snapshot() is before
            await server.bookmark("/api/v1/pods")
            await server.put(pod("a").on("n1"))
            await until(lambda: cluster.snapshot() is not before)
            assert before.pods[0].node is None  # what was taken stays as it was
            assert cluster.snapshot().pods[0].node == "n1"
            assert cluster.snapshot().nodes is before.nodes

    run(scenario())


def test_pods_of_one_template_share_one_spec() -> None:
    async def scenario() -> None:
        async with watched(node("n1"), *(pod(f"p{i}").labelled({"app": "web"}) for i in range(8))) as (_, cluster):
            assert len({id(p.spec) for p in cluster.snapshot().pods}) == 1

    run(scenario())


def test_listeners_hear_of_what_is_known_and_of_every_change() -> None:
    async def scenario() -> None:
        async with watched(node("n1"), pod("a"), pod("b")) as (server, cluster):
            heard = Heard()
            cluster.listen(heard)
            assert [new and new.name for _, new in heard.pods] == ["a", "b"]
            assert [new and new.name for _, new in heard.nodes] == ["n1"]
            await server.put(pod("a").on("n1"))
            await server.delete("Pod", "b", "default")
            await until(lambda: set(heard.standing()) == {"default/a"})
            assert heard.standing()["default/a"].node == "n1"

    run(scenario())


def test_a_listener_that_fails_keeps_nobody_from_hearing() -> None:
    class Broken(Heard):
        def pod_changed(self, old: object, new: object) -> None:
            raise RuntimeError("broken")

    async def scenario() -> None:
        async with watched(node("n1")) as (server, cluster):
            heard = Heard()
            cluster.listen(Broken())
            cluster.listen(heard)
            await server.put(pod("a"))
            await until(lambda: heard.pods)
            assert cluster.pod("default", "a") is not None
            assert cluster.restarts["ListenerFailed"] == 1

    run(scenario())


def test_a_pod_that_finishes_is_gone() -> None:
    async def scenario() -> None:
        async with watched(node("n1"), pod("job").on("n1")) as (server, cluster):
            heard = Heard()
            cluster.listen(heard)
            await server.put(pod("job").on("n1").status(phase="Succeeded"))
            await until(lambda: not heard.standing())
            assert cluster.snapshot().pods == ()
            assert cluster.pod("default", "job") is None

    run(scenario())


def test_a_change_that_nobody_decides_on_is_not_told() -> None:
    async def scenario() -> None:
        async with watched(node("n1"), pod("a").on("n1")) as (server, cluster):
            heard = Heard()
            cluster.listen(heard)
            told = len(heard.pods)
            body = await server.put(pod("a").on("n1").status(podIP="10.0.0.1"))
            version = body["metadata"]["resourceVersion"]
            await until(lambda: (a := cluster.pod("default", "a")) and a.resource_version == version)
            assert len(heard.pods) == told

    run(scenario())


def test_a_replica_set_that_comes_after_its_pods_gives_them_their_workload() -> None:
    async def scenario() -> None:
        async with watched(node("n1"), pod("a").owned_by("ReplicaSet", "odd")) as (server, cluster):
            heard = Heard()
            cluster.listen(heard)
            a = cluster.pod("default", "a")
            assert a is not None
            assert str(a.workload) == "default/ReplicaSet/odd"
            await server.put(owner("ReplicaSet", "odd").owned_by("Deployment", "web"))
            await until(lambda: str(heard.standing()["default/a"].workload) == "default/Deployment/web")
            await server.put(owner("Deployment", "web").owned_by("LLMService", "chat", "berth.dev/v1alpha1"))
            await until(lambda: str(heard.standing()["default/a"].workload) == "default/LLMService/chat")

    run(scenario())


def test_a_deleted_owner_stays_the_workload_of_its_last_pods() -> None:
    async def scenario() -> None:
        things = [
            node("n1"),
            owner("ReplicaSet", "odd").owned_by("Deployment", "web"),
            pod("a").owned_by("ReplicaSet", "odd"),
        ]
        async with watched(*things) as (server, cluster):
            await server.delete("ReplicaSet", "odd", "default")
            await server.delete("Deployment", "web", "default")
            await server.put(pod("a").owned_by("ReplicaSet", "odd").meta(deletionTimestamp="2026-01-01T00:00:00Z"))
            await until(lambda: (a := cluster.pod("default", "a")) and a.terminating)
            a = cluster.pod("default", "a")
            assert a is not None
            assert str(a.workload) == "default/Deployment/web"
            await server.delete("Pod", "a", "default")
            await until(lambda: cluster.pod("default", "a") is None)
            await until(lambda: len(cluster._owners) == 0)  # and then nothing of it is kept

    run(scenario())


def test_a_hint_given_to_a_deployment_reaches_its_pods_and_leaves_with_it() -> None:
    async def scenario() -> None:
        hint = {"berth.dev/allocation-hint": "spread over zones", "other": "y" * 5_000}
        things = [
            node("n1"),
            pod("p").owned_by("ReplicaSet", "web-1"),
            owner("ReplicaSet", "web-1").owned_by("Deployment", "web"),
            owner("Deployment", "web"),
        ]
        async with watched(*things) as (server, cluster):
            heard = Heard()
            cluster.listen(heard)
            await server.put(owner("Deployment", "web").annotated(hint))
            await until(lambda: cluster.snapshot().pods[0].hint == "spread over zones")
            assert comparable(cluster.snapshot()) == truth(server)
            told = len(heard.pods)
            await server.put(owner("Deployment", "web").annotated(hint | {"other": "changed"}))
            await server.put(owner("Deployment", "web"))
            await until(lambda: cluster.snapshot().pods[0].hint == "")
            assert len(heard.pods) == told + 1  # other annotations are nobody's business
            await server.put(owner("Deployment", "web").annotated(hint))
            await until(lambda: cluster.snapshot().pods[0].hint)
            await server.delete("Deployment", "web", "default")
            await server.put(pod("last").owned_by("ReplicaSet", "web-1"))
            await until(lambda: cluster.pod("default", "last"))
            assert {p.hint for p in cluster.snapshot().pods} == {"spread over zones"}  # while pods of it stand

    run(scenario())


def test_a_job_that_ignores_evictions_makes_its_pods_movable() -> None:
    async def scenario() -> None:
        ignores = {"rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}]}
        job = Thing("batch/v1", "Job", "train", "default", spec={}).meta(uid="uid-train")
        async with watched(node("n1"), pod("a").owned_by("Job", "train", "batch/v1"), job) as (server, cluster):
            a = cluster.pod("default", "a")
            assert a is not None
            assert a.immovable == (Reason.JOB_WITHOUT_POLICY,)
            await server.put(
                Thing("batch/v1", "Job", "train", "default", spec={"podFailurePolicy": ignores}).meta(uid="uid-train")
            )
            await until(lambda: (a := cluster.pod("default", "a")) and a.is_movable)

    run(scenario())


def test_a_pod_on_an_unknown_node_waits_outside_the_snapshot() -> None:
    async def scenario() -> None:
        async with watched(node("n1"), pod("a").on("n2")) as (server, cluster):
            assert cluster.snapshot().pods == ()
            assert cluster.pod("default", "a") is not None
            await server.put(node("n2"))
            await until(lambda: cluster.snapshot().pods)
            await server.delete("Node", "n2")
            await until(lambda: not cluster.snapshot().pods)

    run(scenario())


def test_a_heartbeat_of_a_node_changes_nothing() -> None:
    async def scenario() -> None:
        async with watched(node("n1")) as (server, cluster):
            before, heard = cluster.snapshot(), Heard()
            cluster.listen(heard)
            await server.put(node("n1").status(images=[]))
            await server.put(node("n2"))
            await until(lambda: len(heard.nodes) == 2)
            assert [new and new.name for _, new in heard.nodes] == ["n1", "n2"]
            assert cluster.snapshot().nodes[0] is before.nodes[0]

    run(scenario())


def test_namespaces_selected_by_label_follow_their_labels() -> None:
    async def scenario() -> None:
        term = {"labelSelector": {}, "namespaceSelector": {"matchLabels": {"team": "a"}}}
        async with watched(node("n1"), pod("a").repels(**term), Thing("v1", "Namespace", "x")) as (server, cluster):
            await server.put(Thing("v1", "Namespace", "x").labelled({"team": "a"}))
            await until(lambda: cluster.snapshot().pods[0].spec.anti_affinity[0].namespaces == {"x"})
            await server.delete("Namespace", "x")
            await until(lambda: cluster.snapshot().pods[0].spec.anti_affinity[0].namespaces == frozenset())

    run(scenario())


@pytest.mark.parametrize("volume_first", [True, False])
def test_a_claim_that_gets_bound_ties_its_pod_to_the_volumes_zone(volume_first: bool) -> None:
    async def scenario() -> None:
        volume = Thing("v1", "PersistentVolume", "v", spec={}).labelled({"topology.kubernetes.io/zone": "z1"})
        claim = Thing("v1", "PersistentVolumeClaim", "c", "default", spec={"volumeName": "v"})
        mounts = [{"name": "data", "persistentVolumeClaim": {"claimName": "c"}}]
        async with watched(node("n1"), pod("a").spec(volumes=mounts)) as (server, cluster):
            assert Reason.UNKNOWN_FEATURE in cluster.snapshot().pods[0].immovable
            first, second = (volume, claim) if volume_first else (claim, volume)
            path = PATHS[first.body["kind"]]
            version = (await server.put(first))["metadata"]["resourceVersion"]
            await until(lambda: cluster.resource_versions()[path.rsplit("/", 1)[1]] == version)
            await server.put(second)
            await until(lambda: cluster.snapshot().pods[0].spec.volume_nodes)
            assert comparable(cluster.snapshot()) == truth(server)
            await server.delete("PersistentVolumeClaim", "c", "default")
            await until(lambda: not cluster.snapshot().pods[0].spec.volume_nodes)

    run(scenario())


def test_an_extender_does_not_look_at_volumes() -> None:
    async def scenario() -> None:
        mounts = [{"name": "data", "persistentVolumeClaim": {"claimName": "c"}}]
        async with watched(node("n1"), pod("a").spec(volumes=mounts), kinds=FOR_EXTENDER) as (_, cluster):
            assert cluster.snapshot().pods[0].spec.unmodelled == ()

    run(scenario())


def test_a_gang_counts_its_members_as_they_come_and_go() -> None:
    async def scenario() -> None:
        gang = {"berth.dev/gang": "g"}
        async with watched(node("n1"), pod("a").annotated(gang)) as (server, cluster):
            heard = Heard()
            cluster.listen(heard)
            await server.put(pod("b").annotated(gang))
            await until(lambda: {p.gang for p in heard.standing().values()} == {Gang("default/g", 2)})
            await server.delete("Pod", "b", "default")
            await until(lambda: {p.gang for p in heard.standing().values()} == {Gang("default/g", 1)})

    run(scenario())


def test_pods_under_two_budgets_cannot_be_evicted_until_one_goes() -> None:
    async def scenario() -> None:
        web = {"matchLabels": {"app": "web"}}
        things = [node("n1"), pod("a").labelled({"app": "web"}).owned_by("ReplicaSet", "r"), budget("one", web, 1)]
        async with watched(*things) as (server, cluster):
            assert cluster.snapshot().pods[0].is_movable
            await server.put(budget("two", web, 1))
            await until(lambda: cluster.snapshot().pods[0].immovable == (Reason.MANY_BUDGETS,))
            await server.put(budget("two", {"matchLabels": {"app": "db"}}, 1))
            await until(lambda: cluster.snapshot().pods[0].is_movable)
            await server.put(budget("two", {}, 1))
            await until(lambda: cluster.snapshot().pods[0].immovable == (Reason.MANY_BUDGETS,))
            await server.delete("PodDisruptionBudget", "two", "default")
            await until(lambda: cluster.snapshot().pods[0].is_movable)

    run(scenario())


def test_a_waiting_pod_says_what_its_scheduler_said() -> None:
    async def scenario() -> None:
        waiting = refused(pod("a"), "0/1 nodes are available").annotated({"berth.dev/why": '{"code":"X"}'})
        moved = pod("b").annotated({"berth.dev/moved-at": "2026-01-01T00:00:00Z"})
        async with watched(node("n1"), waiting, moved) as (server, cluster):
            a, b = cluster.snapshot().pods
            assert a.unschedulable
            assert (a.unschedulable_message, a.unschedulable_since) == (
                "0/1 nodes are available",
                "2026-01-01T00:00:00Z",
            )
            assert a.why == '{"code":"X"}'
            assert (b.unschedulable, b.moved_at) == (False, "2026-01-01T00:00:00Z")
            await server.put(refused(pod("a"), "x").on("n1"))
            await until(lambda: not cluster.snapshot().pods[0].unschedulable)

    run(scenario())


def test_an_object_that_cannot_be_read_is_left_out_and_costs_no_other() -> None:
    async def scenario() -> None:
        broken = node("n2").spec(taints=[{"key": "k", "effect": "Unheard"}])
        odd = pod("b").spec(nodeName=17)
        async with watched(node("n1"), broken, node("n3"), pod("a"), odd, pod("c")) as (server, cluster):
            assert [n.name for n in cluster.snapshot().nodes] == ["n1", "n3"]
            assert [p.name for p in cluster.snapshot().pods] == ["a", "c"]
            assert cluster.restarts["Unreadable"] == 2
            await server.put(node("n2"))
            await server.put(pod("b"))
            await server.put(pod("c").spec(nodeName=17))
            await until(lambda: [p.name for p in cluster.snapshot().pods] == ["a", "b"])
            assert [n.name for n in cluster.snapshot().nodes] == ["n1", "n2", "n3"]

    run(scenario())


def test_a_pod_that_the_watch_has_not_shown_yet_is_read_with_what_is_known() -> None:
    async def scenario() -> None:
        async with watched(node("n1"), owner("ReplicaSet", "odd").owned_by("Deployment", "web")) as (_, cluster):
            text = json.dumps(pod("new").owned_by("ReplicaSet", "odd").body).encode()
            assert str(cluster.read_pod(text).workload) == "default/Deployment/web"
            assert cluster.snapshot().pods == ()
            with pytest.raises(FieldError, match="nodeName"):
                cluster.read_pod(json.dumps(pod("odd").spec(nodeName=1).body).encode())

    run(scenario())


def test_a_gang_is_known_from_its_first_member_on_even_before_the_watch_shows_it() -> None:
    async def scenario() -> None:
        async with watched(node("n1")) as (server, cluster):
            first = pod("ring-0").annotated({"berth.dev/gang": "ring", "berth.dev/gang-min": "2"})
            text = json.dumps(first.body).encode()
            assert cluster.read_pod(text).gang == Gang("default/ring", 2)
            unsaid = json.dumps(pod("pair-1").annotated({"berth.dev/gang": "pair"}).body).encode()
            await server.put(pod("pair-0").annotated({"berth.dev/gang": "pair"}))
            await until(lambda: len(cluster.snapshot().pods) == 1)
            assert cluster.read_pod(unsaid).gang == Gang("default/pair", 2)
            await server.put(first)
            await until(lambda: len(cluster.snapshot().pods) == 2)
            assert cluster.read_pod(text).gang == Gang("default/ring", 2)

    run(scenario())


def test_leases_plans_and_policies_are_kept_by_name() -> None:
    async def scenario() -> None:
        lease = Thing("coordination.k8s.io/v1", "Lease", "berth-operator", "berth-system")
        policy = Thing("berth.dev/v1alpha1", "PackingPolicy", "default", spec={"mode": "Manual"}).meta(generation=1)
        async with watched(lease.spec(holderIdentity="op-1", renewTime="t1"), policy) as (server, cluster):
            heard = Heard()
            cluster.listen(heard)
            assert cluster.leases["berth-operator"].holder == "op-1"
            assert cluster.policies["default"].spec.mode == "Manual"
            await server.put(lease.spec(renewTime="t2").annotated({"berth.dev/plans": "[]"}))
            await until(lambda: cluster.leases["berth-operator"].renewed == "t2")
            assert cluster.leases["berth-operator"].annotations == {"berth.dev/plans": "[]"}
            await server.delete("PackingPolicy", "default")
            await until(lambda: not cluster.policies)
            assert len(heard.others) == 4

    run(scenario())


def test_owners_are_asked_for_as_metadata_only() -> None:
    """A list of them in a list, one of them in an event: a real server answers a mixed request with neither."""

    async def scenario() -> None:
        async with watched(node("n1")) as (server, _):
            asked = {
                (bool(query.get("watch")), accept)
                for path, query, accept in server.queries
                if path == PATHS["ReplicaSet"]
            }
            form = "application/json;as={};g=meta.k8s.io;v=v1"
            assert asked == {
                (False, form.format("PartialObjectMetadataList")),
                (True, form.format("PartialObjectMetadata")),
            }

    run(scenario())


def test_nothing_stays_behind_of_pods_and_owners_that_are_gone() -> None:
    async def scenario() -> None:
        mounts = [{"name": "data", "persistentVolumeClaim": {"claimName": "c"}}]
        term = {"labelSelector": {}, "namespaceSelector": {"matchLabels": {"team": "a"}}}
        async with watched(node("n1")) as (server, cluster):
            index, owners = cluster._pods, cluster._owners
            empty = [len(held) for held in held_by(index)], len(owners)
            for i in range(20):
                await server.put(owner("ReplicaSet", f"r{i}").owned_by("Deployment", "web"))
                await server.put(owner("Deployment", "web"))
                thing = pod(f"p{i}").labelled({"index": str(i)}).annotated({"berth.dev/gang": f"g{i % 3}"})
                await server.put(thing.owned_by("ReplicaSet", f"r{i}").spec(volumes=mounts).repels(**term).on("n1"))
            await until(lambda: len(cluster.snapshot().pods) == 20)
            for i in range(20):
                await server.delete("ReplicaSet", f"r{i}", "default")
                await server.delete("Pod", f"p{i}", "default")
            await server.delete("Deployment", "web", "default")
            await until(lambda: ([len(held) for held in held_by(index)], len(owners)) == empty)
            assert owners.owners._owner_of == owners.owners._uids == {}

    def held_by(index: Any) -> list[Any]:
        return [
            index.pods, index.by_uid, index.standing, index._records, index._on_node, index._using, index._selecting,
            index._memberships, index._members, index._gangs,
        ]  # fmt: skip

    run(scenario())
