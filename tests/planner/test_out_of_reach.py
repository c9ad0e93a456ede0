"""Which wishes no node of a cluster can satisfy, and what is said of them."""

from __future__ import annotations

import pytest

from berth_intent.facts import node_facts
from berth_intent.intents import Intent
from berth_intent.places import Places
from berth_intent.understood import Preference
from berth_planner.out_of_reach import out_of_reach

ZONE, PRODUCT = "topology.kubernetes.io/zone", "nvidia.com/gpu.product"


def cluster(*nodes: tuple[dict[str, str], dict[str, int]]) -> Places:
    return Places.of(node_facts(f"n{i}", labels, amounts) for i, (labels, amounts) in enumerate(nodes))


TWO_ZONES = cluster(
    ({ZONE: "a", PRODUCT: "NVIDIA-H100-80GB-HBM3"}, {"cpu": 64_000, "nvidia.com/gpu": 8}), ({ZONE: "b"}, {"cpu": 8_000})
)


def said(preference: Preference, places: Places = TWO_ZONES) -> list[str]:
    return list(out_of_reach([preference], places))


@pytest.mark.parametrize(
    "preference",
    [
        Preference(Intent.PREFER_GPU_MODEL, ("H100",)),
        Preference(Intent.PREFER_ZONES, ("b", "nowhere")),
        Preference(Intent.AVOID_ZONES, ("a",)),
        Preference(Intent.PREFER_CPU, amount=64),
        Preference(Intent.PREFER_CPU, rank="high"),
        Preference(Intent.PREFER_GPU),
        Preference(Intent.AVOID_GPU),
        Preference(Intent.SPREAD_ZONES),
        Preference(Intent.SPREAD_NODES),
        Preference(Intent.SPREAD_RACKS),  # without racks each zone counts as one
        Preference(Intent.AVOID_DEPLOYMENTS, ("etl",)),
        Preference(Intent.PREFER_CACHED_MODEL),
    ],
)
def test_what_some_node_satisfies_is_in_reach(preference: Preference) -> None:
    assert said(preference) == []


@pytest.mark.parametrize(
    ("preference", "words"),
    [
        (Preference(Intent.PREFER_GPU_MODEL, ("B200",)), 'no node satisfies "on a node with GPU model B200"'),
        (Preference(Intent.PREFER_ZONES, ("nowhere",)), 'no node satisfies "in zone nowhere"'),
        (Preference(Intent.AVOID_ZONES, ("a", "b")), 'no node satisfies "not in zone a or b"'),
        (Preference(Intent.PREFER_CPU, amount=640), "come to 11% of it"),
        (Preference(Intent.PREFER_TPU), "no node satisfies"),
        (Preference(Intent.PREFER_SPOT), "no node satisfies"),
        (Preference(Intent.PREFER_NETWORK_SPEED, rank="high"), "no node satisfies"),
    ],
)
def test_what_none_satisfies_is_said(preference: Preference, words: str) -> None:
    (sentence,) = said(preference)
    assert words in sentence


def test_one_zone_is_nothing_to_spread_over() -> None:
    one = cluster(({ZONE: "a"}, {"cpu": 8_000}), ({ZONE: "a"}, {"cpu": 8_000}))
    (sentence,) = said(Preference(Intent.SPREAD_ZONES), one)
    assert sentence == '"pods of its workload spread over zones" asks for more than the cluster has: one zone'
    assert said(Preference(Intent.SPREAD_NODES), one) == []


def test_a_cluster_of_one_size_has_the_size_that_it_has() -> None:
    one = cluster(({}, {"cpu": 8_000}), ({}, {"cpu": 8_000}))
    assert said(Preference(Intent.PREFER_CPU, rank="high"), one) == []


def test_an_empty_cluster_is_no_reason() -> None:
    assert said(Preference(Intent.PREFER_SPOT), Places()) == []
