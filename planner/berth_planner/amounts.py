"""Amounts of a resource in words: cores, bytes with binary suffixes, counts."""

from __future__ import annotations

BYTES = ("memory", "ephemeral-storage")
SUFFIXES = ("", "Ki", "Mi", "Gi", "Ti", "Pi")


def amount_text(resource: str, amount: int) -> str:
    """2 nvidia.com/gpu, 1500m cpu, 24Gi memory."""
    if resource == "cpu":
        return f"{amount // 1000} cpu" if amount % 1000 == 0 else f"{amount}m cpu"
    if resource in BYTES or resource.startswith("hugepages-"):
        return f"{bytes_text(amount)} {resource}"
    return f"{amount} {resource}"


def bytes_text(amount: int) -> str:
    """The largest suffix that leaves a whole number, else one decimal of the largest that applies."""
    level = 0
    while level + 1 < len(SUFFIXES) and amount >= 1 << (10 * (level + 1)):
        level += 1
    whole, rest = divmod(amount, 1 << (10 * level))
    return f"{whole}{SUFFIXES[level]}" if rest == 0 else f"{amount / (1 << (10 * level)):.1f}{SUFFIXES[level]}"
