"""Where all randomness comes from: one base seed, split by labels, as the paper's authors split theirs.

Their scheme (scripts of github.com/henrikdchristensen/scheduler-plugins): blake2b over the base seed as 16 big-endian
bytes, then for each label a zero byte and the label's text; the 16-byte digest, read big-endian, seeds `random.Random`.
"""

from __future__ import annotations

import random
from hashlib import blake2b

SEED_BITS = 63
"""The authors' seeds are positive 63-bit integers."""


def derived_seed(base: int, *labels: str) -> int:
    digest = blake2b(base.to_bytes(16, "big"), digest_size=16)
    for label in labels:
        digest.update(b"\x00" + label.encode())
    return int.from_bytes(digest.digest(), "big")


def stream(base: int, *labels: str) -> random.Random:
    """An independent stream of random numbers for each sequence of labels."""
    return random.Random(derived_seed(base, *labels))


def instance_seed(base: int, cell: str, attempt: int) -> int:
    """The seed of the attempt-th instance of a cell of a grid."""
    return derived_seed(base, cell, str(attempt)) >> (128 - SEED_BITS)


def fresh_base_seed() -> int:
    return random.SystemRandom().getrandbits(SEED_BITS)
