"""What the snapshot keeps of a pod."""

from __future__ import annotations

from typing import Any

import pytest

from berth_cluster.snapshot import (
    HostPort,
    LabelSelector,
    NodeTerm,
    Operator,
    PreferredNodeTerm,
    Requirement,
    SpreadTerm,
    Toleration,
)

from .builders import PodThing, Thing, node, pod, read, read_pod

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def priority_class(name: str, value: int, **fields: Any) -> Thing:
    return Thing("scheduling.k8s.io/v1", "PriorityClass", name, value=value, **fields)


def test_a_pod_waits_when_nothing_binds_gates_or_ends_it() -> None:
    assert read_pod(pod("p")).is_pending
    assert not read_pod(pod("p").on("n1")).is_pending
    assert not read_pod(pod("p").spec(schedulingGates=[{"name": "kueue"}])).is_pending
    assert not read_pod(pod("p").meta(deletionTimestamp="2026-01-01T00:00:00Z")).is_pending


def test_a_bound_pod_is_not_gated_and_an_empty_list_of_gates_is_none() -> None:
    assert read_pod(pod("p").spec(schedulingGates=[])).is_pending
    assert not read_pod(pod("p").spec(schedulingGates=[{"name": "g"}]).on("n1")).gated


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_finished_pods_are_gone(phase: str) -> None:
    assert read(node("n1"), pod("p").on("n1").status(phase=phase)).pods == ()


def test_facts_are_taken_over() -> None:
    found = read_pod(
        pod("p", "team")
        .meta(uid="u", creationTimestamp="2026-01-02T03:04:05Z")
        .annotated({"berth.dev/allocation-hint": "near the data", "other": "x"})
        .spec(schedulerName="berth", priority=7, priorityClassName="gold", preemptionPolicy="Never")
        .status(nominatedNodeName="n2")
    )
    assert (found.key, found.uid, found.created) == ("team/p", "u", "2026-01-02T03:04:05Z")
    assert (found.scheduler, found.priority, found.priority_class) == ("berth", 7, "gold")
    assert (found.preemption_policy, found.nominated_node, found.hint) == ("Never", "n2", "near the data")


@pytest.mark.parametrize("alias", ["allocation_hint", "allocation-hint"])
def test_hints_have_aliases(alias: str) -> None:
    assert read_pod(pod("p").annotated({alias: "a100 please"})).hint == "a100 please"


def test_a_hint_has_a_limit_and_says_so() -> None:
    snapshot = read(node("n1"), pod("p").annotated({"allocation_hint": "x" * 5000}))
    assert len(snapshot.pods[0].hint) == 4096
    assert [w.reason for w in snapshot.warnings] == ["TooLarge"]


def test_priority_is_what_admission_would_have_filled_in() -> None:
    classes = [priority_class("gold", 900, preemptionPolicy="Never"), priority_class("plain", 5, globalDefault=True)]
    assert read_pod(pod("p")).priority == 0
    assert read_pod(pod("p"), *classes).priority == 5
    gold = read_pod(pod("p").spec(priorityClassName="gold"), *classes)
    assert (gold.priority, gold.preemption_policy) == (900, "Never")
    assert read_pod(pod("p").spec(priority=3, priorityClassName="gold"), *classes).priority == 3
    assert read_pod(pod("p").spec(priority=0, priorityClassName="gold"), *classes).priority == 0
    assert read_pod(pod("p").spec(priorityClassName="system-node-critical")).priority == 2_000_001_000
    assert read(*classes).priority_classes == {"gold": 900, "plain": 5}


def test_a_priority_class_that_nobody_knows_is_said() -> None:
    snapshot = read(
        node("n1"), pod("p").spec(priorityClassName="gold"), pod("q").spec(priorityClassName="gold", priority=9)
    )
    assert [(p.priority, p.priority_class) for p in snapshot.pods] == [(0, "gold"), (9, "gold")]
    assert [(w.reason, w.count, w.example) for w in snapshot.warnings] == [("BadField", 1, "Pod default/p")]


def test_pods_of_one_template_share_one_spec() -> None:
    def replica(name: str) -> PodThing:
        volumes = [{"name": f"kube-api-access-{name}", "projected": {}}]
        return pod(name).labelled({"app": "web"}).repels(labelSelector={}).spec(volumes=volumes)

    first, second, third = read(replica("a"), replica("b"), replica("c").asks(cpu="2")).pods
    assert first.spec is second.spec
    assert first.spec is not third.spec


