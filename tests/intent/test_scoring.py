"""Where pods with wishes would go, wish by wish and all together."""

from __future__ import annotations

from collections import Counter

import pytest

from berth_intent.intents import STRONG, WEAK, Intent, Level
from berth_intent.scoring import depends_on_placement, unsatisfiable

from .wished import Cluster, of, wish


def eight_workers() -> Cluster:
    """The paper's cluster: two zones, five racks, minikube-m02 to m09."""
    racks = (1, 1, 2, 5, 3, 3, 4, 4)
    zones = "aaaabbbb"
    return Cluster(
        *(
            of(f"m0{i + 2}", region="us-east-1", zone=f"us-east-1{zones[i]}", rack=f"rack-{racks[i]}", cpu=4.0)
            for i in range(8)
        )
    )


# Places


def test_a_wished_zone_is_best_and_its_neighbours_next() -> None:
    there = Cluster(
        of("here", region="eu", zone="eu-a"), of("near", region="eu", zone="eu-b"), of("far", region="us", zone="us-a")
    )
    found = there.satisfies(wish(Intent.PREFER_ZONES, "eu-a"))
    assert found["here"] == 1.0 > found["near"] > found["far"] == 0.0


def test_a_wished_node_that_is_full_has_its_rack_as_the_next_best() -> None:
    there = eight_workers()
    found = there.satisfies(wish(Intent.PREFER_NODES, "m02"))
    assert found["m02"] == 1.0 > found["m03"] > found["m04"] > found["m09"] > 0.0


def test_names_are_compared_without_regard_to_case() -> None:
    there = Cluster(of("Node-A", zone="Z"), of("b", zone="y"))
    assert there.best(wish(Intent.PREFER_ZONES, "z")) == there.best(wish(Intent.PREFER_NODES, "node-a")) == {"Node-A"}


@pytest.mark.parametrize(
    ("intent", "value", "left"),
    [
        (Intent.AVOID_ZONES, "us-east-1a", {"m06", "m07", "m08", "m09"}),
        (Intent.AVOID_RACKS, "rack-3", {"m02", "m03", "m04", "m05", "m08", "m09"}),
        (Intent.AVOID_NODES, "m02", {f"m0{i}" for i in range(3, 10)}),
        (Intent.AVOID_REGIONS, "eu-west-1", {f"m0{i}" for i in range(2, 10)}),
    ],
)
def test_avoided_places_are_left_alone_and_all_others_are_equal(intent: Intent, value: str, left: set[str]) -> None:
    assert eight_workers().best(wish(intent, value)) == left


def test_a_hint_that_only_avoids_never_ends_where_it_avoids() -> None:
    """The published formula divides 0 by 0 here and takes the first name of the alphabet."""
    assert "m02" not in eight_workers().best(wish(Intent.AVOID_NODES, "m02"))


def test_rack_1_of_two_zones_is_two_racks() -> None:
    there = Cluster(of("n1", zone="a", rack="rack-1"), of("n2", zone="b", rack="rack-1"))
    there.runs("web", "n1")
    assert there.best(wish(Intent.SPREAD_RACKS)) == {"n2"}


def test_avoidance_weighs_as_much_as_preference() -> None:
    there = Cluster(of("n1", region="e", zone="a", spot=True), of("n2", region="w", zone="b"))
    scores = there.scores(wish(Intent.PREFER_ZONES, "a"), wish(Intent.AVOID_SPOT))
    assert scores["n1"] == scores["n2"]


# Amounts


def test_an_amount_counts_by_how_far_the_node_falls_short() -> None:
    there = Cluster(*(of(f"g{n}", network_gbps=n) for n in (10.0, 25.0, 100.0, 200.0)))
    found = there.satisfies(wish(Intent.PREFER_NETWORK_SPEED, amount=100.0))
    assert found["g200.0"] == found["g100.0"] == 1.0
    assert found["g25.0"] == 0.25 > found["g10.0"] > 0.0


def test_a_machine_of_64_gb_is_one_though_the_system_keeps_a_part() -> None:
    there = Cluster(of("small", memory_gb=33.0), of("as-sold", memory_gb=60.5))
    assert there.satisfies(wish(Intent.PREFER_MEMORY_GB, amount=64.0)) == pytest.approx(
        {"small": 33 / 57.6, "as-sold": 1}
    )


