"""Kubernetes quantities: text to exact integers, as `resource.Quantity` means them.

A quantity is a decimal number with a suffix: n u m (none) k M G T P E, Ki Mi Gi Ti Pi Ei, or an exponent (1e3, 1E-2).
Kubernetes keeps at most nine decimals and rounds what is finer away from zero, so every quantity is a whole number of
10^-9 units: `nanos`. Sums and maxima are taken on nanos and rounded up to the unit once, at the end, as kube-scheduler
does with MilliValue() and Value(). Costs about a microsecond a text; the texts of a dump repeat, so results are kept.
"""

from __future__ import annotations

import re
from functools import lru_cache

MAX_AMOUNT = 1 << 53
"""Largest amount in the resource's own unit (9 PB of memory): the solver's sums stay exact below it."""

MAX_TEXT = 64
"""Characters of a quantity; Kubernetes' own have less than 30."""

MAX_EXPONENT = 40

NANO = 10**9
_CACHE = 65_536

_QUANTITY = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d+))?", re.ASCII)
_SCALE = {
    "n": 1, "u": 10**3, "m": 10**6, "": NANO,
    "k": NANO * 10**3, "M": NANO * 10**6, "G": NANO * 10**9, "T": NANO * 10**12, "P": NANO * 10**15, "E": NANO * 10**18,
    "Ki": NANO << 10, "Mi": NANO << 20, "Gi": NANO << 30, "Ti": NANO << 40, "Pi": NANO << 50, "Ei": NANO << 60,
}  # fmt: skip
_NANOS_PER_UNIT = {"cpu": 10**6}
"""cpu is counted in millicores, everything else in whole units."""


class QuantityError(ValueError):
    """Not a quantity, or a negative one. The message says which, without the place."""


@lru_cache(_CACHE)
def nanos(text: str) -> int:
    """The quantity in 10^-9 units, rounded up. Raises QuantityError for what Kubernetes would refuse, and for negatives."""
    match = _QUANTITY.fullmatch(text) if len(text) <= MAX_TEXT else None
    if match is None or not (match[2] or match[3]):
        raise QuantityError(f"{text[:MAX_TEXT]!r} is not a quantity; write it like 500m, 4 or 16Gi")
    sign, whole, fraction, suffix, exponent = match.groups()
    fraction = fraction or ""
    scale, shift = _SCALE[suffix or ""], int(exponent or "0")
    if abs(shift) > MAX_EXPONENT:
        raise QuantityError(f"{text!r} has an absurd exponent")
    numerator: int = int(whole + fraction or "0") * scale * 10 ** max(shift, 0)
    divisor: int = 10 ** (len(fraction) + max(-shift, 0))
    value = -(-numerator // divisor)
    if sign == "-" and value:
        raise QuantityError(f"{text!r} is negative")
    return value


def whole_units(resource: str, amount: int) -> int:
    """Nanos to the unit in which the resource is counted (millicores for cpu), rounded up."""
    return -(-amount // _NANOS_PER_UNIT.get(resource, NANO))


def format_quantity(resource: str, amount: int) -> str:
    """The shortest exact text of an amount in the resource's unit: 1500 millicores are 1500m, 2^34 bytes are 16Gi."""
    if resource == "cpu":
        return f"{amount}m" if amount % 1000 else str(amount // 1000)
    for suffix, bits in (("Ei", 60), ("Pi", 50), ("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10)):
        if amount and amount % (1 << bits) == 0:
            return f"{amount >> bits}{suffix}"
    return str(amount)
