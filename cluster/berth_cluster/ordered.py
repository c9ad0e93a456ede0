"""A sorted mapping whose values can be had as a tuple: in O(n) pointer copies after a change, at once while nothing changed."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Generic, TypeVar

K = TypeVar("K", str, tuple[str, str])
V = TypeVar("V")


class Ordered(Generic[K, V]):
    """Insertion and removal move pointers (microseconds at tens of thousands), replacing is a binary search."""

    def __init__(self) -> None:
        self._keys: list[K] = []
        self._values: list[V] = []
        self._tuple: tuple[V, ...] | None = ()

    def put(self, key: K, value: V) -> None:
        self._tuple = None
        at = bisect_left(self._keys, key)
        if at < len(self._keys) and self._keys[at] == key:
            self._values[at] = value
        else:
            self._keys.insert(at, key)
            self._values.insert(at, value)

    def remove(self, key: K) -> None:
        """Unknown keys are no error."""
        at = bisect_left(self._keys, key)
        if at < len(self._keys) and self._keys[at] == key:
            self._tuple = None
            del self._keys[at], self._values[at]

    def values(self) -> tuple[V, ...]:
        """In key order; the same object until something changes."""
        if self._tuple is None:
            self._tuple = tuple(self._values)
        return self._tuple

    @property
    def is_changed(self) -> bool:
        """Since `values` was last asked for."""
        return self._tuple is None

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[K]:
        return iter(self._keys)
