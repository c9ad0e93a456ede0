"""Everything that a hint can wish for, and which fields each wish has. One table; parser, scoring, schema and docs follow it."""

from __future__ import annotations

from enum import StrEnum


class Intent(StrEnum):
    """Names as they stand in the contract."""

    PREFER_REGIONS = "prefer_regions"
    AVOID_REGIONS = "avoid_regions"
    SPREAD_REGIONS = "spread_regions"
    PREFER_ZONES = "prefer_zones"
    AVOID_ZONES = "avoid_zones"
    SPREAD_ZONES = "spread_zones"
    PREFER_RACKS = "prefer_racks"
    AVOID_RACKS = "avoid_racks"
    SPREAD_RACKS = "spread_racks"
    PREFER_NODES = "prefer_nodes"
    AVOID_NODES = "avoid_nodes"
    SPREAD_NODES = "spread_nodes"
    PREFER_COLOCATE_SAME_DEPLOYMENT = "prefer_colocate_same_deployment"
    PREFER_NEARBY_NODES_SAME_DEPLOYMENT = "prefer_nearby_nodes_same_deployment"
    PREFER_COLOCATE_DEPLOYMENTS = "prefer_colocate_deployments"
    PREFER_NEARBY_DEPLOYMENTS = "prefer_nearby_deployments"
    AVOID_DEPLOYMENTS = "avoid_deployments"
    PREFER_CPU = "prefer_cpu"
    PREFER_MEMORY_GB = "prefer_memory_gb"
    PREFER_GPU = "prefer_gpu"
    PREFER_TPU = "prefer_tpu"
    PREFER_EPHEMERAL_STORAGE = "prefer_ephemeral_storage"
    PREFER_NETWORK_SPEED = "prefer_network_speed"
    PREFER_STORAGE_TYPE = "prefer_storage_type"
    PREFER_NETWORK_FEATURE = "prefer_network_feature"
    PREFER_CPU_ARCH = "prefer_cpu_arch"
    PREFER_GPU_MODEL = "prefer_gpu_model"
    AVOID_GPU_MODEL = "avoid_gpu_model"
    AVOID_GPU = "avoid_gpu"
    PREFER_SPOT = "prefer_spot"
    AVOID_SPOT = "avoid_spot"
    PREFER_LEAST_LOADED = "prefer_least_loaded"
    PREFER_MOST_PACKED = "prefer_most_packed"
    PREFER_CACHED_MODEL = "prefer_cached_model"


class Level(StrEnum):
    """Topology, the narrowest first."""

    NODE = "node"
    RACK = "rack"
    ZONE = "zone"
    REGION = "region"


PREFER_PLACES = {
    Level.REGION: Intent.PREFER_REGIONS,
    Level.ZONE: Intent.PREFER_ZONES,
    Level.RACK: Intent.PREFER_RACKS,
    Level.NODE: Intent.PREFER_NODES,
}
AVOID_PLACES = {
    Level.REGION: Intent.AVOID_REGIONS,
    Level.ZONE: Intent.AVOID_ZONES,
    Level.RACK: Intent.AVOID_RACKS,
    Level.NODE: Intent.AVOID_NODES,
}
SPREAD = {
    Level.REGION: Intent.SPREAD_REGIONS,
    Level.ZONE: Intent.SPREAD_ZONES,
    Level.RACK: Intent.SPREAD_RACKS,
    Level.NODE: Intent.SPREAD_NODES,
}

OF_WORKLOADS = frozenset(
    (Intent.PREFER_COLOCATE_DEPLOYMENTS, Intent.PREFER_NEARBY_DEPLOYMENTS, Intent.AVOID_DEPLOYMENTS)
)
"""`values` are names of workloads."""

WITH_AMOUNT = frozenset(
    (
        Intent.PREFER_CPU,
        Intent.PREFER_MEMORY_GB,
        Intent.PREFER_GPU,
        Intent.PREFER_TPU,
        Intent.PREFER_EPHEMERAL_STORAGE,
        Intent.PREFER_NETWORK_SPEED,
    )
)
"""`amount` when a number is given, else `rank` when a quality is, else neither."""

WITH_VALUES = OF_WORKLOADS | frozenset(
    (
        *PREFER_PLACES.values(),
        *AVOID_PLACES.values(),
        Intent.PREFER_STORAGE_TYPE,
        Intent.PREFER_NETWORK_FEATURE,
        Intent.PREFER_CPU_ARCH,
        Intent.PREFER_GPU_MODEL,
        Intent.AVOID_GPU_MODEL,
    )
)
"""`values` is never empty."""

SCOPES = {
    Intent.PREFER_NEARBY_DEPLOYMENTS: (None, Level.RACK, Level.ZONE, Level.REGION),
    Intent.AVOID_DEPLOYMENTS: (Level.NODE, Level.RACK, Level.ZONE, Level.REGION),
}
"""Scopes that an intent may have; of all others it is None."""

WEAK, PLAIN, STRONG = 0.5, 1.0, 1.5
STRENGTHS = (STRONG, PLAIN, WEAK)
"""Tiers, the one that counts most first."""
