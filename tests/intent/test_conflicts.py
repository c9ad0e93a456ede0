"""Wishes that contradict each other: the loser stays visible, and a warning says which one counts."""

from __future__ import annotations

import pytest

from berth_intent.conflicts import conflicts
from berth_intent.intents import PLAIN, STRONG, WEAK, Intent, Level
from berth_intent.parser import parse
from berth_intent.understood import Code, Preference
from berth_intent.vocabulary import Vocabulary

VOCABULARY = Vocabulary(
    regions=("us-east-1",),
    zones=("us-east-1a", "us-east-1b"),
    racks=("rack-1", "rack-2"),
    deployments=("redis", "kafka"),
    gpu_models=("H100", "A100-80GB"),
)


def overruled(text: str) -> list[Intent]:
    found = parse(text, VOCABULARY)
    return [found.preferences[index].intent for index in sorted(found.overruled)]


@pytest.mark.parametrize(
    ("text", "loser"),
    [
        ("prefer us-east-1a and avoid us-east-1a", Intent.PREFER_ZONES),
        ("must run in us-east-1a, ideally not in us-east-1a", Intent.AVOID_ZONES),
        ("run on rack-1. avoid rack-1.", Intent.PREFER_RACKS),
        ("avoid rack-1. run on rack-1.", Intent.AVOID_RACKS),
        ("all pods on one node, and spread over zones", Intent.SPREAD_ZONES),
        ("pack all pods on one node. never two pods on one node.", Intent.PREFER_COLOCATE_SAME_DEPLOYMENT),
        ("spot please, but never spot", Intent.PREFER_SPOT),
        ("H100 please, no H100", Intent.PREFER_GPU_MODEL),
        ("same node as redis, but keep off redis's node", Intent.PREFER_COLOCATE_DEPLOYMENTS),
        ("same rack as kafka, other zone than kafka", Intent.AVOID_DEPLOYMENTS),
    ],
)
def test_the_loser_is_told(text: str, loser: Intent) -> None:
    found = parse(text, VOCABULARY)
    assert overruled(text) == [loser]
    assert len(found.preferences) == 2
    assert len(found.effective) == 1
    (warning,) = [w for w in found.warnings if w.code == Code.CONFLICT]
    assert loser.value in warning.message


@pytest.mark.parametrize(
    "text",
    [
        "same zone as kafka, but not on the node of kafka",
        "us-east-1 but not us-east-1a",
        "spread over zones and racks",
        "replicas near each other, one per node",
        "near redis, away from kafka",
        "prefer H100, avoid A100",
    ],
)
def test_what_goes_together_is_no_conflict(text: str) -> None:
    found = parse(text, VOCABULARY)
    assert len(found.preferences) == 2
    assert not found.overruled


def test_strength_comes_before_how_specific_and_the_last_word() -> None:
    colocate = Preference(Intent.PREFER_COLOCATE_SAME_DEPLOYMENT, strength=WEAK)
    spread = Preference(Intent.SPREAD_NODES, strength=PLAIN)
    assert conflicts([colocate, spread]).overruled == {0}
    assert conflicts([spread, colocate]).overruled == {1}


def test_pods_that_must_spread_over_zones_may_still_be_together_in_each() -> None:
    found = parse("collocate all pods on a single node, you must also spread these pods across all zones", VOCABULARY)
    assert [(p.intent, p.strength) for p in found.effective] == [
        (Intent.PREFER_COLOCATE_SAME_DEPLOYMENT, PLAIN),
        (Intent.SPREAD_ZONES, STRONG),
    ]
    (warning,) = [w for w in found.warnings if w.code == Code.CONFLICT]
    assert "prefer_colocate_same_deployment" in warning.message
    assert overruled("all pods must be on one node, spread over zones") == [Intent.SPREAD_ZONES]


def test_of_equals_the_more_specific_one_counts_whatever_came_last() -> None:
    colocate = Preference(Intent.PREFER_COLOCATE_SAME_DEPLOYMENT)
    spread = Preference(Intent.SPREAD_REGIONS)
    assert conflicts([colocate, spread]).overruled == {1}
    assert conflicts([spread, colocate]).overruled == {0}


def test_a_wish_that_lost_overrules_nothing() -> None:
    lost = Preference(Intent.PREFER_SPOT, strength=WEAK)
    won = Preference(Intent.AVOID_SPOT, strength=STRONG)
    assert conflicts([lost, won, Preference(Intent.PREFER_SPOT, strength=PLAIN)]).overruled == {0, 2}


def test_workloads_conflict_at_scopes_that_exclude_each_other() -> None:
    near = Preference(Intent.PREFER_NEARBY_DEPLOYMENTS, ("redis",), scope=Level.ZONE)
    off_its_node = Preference(Intent.AVOID_DEPLOYMENTS, ("redis",), scope=Level.NODE)
    off_its_region = Preference(Intent.AVOID_DEPLOYMENTS, ("redis",), scope=Level.REGION)
    assert not conflicts([near, off_its_node]).overruled
    assert conflicts([near, off_its_region]).overruled
