"""The table of free room is what the pods that stand there leave, in whatever order one is told."""

from __future__ import annotations

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from berth_cluster.snapshot import Node, Pod
from berth_scheduling.room import MOST_COLUMNS, Room

from .builders import GPU, node, pod


def free(room: Room, name: str, resource: str) -> int:
    return int(room.free[room.rows[name], room.columns[resource]])


def test_a_resource_that_becomes_known_later_is_counted_for_pods_that_came_before() -> None:
    room = Room()
    for i in range(6):  # more columns than the table begins with
        wide = node("n1")
        room.node_changed("n1", replace(wide, allocatable=(*wide.allocatable, *((f"r{k}", 9) for k in range(i)))))
        asked = pod(f"p{i}", gpu=1, on="n1")
        room.bind(replace(asked, spec=replace(asked.spec, requests=(*asked.spec.requests, (f"r{i}", 1)))))
    assert free(room, "n1", GPU) == 2
    assert [free(room, "n1", f"r{i}") for i in range(5)] == [8, 8, 8, 8, 8]


def test_a_request_for_a_resource_that_no_node_has_yet_counts_once_one_has() -> None:
    room = Room()
    room.node_changed("n1", node("n1"))
    asked = (("fpga", 2), ("pods", 1))
    assert room.vector(asked).sum() == 1
    room.node_changed("n2", Node("n2", (("fpga", 4),)))
    assert room.vector(asked)[room.columns["fpga"]] == 2


def test_a_pod_that_is_resized_in_place_counts_as_it_is() -> None:
    room = Room()
    room.node_changed("n1", node("n1"))
    room.bind(pod("a", gpu=1, on="n1"))
    room.bind(pod("a", gpu=3, on="n1"))
    assert free(room, "n1", GPU) == 5


def test_nodes_that_come_and_go_do_not_make_the_table_grow() -> None:
    room = Room()
    before = room.size
    for i in range(1_000):
        room.node_changed(f"n{i}", node(f"n{i}"))
        room.node_changed(f"n{i}", None)
    assert room.size == before
    assert room.rows == {}


@given(st.integers(0, 10**9))
def test_free_is_allocatable_less_what_stands_there(seed: int) -> None:
    rng = random.Random(seed)
    room = Room()
    nodes: dict[str, Node] = {}
    pods: dict[str, Pod] = {}
    for _ in range(rng.randint(1, 60)):
        match rng.randrange(4):
            case 0:
                made = node(f"n{rng.randrange(4)}", gpu=rng.randint(0, 8), cpu=rng.randint(1, 64))
                nodes[made.name] = made
                room.node_changed(made.name, made)
            case 1:
                name = f"n{rng.randrange(4)}"
                nodes.pop(name, None)
                room.node_changed(name, None)
            case 2:
                one = pod(f"p{rng.randrange(6)}", gpu=rng.randint(0, 4), on=f"n{rng.randrange(4)}")
                pods[one.uid] = one
                room.bind(one)
            case _:
                uid = f"uid-p{rng.randrange(6)}"
                pods.pop(uid, None)
                room.release(uid)
    for name, known in nodes.items():
        for resource, amount in known.allocatable:
            used = sum(dict(p.spec.requests).get(resource, 0) for p in pods.values() if p.node == name)
            assert free(room, name, resource) == amount - used
    assert set(room.rows) == set(nodes) | {p.node for p in pods.values()}
    assert not np.any(room.free[[i for i, name in enumerate(room.names) if name is None]])


def test_names_without_end_that_no_node_offers_do_not_widen_the_tables_without_end() -> None:
    """A tenant may name a node itself and ask for what it likes: the pod is bound before anybody has judged it."""
    room = Room()
    room.node_changed("n1", node("n1"))
    for i in range(20):
        asked = pod(f"p{i}", gpu=1, on="n1")
        strange = tuple((f"example.com/r{i}-{k}", 1) for k in range(1_000))
        room.bind(replace(asked, spec=replace(asked.spec, requests=(*asked.spec.requests, *strange))))
    assert room.free.shape[1] <= 2 * MOST_COLUMNS
    # one that is offered after all counts, for those that came before too
    wide = node("n1")
    room.node_changed("n1", replace(wide, allocatable=(*wide.allocatable, ("example.com/r19-999", 9))))
    assert free(room, "n1", "example.com/r19-999") == 8
    room.release("uid-p19")
    assert free(room, "n1", "example.com/r19-999") == 9
