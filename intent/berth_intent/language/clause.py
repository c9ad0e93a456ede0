"""A clause: a stretch of items with one wish, or several of one kind, and what rules ask about it."""

from __future__ import annotations

import re

from berth_intent.intents import PLAIN
from berth_intent.language.kinds import Item, Kind

OBJECTS = frozenset((
    Kind.PLACE, Kind.WORKLOAD, Kind.GPU, Kind.GPU_MODEL, Kind.TPU, Kind.STORAGE, Kind.FEATURE, Kind.ARCH, Kind.SPOT,
    Kind.ON_DEMAND, Kind.QUANTITY, Kind.IDLE, Kind.PACKED, Kind.CACHED, Kind.RESOURCE,
))  # fmt: skip
"""What a wish can be about by itself."""
NOUNS = OBJECTS | {Kind.LEVEL, Kind.SELF, Kind.UNKNOWN, Kind.BUSY, Kind.EMPTY, Kind.IT}
OPERATORS = frozenset((
    Kind.AVOID, Kind.SPREAD, Kind.TOGETHER, Kind.NEAR, Kind.SAME, Kind.OTHER, Kind.NOT, Kind.EXCEPT, Kind.INSTEAD,
    Kind.SURVIVE, Kind.SHARE, Kind.WHERE, Kind.NO_NEED,
))  # fmt: skip


class Clause:
    """A stretch of items with one wish, or several of one kind."""

    __slots__ = ("apart", "items", "lead", "modal", "own_modal", "signature", "strength", "verb")

    def __init__(self, items: list[Item], lead: str) -> None:
        self.items = items
        self.lead = lead
        self.signature = "".join(item.kind for item in items)
        self.strength: float = PLAIN
        self.modal: Item | None = None
        self.verb = False
        self.own_modal = False
        self.apart = False
        """A comma stands before it, whatever else does."""

    def has(self, *kinds: str) -> bool:
        signature = self.signature
        for kind in kinds:  # noqa: SIM110  # a generator would cost three times as much, twenty times a clause
            if kind in signature:
                return True
        return False

    def first(self, *kinds: str) -> int:
        """Where the first item of one of these kinds is; beyond the end when there is none."""
        return next((at for at, item in enumerate(self.items) if item.kind in kinds), len(self.items))

    @property
    def objects(self) -> bool:
        return any(item.kind in NOUNS for item in self.items)

    def __repr__(self) -> str:
        return f"<{self.lead} {self.signature} {self.strength}>"


def need_at(clause: Clause) -> int | None:
    """Where a word of need or wanting stands."""
    return next((at for at, item in enumerate(clause.items) if item.kind == Kind.VERB and item.payload == "need"), None)


def has_need(clause: Clause) -> bool:
    return need_at(clause) is not None


_REJECTED = re.compile("[+v]?n\\+?v")


def is_negated(clause: Clause, at: int) -> bool:
    """What stands there is not wished."""
    before = clause.signature[:at]
    if _REJECTED.match(clause.signature, at + 1):
        return True  # "T4s must not be used"
    return (
        any(kind in before for kind in (Kind.NOT, Kind.AVOID, Kind.EXCEPT, Kind.INSTEAD))
        or (clause.signature[at + 1 :].lstrip("Lirpv+")[:1] == Kind.AVOID)
        or (Kind.NOT in clause.signature[at + 1 :] and clause.signature[-1] in (Kind.NOT, Kind.AVOID))
    )
