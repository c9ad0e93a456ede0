"""Wishes in Kubernetes' own words: under the API's names, as strong as they were said, and told where there are no words."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from berth_intent.facts import GPU_COUNT, LABELS, node_facts
from berth_intent.gpu_models import gpu_model, likeness
from berth_intent.intents import SCOPES, WITH_AMOUNT, WITH_VALUES, Intent, Level
from berth_intent.native import Native, PodsOf, Section, to_native
from berth_intent.native_labels import PRODUCTS, SPOT, SeenNode
from berth_intent.understood import Preference

OWN = PodsOf({"app": "web"})


def bodies(native: Native, section: Section) -> list[Any]:
    return [msgspec.json.decode(msgspec.json.encode(said.body)) for said in native.said if said.section is section]


def preferred(*wishes: Preference, **how: Any) -> list[Any]:
    """Node terms."""
    return bodies(to_native(wishes, **how), Section.NODE_PREFERRED)


def expressions(term: Any) -> list[tuple[Any, ...]]:
    found = term["preference"]["matchExpressions"] if "preference" in term else term["matchExpressions"]
    return [(e["key"], e["operator"], *e.get("values", ())) for e in found]


def seen(**labels: str) -> SeenNode:
    named = {name.replace("__", "/").replace("_", "."): value for name, value in labels.items()}
    return SeenNode(named, node_facts("n", named, {}))


def machine(kind: str, *, cpu: int, memory_gb: float, gpus: int = 0) -> SeenNode:
    labels = {"node.kubernetes.io/instance-type": kind}
    amounts = {"cpu": cpu * 1000, "memory": int(memory_gb * 1e9), "nvidia.com/gpu": gpus}
    return SeenNode(labels, node_facts(kind, labels, amounts))


def test_places_are_terms_with_weights_in_the_order_of_strength() -> None:
    native = to_native(
        [
            Preference(Intent.PREFER_ZONES, ("us-east-1a", "us-east-1b"), strength=0.5),
            Preference(Intent.AVOID_RACKS, ("rack-4",)),
            Preference(Intent.AVOID_NODES, ("m02",), strength=1.5),
        ]
    )
    assert bodies(native, Section.NODE_PREFERRED) == [
        {
            "weight": 1,
            "preference": {
                "matchExpressions": [
                    {"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["us-east-1a", "us-east-1b"]}
                ]
            },
        },
        {
            "weight": 10,
            "preference": {
                "matchExpressions": [{"key": "topology.kubernetes.io/rack", "operator": "NotIn", "values": ["rack-4"]}]
            },
        },
        {
            "weight": 100,
            "preference": {
                "matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "NotIn", "values": ["m02"]}]
            },
        },
    ]
    assert not native.unsaid


def test_a_strong_wish_is_required_only_when_that_is_asked_for() -> None:
    wishes = [Preference(Intent.PREFER_ZONES, ("a",), strength=1.5), Preference(Intent.PREFER_ZONES, ("b",))]
    assert {said.section for said in to_native(wishes).said} == {Section.NODE_PREFERRED}
    enforced = to_native(wishes, enforced=True)
    (required,) = bodies(enforced, Section.NODE_REQUIRED)
    assert expressions(required) == [("topology.kubernetes.io/zone", "In", "a")]
    (soft,) = bodies(enforced, Section.NODE_PREFERRED)
    assert expressions(soft) == [("topology.kubernetes.io/zone", "In", "b")]


def test_required_alternatives_are_combined_for_the_api_takes_one_list() -> None:
    native = to_native(
        [Preference(Intent.PREFER_SPOT, strength=1.5), Preference(Intent.PREFER_CPU_ARCH, ("arm64",), strength=1.5)],
        enforced=True,
    )
    terms = bodies(native, Section.NODE_REQUIRED)
    assert len(terms) == len(SPOT)
    assert all(("kubernetes.io/arch", "In", "arm64") in expressions(term) for term in terms)
    assert all(len(said.wishes) == 2 for said in native.said)


def test_too_many_required_combinations_stay_preferences_and_say_so() -> None:
    wishes = [Preference(Intent.PREFER_SPOT, strength=1.5)] * 5
    native = to_native(wishes, enforced=True)
    assert len(bodies(native, Section.NODE_REQUIRED)) == 64
    assert any("not required" in note for said in native.said for note in said.notes)


def test_spreading_takes_the_pods_own_labels() -> None:
    (body,) = bodies(to_native([Preference(Intent.SPREAD_ZONES)], own=OWN), Section.SPREAD)
    assert body == {
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }
    strong = to_native([Preference(Intent.SPREAD_NODES, strength=1.5)], own=OWN, enforced=True)
    (body,) = bodies(strong, Section.SPREAD)
    assert body["whenUnsatisfiable"] == "DoNotSchedule"


def test_without_a_selector_there_is_a_placeholder_that_says_what_to_put() -> None:
    (said,) = to_native([Preference(Intent.PREFER_COLOCATE_SAME_DEPLOYMENT)]).said
    assert "--selector" in said.notes[0]


def test_other_workloads_are_selected_by_their_labels_in_their_namespaces() -> None:
    redis = PodsOf({"app.kubernetes.io/name": "redis"}, ("data",))
    native = to_native(
        [
            Preference(Intent.PREFER_COLOCATE_DEPLOYMENTS, ("redis",)),
            Preference(Intent.AVOID_DEPLOYMENTS, ("etl",), scope=Level.ZONE, strength=1.5),
        ],
        others={"redis": redis},
    )
    (near,) = bodies(native, Section.NEAR_PREFERRED)
    assert near == {
        "weight": 10,
        "podAffinityTerm": {
            "topologyKey": "kubernetes.io/hostname",
            "labelSelector": {"matchLabels": {"app.kubernetes.io/name": "redis"}},
            "namespaces": ["data"],
        },
    }
    (away,) = bodies(native, Section.AWAY_PREFERRED)
    assert away["podAffinityTerm"]["topologyKey"] == "topology.kubernetes.io/zone"
    assert away["podAffinityTerm"]["labelSelector"] == {"matchLabels": {"app": "etl"}}
    assert any("assumed" in note for said in native.said for note in said.notes)


def test_near_without_a_level_counts_rack_and_zone_each_workload_by_itself() -> None:
    native = to_native([Preference(Intent.PREFER_NEARBY_DEPLOYMENTS, ("db", "mq"))])
    found = [
        (t["podAffinityTerm"]["labelSelector"]["matchLabels"]["app"], t["podAffinityTerm"]["topologyKey"])
        for t in bodies(native, Section.NEAR_PREFERRED)
    ]
    rack, zone = "topology.kubernetes.io/rack", "topology.kubernetes.io/zone"
    assert found == [("db", rack), ("db", zone), ("mq", rack), ("mq", zone)]


@pytest.mark.parametrize(
    ("amount", "operator"), [(None, ("Exists",)), (1.0, ("Exists",)), (4.0, ("Gt", "3")), (2.5, ("Gt", "2"))]
)
def test_gpus_by_the_labels_of_feature_discovery(amount: float | None, operator: tuple[str, ...]) -> None:
    (term,) = preferred(Preference(Intent.PREFER_GPU, amount=amount))
    key = GPU_COUNT if operator[0] == "Gt" else LABELS["gpu_model"][0]
    assert expressions(term) == [(key, *operator)]


def test_a_gpu_model_is_every_label_that_means_it() -> None:
    (term,) = preferred(Preference(Intent.PREFER_GPU_MODEL, ("A100-80GB",)))
    assert expressions(term) == [("nvidia.com/gpu.product", "In", *PRODUCTS["A100-80GB"])]
    (term,) = preferred(Preference(Intent.PREFER_GPU_MODEL, ("A100",)))
    assert set(expressions(term)[0][2:]) == {*PRODUCTS["A100-80GB"], *PRODUCTS["A100-40GB"]}


def test_a_gpu_model_is_what_the_clusters_nodes_call_it() -> None:
    nodes = [
        seen(nvidia_com__gpu_product="NVIDIA-H100-80GB-HBM3-SHARED"),
        seen(nvidia_com__gpu_product="NVIDIA-L4"),
        seen(cloud_google_com__x="y"),
    ]
    (term,) = preferred(Preference(Intent.PREFER_GPU_MODEL, ("H100",)), seen=nodes)
    assert expressions(term) == [("nvidia.com/gpu.product", "In", "NVIDIA-H100-80GB-HBM3-SHARED")]
    (term,) = preferred(Preference(Intent.AVOID_GPU_MODEL, ("L4",)), seen=nodes)
    assert expressions(term) == [("nvidia.com/gpu.product", "NotIn", "NVIDIA-L4")]
    (said,) = to_native([Preference(Intent.PREFER_GPU_MODEL, ("T4",))], seen=nodes).said
    assert "no node" in said.notes[0]


def test_products_are_read_back_as_the_models_that_they_are_listed_under() -> None:
    for model, products in PRODUCTS.items():
        assert all(likeness(model, gpu_model(product)) == 1.0 for product in products), model


def test_an_amount_is_the_machines_that_have_it_where_they_are_known() -> None:
    nodes = [machine("small", cpu=8, memory_gb=30), machine("big", cpu=64, memory_gb=500, gpus=8)]
    (term,) = preferred(Preference(Intent.PREFER_MEMORY_GB, amount=64.0), seen=nodes)
    assert expressions(term) == [("node.kubernetes.io/instance-type", "In", "big")]
    (term,) = preferred(Preference(Intent.PREFER_GPU, amount=4.0), seen=nodes)
    assert expressions(term) == [("node.kubernetes.io/instance-type", "In", "big")]
    (unsaid,) = to_native([Preference(Intent.PREFER_MEMORY_GB, amount=64.0)]).unsaid
    assert "resources.requests.memory" in unsaid.why


def test_a_label_of_which_only_some_nodes_have_enough_tells_nothing() -> None:
    nodes = [machine("mixed", cpu=8, memory_gb=30), machine("mixed", cpu=8, memory_gb=300)]
    native = to_native([Preference(Intent.PREFER_MEMORY_GB, amount=64.0)], seen=nodes)
    assert len(native.unsaid) == 1


def test_spot_is_each_clouds_label_or_that_of_this_cluster() -> None:
    assert len(preferred(Preference(Intent.PREFER_SPOT))) == len(SPOT)
    (term,) = preferred(Preference(Intent.AVOID_SPOT))
    assert {e[1] for e in expressions(term)} == {"NotIn"}
    assert len(expressions(term)) == len(SPOT)
    nodes = [
        SeenNode({"karpenter.sh/capacity-type": kind}, node_facts("n", {"karpenter.sh/capacity-type": kind}, {}))
        for kind in ("spot", "on-demand")
    ]
    (term,) = preferred(Preference(Intent.AVOID_SPOT), seen=nodes)
    assert expressions(term) == [("karpenter.sh/capacity-type", "NotIn", "spot")]


def test_storage_in_a_list_of_several_is_found() -> None:
    nodes = [
        SeenNode({"berth.dev/storage-type": v}, node_facts("n", {"berth.dev/storage-type": v}, {}))
        for v in ("nvme_ssd", "hdd")
    ]
    (term,) = preferred(Preference(Intent.PREFER_STORAGE_TYPE, ("ssd",)), seen=nodes)
    assert expressions(term) == [("berth.dev/storage-type", "In", "nvme_ssd")]


@pytest.mark.parametrize("value", ["my db", "a" * 64, "-x", "ünïx", "a\nb", ""])
def test_what_can_be_no_label_value_is_left_out_with_the_reason(value: str) -> None:
    """The API server would refuse the whole pod."""
    native = to_native([Preference(Intent.PREFER_ZONES, (value,)), Preference(Intent.PREFER_ZONES, ("a",))])
    assert len(native.said) == 1
    assert "label's value" in native.unsaid[0].why


def test_every_wish_is_either_said_or_told_to_be_unsayable() -> None:
    for intent in Intent:
        for amount, rank in ((4.0, None), (None, "high"), (None, None)) if intent in WITH_AMOUNT else ((None, None),):
            for scope in SCOPES.get(intent, (None,)):
                for strength in (0.5, 1.5):
                    values = ("H100",) if intent in WITH_VALUES else ()
                    wish = Preference(intent, values, amount, rank, scope, strength)  # type: ignore[arg-type]
                    native = to_native([wish], own=OWN, enforced=True)
                    assert bool(native.said) != bool(native.unsaid), wish
                    assert all(u.why for u in native.unsaid)
