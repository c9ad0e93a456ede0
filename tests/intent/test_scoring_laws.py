"""Laws of scoring, on clusters and wishes at random."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from berth_intent.intents import AVOID_PLACES, PLAIN, PREFER_PLACES, STRENGTHS, STRONG, WEAK, Intent, Level
from berth_intent.node_wishes import AMOUNTS
from berth_intent.scoring import score
from berth_intent.understood import Preference

from .wished import Cluster, of, wish

PLACE_NAMES = ("p1", "p2", "p3")
WORKLOADS = ("web", "redis", "etl")

FACTS = st.fixed_dictionaries(
    {
        "region": st.sampled_from(PLACE_NAMES),
        "zone": st.sampled_from(PLACE_NAMES),
        "rack": st.sampled_from(("", *PLACE_NAMES)),
        "arch": st.sampled_from(("amd64", "arm64")),
        "gpu_model": st.sampled_from(("", "H100", "A100-80GB", "A100-40GB")),
        "gpus": st.integers(0, 8),
        "cpu": st.sampled_from((0.0, 4.0, 16.0, 96.0)),
        "memory_gb": st.floats(0, 2_000),
        "network_gbps": st.sampled_from((0.0, 10.0, 100.0)),
        "storage_types": st.sampled_from(((), ("ssd",), ("nvme",), ("hdd",))),
        "spot": st.booleans(),
    }
)
POD = st.tuples(st.sampled_from(WORKLOADS), st.integers(0, 5), st.integers(1, 3))


@st.composite
def wishes(draw: st.DrawFn) -> Preference:
    values = st.sampled_from((*PLACE_NAMES, *WORKLOADS, "H100", "A100", "nvme", "arm64", "n1"))
    return Preference(
        draw(st.sampled_from(list(Intent))),
        tuple(draw(st.lists(values, max_size=3))),
        draw(st.none() | st.floats(0, 1_000)),
        draw(st.none() | st.sampled_from(("high", "low"))),
        draw(st.none() | st.sampled_from(list(Level))),
        draw(st.sampled_from(STRENGTHS)),
    )


@st.composite
def clusters(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[tuple[str, int, int]]]:
    return draw(st.lists(FACTS, min_size=2, max_size=6)), draw(st.lists(POD, max_size=6))


def built(nodes: list[dict[str, Any]], pods: list[tuple[str, int, int]], names: list[str] | None = None) -> Cluster:
    names = names or [f"n{i}" for i in range(len(nodes))]
    there = Cluster(*(of(name, **facts) for name, facts in zip(names, nodes, strict=True)))
    for workload, node, count in pods:
        there.runs(workload, names[node % len(nodes)], count)
    there.load = {name: i / 7 for i, name in enumerate(names)}
    there.fits = {name: i for i, name in enumerate(names)}
    return there


@settings(deadline=None)
@given(clusters(), st.lists(wishes(), max_size=8))
def test_scores_and_shares_are_between_0_and_1(cluster: Any, given_wishes: list[Preference]) -> None:
    there = built(*cluster)
    assert all(0.0 <= share <= 1.0 for share in there.scores(*given_wishes).values())
    for one in given_wishes:
        assert all(0.0 <= share <= 1.0 for share in there.satisfies(one).values())


@settings(deadline=None)
@given(clusters(), st.lists(wishes(), max_size=6), st.randoms(use_true_random=False))
def test_names_and_the_order_of_nodes_change_nothing(cluster: Any, given_wishes: list[Preference], rng: Any) -> None:
    assume(all(w.intent not in (Intent.PREFER_NODES, Intent.AVOID_NODES) for w in given_wishes))
    nodes, pods = cluster
    there = built(nodes, pods)
    order = list(range(len(nodes)))
    rng.shuffle(order)
    names = [f"{rng.random()}-{i}" for i, _ in enumerate(nodes)]
    pods = [(workload, node % len(nodes), count) for workload, node, count in pods]
    other = built([nodes[i] for i in order], [(w, order.index(n), c) for w, n, c in pods], [names[i] for i in order])
    other.load = {names[i]: i / 7 for i in range(len(nodes))}
    other.fits = {names[i]: i for i in range(len(nodes))}
    before, after = there.scores(*given_wishes), other.scores(*given_wishes)
    assert [before[f"n{i}"] for i in range(len(nodes))] == [after[names[i]] for i in range(len(nodes))]


@settings(deadline=None)
@given(clusters(), st.sampled_from(sorted(AMOUNTS)), st.floats(0.1, 500), st.floats(0, 500), st.floats(0, 500))
def test_more_of_what_is_wished_is_never_worse(
    cluster: Any, intent: Intent, amount: float, one: float, more: float
) -> None:
    nodes, pods = cluster
    fact = AMOUNTS[intent]
    nodes = [{**nodes[0], fact: one}, {**nodes[0], fact: one + more}]
    there = built(nodes, pods)
    found = there.satisfies(wish(intent, amount=amount))
    assert found["n0"] <= found["n1"]
    high = there.satisfies(wish(intent, rank="high"))
    assert high["n0"] <= high["n1"]


@settings(deadline=None)
@given(clusters(), wishes(), st.lists(wishes(), max_size=8))
def test_a_strong_wish_is_never_outvoted(cluster: Any, must: Preference, others: list[Preference]) -> None:
    there = built(*cluster)
    others = [Preference(w.intent, w.values, w.amount, w.rank, w.scope, min(w.strength, PLAIN)) for w in others]
    must = Preference(must.intent, must.values, must.amount, must.rank, must.scope, STRONG)
    shares, scores = there.satisfies(must), there.scores(must, *others)
    for a in shares:
        for b in shares:
            if shares[a] > shares[b] + 1 / 100:
                assert scores[a] > scores[b]


@settings(deadline=None)
@given(clusters(), st.lists(wishes(), max_size=6), st.lists(wishes(), max_size=6))
def test_a_plain_wish_is_never_outvoted_by_weak_ones(
    cluster: Any, plain: list[Preference], weak: list[Preference]
) -> None:
    there = built(*cluster)
    plain = [Preference(w.intent, w.values, w.amount, w.rank, w.scope, PLAIN) for w in plain]
    weak = [Preference(w.intent, w.values, w.amount, w.rank, w.scope, WEAK) for w in weak]
    shares = {name: sum(there.satisfies(w)[name] for w in plain) for name in there.names}
    scores = there.scores(*plain, *weak)
    for a in shares:
        for b in shares:
            if shares[a] > shares[b] + len(plain) / 100:
                assert scores[a] > scores[b]


@settings(deadline=None)
@given(FACTS, st.sampled_from(list(Level)), st.lists(POD, max_size=4))
def test_an_avoided_place_is_never_preferred_to_another_one(
    facts: dict[str, Any], level: Level, pods: list[tuple[str, int, int]]
) -> None:
    """All else equal."""
    other = facts if level is Level.NODE else {**facts, level.value: "elsewhere"}
    there = built([facts, other], [])
    avoided = "n0" if level is Level.NODE else facts[level.value]
    assume(avoided)
    scores = there.scores(wish(AVOID_PLACES[level], avoided))
    assert scores["n0"] < scores["n1"]
    scores = there.scores(wish(PREFER_PLACES[level], avoided))
    assert scores["n0"] > scores["n1"]


@settings(deadline=None)
@given(clusters(), st.lists(st.tuples(st.sampled_from(WORKLOADS), st.integers(0, 5)), max_size=20))
def test_counts_kept_step_by_step_are_those_counted_anew(cluster: Any, steps: list[tuple[str, int]]) -> None:
    there = built(*cluster)
    for workload, node in steps:
        counts = there.counts.get(workload)
        if counts is None:
            continue
        row = node % len(there.names)
        counts.by_domain(Level.ZONE), counts.by_domain(Level.NODE)
        there.runs(workload, there.names[row], -1 if counts.on.get(row) else 1)
    for counts in there.counts.values():
        kept = {level: counts.by_domain(level).tolist() for level in Level}
        anew = Cluster(*(facts for facts in there.places.facts if facts is not None))
        for row, count in counts.on.items():
            anew.runs("web", there.names[row], count)
        assert kept == {level: anew.counts["web"].by_domain(level).tolist() for level in Level}
        assert counts.total == sum(counts.on.values())


@settings(deadline=None)
@given(clusters(), st.lists(wishes(), max_size=6))
def test_a_node_has_the_same_score_alone_and_among_all(cluster: Any, given_wishes: list[Preference]) -> None:
    there = built(*cluster)
    scores, present = there.scores(*given_wishes), there.present()
    for row, name in enumerate(there.names):
        alone = score(given_wishes, there.places, present, np.array([row]), there.rows)
        assert alone[0] == scores[name]
