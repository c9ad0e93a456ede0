"""Wishes about the node alone as requirements on node labels, in Kubernetes' words.

Labels come from the table in `facts`. Where the cluster's nodes are known, the values are those that its nodes have: a label's
value tells a wish when every node with that value satisfies it (so "64 GB" becomes the instance types that have it). Else they
are the usual ones, with a note.

Cost: one pass over the nodes a wish.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import msgspec

from berth_intent.facts import GPU_COUNT, INSTANCE_TYPE, LABELS, NodeFacts
from berth_intent.gpu_models import likeness
from berth_intent.intents import AVOID_PLACES, PREFER_PLACES, Intent, Level
from berth_intent.kubernetes_shapes import NodeSelectorRequirement
from berth_intent.node_wishes import AMOUNTS, RESERVED, USABLE
from berth_intent.sentences import listed, number
from berth_intent.understood import Preference

TOPOLOGY = {
    Level.NODE: "kubernetes.io/hostname",
    Level.RACK: LABELS["rack"][0],
    Level.ZONE: LABELS["zone"][0],
    Level.REGION: LABELS["region"][0],
}
GPU_PRODUCT = LABELS["gpu_model"][0]
TPU = "cloud.google.com/gke-tpu-accelerator"
NETWORK_GBPS = LABELS["network_gbps"][0]
PRODUCTS: dict[str, tuple[str, ...]] = {
    "T4": ("Tesla-T4",),
    "V100": ("Tesla-V100-SXM2-16GB", "Tesla-V100-SXM2-32GB", "Tesla-V100-SXM3-32GB", "Tesla-V100-PCIE-16GB", "Tesla-V100-PCIE-32GB"),
    "P100": ("Tesla-P100-PCIE-16GB", "Tesla-P100-SXM2-16GB"),
    "L4": ("NVIDIA-L4",),
    "L40": ("NVIDIA-L40",),
    "L40S": ("NVIDIA-L40S",),
    "A10": ("NVIDIA-A10",),
    "A10G": ("NVIDIA-A10G",),
    "A30": ("NVIDIA-A30",),
    "A40": ("NVIDIA-A40",),
    "A100-40GB": ("NVIDIA-A100-SXM4-40GB", "NVIDIA-A100-PCIE-40GB"),
    "A100-80GB": ("NVIDIA-A100-SXM4-80GB", "NVIDIA-A100-80GB-PCIe"),
    "H100": ("NVIDIA-H100-80GB-HBM3", "NVIDIA-H100-PCIe", "NVIDIA-H100-NVL"),
    "H200": ("NVIDIA-H200", "NVIDIA-H200-NVL"),
    "B200": ("NVIDIA-B200",),
    "GH200": ("NVIDIA-GH200-480GB",),
}  # fmt: skip
"""Model to the values that NVIDIA's GPU feature discovery writes into `nvidia.com/gpu.product`."""

SPOT: dict[str, str] = {
    "karpenter.sh/capacity-type": "spot",
    "eks.amazonaws.com/capacityType": "SPOT",
    "cloud.google.com/gke-spot": "true",
    "kubernetes.azure.com/scalesetpriority": "spot",
}
"""The clouds' labels of spot nodes."""

Requirements = tuple[NodeSelectorRequirement, ...]
Alternatives = tuple[Requirements, ...]
"""One of them is enough; within one all hold."""


class UnsayableError(Exception):
    """A wish that a pod's spec has no words for; the message says why, and what else can be done."""


class SeenNode(msgspec.Struct, frozen=True):
    labels: Mapping[str, str]
    facts: NodeFacts


def node_terms(wish: Preference, seen: Sequence[SeenNode]) -> tuple[Alternatives, tuple[str, ...]]:
    """The alternatives and notes on them. Raises UnsayableError."""
    if (level := _PREFERRED.get(wish.intent)) is not None:
        return ((_isin(TOPOLOGY[level], wish.values),),), ()
    if (level := _AVOIDED.get(wish.intent)) is not None:
        return ((_isin(TOPOLOGY[level], wish.values, negated=True),),), ()
    if wish.intent in _NO_LABEL:
        raise UnsayableError(_NO_LABEL[wish.intent])
    if wish.rank is not None:
        raise UnsayableError("labels can be compared with a number only: say how much")
    return _WORDS[wish.intent](wish, seen)


def _isin(key: str, values: Sequence[str], *, negated: bool = False) -> NodeSelectorRequirement:
    return NodeSelectorRequirement(key, "NotIn" if negated else "In", tuple(values))


