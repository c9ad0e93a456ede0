"""What those who look through the hints of a cluster ask of it; a `LiveCluster` tells it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from berth_api.packing_policy import PackingPolicy
from berth_cluster.snapshot import Snapshot


class HintedCluster(Protocol):
    @property
    def synced(self) -> bool: ...

    @property
    def policies(self) -> Mapping[str, PackingPolicy]: ...

    def snapshot(self) -> Snapshot: ...
