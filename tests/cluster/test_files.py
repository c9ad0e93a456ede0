"""Every way in which people write a cluster to files."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth_cluster.dump import read_dumps

from .builders import Thing, a_list, budget, node, pod, read, read_bytes


def cluster() -> list[Thing]:
    """Objects that refer to each other across kinds."""
    web = Thing("apps/v1", "ReplicaSet", "web-1", "team").meta(uid="rs").owned_by("Deployment", "web")
    return [
        node("n1"),
        node("n2").labelled({"zone": "b"}),
        pod("web-1-a", "team").owned_by("ReplicaSet", "web-1").on("n1").spec(priorityClassName="high"),
        pod("web-1-b", "team").owned_by("ReplicaSet", "web-1").repels(namespaceSelector={"matchLabels": {"tier": "x"}}),
        pod("lost", "team").on("gone"),
        pod("also-lost", "team").on("gone"),
        web,
        Thing("apps/v1", "Deployment", "web", "team").meta(uid="deploy"),
        Thing("scheduling.k8s.io/v1", "PriorityClass", "high", value=1000),
        Thing("v1", "Namespace", "team").labelled({"tier": "x"}),
        Thing("v1", "Secret", "s1", "team"),
        Thing("v1", "Secret", "s2", "team"),
        budget("pdb", {"matchLabels": {"app": "web"}}, 1, "team"),
    ]


def text(*things: Thing, indent: int | None = None) -> bytes:
    return b"\n".join(json.dumps(t.body, indent=indent).encode() for t in things)


def typed_list() -> bytes:
    """As `kubectl get --raw /api/v1/nodes` answers: the items do not say what they are."""
    items = [{k: v for k, v in t.body.items() if k not in ("kind", "apiVersion")} for t in cluster()[:2]]
    nodes = json.dumps({"kind": "NodeList", "apiVersion": "v1", "metadata": {}, "items": items}).encode()
    return nodes + b"\n" + text(*cluster()[2:])


@pytest.mark.parametrize(
    "body",
    [
        text(*cluster()),
        text(*cluster(), indent=4),
        text(*cluster(), indent=0),
        b"\n\n  ".join(text(t) for t in cluster()) + b"\n\n",
        b"".join(text(t) for t in cluster()),
        a_list(*cluster()[:5]) + a_list(*cluster()[5:]),
        typed_list(),
        b"\xef\xbb\xbf" + a_list(*cluster()),
        a_list(*cluster()).decode().encode("utf-16"),
        gzip.compress(a_list(*cluster()), mtime=0),
        gzip.compress(a_list(*cluster()[:5]), mtime=0) + gzip.compress(a_list(*cluster()[5:]), mtime=0),
        json.dumps({"kind": "List", "apiVersion": "v1", "items": [json.loads(a_list(*cluster()))]}).encode(),
        json.dumps({"metadata": {}, "items": [t.body for t in cluster()], "kind": "List"}).encode(),
    ],
    ids=[
        "lines", "pretty", "flat-pretty", "blank-lines", "no-space", "two-lists", "typed-list", "bom", "utf16", "gzip",
        "two-gzip-members", "list-in-list", "kind-last",
    ],
)  # fmt: skip
def test_the_same_cluster_written_another_way_is_the_same_snapshot(body: bytes) -> None:
    expected = read(*cluster())
    assert len(expected.pods) == 2
    assert read_bytes(body) == expected


@given(st.randoms(use_true_random=False), st.integers(1, 5))
def test_neither_order_nor_division_into_files_matters(random: Random, files: int) -> None:
    things = cluster()
    random.shuffle(things)
    parts = [[t for i, t in enumerate(things) if i % files == f] for f in range(files)]
    assert read_bytes(*(text(*part) for part in parts)) == read(*cluster())


def test_files_are_read_from_disk(tmp_path: Path) -> None:
    plain, packed = tmp_path / "nodes.json", tmp_path / "rest.json.gz"
    plain.write_bytes(a_list(*cluster()[:2]))
    packed.write_bytes(gzip.compress(a_list(*cluster()[2:])))
    assert read_dumps([plain, packed]) == read(*cluster())


def test_nodes_and_pods_come_in_order_of_their_names() -> None:
    snapshot = read(pod("b", "y"), pod("a", "z"), node("n2"), pod("c", "x"), node("n10"), node("n1"))
    assert [n.name for n in snapshot.nodes] == ["n1", "n10", "n2"]
    assert [p.key for p in snapshot.pods] == ["x/c", "y/b", "z/a"]


def test_other_kinds_are_counted_in_one_warning_each() -> None:
    secrets = [w for w in read(*cluster()).warnings if "Secret" in w.message]
    assert [(w.count, w.example) for w in secrets] == [(2, "")]


def test_our_own_kinds_are_no_surprise() -> None:
    assert read(node("n1"), Thing("berth.dev/v1alpha1", "LLMService", "chat", "llm")).warnings == ()


def test_the_example_of_a_warning_is_the_first_by_name() -> None:
    bare = [node(f"n{i}").status(allocatable=None) for i in (2, 1, 3)]
    assert [(w.count, w.example) for w in read(*bare).warnings] == [(3, "Node n1")]


def test_an_object_in_two_files_counts_once_and_the_newer_copy_holds() -> None:
    old = node("n1").meta(uid="u", resourceVersion="99")
    new = node("n1").meta(uid="u", resourceVersion="100").spec(unschedulable=True)
    for files in ([old, new], [new, old]):
        snapshot = read_bytes(*(text(f) for f in files))
        assert [n.unschedulable for n in snapshot.nodes] == [True]
        assert [w.reason for w in snapshot.warnings] == ["DuplicateName"]


def test_a_pod_that_moved_between_two_dumps_is_where_the_newer_one_says() -> None:
    old = pod("p").meta(uid="u", resourceVersion="9").on("n1")
    new = pod("p").meta(uid="u", resourceVersion="10").on("n2")
    finished = pod("p").meta(uid="u", resourceVersion="11").status(phase="Succeeded")
    assert read(node("n1"), node("n2"), new, old).pods[0].node == "n2"
    assert read(node("n1"), node("n2"), finished, new, old).pods == ()


def test_reading_does_not_depend_on_how_a_stream_hands_out_bytes() -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(7, size) if size and size > 0 else 7)

    assert read_dumps([Slow(a_list(*cluster()))]) == read(*cluster())