def _telling(
    seen: Sequence[SeenNode], keys: Sequence[str], satisfies: Callable[[NodeFacts], bool]
) -> dict[str, tuple[str, ...]]:
    """Of each key the values that only nodes have which satisfy the wish."""
    found: dict[str, tuple[str, ...]] = {}
    for key in keys:
        verdicts: dict[str, bool] = {}
        for node in seen:
            if value := node.labels.get(key):
                verdicts[value] = verdicts.get(value, True) and satisfies(node.facts)
        if values := tuple(sorted(value for value, good in verdicts.items() if good)):
            found[key] = values
    return found


def _by_labels(
    seen: Sequence[SeenNode], keys: Sequence[str], satisfies: Callable[[NodeFacts], bool]
) -> dict[str, tuple[str, ...]]:
    """Labels that are about the thing itself, else instance types."""
    return _telling(seen, keys, satisfies) or _telling(seen, INSTANCE_TYPE[:1], satisfies)


def _any_of(found: Mapping[str, tuple[str, ...]]) -> Alternatives:
    return tuple((_isin(key, values),) for key, values in found.items())


def _none_of(found: Mapping[str, tuple[str, ...]]) -> Alternatives:
    return (tuple(_isin(key, values, negated=True) for key, values in found.items()),)


def _gpu_model(wish: Preference, seen: Sequence[SeenNode]) -> tuple[Alternatives, tuple[str, ...]]:
    found = _telling(seen, LABELS["gpu_model"], lambda f: _is_model(wish, f.gpu_model))
    notes: tuple[str, ...] = ()
    if not found:
        products = [p for model, names in PRODUCTS.items() if _is_model(wish, model) for p in names]
        if not products:
            raise UnsayableError(
                f"no label value is known for {listed(wish.values, 'or')}: see `kubectl get nodes -L {GPU_PRODUCT}`"
            )
        found = {GPU_PRODUCT: tuple(products)}
        notes = ("no node of the cluster has such a GPU; these are the usual labels",) if seen else ()
    return (_any_of(found) if wish.intent is Intent.PREFER_GPU_MODEL else _none_of(found)), notes


def _is_model(wish: Preference, model: str) -> bool:
    return any(likeness(value, model) == 1.0 for value in wish.values)


def _gpu(wish: Preference, seen: Sequence[SeenNode]) -> tuple[Alternatives, tuple[str, ...]]:
    least = wish.amount or 1
    told = _told_gpu_labels(seen)
    if least <= 1:
        return tuple((NodeSelectorRequirement(key, "Exists"),) for key in told), ()
    if seen and not any(GPU_COUNT in node.labels for node in seen):
        found = _by_labels(seen, LABELS["gpu_model"], lambda f: f.gpus >= least)
        if found:
            return _any_of(found), ()
    return ((_more(GPU_COUNT, least),),), ()


def _no_gpu(wish: Preference, seen: Sequence[SeenNode]) -> tuple[Alternatives, tuple[str, ...]]:
    return (tuple(NodeSelectorRequirement(key, "DoesNotExist") for key in _told_gpu_labels(seen)),), ()


def _told_gpu_labels(seen: Sequence[SeenNode]) -> tuple[str, ...]:
    return tuple(key for key in LABELS["gpu_model"] if any(key in node.labels for node in seen)) or (GPU_PRODUCT,)


def _more(key: str, least: float) -> NodeSelectorRequirement:
    """Gt compares whole numbers."""
    return NodeSelectorRequirement(key, "Gt", (str(math.ceil(least) - 1),))


def _network_speed(wish: Preference, seen: Sequence[SeenNode]) -> tuple[Alternatives, tuple[str, ...]]:
    if wish.amount is None:
        raise UnsayableError("labels can be compared with a number only: say how many Gbps")
    least = wish.amount
    if seen and not any(NETWORK_GBPS in node.labels for node in seen):
        if found := _telling(seen, INSTANCE_TYPE[:1], lambda f: f.network_gbps >= least):
            return _any_of(found), ()
        raise UnsayableError(f"no label of the nodes tells {number(least)} Gbps: label them with {NETWORK_GBPS}")
    return ((_more(NETWORK_GBPS, least),),), (f"{NETWORK_GBPS} is Berth's label: your nodes must have it",)