def test_equal_specs_written_differently_are_one_object() -> None:
    first, second = read(pod("a").asks(cpu="1000m"), pod("b").asks(cpu="1")).pods
    assert first.spec is second.spec


def test_selectors_affinity_and_tolerations() -> None:
    term = {"matchExpressions": [{"key": "gpu", "operator": "In", "values": ["a", "b"]}], "matchFields": []}
    by_name = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]}
    affinity = {
        REQUIRED: {"nodeSelectorTerms": [term, by_name]},
        PREFERRED: [{"weight": 40, "preference": {"matchExpressions": [{"key": "zone", "operator": "Exists"}]}}],
    }
    spec = read_pod(
        pod("p").spec(
            nodeSelector={"b": "2", "a": "1"},
            affinity={"nodeAffinity": affinity},
            tolerations=[
                {"key": "gpu", "operator": "Exists", "effect": "NoSchedule", "tolerationSeconds": 3},
                {"key": "x", "value": "y"},
            ],
        )
    ).spec
    assert spec.node_selector == (("a", "1"), ("b", "2"))
    assert spec.node_affinity == (
        NodeTerm((Requirement("gpu", Operator.IN, ("a", "b")),)),
        NodeTerm((Requirement("metadata.name", Operator.IN, ("n1",), field=True),)),
    )
    assert spec.preferred_nodes == (PreferredNodeTerm(40, NodeTerm((Requirement("zone", Operator.EXISTS),))),)
    assert spec.tolerations == (Toleration("gpu", "Exists", "", "NoSchedule"), Toleration("x", "Equal", "y"))


def test_only_required_terms_between_pods_are_kept() -> None:
    soft = {"podAntiAffinity": {PREFERRED: [{"weight": 1, "podAffinityTerm": {"topologyKey": "zone"}}]}}
    spec = read_pod(pod("p").spec(affinity=soft)).spec
    assert (spec.affinity, spec.anti_affinity) == ((), ())


def namespaces_meant(**term: Any) -> frozenset[str] | None:
    others = [
        Thing("v1", "Namespace", n).labelled({"tier": t}) for n, t in (("x", "gold"), ("y", "gold"), ("z", "tin"))
    ]
    return read_pod(pod("p", "home").repels(labelSelector={}, **term), *others).spec.anti_affinity[0].namespaces


def test_namespaces_of_a_term() -> None:
    gold = {"matchLabels": {"tier": "gold"}}
    assert namespaces_meant() == frozenset({"home"})
    assert namespaces_meant(namespaces=["q"]) == frozenset({"q"})
    assert namespaces_meant(namespaceSelector={}) is None
    assert namespaces_meant(namespaceSelector=gold) == frozenset({"x", "y"})
    assert namespaces_meant(namespaceSelector=gold, namespaces=["q"]) == frozenset({"x", "y", "q"})
    assert namespaces_meant(namespaceSelector={"matchLabels": {"kubernetes.io/metadata.name": "z"}}) == frozenset({"z"})


def test_a_namespace_selector_without_namespaces_is_unmodelled() -> None:
    found = read_pod(pod("p").repels(labelSelector={}, namespaceSelector={"matchLabels": {"tier": "gold"}}))
    assert "add namespaces" in found.spec.unmodelled[0]
    assert found.immovable[-1] == "UnknownFeature"


def test_equal_pods_of_two_namespaces_mean_their_own() -> None:
    first, second = read(pod("p", "a").repels(labelSelector={}), pod("p", "b").repels(labelSelector={})).pods
    assert first.spec.anti_affinity[0].namespaces == frozenset({"a"})
    assert second.spec.anti_affinity[0].namespaces == frozenset({"b"})


def test_label_keys_are_folded_into_the_selector_once() -> None:
    labels = {"app": "web", "pod-template-hash": "h1"}
    selector = {"matchLabels": {"app": "web"}}
    term = read_pod(
        pod("p")
        .labelled(labels)
        .repels(labelSelector=selector, matchLabelKeys=["pod-template-hash", "absent"], mismatchLabelKeys=["app"])
    ).spec.anti_affinity[0]
    assert term.selector == LabelSelector(
        (
            Requirement("app", Operator.IN, ("web",)),
            Requirement("app", Operator.NOT_IN, ("web",)),
            Requirement("pod-template-hash", Operator.IN, ("h1",)),
        )
    )
    merged = {
        "matchLabels": {"app": "web"},
        "matchExpressions": [{"key": "pod-template-hash", "operator": "In", "values": ["h1"]}],
    }
    spread = {
        "maxSkew": 2,
        "topologyKey": "zone",
        "whenUnsatisfiable": "DoNotSchedule",
        "matchLabelKeys": ["pod-template-hash"],
    }
    plain, already = (
        read_pod(pod("p").labelled(labels).spec(topologySpreadConstraints=[spread | {"labelSelector": s}])).spec.spread[
            0
        ]
        for s in (selector, merged)
    )
    assert plain == already