def test_gpus_are_counted_exactly() -> None:
    there = Cluster(of("one", gpus=1), of("two", gpus=2), of("none"))
    assert there.best(wish(Intent.PREFER_GPU, amount=2.0)) == {"two"}
    assert there.best(wish(Intent.PREFER_GPU)) == {"one", "two"}
    assert there.best(wish(Intent.AVOID_GPU)) == {"none"}


def test_a_quality_is_the_standing_among_the_clusters_sizes() -> None:
    there = Cluster(
        of("s1", memory_gb=64.2), of("s2", memory_gb=64.9), of("m", memory_gb=256.0), of("l", memory_gb=1000.0)
    )
    assert there.satisfies(wish(Intent.PREFER_MEMORY_GB, rank="high")) == {"s1": 0, "s2": 0, "m": 0.5, "l": 1}
    assert there.satisfies(wish(Intent.PREFER_MEMORY_GB, rank="low")) == {"s1": 1, "s2": 1, "m": 0.5, "l": 0}


def test_a_speed_that_nobody_tells_is_neither_fast_nor_slow() -> None:
    there = Cluster(of("untold"), of("slow", network_gbps=10.0), of("fast", network_gbps=100.0))
    assert there.best(wish(Intent.PREFER_NETWORK_SPEED, rank="high")) == {"fast"}
    assert there.best(wish(Intent.PREFER_NETWORK_SPEED, rank="low")) == {"slow"}


def test_kinds_of_storage_network_and_cpu() -> None:
    there = Cluster(
        of("a", storage_types=("nvme",), network_features=("infiniband", "rdma"), arch="amd64"),
        of("b", storage_types=("ssd",), network_features=("rdma",), arch="arm64"),
        of("c", storage_types=("hdd",)),
    )
    assert there.satisfies(wish(Intent.PREFER_STORAGE_TYPE, "ssd")) == {"a": 1, "b": 1, "c": 0}
    assert there.satisfies(wish(Intent.PREFER_STORAGE_TYPE, "nvme")) == {"a": 1, "b": 0.5, "c": 0}
    assert there.satisfies(wish(Intent.PREFER_NETWORK_FEATURE, "rdma", "infiniband")) == {"a": 1, "b": 0.5, "c": 0}
    assert there.satisfies(wish(Intent.PREFER_CPU_ARCH, "arm64")) == {"a": 0, "b": 1, "c": 0}


def test_gpu_models() -> None:
    there = Cluster(of("a", gpu_model="A100-80GB"), of("b", gpu_model="A100-40GB"), of("h", gpu_model="H100"), of("c"))
    assert there.best(wish(Intent.PREFER_GPU_MODEL, "A100-80GB")) == {"a"}
    assert there.best(wish(Intent.PREFER_GPU_MODEL, "A100", "H100")) == {"a", "b", "h"}
    assert there.best(wish(Intent.AVOID_GPU_MODEL, "A100")) == {"h", "c"}


def test_spot_and_cached_models() -> None:
    there = Cluster(of("a", spot=True, cached_models=("llama",)), of("b"))
    assert there.best(wish(Intent.PREFER_SPOT)) == {"a"}
    assert there.best(wish(Intent.AVOID_SPOT)) == {"b"}
    assert there.best(wish(Intent.PREFER_CACHED_MODEL)) == {"a", "b"}  # which one is not known
    there.model = "llama"
    assert there.best(wish(Intent.PREFER_CACHED_MODEL)) == {"a"}


# Spread


def test_six_replicas_are_spread_over_zones_and_not_stacked_there() -> None:
    there = eight_workers()
    placed = there.place(wish(Intent.SPREAD_ZONES), pods=6)
    zones = Counter("a" if name <= "m05" else "b" for name in placed)
    assert zones == {"a": 3, "b": 3}
    assert len(set(placed)) == 6


def test_spread_counts_what_stands_already() -> None:
    there = eight_workers()
    there.runs("web", "m02", 2)
    assert Counter("a" if name <= "m05" else "b" for name in there.place(wish(Intent.SPREAD_ZONES), pods=2)) == {"b": 2}


