"""The owners in a live cluster: which pods hang below which, and owners kept until their last pod is gone.

When an owner is new or changes, the pods below it are named, so that their workload can be found again. When one is deleted
its pods usually still stand, terminating, and belong to the same workload until they are gone: the owner is then kept as
it was, until nothing hangs below it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from berth_cluster.objects import Meta
from berth_cluster.owners import Owners, Place
from berth_cluster.reflector import Place as NamedPlace

PodKey = tuple[str, str]
"""Namespace and name of a pod."""


class OwnerIndex:
    def __init__(self) -> None:
        self.owners = Owners()
        self._pods: dict[Place, set[PodKey]] = {}
        """By the owner that a pod itself names."""
        self._below: dict[Place, set[Place]] = {}
        """Owners by the owner that they name."""
        self._deleted: set[Place] = set()
        """Gone from the cluster, still needed."""

    def put(self, kind: str, item: Meta) -> Sequence[PodKey]:
        """The pods whose workload or mobility may be another now."""
        meta = item.metadata
        place = (meta.namespace or "", kind, meta.name)
        self._deleted.discard(place)
        before = self._parent(place)
        if not self.owners.add(kind, item):
            return ()
        after = self._parent(place)
        if before != after:
            self._unlink(place, before)
            if after is not None:
                self._below.setdefault(after, set()).add(place)
        return tuple(self._pods_below(place))

    def remove(self, place: Place) -> None:
        self._deleted.add(place)
        self._prune(place)

    def places(self, kind: str) -> list[NamedPlace]:
        return [(place[0], place[2]) for place in self.owners.places(kind) if place not in self._deleted]

    def link(self, pod: PodKey, owner: Place) -> None:
        self._pods.setdefault(owner, set()).add(pod)

    def unlink(self, pod: PodKey, owner: Place) -> None:
        pods = self._pods.get(owner)
        if pods is not None:
            pods.discard(pod)
            if not pods:
                del self._pods[owner]
                self._prune(owner)

    def __len__(self) -> int:
        """Entries of every kind, for tests of what stays behind."""
        return len(self._pods) + len(self._below) + len(self._deleted)

    def _parent(self, place: Place) -> Place | None:
        owner = self.owners.owner_of(place)
        return None if owner is None else (place[0], owner.kind, owner.name)

    def _unlink(self, place: Place, parent: Place | None) -> None:
        if parent is None or parent not in self._below:
            return
        self._below[parent].discard(place)
        if not self._below[parent]:
            del self._below[parent]
            self._prune(parent)

    def _prune(self, place: Place) -> None:
        """Forgets an owner that is deleted, or known by reference only, once nothing hangs below it."""
        if place in self._pods or place in self._below:
            return
        if place not in self._deleted:
            self.owners.forget(place)
            return
        self._deleted.discard(place)
        parent = self._parent(place)
        self.owners.remove(place)
        self._unlink(place, parent)

    def _pods_below(self, top: Place) -> Iterator[PodKey]:
        waiting, seen = [top], {top}
        while waiting:
            place = waiting.pop()
            yield from self._pods.get(place, ())
            for child in self._below.get(place, ()):
                if child not in seen:
                    seen.add(child)
                    waiting.append(child)
