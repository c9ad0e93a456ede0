"""What labels and resources of the clouds' nodes say."""

from __future__ import annotations

import pytest

from berth_intent.facts import NodeFacts, node_facts
from berth_intent.gpu_models import gpu_model, likeness
from berth_intent.vocabulary_of import vocabulary_of


@pytest.mark.parametrize(
    ("written", "short"),
    [
        ("NVIDIA-A100-SXM4-80GB", "A100-80GB"),
        ("NVIDIA-A100-80GB-PCIe", "A100-80GB"),
        ("NVIDIA-A100-PCIE-40GB", "A100-40GB"),
        ("NVIDIA-A100-SXM4-80GB-MIG-1g.10gb", "A100-80GB"),
        ("NVIDIA-A100-SXM4-80GB-SHARED", "A100-80GB"),
        ("nvidia-tesla-a100", "A100-40GB"),
        ("nvidia-a100-80gb", "A100-80GB"),
        ("NVIDIA-H100-80GB-HBM3", "H100"),
        ("nvidia-h100-mega-80gb", "H100"),
        ("nvidia-h200-141gb", "H200"),
        ("NVIDIA-GH200-480GB", "GH200"),
        ("Tesla-T4", "T4"),
        ("nvidia-tesla-t4", "T4"),
        ("Tesla-V100-SXM2-16GB", "V100"),
        ("NVIDIA-L40S", "L40S"),
        ("NVIDIA-A10G", "A10G"),
        ("AMD Instinct MI300X", "MI300X"),
        ("AMD_Instinct_MI300X_OAM", "MI300X"),
        ("NVIDIA-GeForce-RTX-4090", "RTX-4090"),
        ("h100", "H100"),
        ("", ""),
        ("NVIDIA", ""),
    ],
)
def test_a_gpu_is_called_by_its_short_name(written: str, short: str) -> None:
    assert gpu_model(written) == short


def test_the_memory_of_an_a100_may_stand_in_another_label() -> None:
    aws = node_facts(
        "n", {"karpenter.k8s.aws/instance-gpu-name": "a100", "karpenter.k8s.aws/instance-gpu-memory": "81920"}, {}
    )
    assert aws.gpu_model == "A100-80GB"
    nvidia = node_facts("n", {"nvidia.com/gpu.product": "A100", "nvidia.com/gpu.memory": "40536"}, {})
    assert nvidia.gpu_model == "A100-40GB"


def test_any_a100_is_an_a100_but_not_the_other_way_round() -> None:
    assert likeness("A100", "A100-40GB") == 1.0
    assert 0 < likeness("A100-80GB", "A100-40GB") < 1
    assert likeness("L4", "L40S") == likeness("RTX-4090", "RTX-6000") == likeness("H100", "") == 0.0


def test_a_node_of_gke() -> None:
    facts = node_facts(
        "gke-1",
        {
            "topology.kubernetes.io/region": "europe-west4",
            "topology.kubernetes.io/zone": "europe-west4-a",
            "kubernetes.io/arch": "amd64",
            "cloud.google.com/gke-accelerator": "nvidia-l4",
            "cloud.google.com/gke-spot": "true",
            "cloud.google.com/gke-ephemeral-storage-local-ssd": "true",
        },
        {"cpu": 7_910, "memory": 29_000_000_000, "ephemeral-storage": 300_000_000_000, "nvidia.com/gpu": 1},
    )
    assert facts == NodeFacts(
        "gke-1",
        region="europe-west4",
        zone="europe-west4-a",
        arch="amd64",
        gpu_model="L4",
        gpus=1,
        cpu=7.91,
        memory_gb=29.0,
        ephemeral_gb=300.0,
        storage_types=("nvme",),
        spot=True,
    )


def test_a_node_of_eks_with_efa() -> None:
    labels = {
        "node.kubernetes.io/instance-type": "p5.48xlarge",
        "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3",
        "eks.amazonaws.com/capacityType": "ON_DEMAND",
    }
    facts = node_facts("ip-1", labels, {"nvidia.com/gpu": 8, "vpc.amazonaws.com/efa": 32})
    assert facts.network_gbps == 3_200
    assert facts.network_features == ("efa", "nvlink", "rdma")
    assert not facts.spot


def test_a_label_of_ours_wins_over_the_instance_type() -> None:
    labels = {"node.kubernetes.io/instance-type": "p5.48xlarge", "berth.dev/network-gbps": "25"}
    assert node_facts("n", labels, {}).network_gbps == 25


