"""Workloads: whose pod it is, whether it may move, what that costs, and with whom it belongs together."""

from __future__ import annotations

from typing import Any

import pytest

from berth_api.reasons import Reason
from berth_cluster.snapshot import Gang

from .builders import PodThing, Thing, budget, node, pod, read, read_pod

HINT = "berth.dev/allocation-hint"


def workload(thing: PodThing, *others: Thing) -> str:
    return str(read_pod(thing, *others).workload)


def owner(kind: str, name: str, api_version: str = "apps/v1") -> Thing:
    return Thing(api_version, kind, name, "default").meta(uid=f"uid-{name}")


hashed = {"pod-template-hash": "7d9c"}


class TestTopOwner:
    def test_a_bare_pod_is_its_own_workload(self) -> None:
        assert workload(pod("p")) == "default/Pod/p"

    def test_a_replica_set_leads_to_its_deployment(self) -> None:
        found = read_pod(
            pod("p").owned_by("ReplicaSet", "odd-name"), owner("ReplicaSet", "odd-name").owned_by("Deployment", "web")
        ).workload
        assert (found.kind, found.name, found.uid) == ("Deployment", "web", "uid-web")

    def test_without_the_replica_set_its_name_tells(self) -> None:
        assert workload(pod("p").labelled(hashed).owned_by("ReplicaSet", "web-7d9c")) == "default/Deployment/web"

    def test_a_replica_set_of_its_own_stays_one(self) -> None:
        assert workload(pod("p").owned_by("ReplicaSet", "web-7d9c")) == "default/ReplicaSet/web-7d9c"
        alone = owner("ReplicaSet", "web-7d9c")  # it is there, and nobody owns it
        assert (
            workload(pod("p").labelled(hashed).owned_by("ReplicaSet", "web-7d9c"), alone)
            == "default/ReplicaSet/web-7d9c"
        )

    def test_a_deployment_seen_by_name_goes_on_to_its_own_owner(self) -> None:
        service = owner("Deployment", "web").owned_by("LLMService", "chat", "berth.dev/v1alpha1")
        assert (
            workload(pod("p").labelled(hashed).owned_by("ReplicaSet", "web-7d9c"), service) == "default/LLMService/chat"
        )

    def test_pods_of_one_deployment_agree_whichever_way_it_was_found(self) -> None:
        snapshot = read(
            node("n1"),
            owner("ReplicaSet", "web-new").owned_by("Deployment", "web"),
            owner("Deployment", "web"),
            pod("a").owned_by("ReplicaSet", "web-new"),
            pod("b").labelled(hashed).owned_by("ReplicaSet", "web-7d9c"),
        )
        assert snapshot.pods[0].workload == snapshot.pods[1].workload

    def test_a_job_leads_to_its_cron_job(self) -> None:
        job = owner("Job", "night-1", "batch/v1").owned_by("CronJob", "night", "batch/v1")
        assert workload(pod("p").owned_by("Job", "night-1", "batch/v1"), job) == "default/CronJob/night"
        assert workload(pod("p").owned_by("Job", "night-1", "batch/v1")) == "default/Job/night-1"

    def test_unknown_kinds_lead_as_far_as_they_are_known(self) -> None:
        cluster = owner("RayCluster", "ray", "ray.io/v1").owned_by("RayService", "llm", "ray.io/v1")
        assert workload(pod("p").owned_by("RayCluster", "ray", "ray.io/v1"), cluster) == "default/RayService/llm"

    def test_an_owner_that_does_not_control_is_no_owner(self) -> None:
        assert workload(pod("p").owned_by("ReplicaSet", "r", controller=False)) == "default/Pod/p"

    def test_owners_in_a_circle_end(self) -> None:
        one, two = owner("A", "one").owned_by("B", "two"), owner("B", "two").owned_by("A", "one")
        assert workload(pod("p").owned_by("A", "one"), one, two).startswith("default/")

    def test_the_same_name_in_another_namespace_is_not_the_owner(self) -> None:
        elsewhere = Thing("apps/v1", "ReplicaSet", "r", "other").owned_by("Deployment", "web")
        assert workload(pod("p").owned_by("ReplicaSet", "r"), elsewhere) == "default/ReplicaSet/r"


