"""Damaged, wrong and hostile input: an error that leads to the place, or a warning and a sound snapshot."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth_cluster import documents, dump
from berth_cluster.dump import read_dumps
from berth_cluster.errors import DumpError

from .builders import Thing, a_list, budget, node, pod, read, read_bytes


def error_of(body: bytes, name: str = "dump.json") -> DumpError:
    stream = io.BytesIO(body)
    stream.name = name
    with pytest.raises(DumpError) as caught:
        read_dumps([stream])
    assert str(caught.value).startswith(f"{name}: ")
    return caught.value


whole = a_list(node("n1"), pod("p").on("n1"))


@pytest.mark.parametrize(
    ("body", "reason", "words"),
    [
        (whole[:-20], "NotJSON", "cut off"),
        (whole + whole[:30], "NotJSON", "cut off"),
        (whole + b"}", "NotJSON", "not JSON"),
        (b"Error from server (Forbidden): nodes is forbidden", "NotJSON", "not JSON at byte 0"),
        (b"apiVersion: v1\nkind: List\n", "NotJSON", "-o json"),
        (b'{"a": nope}', "NotJSON", "not JSON"),
        (b"[" * 100_000, "NotJSON", "nested"),
        (b"[]", "WrongKind", "kubectl get"),
        (b"12", "WrongKind", "kubectl get"),
        (b'"pods"', "WrongKind", "kubectl get"),
        (b"{}", "WrongKind", "kubectl get"),
        (b'{"kind": 5}', "WrongKind", "kubectl get"),
        (b'{"kind": "List", "items": 5}', "BadField", "array"),
        (b'{"kind": "List", "items": [1]}', "WrongKind", "kubectl get"),
        (gzip.compress(whole, mtime=0)[:-12], "Unreadable", "gzip"),
        (gzip.compress(whole, mtime=0)[:40], "Unreadable", "gzip"),
        (b"\xff\xfe\x00", "NotJSON", "UTF"),
        (b'{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "\xff"}}', "BadField", "UTF-8"),
        (b'{"apiVersion": "v1", "kind": "\xff"}', "WrongKind", "UTF-8"),
    ],
)
def test_what_is_no_dump_is_said_in_one_sentence(body: bytes, reason: str, words: str) -> None:
    error = error_of(body)
    assert error.reason == reason
    assert words in error.message


def test_empty_input_is_an_empty_cluster_with_a_warning() -> None:
    for body in (b"", b"  \n", a_list()):
        snapshot = read_bytes(body)
        assert (snapshot.nodes, snapshot.pods) == ((), ())
        assert [w.reason for w in snapshot.warnings] == ["EmptyCluster"]


def test_a_file_of_something_else_is_an_empty_cluster_that_says_what_it_saw() -> None:
    snapshot = read_bytes(b'{"apiVersion": "v1", "kind": "Config", "clusters": [], "users": []}')
    assert [w.reason for w in snapshot.warnings] == ["EmptyCluster", "WrongKind"]
    assert "Config" in snapshot.warnings[1].message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DumpError) as caught:
        read_dumps([tmp_path / "nothing.json"])
    assert caught.value.reason == "Unreadable"
    assert "nothing.json" in str(caught.value)
    with pytest.raises(DumpError):
        read_dumps([tmp_path])


def spec_of(**fields: Any) -> Thing:
    return pod("p", "team").spec(**fields)


def affinity(**fields: Any) -> Thing:
    return spec_of(affinity=fields)


NODE_TERM = "requiredDuringSchedulingIgnoredDuringExecution"


@pytest.mark.parametrize(
    ("thing", "name", "field"),
    [
        (node("n1").has(cpu="-4"), "Node n1", "status.allocatable[cpu]"),
        (node("n1").has(memory="lots"), "Node n1", "status.allocatable[memory]"),
        (node("n1").tainted("k", effect="Sometimes"), "Node n1", "spec.taints[0].effect"),
        (node("n1").spec(unschedulable="yes"), "Node n1", "spec.unschedulable"),
        (node("n1").labelled({"a": 5}), "Node n1", "metadata.labels[...]"),  # type: ignore[dict-item]
        (node(""), "Node", "metadata.name"),
        (spec_of(nodeName=7), "Pod team/p", "spec.nodeName"),
        (spec_of(containers={}), "Pod team/p", "spec.containers"),
        (spec_of(priority="high"), "Pod team/p", "spec.priority"),
        (spec_of(preemptionPolicy="Maybe"), "Pod team/p", "spec.preemptionPolicy"),
        (spec_of(tolerations=[{"operator": "Is"}]), "Pod team/p", "spec.tolerations[0].operator"),
        (spec_of(tolerations=[{"key": 5}]), "Pod team/p", "spec.tolerations[0].key"),
        (spec_of(nodeSelector={"a": 1}), "Pod team/p", "spec.nodeSelector[...]"),
        (spec_of(topologySpreadConstraints=[{"maxSkew": 0}]), "Pod team/p", "spec.topologySpreadConstraints[0].maxSkew"),
        (spec_of(containers=[{"ports": [{"hostPort": "x"}]}]), "Pod team/p", "spec.containers.ports[0].hostPort"),
        (pod("p", "team").status(phase="Asleep"), "Pod team/p", "status.phase"),
        (pod("p", "team").labelled({"a": None}), "Pod team/p", "metadata.labels[...]"),  # type: ignore[dict-item]
        (
            affinity(nodeAffinity={NODE_TERM: {"nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Near"}]}]}}),
            "Pod team/p",
            "spec.affinity.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].operator",
        ),
        (
            affinity(nodeAffinity={NODE_TERM: {"nodeSelectorTerms": [{"matchFields": [{"key": "spec.x", "operator": "Exists"}]}]}}),
            "Pod team/p",
            "spec.affinity.nodeAffinity.required.nodeSelectorTerms[0].matchFields[0].key",
        ),
        (
            budget("b", {"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["1"]}]}, 1, "team"),
            "PodDisruptionBudget team/b",
            "spec.selector.matchExpressions[0].operator",
        ),
        (budget("b", {"matchExpressions": [{"key": "a", "operator": "In"}]}, 1, "team"), "PodDisruptionBudget team/b",
         "spec.selector.matchExpressions[0].values"),
    ],
)  # fmt: skip
def test_a_bad_field_is_named_with_its_object_and_file(thing: Thing, name: str, field: str) -> None:
    error = error_of(a_list(node("n0"), thing), "team.json")
    assert (error.reason, error.object, error.field) == ("BadField", name, field)


def test_two_objects_of_one_name_are_an_error_that_names_both_files() -> None:
    one, two = io.BytesIO(a_list(node("n1").meta(uid="a"))), io.BytesIO(a_list(node("n1").meta(uid="b")))
    one.name, two.name = "east.json", "west.json"
    with pytest.raises(DumpError) as caught:
        read_dumps([one, two])
    assert (caught.value.reason, caught.value.object) == ("DuplicateName", "Node n1")
    assert "east.json and west.json" in caught.value.message


def test_the_same_name_in_another_namespace_or_kind_is_another_object() -> None:
    snapshot = read(node("x"), pod("x", "a"), pod("x", "b"))
    assert (len(snapshot.nodes), len(snapshot.pods), snapshot.warnings) == (1, 2, ())


def test_pods_on_unknown_nodes_are_left_out_and_counted() -> None:
    snapshot = read(node("n1"), pod("a").on("n1"), pod("b").on("gone"), pod("c").on("gone"))
    assert [p.name for p in snapshot.pods] == ["a"]
    assert [(w.reason, w.count, w.example) for w in snapshot.warnings] == [("UnknownNode", 2, "default/b")]


def test_a_node_without_capacity_takes_nothing_and_is_said() -> None:
    snapshot = read(node("n1").status(allocatable={}), node("n2").status(allocatable={"cpu": "0", "pods": "0"}))
    assert [dict(n.allocatable) for n in snapshot.nodes] == [{"pods": 0}, {"cpu": 0, "pods": 0}]
    assert [w.example for w in snapshot.warnings] == ["Node n1"]


def test_a_node_without_allocatable_counts_with_its_capacity() -> None:
    snapshot = read(node("n1").status(allocatable=None, capacity={"cpu": "4", "pods": "10"}))
    assert dict(snapshot.nodes[0].allocatable) == {"cpu": 4000, "pods": 10}
    assert "capacity" in snapshot.warnings[0].message


def test_a_silly_amount_on_a_node_is_capped_not_fatal() -> None:
    snapshot = read(node("n1").has(**{"vendor/x": "9223372036854775807"}))
    assert dict(snapshot.nodes[0].allocatable)["vendor/x"] == 2**53 - 1
    assert snapshot.warnings[0].example == "Node n1"


def test_caps_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dump, "MAX_PODS", 3)
    assert error_of(a_list(*(pod(f"p{i}") for i in range(4)))).reason == "TooLarge"
    monkeypatch.setattr(dump, "MAX_NODES", 3)
    assert error_of(a_list(*(node(f"n{i}") for i in range(4)))).reason == "TooLarge"
    monkeypatch.setattr(documents, "MAX_BYTES", 1000)
    assert error_of(gzip.compress(b" " * 1_000_000)).reason == "TooLarge"


values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "x", "1", "In", "n1", "-1Gi"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["key", "requests", "cpu", "name", "operator", "values"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(
    part=st.sampled_from(["metadata", "spec", "status"]),
    field=st.sampled_from(
        ["name", "labels", "ownerReferences", "annotations", "containers", "initContainers", "affinity", "tolerations",
         "topologySpreadConstraints", "volumes", "overhead", "resources", "schedulingGates", "nodeName", "phase",
         "containerStatuses", "workloadRef", "schedulingGroup", "resourceClaims", "priority"]
    ),
    value=values,
)  # fmt: skip
def test_no_value_anywhere_in_a_pod_does_worse_than_a_dump_error(part: str, field: str, value: object) -> None:
    body = pod("p").body
    body[part][field] = value
    try:
        read_bytes(a_list(node("n1")), json.dumps(body).encode())
    except DumpError as error:
        assert error.file  # noqa: PT017 (either outcome is right; only this error may come)


intact = a_list(
    node("n1").tainted("gpu"),
    pod("p", "team").labelled({"app": "web"}).owned_by("ReplicaSet", "r").repels(labelSelector={}).on("n1"),
    budget("b", {"matchLabels": {"app": "web"}}, 1, "team"),
    Thing("v1", "Namespace", "team").labelled({"tier": "x"}),
)


@given(
    st.lists(st.tuples(st.integers(0, len(intact) - 1), st.integers(0, 255)), max_size=3), st.integers(0, len(intact))
)
def test_no_damaged_byte_does_worse_than_a_dump_error(damage: list[tuple[int, int]], length: int) -> None:
    body = bytearray(intact)
    for place, byte in damage:
        body[place] = byte
    for damaged in (bytes(body), bytes(body[:length])):
        try:
            read_bytes(damaged)
        except DumpError as error:
            assert error.message  # noqa: PT017 (either outcome is right; only this error may come)
