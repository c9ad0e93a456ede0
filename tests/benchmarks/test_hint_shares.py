"""A share is 1 only for the best placement there is, and each way to miss the wish costs."""

import itertools
import random
from collections import Counter

import pytest

from benchmarks.hint_cases import Case, cases
from benchmarks.hint_shares import even, one_group_a_zone, spread_evenly, together, worth
from benchmarks.hint_sites import CPUS, LAYOUTS, Site, sites


def site(name: str, *, zone: str = "us-east-1a", rack: str = "rack-1", gbps: int = 10, load: int = 0) -> Site:
    return Site(name, zone[:-1], zone, rack, gbps, load=load)


FOUR = [site("a"), site("b"), site("c", zone="us-east-1b", rack="rack-2"), site("d", zone="us-east-1b", rack="rack-2")]


def test_counts_that_differ_by_one_are_even() -> None:
    assert even([2, 1, 2, 1], 6) == 1.0
    assert even([2, 2, 2, 0], 6) == pytest.approx(5 / 6)
    assert even([6, 0, 0, 0], 6) == pytest.approx(2 / 6)


def test_even_zones_on_one_node_each_are_not_spread() -> None:
    assert spread_evenly(FOUR, {"a": 1, "b": 1, "c": 1, "d": 1}, 4) == 1.0
    assert spread_evenly(FOUR, {"a": 2, "c": 2}, 4) == 0.5
    assert spread_evenly(FOUR, {"a": 1, "b": 1}, 4) == 0.5, "the pending count nothing"


def test_worth_is_measured_by_what_there_was_room_for() -> None:
    fast = [site("fast", gbps=100, load=CPUS - 8), site("slow", gbps=25)]

    def value(one: Site) -> float:
        return one.gbps / 100

    assert worth(fast, {"fast": 2, "slow": 1}, 3, 4, value) == 1.0
    assert worth(fast, {"slow": 3}, 3, 4, value) == pytest.approx(0.75 / 2.25)


def test_those_for_which_a_node_has_no_room_belong_in_its_rack() -> None:
    half = CPUS // 2
    assert together(FOUR, {"a": 2, "b": 2}, 4, half) == 1.0
    assert together(FOUR, {"a": 2, "c": 2}, 4, half) == 0.75
    assert together(FOUR, {"a": 2}, 4, half) == 0.75
    assert together(FOUR, {"a": 1, "b": 1, "c": 1, "d": 1}, 4, half) == 0.5


def test_of_a_wish_for_one_node_and_all_zones_a_group_in_each_zone_is_best() -> None:
    assert one_group_a_zone(FOUR, {"a": 2, "c": 2}, 4) == 1.0
    assert one_group_a_zone(FOUR, {"a": 1, "b": 1, "c": 1, "d": 1}, 4) == 0.5
    assert one_group_a_zone(FOUR, {"a": 4}, 4) == 0.5


@pytest.mark.parametrize("setting", LAYOUTS)
@pytest.mark.parametrize("seed", range(1, 6))
def test_every_scenario_can_be_lost(setting: str, seed: int) -> None:
    """One in which nobody can fail compares nothing."""
    for case in cases(setting, seed):
        nothing: dict[str, dict[str, int]] = {wish.app: {} for wish in case.wishes}
        assert case.share(nothing) == 0.0
        assert min(_scattered(case), *(_on_one_node(case, one) for one in case.sites)) < 1.0


def _on_one_node(case: Case, one: Site) -> float:
    return case.share({wish.app: {one.name: wish.pods} for wish in case.wishes})


def _scattered(case: Case) -> float:
    names = [one.name for one in case.sites]
    return case.share({wish.app: Counter(itertools.islice(itertools.cycle(names), wish.pods)) for wish in case.wishes})


def test_a_seed_gives_the_same_scenarios_and_another_one_other_names_and_loads() -> None:
    def told(seed: int) -> list[object]:
        return [(case.sites, case.standing, [w.app for w in case.wishes]) for case in cases("graded", seed)]

    assert told(3) == told(3)
    assert told(3) != told(4)
    first, second = (sites("paper", random.Random(seed)) for seed in (1, 2))
    assert {s.rack: s.name for s in first} != {s.rack: s.name for s in second}