class TestHintOfTheOwner:
    """A hint on the top owner counts for its pods that have none themselves."""

    @pytest.mark.parametrize("alias", [HINT, "allocation_hint", "allocation-hint"])
    def test_a_deployments_hint_is_that_of_its_pods(self, alias: str) -> None:
        found = read_pod(
            pod("p").owned_by("ReplicaSet", "web-1"),
            owner("ReplicaSet", "web-1").owned_by("Deployment", "web"),
            owner("Deployment", "web").annotated({alias: "on SSDs", "other": "x" * 10_000}),
        )
        assert found.hint == "on SSDs"

    def test_the_pods_own_hint_wins(self) -> None:
        deployment = owner("StatefulSet", "db").annotated({HINT: "on SSDs"})
        own = pod("p").annotated({"allocation_hint": "on NVMe"}).owned_by("StatefulSet", "db")
        assert read_pod(own, deployment).hint == "on NVMe"

    def test_only_the_top_owners_counts(self) -> None:
        """The Deployment controller copies annotations to ReplicaSets, and old ones keep what was said once."""
        found = read_pod(
            pod("p").owned_by("ReplicaSet", "web-1"),
            owner("ReplicaSet", "web-1").owned_by("Deployment", "web").annotated({HINT: "as it was once"}),
            owner("Deployment", "web"),
        )
        assert found.hint == ""

    def test_a_service_above_the_deployment_says_it_for_all(self) -> None:
        found = read_pod(
            pod("p").labelled(hashed).owned_by("ReplicaSet", "web-7d9c"),
            owner("Deployment", "web").owned_by("LLMService", "chat", "berth.dev/v1alpha1"),
            owner("LLMService", "chat", "berth.dev/v1alpha1").annotated({HINT: "on H100s"}),
        )
        assert found.hint == "on H100s"

    def test_a_namesake_elsewhere_or_of_another_kind_says_nothing(self) -> None:
        elsewhere = Thing("apps/v1", "Deployment", "web", "other").annotated({HINT: "there"})
        other_kind = owner("StatefulSet", "web").annotated({HINT: "there"})
        assert read_pod(pod("p").owned_by("Deployment", "web"), elsewhere, other_kind).hint == ""
        assert read_pod(pod("web"), owner("Pod", "web").annotated({HINT: "there"})).hint == ""

    def test_it_has_the_same_limit_as_a_pods(self) -> None:
        snapshot = read(
            node("n1"), owner("StatefulSet", "db").annotated({HINT: "x" * 5000}), pod("p").owned_by("StatefulSet", "db")
        )
        assert len(snapshot.pods[0].hint) == 4096
        (warning,) = [w for w in snapshot.warnings if w.reason is Reason.TOO_LARGE]
        assert warning.example == "StatefulSet default/db"


def job(name: str, *rules: dict[str, Any]) -> Thing:
    return Thing("batch/v1", "Job", name, "default", spec={"podFailurePolicy": {"rules": list(rules)}})


def of_job() -> PodThing:
    return pod("p").owned_by("Job", "train", "batch/v1").spec(restartPolicy="Never")


IGNORE = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}
FAIL = {"action": "FailJob", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}


def fail_on(operator: str, *codes: int) -> dict[str, Any]:
    return {"action": "FailJob", "onExitCodes": {"operator": operator, "values": list(codes)}}


