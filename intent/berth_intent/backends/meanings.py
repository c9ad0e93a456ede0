"""What each intent means, for a model: a sentence or two an intent, in the words of docs/hint-language.md."""

from __future__ import annotations

from berth_intent.intents import AVOID_PLACES, PREFER_PLACES, SPREAD, Intent, Level

STORAGE_TYPES = ("nvme", "ssd", "hdd")
NETWORK_FEATURES = ("rdma", "infiniband", "efa", "sriov", "roce", "nvlink", "gpudirect")
ARCHS = ("amd64", "arm64")

_SPREAD = {
    Level.REGION: "Replicas of this workload in different regions.",
    Level.ZONE: "Replicas of this workload in different zones; survive the loss of a zone.",
    Level.RACK: "Replicas of this workload in different racks; survive the loss of a rack.",
    Level.NODE: "Replicas of this workload on different nodes; one pod a node.",
}

MEANINGS: dict[Intent, str] = {
    **{intent: f"Run in these {level.value}s. values: their names." for level, intent in PREFER_PLACES.items()},
    **{intent: f"Do not run in these {level.value}s. values: their names." for level, intent in AVOID_PLACES.items()},
    **{intent: _SPREAD[level] for level, intent in SPREAD.items()},
    Intent.PREFER_COLOCATE_SAME_DEPLOYMENT: "All replicas of this workload on one node, or as few nodes as possible.",
    Intent.PREFER_NEARBY_NODES_SAME_DEPLOYMENT: "Replicas of this workload close to each other, not necessarily on one node.",
    Intent.PREFER_COLOCATE_DEPLOYMENTS: "On the same node as other workloads. values: their names.",
    Intent.PREFER_NEARBY_DEPLOYMENTS: (
        "Near, next to, or with low latency to other workloads. values: their names. "
        "scope: rack, zone or region when the text says it, else null."
    ),
    Intent.AVOID_DEPLOYMENTS: "Away from other workloads. values: their names. scope: node unless the text says another.",
    Intent.PREFER_CPU: "CPU cores. amount in cores (500m is 0.5), else rank.",
    Intent.PREFER_MEMORY_GB: "Memory. amount in GB as people say it (64 GiB is 64, 1.5 TB is 1500), else rank.",
    Intent.PREFER_GPU: 'A node with GPUs. amount: how many ("a GPU" is 1, "GPUs" is null).',
    Intent.PREFER_TPU: "A node with TPUs. amount: how many chips, or null.",
    Intent.PREFER_EPHEMERAL_STORAGE: "Scratch or temporary disk space. amount in GB, else rank.",
    Intent.PREFER_NETWORK_SPEED: "Network bandwidth. amount in Gbps (400 Mbps is 0.4), else rank.",
    Intent.PREFER_STORAGE_TYPE: f"Kind of disk. values: of {', '.join(STORAGE_TYPES)}.",
    Intent.PREFER_NETWORK_FEATURE: f"Kind of network. values: of {', '.join(NETWORK_FEATURES)}.",
    Intent.PREFER_CPU_ARCH: f"CPU architecture. values: of {', '.join(ARCHS)}.",
    Intent.PREFER_GPU_MODEL: "GPU models. values: short names such as H100, A100-80GB, L4.",
    Intent.AVOID_GPU_MODEL: "Not these GPU models. values: short names.",
    Intent.AVOID_GPU: "Keep off nodes with GPUs.",
    Intent.PREFER_SPOT: "On spot or preemptible nodes.",
    Intent.AVOID_SPOT: "Not on spot or preemptible nodes; on demand.",
    Intent.PREFER_LEAST_LOADED: "On nodes with little load.",
    Intent.PREFER_MOST_PACKED: "Fill up nodes that are in use already.",
    Intent.PREFER_CACHED_MODEL: "Where the model's weights or image are cached already.",
}
