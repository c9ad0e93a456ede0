"""The protocol, held against requests that a real kube-scheduler sent and answers as its Go types are written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from berth_extender.wire import (
    MalformedError,
    NodesAsked,
    VictimsAsked,
    filter_result,
    preemption_result,
    prioritize_result,
    read_nodes_asked,
    read_pod_identity,
    read_victims_asked,
)

WIRE = Path(__file__).parent / "wire"


def sent(name: str) -> bytes:
    """A body that kube-scheduler 1.37.2 sent."""
    return (WIRE / f"{name}.json").read_bytes()


def test_names_are_read() -> None:
    asked = read_nodes_asked(sent("filter"))
    assert asked.names == ["node-1", "node-2"]
    assert asked.whole is None


def test_filter_and_prioritize_are_asked_alike() -> None:
    assert read_nodes_asked(sent("prioritize")) == read_nodes_asked(sent("filter"))


def test_the_nominated_node_is_asked_alone() -> None:
    assert read_nodes_asked(sent("filter-nominated")).names == ["node-1"]


def test_the_pod_is_known_by_its_uid() -> None:
    pod = read_pod_identity(read_nodes_asked(sent("filter-nominated")).pod)
    assert (pod.namespace, pod.name) == ("default", "urgent-true")
    assert pod.uid == "47245ce8-1fb8-47c1-9df5-4d4e5a4907fb"


def test_whole_nodes_go_back_as_they_came() -> None:
    body = sent("filter-whole-nodes")
    asked = read_nodes_asked(body)
    answer = json.loads(filter_result(asked, asked.names[:1], {}, {}))
    assert answer["Nodes"] == {"metadata": {}, "items": json.loads(body)["Nodes"]["items"][:1]}
    assert answer["NodeNames"] is None


def test_whole_nodes_go_back_in_the_order_of_the_answer() -> None:
    asked = read_nodes_asked(sent("filter-whole-nodes"))
    turned = asked.names[::-1]
    answer = json.loads(filter_result(asked, turned, {}, {}))
    assert [node["metadata"]["name"] for node in answer["Nodes"]["items"]] == turned


@pytest.mark.parametrize("form", ["preempt", "preempt-whole-pods"])
def test_victims_are_read_in_both_forms(form: str) -> None:
    body = json.loads(sent(form))
    asked = read_victims_asked(sent(form))
    assert sorted(asked.candidates) == ["node-0", "node-1", "node-2"]
    if form == "preempt":
        offered = body["NodeNameToMetaVictims"]["node-1"]["Pods"][0]["UID"]
    else:
        offered = body["NodeNameToVictims"]["node-1"]["Pods"][0]["metadata"]["uid"]
    assert asked.candidates["node-1"] == [offered]


def test_candidates_without_victims_are_legal() -> None:
    body = b'{"Pod":{"metadata":{"name":"p"}},"NodeNameToVictims":null,"NodeNameToMetaVictims":{"a":{"Pods":[]},"b":{"Pods":null},"c":null}}'
    assert read_victims_asked(body).candidates == {"a": [], "b": [], "c": []}


# Answers, word for word: what Go's encoder writes for the same values (extender/v1/types_test.go pins its keys)

POD = read_nodes_asked(b'{"Pod":{"metadata":{"name":"p"}},"NodeNames":["n1"]}').pod


def test_filter_answers_as_go_writes_it() -> None:
    asked = NodesAsked(POD, ["n1", "n2", "n3"])
    answer = filter_result(asked, ["n1"], {"n2": "why not"}, {"n3": "never"})
    expected = b'{"Nodes":null,"NodeNames":["n1"],"FailedNodes":{"n2":"why not"},"FailedAndUnresolvableNodes":{"n3":"never"},"Error":""}'
    assert answer == expected


def test_no_node_left_is_an_empty_list_not_null() -> None:
    """With null kube-scheduler would look at `Nodes` instead."""
    answer = json.loads(filter_result(NodesAsked(POD, ["n1"]), [], {}, {"n1": "held"}))
    assert answer["NodeNames"] == []


def test_prioritize_answers_a_bare_array() -> None:
    assert prioritize_result([("n1", 10), ("n2", 0)]) == b'[{"Host":"n1","Score":10},{"Host":"n2","Score":0}]'
    assert prioritize_result([]) == b"[]"


def test_preempt_answers_uids_and_keeps_the_count_of_broken_budgets() -> None:
    asked = VictimsAsked(POD, {"n1": ["u1"], "n2": ["u2"]}, {"n1": 1, "n2": 0})
    expected = b'{"NodeNameToMetaVictims":{"n1":{"Pods":[{"UID":"u1"}],"NumPDBViolations":1}}}'
    assert preemption_result(asked, {"n1": ["u1"]}) == expected


def test_no_candidates_is_an_empty_map() -> None:
    assert preemption_result(VictimsAsked(POD, {}, {}), {}) == b'{"NodeNameToMetaVictims":{}}'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'"\xff"',
        b'{"Pod":{},"Nodes":null,"NodeNames":null}',
        b'{"Pod":{},"NodeNames":"n1"}',
        b'{"Pod":{},"NodeNames":[1]}',
        b'{"Pod":{},"Nodes":{"items":[{"metadata":{}}]}}',
        b'{"Pod":{},"Nodes":{"items":[7]}}',
        b'{"pod":{},"nodenames":["n1"]}',
    ],
)
def test_what_no_scheduler_sends_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedError):
        read_nodes_asked(body)


def test_a_pod_without_a_name_is_malformed() -> None:
    for pod in (b"null", b"{}", b"7", b'{"metadata":{"name":7}}'):
        with pytest.raises(MalformedError):
            read_pod_identity(read_nodes_asked(b'{"Pod":' + pod + b',"NodeNames":[]}').pod)