class TestMovable:
    @pytest.mark.parametrize("kind", ["ReplicaSet", "StatefulSet", "LLMService", "RayCluster"])
    def test_what_a_controller_recreates_may_move(self, kind: str) -> None:
        assert read_pod(pod("p").owned_by(kind, "x")).is_movable

    def test_local_scratch_space_is_no_reason_to_stay(self) -> None:
        assert read_pod(pod("p").owned_by("ReplicaSet", "x").spec(volumes=[{"name": "v", "emptyDir": {}}])).is_movable

    @pytest.mark.parametrize(
        ("thing", "reason"),
        [
            (pod("p"), "NoController"),
            (pod("p").owned_by("DaemonSet", "d"), "DaemonSet"),
            (pod("p").owned_by("Node", "n1", "v1"), "MirrorPod"),
            (pod("p").annotated({"kubernetes.io/config.mirror": "x"}), "MirrorPod"),
            (of_job(), "JobWithoutPolicy"),
            (pod("p").owned_by("Workflow", "w", "argoproj.io/v1").spec(restartPolicy="Never"), "JobWithoutPolicy"),
            (pod("p").owned_by("Job", "j", "batch.volcano.sh/v1alpha1"), "JobWithoutPolicy"),
            (pod("p").owned_by("ReplicaSet", "r").annotated({"berth.dev/do-not-move": "true"}), "DoNotMove"),
            (pod("p").owned_by("ReplicaSet", "r").annotated({"karpenter.sh/do-not-disrupt": "true"}), "DoNotMove"),
            (pod("p").owned_by("ReplicaSet", "r").annotated({"karpenter.sh/do-not-disrupt": "30m"}), "DoNotMove"),
            (pod("p").owned_by("ReplicaSet", "r").annotated({"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}), "DoNotMove"),
            (pod("p").owned_by("ReplicaSet", "r").meta(deletionTimestamp="2026-01-01T00:00:00Z"), "Terminating"),
        ],
    )  # fmt: skip
    def test_what_stays_says_why(self, thing: PodThing, reason: str) -> None:
        assert read_pod(thing).immovable == (reason,)

    def test_annotations_that_allow_allow(self) -> None:
        annotations = {
            "berth.dev/do-not-move": "false",
            "karpenter.sh/do-not-disrupt": "false",
            "cluster-autoscaler.kubernetes.io/safe-to-evict": "true",
        }
        assert read_pod(pod("p").owned_by("ReplicaSet", "r").annotated(annotations)).is_movable

    @pytest.mark.parametrize(
        ("rules", "movable"),
        [
            ([IGNORE], True),
            ([FAIL, IGNORE], False),  # the first rule that matches decides
            ([IGNORE, FAIL], True),
            ([fail_on("In", 42), IGNORE], True),
            ([fail_on("In", 42, 143), IGNORE], False),  # an evicted container ends with 143
            ([fail_on("NotIn", 0), IGNORE], False),
            ([{"action": "Ignore", "onPodConditions": [{"type": "ConfigIssue"}]}], False),
            ([], False),
        ],
    )
    def test_a_job_moves_only_when_it_ignores_evictions(self, rules: list[dict[str, Any]], movable: bool) -> None:
        assert read_pod(of_job(), job("train", *rules)).is_movable is movable

    def test_a_pod_of_two_budgets_cannot_be_evicted(self) -> None:
        web = pod("p").labelled({"app": "web"}).owned_by("ReplicaSet", "r").on("n1")
        mine, all_of_us = budget("a", {"matchLabels": {"app": "web"}}, 1), budget("b", {}, 1)
        other = budget("c", {}, 1, "elsewhere")
        assert read_pod(web, mine, other).is_movable
        assert read_pod(web, mine, all_of_us).immovable == ("ManyBudgets",)


class TestMoveCost:
    @pytest.mark.parametrize(
        ("annotations", "cost"),
        [
            ({}, 1),
            ({"berth.dev/move-cost": "0"}, 0),
            ({"berth.dev/move-cost": "25"}, 25),
            ({"controller.kubernetes.io/pod-deletion-cost": "0"}, 1),
            ({"controller.kubernetes.io/pod-deletion-cost": "1"}, 2),
            ({"controller.kubernetes.io/pod-deletion-cost": "100"}, 8),
            ({"controller.kubernetes.io/pod-deletion-cost": "2147483647"}, 32),
            ({"controller.kubernetes.io/pod-deletion-cost": "-100"}, 1),
            ({"controller.kubernetes.io/pod-deletion-cost": "100", "berth.dev/move-cost": "3"}, 3),
        ],
    )
    def test_cost(self, annotations: dict[str, str], cost: int) -> None:
        assert read_pod(pod("p").annotated(annotations)).move_cost == cost

    @pytest.mark.parametrize("text", ["-1", "cheap", "1.5", "", "9" * 30])
    def test_a_cost_that_is_none_is_said_and_counts_one(self, text: str) -> None:
        snapshot = read(node("n1"), pod("p").annotated({"berth.dev/move-cost": text}))
        assert snapshot.pods[0].move_cost == 1
        assert [w.reason for w in snapshot.warnings] == ["BadField"]


def gangs(*things: Thing) -> list[Gang | None]:
    return [p.gang for p in read(node("n1"), *things).pods]


def grouped(name: str, group: str) -> PodThing:
    return pod(name).spec(schedulingGroup={"podGroupName": group})


def pod_group(name: str, **spec: Any) -> Thing:
    return Thing("scheduling.k8s.io/v1beta1", "PodGroup", name, "default", spec=spec)


class TestGangs:
    def test_annotated(self) -> None:
        annotations = {"berth.dev/gang": "ring", "berth.dev/gang-min": "4"}
        assert gangs(pod("a").annotated(annotations), pod("b")) == [Gang("default/ring", 4), None]

    def test_annotated_without_a_minimum_means_all_that_are_there(self) -> None:
        ring = {"berth.dev/gang": "ring"}
        assert gangs(pod("a").annotated(ring), pod("b").annotated(ring)) == [Gang("default/ring", 2)] * 2

    def test_gangs_of_two_namespaces_are_two(self) -> None:
        ring = {"berth.dev/gang": "ring"}
        found = gangs(pod("a", "x").annotated(ring), pod("a", "y").annotated(ring))
        assert found == [Gang("x/ring", 1), Gang("y/ring", 1)]

    @pytest.mark.parametrize("text", ["0", "-2", "many", ""])
    def test_a_minimum_that_is_none_is_said(self, text: str) -> None:
        snapshot = read(node("n1"), pod("a").annotated({"berth.dev/gang": "ring", "berth.dev/gang-min": text}))
        assert snapshot.pods[0].gang == Gang("default/ring", 1)
        assert [w.reason for w in snapshot.warnings] == ["BadField"]

    def test_a_pod_group_with_a_gang_policy(self) -> None:
        group = pod_group("workers", schedulingPolicy={"gang": {"minCount": 3}})
        assert gangs(group, grouped("a", "workers")) == [Gang("default/workers", 3)]
        assert gangs(pod_group("workers", schedulingPolicy={"basic": {}}), grouped("a", "workers")) == [None]

    @pytest.mark.parametrize(
        ("group", "words"),
        [
            (pod_group("other"), "add podgroups"),
            (pod_group("workers", schedulingConstraints={"topology": [{"key": "rack"}]}), "topology"),
            (pod_group("workers", resourceClaims=[{"name": "c"}]), "resource claims"),
        ],
    )
    def test_a_pod_group_that_is_missing_or_asks_for_more_is_unmodelled(self, group: Thing, words: str) -> None:
        assert words in read_pod(grouped("a", "workers"), group).spec.unmodelled[0]

    def test_groups_within_a_workload_one_for_each_replica_key(self) -> None:
        groups = [{"name": "workers", "policy": {"gang": {"minCount": 2}}}, {"name": "driver", "policy": {"basic": {}}}]
        training = Thing("scheduling.k8s.io/v1alpha1", "Workload", "training", "default", spec={"podGroups": groups})

        def member(name: str, **ref: str) -> PodThing:
            return pod(name).spec(workloadRef={"name": "training", **ref})

        assert gangs(
            training,
            member("a", podGroup="workers", podGroupReplicaKey="0"),
            member("b", podGroup="workers", podGroupReplicaKey="1"),
            member("c", podGroup="driver"),
        ) == [Gang("default/training/workers/0", 2), Gang("default/training/workers/1", 2), None]
        assert "Workload" in read_pod(member("d", podGroup="none"), training).spec.unmodelled[0]

    @pytest.mark.parametrize(
        ("api_version", "member"),
        [
            ("scheduling.x-k8s.io/v1alpha1", pod("a").labelled({"scheduling.x-k8s.io/pod-group": "mpi"})),
            ("scheduling.volcano.sh/v1beta1", pod("a").annotated({"scheduling.k8s.io/group-name": "mpi"})),
            ("scheduling.run.ai/v2alpha2", pod("a").annotated({"pod-group-name": "mpi"})),
        ],
    )
    def test_groups_of_other_schedulers(self, api_version: str, member: PodThing) -> None:
        group = Thing(api_version, "PodGroup", "mpi", "default", spec={"minMember": 3})
        assert gangs(group, member) == [Gang("default/mpi", 3)]
        assert gangs(member) == [Gang("default/mpi", 1)]

    def test_a_leader_worker_set(self) -> None:
        def member(name: str, group: str) -> PodThing:
            labels = {"leaderworkerset.sigs.k8s.io/name": "llm", "leaderworkerset.sigs.k8s.io/group-index": group}
            thing = pod(name).labelled(labels).annotated({"leaderworkerset.sigs.k8s.io/size": "2"})
            return thing.owned_by("StatefulSet", f"llm-{group}")

        leader_set = Thing("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet", "llm", "default").meta(uid="u")
        snapshot = read(node("n1"), leader_set, member("a", "0"), member("b", "0"), member("c", "1"))
        # of group 1 only the leader has been made: it must not wait for a worker that its start will make
        assert [p.gang and p.gang.minimum for p in snapshot.pods] == [2, 2, 1]
        assert {(p.workload.kind, p.workload.name, p.workload.uid) for p in snapshot.pods} == {
            ("LeaderWorkerSet", "llm", "u")
        }
