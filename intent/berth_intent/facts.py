"""What is known of a node that a hint may speak of, and where it is read from: one table of labels and resources.

Knows nothing of Kubernetes objects: takes labels and allocatable amounts. `PackingPolicy.spec.hints.labels` may name other
label keys for a fact; those then stand in the place of the table's.

Cost: about 15 us a node.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec

from berth_intent.gpu_models import gpu_model
from berth_intent.instance_types import INSTANCE_TYPES, UNKNOWN_TYPE

LABELS: dict[str, tuple[str, ...]] = {
    "region": ("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"),
    "zone": ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"),
    "rack": ("topology.kubernetes.io/rack",),
    "arch": ("kubernetes.io/arch", "beta.kubernetes.io/arch"),
    "gpu_model": (
        "nvidia.com/gpu.product",
        "amd.com/gpu.product-name",
        "beta.amd.com/gpu.product-name",
        "cloud.google.com/gke-accelerator",
        "karpenter.k8s.aws/instance-gpu-name",
        "karpenter.azure.com/sku-gpu-name",
        "k8s.amazonaws.com/accelerator",
    ),
    "network_gbps": ("berth.dev/network-gbps",),
    "network_features": ("berth.dev/network-features",),
    "storage_types": (
        "berth.dev/storage-type",
        "cloud.google.com/gke-local-nvme-ssd",
        "cloud.google.com/gke-ephemeral-storage-local-ssd",
        "karpenter.k8s.aws/instance-local-nvme",
        "feature.node.kubernetes.io/storage-nonrotationaldisk",
    ),
    "spot": (
        "karpenter.sh/capacity-type",
        "eks.amazonaws.com/capacityType",
        "cloud.google.com/gke-spot",
        "cloud.google.com/gke-preemptible",
        "cloud.google.com/gke-provisioning",
        "kubernetes.azure.com/scalesetpriority",
        "node.kubernetes.io/lifecycle",
    ),
    "cached_models": ("berth.dev/cached-model",),
}
"""Fact to the label keys that tell it; of several the first that the node has (lists: all of them)."""

INSTANCE_TYPE = ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type")
GPU_COUNT = "nvidia.com/gpu.count"
GPU_MEMORY = ("nvidia.com/gpu.memory", "karpenter.k8s.aws/instance-gpu-memory")
"""MiB of one GPU."""
KARPENTER_MBPS = "karpenter.k8s.aws/instance-network-bandwidth"
CACHED_MODEL_PREFIX = "cached-model.berth.dev/"
"""A label key for each model, where a node has several."""

GPU_RESOURCES = frozenset(("gpu.intel.com/i915", "gpu.intel.com/xe", "habana.ai/gaudi", "nvidia.com/gpu.shared"))
"""Besides every resource that is called NAME/gpu."""
MIG_PREFIX = "nvidia.com/mig-"
TPU_RESOURCES = frozenset(("google.com/tpu",))
_FEATURES_OF_RESOURCES = (
    (re.compile(r"^vpc\.amazonaws\.com/efa$"), "efa"),
    (re.compile(r"sriov|^openshift\.io/"), "sriov"),
    (re.compile(r"^rdma/.*roce"), "roce"),
    (re.compile(r"^rdma/(ib|infiniband|hca_ib)"), "infiniband"),
    (re.compile(r"^rdma/|/rdma"), "rdma"),
)
_FEATURE_LABELS = {
    "feature.node.kubernetes.io/network-sriov.capable": "sriov",
    "feature.node.kubernetes.io/rdma.capable": "rdma",
    "feature.node.kubernetes.io/rdma.available": "rdma",
    "nvidia.com/gpu.clique": "nvlink",
}
_STORAGE_OF_SWITCHES = {
    "cloud.google.com/gke-local-nvme-ssd": "nvme",
    "cloud.google.com/gke-ephemeral-storage-local-ssd": "nvme",
    "karpenter.k8s.aws/instance-local-nvme": "nvme",
    "feature.node.kubernetes.io/storage-nonrotationaldisk": "ssd",
}
"""Labels that say yes or no, or how much, of one type."""
IMPLIED_FEATURES = {"efa": "rdma", "infiniband": "rdma", "roce": "rdma"}
_NVLINKED = re.compile(r"SXM|H100-80GB-HBM3|^NVIDIA-(H200|B200|GB200)$")
_SPOT_VALUES = frozenset(("spot", "preemptible", "true", "low", "yes"))
_OFF = frozenset(("", "false", "no", "0", "none"))
_LIST = re.compile(r"[\s,;+._]+")
"""Label values hold no comma: lists in them are written with dots or underscores."""
_NUMBER = re.compile(r"\d+(\.\d+)?")

GB = 1_000_000_000


class NodeFacts(msgspec.Struct, frozen=True):
    """Empty or 0: not known, or none."""

    name: str
    region: str = ""
    zone: str = ""
    rack: str = ""
    arch: str = ""
    gpu_model: str = ""
    """Short, as `gpu_models` writes it."""
    gpus: int = 0
    tpus: int = 0
    cpu: float = 0.0
    """Allocatable cores."""
    memory_gb: float = 0.0
    ephemeral_gb: float = 0.0
    network_gbps: float = 0.0
    network_features: tuple[str, ...] = ()
    storage_types: tuple[str, ...] = ()
    spot: bool = False
    cached_models: tuple[str, ...] = ()


NO_OVERRIDES: Mapping[str, tuple[str, ...]] = {}


def node_facts(
    name: str,
    labels: Mapping[str, str],
    allocatable: Mapping[str, int],
    overrides: Mapping[str, tuple[str, ...]] = NO_OVERRIDES,
    models: Iterable[str] = (),
) -> NodeFacts:
    """allocatable: cpu in millicores, memory and ephemeral-storage in bytes. overrides: label keys by fact. models: known to lie
    on the node, besides those that its labels name."""
    keys = {**LABELS, **overrides} if overrides else LABELS

    def first(fact: str) -> str:
        return next((labels[key] for key in keys[fact] if labels.get(key)), "")

    product = first("gpu_model")
    kind = next((INSTANCE_TYPES[labels[k]] for k in INSTANCE_TYPE if labels.get(k) in INSTANCE_TYPES), UNKNOWN_TYPE)
    return NodeFacts(
        name=name,
        region=first("region"),
        zone=first("zone"),
        rack=first("rack"),
        arch=first("arch").lower(),
        gpu_model=gpu_model(product, int(next((_number(labels[key]) for key in GPU_MEMORY if labels.get(key)), 0.0))),
        gpus=_gpus(labels, allocatable),
        tpus=sum(amount for resource, amount in allocatable.items() if resource in TPU_RESOURCES),
        cpu=allocatable.get("cpu", 0) / 1000,
        memory_gb=allocatable.get("memory", 0) / GB,
        ephemeral_gb=allocatable.get("ephemeral-storage", 0) / GB,
        network_gbps=_number(first("network_gbps"))
        or _number(labels.get(KARPENTER_MBPS, "")) / 1000
        or kind.network_gbps,
        network_features=_network_features(
            labels, allocatable, keys["network_features"], product, kind.network_features
        ),
        storage_types=_storage_types(labels, keys["storage_types"]) or kind.storage_types,
        spot=any(labels.get(key, "").lower() in _SPOT_VALUES for key in keys["spot"]),
        cached_models=_cached_models(labels, keys["cached_models"], models),
    )


def _gpus(labels: Mapping[str, str], allocatable: Mapping[str, int]) -> int:
    """Whole devices; of a node that is cut into MIG slices only those that its label counts, one at least."""
    whole = sum(n for resource, n in allocatable.items() if resource.endswith("/gpu") or resource in GPU_RESOURCES)
    if whole:
        return whole
    if any(n for resource, n in allocatable.items() if resource.startswith(MIG_PREFIX)):
        return max(int(_number(labels.get(GPU_COUNT, ""))), 1)
    return 0


def _network_features(
    labels: Mapping[str, str],
    allocatable: Mapping[str, int],
    keys: tuple[str, ...],
    product: str,
    of_type: tuple[str, ...],
) -> tuple[str, ...]:
    found = set(of_type)
    for key in keys:
        found.update(word.lower().replace("-", "") for word in _LIST.split(labels.get(key, "")) if word)
    found.update(feature for key, feature in _FEATURE_LABELS.items() if labels.get(key, "").lower() not in _OFF)
    for resource, amount in allocatable.items():
        if amount and "/" in resource:
            found.update(feature for pattern, feature in _FEATURES_OF_RESOURCES if pattern.search(resource))
    if _NVLINKED.search(product):
        found.add("nvlink")
    found.update([IMPLIED_FEATURES[feature] for feature in found if feature in IMPLIED_FEATURES])
    return tuple(sorted(found))


def _storage_types(labels: Mapping[str, str], keys: tuple[str, ...]) -> tuple[str, ...]:
    found: set[str] = set()
    for key in keys:
        value = labels.get(key, "").lower()
        if value in _OFF:
            continue
        if key in _STORAGE_OF_SWITCHES:
            found.add(_STORAGE_OF_SWITCHES[key])
        else:
            found.update(word for word in _LIST.split(value) if word)
    return tuple(sorted(found))


def _cached_models(labels: Mapping[str, str], keys: tuple[str, ...], models: Iterable[str]) -> tuple[str, ...]:
    found = {*models, *(labels[key] for key in keys if labels.get(key))}
    found.update(
        key.removeprefix(CACHED_MODEL_PREFIX)
        for key, value in labels.items()
        if key.startswith(CACHED_MODEL_PREFIX) and value.lower() != "false"
    )
    return tuple(sorted(found))


def _number(text: str) -> float:
    found = _NUMBER.search(text)
    return float(found.group()) if found else 0.0