def test_spread_over_racks_and_nodes() -> None:
    there = eight_workers()
    racks = there.place(wish(Intent.SPREAD_RACKS), pods=5)
    assert {there.places.facts[there.names.index(n)].rack for n in racks} == {f"rack-{i}" for i in range(1, 6)}  # type: ignore[union-attr]
    nodes = eight_workers().place(wish(Intent.SPREAD_NODES), pods=8)
    assert len(set(nodes)) == 8


def test_a_weak_wish_comes_before_the_care_not_to_stack() -> None:
    there = eight_workers()
    there.runs("web", "m02")
    there.runs("web", "m09", 2)
    assert there.best(wish(Intent.SPREAD_ZONES), wish(Intent.PREFER_NODES, "m02", strength=WEAK)) == {"m02"}


def test_the_emptiest_zone_is_one_that_the_pod_could_have() -> None:
    """A zone that offers no node is no reason to find all others equally bad."""
    there = Cluster(of("a1", zone="a"), of("b1", zone="b"))
    there.runs("web", "a1", 1)
    there.runs("web", "b1", 3)
    assert there.satisfies(wish(Intent.SPREAD_ZONES))["a1"] == 1.0


def test_without_labels_of_zones_replicas_are_at_least_kept_off_each_others_nodes() -> None:
    there = Cluster(*(of(f"n{i}") for i in range(4)))
    assert len(set(there.place(wish(Intent.SPREAD_ZONES), pods=4))) == 4


# Together and near


def test_all_replicas_go_to_one_node() -> None:
    there = eight_workers()
    assert len(set(there.place(wish(Intent.PREFER_COLOCATE_SAME_DEPLOYMENT), pods=5))) == 1


def test_of_two_groups_the_larger_one_grows() -> None:
    there = Cluster(of("n1"), of("n2"))
    there.runs("web", "n1")
    there.runs("web", "n2", 2)
    assert there.best(wish(Intent.PREFER_COLOCATE_SAME_DEPLOYMENT)) == {"n2"}


def test_the_first_goes_where_the_others_have_room() -> None:
    there = eight_workers()
    there.fits, there.missing = {"m02": 3, "m05": 25, "m06": 19}, 20
    assert there.best(wish(Intent.PREFER_COLOCATE_SAME_DEPLOYMENT)) == {"m05"}


def test_the_first_makes_room_for_siblings_that_its_controller_has_not_made_yet() -> None:
    there = eight_workers()
    there.fits, there.missing = {"m02": 3, "m05": 14, "m06": 9}, 1
    assert there.best(wish(Intent.PREFER_COLOCATE_SAME_DEPLOYMENT)) == {"m05"}


def test_what_does_not_fit_beside_its_siblings_goes_near_them_where_the_rest_has_room() -> None:
    there = Cluster(
        of("full", zone="a", rack="r1"),
        of("narrow", zone="a", rack="r1"),
        of("wide", zone="a", rack="r1"),
        of("other-rack", zone="a", rack="r2"),
        of("other-zone", zone="b", rack="r9"),
    )
    there.runs("web", "full", 10)
    there.fits, there.missing = {"narrow": 1, "wide": 8, "other-rack": 8, "other-zone": 8}, 5
    found = there.satisfies(wish(Intent.PREFER_COLOCATE_SAME_DEPLOYMENT))
    assert found["full"] > found["wide"] > found["narrow"] > found["other-rack"] > found["other-zone"]
    there.runs("web", "wide")
    assert there.satisfies(wish(Intent.PREFER_COLOCATE_SAME_DEPLOYMENT))["wide"] > found["wide"]


def test_siblings_are_near_in_one_rack_without_stacking() -> None:
    there = eight_workers()
    there.runs("web", "m02")
    found = there.satisfies(wish(Intent.PREFER_NEARBY_NODES_SAME_DEPLOYMENT))
    assert found["m02"] == found["m03"] == 1.0 > found["m04"] > found["m09"] > 0.0
    assert there.best(wish(Intent.PREFER_NEARBY_NODES_SAME_DEPLOYMENT), wish(Intent.SPREAD_NODES, strength=WEAK)) == {
        "m03"
    }


def test_the_first_of_pods_that_are_to_be_near_goes_where_a_rack_has_room_for_all() -> None:
    there = Cluster(of("a", rack="r1"), of("b", rack="r2"), of("c", rack="r2"))
    there.fits, there.missing = {"a": 3, "b": 2, "c": 2}, 4
    assert there.best(wish(Intent.PREFER_NEARBY_NODES_SAME_DEPLOYMENT)) == {"b", "c"}


