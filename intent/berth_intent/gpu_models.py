"""GPU models by their short names: what a label, a cloud or a person calls them, as one name.

A100 is told with its memory when that is known, for there are two kinds of it that differ in what fits; other models by name
alone. So NVIDIA-A100-SXM4-80GB is A100-80GB, Tesla-T4 is T4, NVIDIA-H100-80GB-HBM3 is H100, AMD Instinct MI300X is MI300X.
"""

from __future__ import annotations

import re
from functools import lru_cache

WITH_MEMORY = frozenset(("A100",))
"""Models of which the memory is part of the name."""
OTHER_MEMORY = 0.5
"""How far a GPU of the model that was asked for satisfies when its memory is another one, or unknown."""

_MAKERS = re.compile(
    r"^(nvidia|amd|intel|tesla|geforce|quadro|instinct|radeon|data|center|gpu|corporation|pro)$", re.IGNORECASE
)
_FORM = re.compile(r"^(sxm\d*|pcie?\d*|oam|vf|hbm\w*|shared|ms|mega|hgx|dgx|\d+gi?b|mig|\d+g)$", re.IGNORECASE)
_MEMORY = re.compile(r"(?<![\d.])(\d{2,3})\s*gi?b", re.IGNORECASE)
_SPLIT = re.compile(r"[\s_\-/(),]+")
_OF_CLOUDS = {"nvidia-tesla-a100": "A100-40GB"}
"""Names that a cloud gives otherwise than its maker: GKE's nvidia-tesla-a100 is the one of 40 GB."""


@lru_cache(maxsize=4_096)
def gpu_model(name: str, memory_mib: int = 0) -> str:
    """The short name; empty for an empty one. memory_mib: of one GPU, where a label tells it."""
    known = _OF_CLOUDS.get(name.lower())
    if known:
        return known
    whole = re.split(r"[-_ ]MIG[-_ ]", name, maxsplit=1, flags=re.IGNORECASE)[0]
    words = [word for word in _SPLIT.split(whole) if word and not _MAKERS.match(word)]
    kept = [word for word in words if not _FORM.match(word)]
    if not kept:
        return ""
    if kept[0].upper() in WITH_MEMORY:
        told = _MEMORY.search(whole)
        memory = int(told.group(1)) if told else round(memory_mib / 1024 / 40) * 40
        return f"{kept[0].upper()}-{memory}GB" if memory else kept[0].upper()
    model = "-".join(kept).upper()
    return re.sub(r"^(RTX)-?(A\d+)$", r"\2", model)


def likeness(wanted: str, found: str) -> float:
    """How far a GPU `found` is one that was wanted, 0 to 1. "A100" wants any of them."""
    if not wanted or not found:
        return 0.0
    if wanted == found:
        return 1.0
    family, _, memory = wanted.partition("-")
    has = found.partition("-")[0]
    if family != has:
        return 0.0
    if not memory:
        return 1.0
    return OTHER_MEMORY if family in WITH_MEMORY else 0.0
