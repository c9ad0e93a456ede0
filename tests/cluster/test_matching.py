"""Which node takes which pod, one by one and all at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth_api.reasons import Reason
from berth_cluster.eligibility import NodeIndex
from berth_cluster.matching import (
    node_matches,
    pod_term_matches,
    requirement_matches,
    selector_matches,
    tolerates,
)
from berth_cluster.snapshot import (
    LabelSelector,
    Node,
    NodeTerm,
    Operator,
    PodSpec,
    PodTerm,
    Requirement,
    Taint,
    Toleration,
)

ANY = PodSpec(requests=())


def a_node(name: str = "n1", *taints: Taint, ready: bool = True, unschedulable: bool = False, **labels: str) -> Node:
    return Node(name, (), labels, taints, unschedulable, ready)


def wants(key: str, operator: Operator, *values: str, field: bool = False) -> PodSpec:
    return PodSpec(requests=(), node_affinity=(NodeTerm((Requirement(key, operator, values, field),)),))


def test_an_empty_spec_fits_a_plain_node() -> None:
    assert node_matches(ANY, a_node()) is None


def test_a_node_that_is_not_ready_takes_nothing() -> None:
    assert node_matches(ANY, a_node(ready=False)) is Reason.NODE_NOT_READY


def test_a_cordoned_node_takes_only_those_who_tolerate_it() -> None:
    daemon = PodSpec(
        requests=(), tolerations=(Toleration("node.kubernetes.io/unschedulable", "Exists", "", "NoSchedule"),)
    )
    cordoned = a_node("n1", Taint("node.kubernetes.io/unschedulable", "", "NoSchedule"), unschedulable=True)
    assert node_matches(ANY, cordoned) is Reason.UNSCHEDULABLE
    assert node_matches(daemon, cordoned) is None


GPU = Taint("gpu", "a100", "NoSchedule")


@pytest.mark.parametrize(
    ("toleration", "taint", "expected"),
    [
        (Toleration("gpu", "Exists"), GPU, True),
        (Toleration("gpu", "Equal", "a100"), GPU, True),
        (Toleration("gpu", "Equal", "h100"), GPU, False),
        (Toleration("gpu", "Equal", ""), Taint("gpu", "", "NoSchedule"), True),
        (Toleration("gpu", "Exists", "", "NoExecute"), GPU, False),
        (Toleration("gpu", "Exists", "", "NoSchedule"), GPU, True),
        (Toleration("", "Exists"), GPU, True),
        (Toleration("", "Exists", "", "NoExecute"), GPU, False),
        (Toleration("other", "Exists"), GPU, False),
        (Toleration("sla", "Gt", "900"), Taint("sla", "950", "NoSchedule"), True),
        (Toleration("sla", "Gt", "950"), Taint("sla", "950", "NoSchedule"), False),
        (Toleration("sla", "Lt", "951"), Taint("sla", "950", "NoSchedule"), True),
        (Toleration("sla", "Lt", "x"), Taint("sla", "950", "NoSchedule"), False),
    ],
)
def test_tolerations(toleration: Toleration, taint: Taint, expected: bool) -> None:
    assert tolerates((toleration,), taint) is expected


def test_a_soft_taint_keeps_nobody_away() -> None:
    assert node_matches(ANY, a_node("n1", Taint("gpu", "", "PreferNoSchedule"))) is None
    assert node_matches(ANY, a_node("n1", Taint("gpu", "", "NoExecute"))) is Reason.UNTOLERATED_TAINT


def test_each_taint_needs_its_toleration() -> None:
    spec = PodSpec(requests=(), tolerations=(Toleration("gpu", "Exists"),))
    assert node_matches(spec, a_node("n1", GPU, Taint("team", "x", "NoSchedule"))) is Reason.UNTOLERATED_TAINT


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (wants("zone", Operator.IN, "a", "b"), True),
        (wants("zone", Operator.IN, "c"), False),
        (wants("zone", Operator.NOT_IN, "a"), False),
        (wants("rack", Operator.NOT_IN, "a"), True),  # absent is not in
        (wants("rack", Operator.IN, "a"), False),
        (wants("zone", Operator.EXISTS), True),
        (wants("rack", Operator.DOES_NOT_EXIST), True),
        (wants("zone", Operator.DOES_NOT_EXIST), False),
        (wants("cores", Operator.GT, "63"), True),
        (wants("cores", Operator.GT, "64"), False),
        (wants("cores", Operator.LT, "65"), True),
        (wants("zone", Operator.LT, "65"), False),
        (wants("rack", Operator.LT, "65"), False),
        (wants("metadata.name", Operator.IN, "n1", field=True), True),
        (wants("metadata.name", Operator.NOT_IN, "n1", field=True), False),
        (PodSpec(requests=(), node_affinity=(NodeTerm(()),)), False),  # an empty term matches nothing
        (PodSpec(requests=(), node_affinity=()), False),  # no term matches nothing
        (PodSpec(requests=(), node_selector=(("zone", "a"), ("cores", "64"))), True),
        (PodSpec(requests=(), node_selector=(("zone", "a"), ("cores", "8"))), False),
    ],
)
def test_selecting_a_node(spec: PodSpec, expected: bool) -> None:
    nodes = [a_node("n1", zone="a", cores="64"), a_node("n2"), a_node("n3", rack="a")]
    assert node_matches(spec, nodes[0]) is (None if expected else Reason.NODE_SELECTOR_MISMATCH)
    assert NodeIndex(nodes).eligible(spec).tolist() == [node_matches(spec, n) is None for n in nodes]


def test_a_volume_elsewhere_is_its_own_reason() -> None:
    zone_b = NodeTerm((Requirement("zone", Operator.IN, ("b",)),))
    spec = PodSpec(requests=(), volume_nodes=((zone_b,),))
    assert node_matches(spec, a_node(zone="a")) is Reason.VOLUME_ZONE_CONFLICT
    assert node_matches(spec, a_node(zone="b")) is None


def test_selectors_on_pods() -> None:
    web = LabelSelector((Requirement("app", Operator.IN, ("web",)),))
    assert selector_matches(web, {"app": "web"})
    assert not selector_matches(web, {"app": "db"})
    assert selector_matches(LabelSelector(), {})
    assert not selector_matches(None, {"app": "web"})
    assert not requirement_matches(Requirement("n", Operator.GT, ("1",)), {"n": "2"})  # only nodes are compared


def test_a_pod_term_looks_at_the_namespace_first() -> None:
    everything = LabelSelector()
    assert pod_term_matches(PodTerm(everything, "zone", frozenset({"a"})), "a", {})
    assert not pod_term_matches(PodTerm(everything, "zone", frozenset({"a"})), "b", {})
    assert pod_term_matches(PodTerm(everything, "zone", None), "b", {})
    assert not pod_term_matches(PodTerm(None, "zone", None), "b", {})


def test_domains_are_numbered_in_order_of_their_names() -> None:
    index = NodeIndex([a_node("1", zone="b"), a_node("2"), a_node("3", zone="a"), a_node("4", zone="b")])
    names, domain_of = index.domains("zone")
    assert (names, domain_of.tolist()) == (("a", "b"), [1, -1, 0, 1])
    assert index.domains("nowhere")[1].tolist() == [-1, -1, -1, -1]


keys = st.sampled_from(["a", "b"])
words = st.sampled_from(["1", "2", "x", ""])
requirements = st.builds(
    Requirement,
    keys,
    st.sampled_from(list(Operator)),
    st.lists(words, min_size=1, max_size=2).map(tuple),
) | st.builds(
    Requirement,
    st.just("metadata.name"),
    st.sampled_from([Operator.IN, Operator.NOT_IN]),
    st.just(("n0", "n2")),
    st.just(True),
)
terms = st.lists(requirements, max_size=2).map(lambda r: NodeTerm(tuple(r)))
effects = st.sampled_from(["NoSchedule", "NoExecute", "PreferNoSchedule"])
taints = st.builds(Taint, keys | st.just("node.kubernetes.io/unschedulable"), words, effects)
tolerations = st.builds(
    Toleration, keys | st.just(""), st.sampled_from(["Exists", "Equal"]), words, effects | st.just("")
)
specs = st.builds(
    PodSpec,
    requests=st.just(()),
    node_selector=st.lists(st.tuples(keys, words), max_size=1).map(tuple),
    node_affinity=st.none() | st.lists(terms, max_size=2).map(tuple),
    tolerations=st.lists(tolerations, max_size=2).map(tuple),
    volume_nodes=st.lists(st.lists(terms, max_size=2).map(tuple), max_size=2).map(tuple),
)
nodes = st.lists(
    st.tuples(st.dictionaries(keys, words), st.lists(taints, max_size=2).map(tuple), st.booleans(), st.booleans()),
    max_size=5,
).map(lambda given: [Node(f"n{i}", (), *rest) for i, rest in enumerate(given)])


@given(nodes=nodes, some=st.lists(specs, min_size=1, max_size=3))
def test_all_nodes_at_once_say_what_each_node_says(nodes: list[Node], some: list[PodSpec]) -> None:
    index = NodeIndex(nodes)
    for spec in some:
        single = [node_matches(spec, n) for n in nodes]
        assert index.eligible(spec).tolist() == [reason is None for reason in single]
        together = index.reasons(spec)
        assert [next((r for r, mask in together.items() if mask[i]), None) for i in range(len(nodes))] == single
        assert all(mask.any() for mask in together.values())