def test_near_another_workload_is_graded_by_distance() -> None:
    there = Cluster(
        of("n1", region="e", zone="a", rack="1"),
        of("n2", region="e", zone="a", rack="1"),
        of("n3", region="e", zone="a", rack="2"),
        of("n4", region="e", zone="b", rack="9"),
        of("n5", region="w", zone="z", rack="9"),
    )
    there.runs("redis", "n1")
    found = there.satisfies(wish(Intent.PREFER_NEARBY_DEPLOYMENTS, "redis"))
    assert list(found.values()) == sorted(found.values(), reverse=True)
    assert len(set(found.values())) == 5
    in_zone = there.satisfies(wish(Intent.PREFER_NEARBY_DEPLOYMENTS, "redis", scope=Level.ZONE))
    assert in_zone["n1"] == in_zone["n3"] == 1.0 > in_zone["n4"] > in_zone["n5"] == 0.0
    same_node = there.satisfies(wish(Intent.PREFER_COLOCATE_DEPLOYMENTS, "redis"))
    assert same_node["n1"] == 1.0 > same_node["n2"] > same_node["n3"]


def test_near_two_workloads_is_best_where_both_are() -> None:
    there = eight_workers()
    there.runs("redis", "m02")
    there.runs("kafka", "m02")
    there.runs("kafka", "m09")
    assert there.best(wish(Intent.PREFER_COLOCATE_DEPLOYMENTS, "redis", "kafka")) == {"m02"}


def test_near_a_workload_that_does_not_run_makes_no_difference() -> None:
    there = eight_workers()
    assert len(there.best(wish(Intent.PREFER_NEARBY_DEPLOYMENTS, "nothing"))) == 8


def test_a_noisy_neighbour_is_avoided_and_where_it_is_everywhere_the_least_of_it() -> None:
    there = Cluster(of("n1", rack="1"), of("n2", rack="1"), of("n3", rack="2"))
    there.runs("batch-etl", "n1", 3)
    assert there.best(wish(Intent.AVOID_DEPLOYMENTS, "batch-etl", scope=Level.NODE)) == {"n2", "n3"}
    assert there.best(wish(Intent.AVOID_DEPLOYMENTS, "batch-etl", scope=Level.RACK)) == {"n3"}
    there.runs("batch-etl", "n2", 1)
    there.runs("batch-etl", "n3", 2)
    assert there.best(wish(Intent.AVOID_DEPLOYMENTS, "batch-etl", scope=Level.NODE)) == {"n2"}


def test_load() -> None:
    there = Cluster(of("idle"), of("busy"))
    assert there.best(wish(Intent.PREFER_LEAST_LOADED)) == {"idle", "busy"}  # not known
    there.load = {"idle": 0.1, "busy": 0.9}
    assert there.best(wish(Intent.PREFER_LEAST_LOADED)) == {"idle"}
    assert there.best(wish(Intent.PREFER_MOST_PACKED)) == {"busy"}


# Tiers


def test_four_plain_wishes_do_not_outvote_a_must() -> None:
    """The published formula lets them."""
    node = of("rich", zone="a", gpus=8, storage_types=("nvme",), arch="arm64")
    there = Cluster(node, of("poor", zone="b"))
    plain = (
        wish(Intent.PREFER_ZONES, "a"),
        wish(Intent.PREFER_GPU),
        wish(Intent.PREFER_STORAGE_TYPE, "nvme"),
        wish(Intent.PREFER_CPU_ARCH, "arm64"),
    )
    assert there.best(*plain) == {"rich"}
    assert there.best(*plain, wish(Intent.AVOID_NODES, "rich", strength=STRONG)) == {"poor"}


def test_weak_wishes_decide_where_the_others_are_equal() -> None:
    there = Cluster(of("a", zone="z", spot=True), of("b", zone="z"))
    wishes = (wish(Intent.PREFER_ZONES, "z", strength=STRONG), wish(Intent.AVOID_SPOT, strength=WEAK))
    assert there.best(*wishes) == {"b"}


