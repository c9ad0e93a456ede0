"""The names that a cluster has, so that "Europe", "zone 1a", "rack three" and near-misses mean something exact."""

from __future__ import annotations

import msgspec


class Vocabulary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Each in the order in which names are listed in answers. All may be empty: then names stand as in the text."""

    regions: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    racks: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    deployments: tuple[str, ...] = ()
    """Names of workloads of any kind, without namespace."""
    gpu_models: tuple[str, ...] = ()
    """Normalised, as `facts` does: A100-80GB."""
    storage_types: tuple[str, ...] = ()
    network_features: tuple[str, ...] = ()
    archs: tuple[str, ...] = ()
    zone_regions: dict[str, str] = {}
    """Zone to its region, where that is known; a zone's name often tells it too."""


NOTHING_KNOWN = Vocabulary()
