"""What a pod asks for, in a few words for a table."""

from __future__ import annotations

from collections.abc import Iterable

from berth_planner.amounts import amount_text


def needs(requests: Iterable[tuple[str, int]], *, every: bool) -> str:
    """`8 gpu`, or with `every` `8 gpu, 32 cpu, 256Gi memory`. nvidia.com/gpu is `gpu` to people; the pod itself is no news."""
    asked = [(r, v) for r, v in requests if v and r != "pods"]
    devices = [(r.rpartition("/")[2], v) for r, v in asked if "/" in r]
    plain = [(r, v) for r, v in asked if "/" not in r]
    shown = devices + plain if every or not devices else devices
    return ", ".join(amount_text(r, v) for r, v in shown) or "nothing"
