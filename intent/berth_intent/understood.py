"""What parsing a hint gives: preferences in the order of the text, what was not understood, and what is odd about them."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec

from berth_intent.intents import PLAIN, Intent, Level

MAX_HINT = 2_000
"""Characters of a hint that are read; the rest is reported."""

Rank = Literal["high", "low"]


class Preference(msgspec.Struct, frozen=True):
    """One wish. Field by field as in the contract; `intents` says which intent has which."""

    intent: Intent
    values: tuple[str, ...] = ()
    amount: float | None = None
    """Cores, GB (decimal), Gbps or a count."""
    rank: Rank | None = None
    scope: Level | None = None
    strength: float = PLAIN
    text: str = ""
    """The words of the hint that it came from, as they stand there."""
    start: int = 0
    """Where they begin in the hint, in characters; not part of the contract."""


class Code(StrEnum):
    """Reasons of warnings."""

    TOO_LONG = "TooLong"  # beyond MAX_HINT characters; the rest was not read
    NOT_UNDERSTOOD = "NotUnderstood"  # words about placement of which nothing could be made
    UNKNOWN_NAME = "UnknownName"  # no such region, zone, rack, node, workload or GPU model in the vocabulary
    AMBIGUOUS_NAME = "AmbiguousName"  # several names of the vocabulary are meant equally
    SPELLING = "Spelling"  # read as another, known word
    CONFLICT = "Conflict"  # two wishes contradict each other; the message says which one counts
    ALTERNATIVES = "Alternatives"  # alternatives were flattened: "A with X or B" became A or B, and X
    UNSATISFIABLE = "Unsatisfiable"  # nothing in the vocabulary can satisfy it
    NO_TARGET = "NoTarget"  # a wish without an object: "isolate us"


class HintWarning(msgspec.Struct, frozen=True):
    code: Code
    message: str


class Understood(msgspec.Struct, frozen=True):
    preferences: tuple[Preference, ...] = ()
    unparsed: tuple[str, ...] = ()
    """Stretches of the text that speak of placement, it seems, and were not understood."""
    warnings: tuple[HintWarning, ...] = ()
    overruled: frozenset[int] = frozenset()
    """Indices of preferences that lost to a contradicting one: shown, not scored. Not part of the contract."""
    by_model: frozenset[int] = frozenset()
    """Indices of preferences that a language model read: scored, never enforced. Not part of the contract."""

    @property
    def effective(self) -> tuple[Preference, ...]:
        """Those that are scored."""
        return tuple(p for i, p in enumerate(self.preferences) if i not in self.overruled)


def as_json(understood: Understood, identity: str | None = None) -> dict[str, object]:
    """The contract: {"id", "preferences", "unparsed", "warnings"}; without `id` when there is none."""
    found: dict[str, object] = {} if identity is None else {"id": identity}
    return found | {
        "preferences": [
            {
                "intent": p.intent.value,
                "values": list(p.values),
                "amount": p.amount,
                "rank": p.rank,
                "scope": p.scope.value if p.scope else None,
                "strength": p.strength,
                "text": p.text,
            }
            for p in understood.preferences
        ],
        "unparsed": list(understood.unparsed),
        "warnings": [{"code": w.code.value, "message": w.message} for w in understood.warnings],
    }