def test_a_must_to_spread_and_a_wish_to_stay_together_give_a_group_a_zone() -> None:
    there = eight_workers()
    wishes = (wish(Intent.SPREAD_ZONES, strength=STRONG), wish(Intent.PREFER_COLOCATE_SAME_DEPLOYMENT))
    assert sorted(Counter(there.place(*wishes, pods=6)).values()) == [3, 3]


def test_two_services_with_opposite_wishes_share_a_rack() -> None:
    there = eight_workers()
    there.runs("batch-etl", "m02")
    together = wish(Intent.PREFER_NEARBY_DEPLOYMENTS, "batch-etl", scope=Level.RACK)
    apart = wish(Intent.AVOID_DEPLOYMENTS, "batch-etl", scope=Level.NODE, strength=STRONG)
    assert there.best(together, apart) == {"m03"}


# For people


def test_each_wish_is_told_with_what_is_there() -> None:
    there = Cluster(
        of("n1", region="eu", zone="a", gpu_model="T4", memory_gb=61.2),
        of("n2", region="eu", zone="b", gpu_model="H100", memory_gb=61.2),
    )
    there.runs("web", "n1", 2)
    there.runs("batch-etl", "n1")
    told = there.judged(
        "n1",
        wish(Intent.SPREAD_ZONES),
        wish(Intent.PREFER_GPU_MODEL, "H100"),
        wish(Intent.AVOID_DEPLOYMENTS, "batch-etl", scope=Level.NODE),
        wish(Intent.PREFER_MEMORY_GB, amount=64.0),
    )
    assert [(j.satisfaction, j.best, j.reason) for j in told] == [
        (pytest.approx(1 / 3), 1.0, "zone a has 2 other pods of the workload, the emptiest zone 0"),
        (0.0, 1.0, "its GPUs are T4"),
        (0.1, 1.0, "of 1 pod of batch-etl 1 on the node"),
        (1.0, 1.0, "it has 61.2 GB of memory"),
    ]


@pytest.mark.parametrize("intent", list(Intent))
def test_every_intent_has_a_score_and_a_reason(intent: Intent) -> None:
    there = eight_workers()
    there.runs("x", "m02")
    for given in (wish(intent, "x"), wish(intent), wish(intent, "x", amount=0.0), wish(intent, "x", rank="low")):
        for told in there.judged("m03", given):
            assert 0.0 <= told.satisfaction <= told.best <= 1.0
            assert told.reason
            assert not told.reason.endswith(".")


def test_what_no_node_can_satisfy_is_known() -> None:
    there = eight_workers()
    asked = (wish(Intent.PREFER_CPU, amount=64.0), wish(Intent.PREFER_ZONES, "us-east-1a"), wish(Intent.SPREAD_ZONES))
    assert unsatisfiable(asked, there.places) == asked[:1]


def test_wishes_about_others_are_told_from_those_about_nodes() -> None:
    assert depends_on_placement((wish(Intent.SPREAD_ZONES),))
    assert not depends_on_placement((wish(Intent.PREFER_GPU), wish(Intent.AVOID_SPOT)))


# Change


def test_judgements_follow_nodes_that_change() -> None:
    there = Cluster(of("n1", gpu_model="T4"), of("n2", gpu_model="H100"))
    wanted = wish(Intent.PREFER_GPU_MODEL, "H100")
    assert there.best(wanted) == {"n2"}
    there.places.put(0, of("n1", gpu_model="H100"))
    assert there.best(wanted) == {"n1", "n2"}


def test_counts_follow_nodes_that_move_to_another_zone() -> None:
    there = Cluster(of("n1", zone="a"), of("n2", zone="b"), of("n3", zone="b"))
    there.runs("web", "n1")
    assert there.best(wish(Intent.SPREAD_ZONES)) == {"n2", "n3"}
    there.places.put(1, of("n2", zone="a"))
    assert there.best(wish(Intent.SPREAD_ZONES)) == {"n3"}


def test_a_row_without_a_node_is_never_the_better_one() -> None:
    there = Cluster(of("n1", zone="a"), of("n2", zone="a"))
    there.runs("web", "n1")
    there.places.put(1, None)
    assert there.best(wish(Intent.SPREAD_NODES)) == {"n1"}
    assert there.scores(wish(Intent.SPREAD_NODES))["n1"] == 1.0  # nor the emptiest one