def test_spread_constraints() -> None:
    hard = {"maxSkew": 2, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}}
    policies = {"minDomains": 3, "nodeAffinityPolicy": "Ignore", "nodeTaintsPolicy": "Honor"}
    soft = hard | {"whenUnsatisfiable": "ScheduleAnyway"}
    spec = read_pod(pod("p").spec(topologySpreadConstraints=[hard, soft, hard | policies])).spec
    assert spec.spread == (
        SpreadTerm(2, "zone", LabelSelector()),
        SpreadTerm(2, "zone", LabelSelector(), min_domains=3, honor_node_affinity=False, honor_taints=True),
    )


def ports_of(thing: PodThing) -> tuple[HostPort, ...]:
    return read_pod(thing).spec.ports


def test_host_ports() -> None:
    web = {
        "ports": [
            {"containerPort": 80, "hostPort": 8080},
            {"containerPort": 9},
            {"containerPort": 53, "hostPort": 53, "protocol": "UDP", "hostIP": "127.0.0.1"},
        ]
    }
    assert ports_of(pod("p").containers(web)) == (HostPort(53, "UDP", "127.0.0.1"), HostPort(8080))
    assert ports_of(pod("p").containers({"ports": [{"containerPort": 80}]})) == ()
    assert ports_of(pod("p").containers({"ports": [{"containerPort": 80}]}).spec(hostNetwork=True)) == (HostPort(80),)


def test_host_ports_of_sidecars_count_those_of_init_containers_do_not() -> None:
    def init(number: int, **fields: str) -> dict[str, Any]:
        return {"name": f"i{number}", "ports": [{"containerPort": 1, "hostPort": number}], **fields}

    assert ports_of(pod("p").spec(initContainers=[init(70), init(71, restartPolicy="Always")])) == (HostPort(71),)


def test_nulls_where_lists_and_maps_could_be_are_nothing() -> None:
    nothing = dict.fromkeys(
        ["affinity", "tolerations", "nodeSelector", "volumes", "initContainers", "overhead", "schedulingGates",
         "topologySpreadConstraints", "resourceClaims", "resources", "priorityClassName", "nodeName", "schedulingGroup"]
    )  # fmt: skip
    plain, empty = (
        read_pod(pod("p")),
        read_pod(pod("p").spec(**nothing).meta(labels=None, annotations=None, ownerReferences=None)),
    )
    assert plain == empty


def test_resource_claims_are_never_ignored() -> None:
    found = read_pod(
        pod("p").owned_by("ReplicaSet", "r").spec(resourceClaims=[{"name": "gpu", "resourceClaimName": "c"}])
    )
    assert found.immovable == ("ResourceClaims",)
    assert "resource claims" in found.spec.unmodelled[0]
    snapshot = read(
        node("n1"), pod("a").spec(resourceClaims=[{"name": "x"}]), pod("b").spec(resourceClaims=[{"name": "y"}])
    )
    assert [(w.reason, w.count, w.example) for w in snapshot.warnings] == [("ResourceClaims", 2, "Pod default/a")]


def test_devices_by_extended_resources_that_claims_stand_behind_are_claims() -> None:
    found = read_pod(
        pod("p").owned_by("ReplicaSet", "r").status(extendedResourceClaimStatus={"resourceClaimName": "c"})
    )
    assert found.immovable == ("ResourceClaims",)


def test_preferences_that_only_kube_scheduler_weighs_are_known_to_be_there() -> None:
    term = {"weight": 1, "podAffinityTerm": {"topologyKey": "zone"}}
    prefers = pod("p").spec(affinity={"podAntiAffinity": {PREFERRED: [term]}})
    anyway = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}
    assert read_pod(prefers).spec.soft_preferences
    assert read_pod(pod("p").spec(topologySpreadConstraints=[anyway])).spec.soft_preferences
    assert not read_pod(pod("p").repels()).spec.soft_preferences
