"""One ConfigMap of ours, watched by its name: what it holds, as it stands now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from berth_cluster.objects import ObjectMeta, Wire

MAX_TEXT = 64 * 1024
"""Characters of one value; longer ones are none of ours and are left out."""

NOTHING: Mapping[str, str] = MappingProxyType({})


class WireConfigMap(Wire, frozen=True):
    metadata: ObjectMeta = ObjectMeta()
    data: dict[str, str | None] | None = None


class ConfigMapStore:
    """Of one namespace and name."""

    def __init__(self, namespace: str, name: str) -> None:
        self._place = (namespace, name)
        self._is_there = False
        self.data: Mapping[str, str] = NOTHING
        """Another object when it has changed, and only then."""

    def put(self, wire: WireConfigMap) -> None:
        if wire.metadata.name != self._place[1]:
            return
        self._is_there = True
        data = {key: value for key, value in (wire.data or {}).items() if value is not None and len(value) <= MAX_TEXT}
        if data != self.data:
            self.data = MappingProxyType(data)

    def remove(self, place: tuple[str, str]) -> None:
        if place[1] == self._place[1]:
            self._is_there = False
            self.data = NOTHING

    def places(self) -> Sequence[tuple[str, str]]:
        return [self._place] if self._is_there else []
