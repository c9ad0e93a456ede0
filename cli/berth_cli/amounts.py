"""Amounts of resources as people write them: 4 cpu, 16Gi memory, 8 gpu."""

from __future__ import annotations

from collections.abc import Iterable

_BINARY = ((1 << 40, "Ti"), (1 << 30, "Gi"), (1 << 20, "Mi"), (1 << 10, "Ki"))
_BYTES = ("memory", "ephemeral-storage", "hugepages-")


def amount(resource: str, value: int) -> str:
    """`cpu` is in millicores, memory and storage in bytes, everything else counted."""
    if resource == "cpu":
        return f"{value // 1000}" if value % 1000 == 0 else f"{value}m"
    if resource.startswith(_BYTES):
        for size, suffix in _BINARY:
            if value >= size:
                return f"{value / size:.4g}{suffix}"
    return str(value)


def short_name(resource: str) -> str:
    """nvidia.com/gpu is `gpu` to people; other domains keep their last part too."""
    return resource.rpartition("/")[2]


def needs(requests: Iterable[tuple[str, int]], *, every: bool) -> str:
    """`8 gpu`, or with `every` `8 gpu, 32 cpu, 256Gi memory`. The pod count is never worth a word."""
    asked = [(r, v) for r, v in requests if v and r != "pods"]
    devices = [(r, v) for r, v in asked if "/" in r]
    plain = [(r, v) for r, v in asked if "/" not in r]
    shown = devices + plain if every or not devices else devices
    return ", ".join(f"{amount(r, v)} {short_name(r)}" for r, v in shown) or "nothing"
