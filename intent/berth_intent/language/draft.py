"""What a clause wishes, before strengths of the whole hint are settled and positions are turned back to the text as written."""

from __future__ import annotations

from collections.abc import Sequence

from berth_intent.intents import Intent, Level
from berth_intent.language.kinds import Item
from berth_intent.understood import Rank


class Draft:
    """A preference in the making."""

    __slots__ = (
        "amount",
        "anchor",
        "clause",
        "end",
        "explicit",
        "intent",
        "rank",
        "scope",
        "sentence",
        "start",
        "strength",
        "values",
        "verb",
    )

    def __init__(
        self,
        intent: Intent,
        about: Sequence[Item],
        values: tuple[str, ...] = (),
        amount: float | None = None,
        rank: Rank | None = None,
        scope: Level | None = None,
        at: Item | None = None,
    ) -> None:
        self.intent = intent
        self.values = values
        self.amount = amount
        self.rank = rank
        self.scope = scope
        self.start = min(item.start for item in about)
        self.end = max(item.end for item in about)
        self.anchor = (at or about[0]).start
        """Where the thing that is wished stands: it orders the wishes of one clause."""
        self.strength = 1.0
        self.explicit = False
        self.clause = 0
        self.sentence = 0
        self.verb = False