def test_lists_in_our_labels_are_joined_as_label_values_allow() -> None:
    labels = {"berth.dev/network-features": "rdma.SR-IOV", "berth.dev/storage-type": "nvme_hdd"}
    facts = node_facts("n", labels, {})
    assert facts.network_features == ("rdma", "sriov")
    assert facts.storage_types == ("hdd", "nvme")


@pytest.mark.parametrize(
    ("resource", "features"),
    [
        ("rdma/ib", ("infiniband", "rdma")),
        ("rdma/roce_gdr", ("rdma", "roce")),
        ("rdma/hca_shared_devices_a", ("rdma",)),
        ("intel.com/sriov_netdevice", ("sriov",)),
        ("openshift.io/mlxnics", ("sriov",)),
        ("nvidia.com/gpu", ()),
    ],
)
def test_devices_tell_of_networks(resource: str, features: tuple[str, ...]) -> None:
    assert node_facts("n", {}, {resource: 1}).network_features == features
    assert node_facts("n", {}, {resource: 0}).network_features == ()


@pytest.mark.parametrize("resource", ["nvidia.com/gpu", "amd.com/gpu", "gpu.intel.com/i915", "example.org/gpu"])
def test_gpus_of_any_maker_count(resource: str) -> None:
    assert node_facts("n", {}, {resource: 4}).gpus == 4


def test_slices_are_not_whole_gpus() -> None:
    sliced = {"nvidia.com/mig-1g.5gb": 14}
    assert node_facts("n", {"nvidia.com/gpu.count": "2"}, sliced).gpus == 2
    assert node_facts("n", {}, sliced).gpus == 1


@pytest.mark.parametrize(
    ("key", "value", "is_spot"),
    [
        ("karpenter.sh/capacity-type", "spot", True),
        ("karpenter.sh/capacity-type", "on-demand", False),
        ("eks.amazonaws.com/capacityType", "SPOT", True),
        ("kubernetes.azure.com/scalesetpriority", "spot", True),
        ("kubernetes.azure.com/scalesetpriority", "regular", False),
        ("cloud.google.com/gke-preemptible", "true", True),
        ("cloud.google.com/gke-provisioning", "standard", False),
    ],
)
def test_the_clouds_say_what_is_spot(key: str, value: str, is_spot: bool) -> None:
    assert node_facts("n", {key: value}, {}).spot is is_spot


def test_other_keys_can_tell_a_fact_and_the_usual_ones_do_not_then() -> None:
    labels = {"topology.kubernetes.io/zone": "usual", "example.org/hall": "hall-7"}
    assert node_facts("n", labels, {}, {"zone": ("example.org/hall",)}).zone == "hall-7"
    assert node_facts("n", {"topology.kubernetes.io/zone": "usual"}, {}, {"zone": ("example.org/hall",)}).zone == ""


def test_models_that_a_node_has_cached() -> None:
    labels = {
        "berth.dev/cached-model": "llama-70b",
        "cached-model.berth.dev/mixtral": "true",
        "cached-model.berth.dev/old": "false",
    }
    assert node_facts("n", labels, {}).cached_models == ("llama-70b", "mixtral")


def test_the_vocabulary_lists_each_name_once_in_the_order_of_its_numbers() -> None:
    nodes = [
        NodeFacts("n10", region="eu-west-1", zone="eu-west-1b", rack="rack-10", gpu_model="H100"),
        NodeFacts("n9", region="eu-west-1", zone="eu-west-1a", rack="rack-9", gpu_model="H100"),
    ]
    made = vocabulary_of(nodes, ["web", "db", "web"])
    assert made.nodes == ("n9", "n10")
    assert made.racks == ("rack-9", "rack-10")
    assert made.deployments == ("db", "web")
    assert made.gpu_models == ("H100",)
    assert made.zone_regions == {"eu-west-1a": "eu-west-1", "eu-west-1b": "eu-west-1"}


@pytest.mark.parametrize("value", ["", "abc", "1" * 63, "-5", "١٢"])
def test_odd_values_do_no_harm(value: str) -> None:
    labels = {
        "berth.dev/network-gbps": value,
        "nvidia.com/gpu.memory": value,
        "nvidia.com/gpu.product": f"A100-{value}",
    }
    assert node_facts("n", labels, {}).network_gbps >= 0
    vocabulary_of([NodeFacts(f"n{value}"), NodeFacts("n1")], [value, "a1"])