def _amount(wish: Preference, seen: Sequence[SeenNode]) -> tuple[Alternatives, tuple[str, ...]]:
    if wish.amount is not None and seen:
        least = wish.amount * (USABLE if wish.intent in RESERVED else 1.0)
        fact = AMOUNTS[wish.intent]
        if found := _telling(seen, INSTANCE_TYPE[:1], lambda f: getattr(f, fact) >= least):
            return _any_of(found), ()
    raise UnsayableError(
        f"no common label tells it; a request makes sure of it: resources.requests.{_REQUESTS[wish.intent]}"
    )


def _storage(wish: Preference, seen: Sequence[SeenNode]) -> tuple[Alternatives, tuple[str, ...]]:
    return _listed(wish, seen, "storage_types", any)


def _feature(wish: Preference, seen: Sequence[SeenNode]) -> tuple[Alternatives, tuple[str, ...]]:
    return _listed(wish, seen, "network_features", all)


def _listed(
    wish: Preference, seen: Sequence[SeenNode], fact: str, of: Callable[[list[bool]], bool]
) -> tuple[Alternatives, tuple[str, ...]]:
    """Of facts that are lists: a node may have several storage types, and label values hold several words."""
    wanted = {value.lower() for value in wish.values}
    found = _by_labels(seen, LABELS[fact], lambda f: of([value in getattr(f, fact) for value in wanted]))
    if found:
        return _any_of(found), ()
    key = LABELS[fact][0]
    note = f"{key} is Berth's label: your nodes must have it"
    if of is all and len(wish.values) > 1:
        return (tuple(_isin(key, (value,)) for value in wish.values),), (
            note,
            "a label has one value: choose one of them",
        )
    return _any_of({key: wish.values}), (note,)


def _arch(wish: Preference, seen: Sequence[SeenNode]) -> tuple[Alternatives, tuple[str, ...]]:
    return _any_of({LABELS["arch"][0]: wish.values}), ()


def _spot(wish: Preference, seen: Sequence[SeenNode]) -> tuple[Alternatives, tuple[str, ...]]:
    found = _telling(seen, LABELS["spot"], lambda f: f.spot)
    notes = (
        ("no node of the cluster is known as a spot node; these are the clouds' labels",) if seen and not found else ()
    )
    found = found or {key: (value,) for key, value in SPOT.items()}
    return (_any_of(found) if wish.intent is Intent.PREFER_SPOT else _none_of(found)), notes


def _tpu(wish: Preference, seen: Sequence[SeenNode]) -> tuple[Alternatives, tuple[str, ...]]:
    several = wish.amount is not None and wish.amount > 1
    notes = (f"the number of chips is not said: resources.limits.google.com/tpu: {number(wish.amount or 1)}",)
    return ((NodeSelectorRequirement(TPU, "Exists"),),), notes if several else ()


_PREFERRED = {intent: level for level, intent in PREFER_PLACES.items()}
_AVOIDED = {intent: level for level, intent in AVOID_PLACES.items()}
_NO_LABEL = {
    Intent.PREFER_LEAST_LOADED: "how loaded a node is has no label; kube-scheduler's profile decides (NodeResourcesFit, "
    "LeastAllocated)",
    Intent.PREFER_MOST_PACKED: "how full a node is has no label; kube-scheduler's profile decides (NodeResourcesFit, "
    "MostAllocated)",
    Intent.PREFER_CACHED_MODEL: f"which model is meant is not said; by label: {LABELS['cached_models'][0]}",
}
_REQUESTS = {
    Intent.PREFER_CPU: "cpu",
    Intent.PREFER_MEMORY_GB: "memory",
    Intent.PREFER_EPHEMERAL_STORAGE: "ephemeral-storage",
}
_WORDS: dict[Intent, Callable[[Preference, Sequence[SeenNode]], tuple[Alternatives, tuple[str, ...]]]] = {
    Intent.PREFER_CPU: _amount,
    Intent.PREFER_MEMORY_GB: _amount,
    Intent.PREFER_EPHEMERAL_STORAGE: _amount,
    Intent.PREFER_GPU: _gpu,
    Intent.AVOID_GPU: _no_gpu,
    Intent.PREFER_TPU: _tpu,
    Intent.PREFER_NETWORK_SPEED: _network_speed,
    Intent.PREFER_STORAGE_TYPE: _storage,
    Intent.PREFER_NETWORK_FEATURE: _feature,
    Intent.PREFER_CPU_ARCH: _arch,
    Intent.PREFER_GPU_MODEL: _gpu_model,
    Intent.AVOID_GPU_MODEL: _gpu_model,
    Intent.PREFER_SPOT: _spot,
    Intent.AVOID_SPOT: _spot,
}
