"""What was named before, for clauses that only point to it: "rack-4 has bad cooling, avoid it"."""

from __future__ import annotations

from berth_intent.language.clause import Clause
from berth_intent.language.kinds import Item, Kind


class Memory:
    """Of one hint, from clause to clause."""

    def __init__(self) -> None:
        self.place: Item | None = None
        self.workload: Item | None = None
        self.idle_mention: Item | None = None
        """The last name that no wish was made of."""
        self.operators = ""
        """Signature of the last clause that had operators of its own, for lists that go on after a comma."""
        self.level: Item | None = None
        self.model_named = False
        self.avoids_place = False
        """The place that was named last is one to keep off."""

    def note(self, clause: Clause, wished: bool) -> None:
        self.model_named = self.model_named or clause.has(Kind.MODEL)
        for item in clause.items:
            if item.kind == Kind.PLACE:
                self.place = item
                self.avoids_place = wished and clause.has(Kind.AVOID, Kind.NOT, Kind.EXCEPT)
            elif item.kind == Kind.WORKLOAD:
                self.workload = item
            elif item.kind not in (Kind.GPU_MODEL, Kind.GPU):
                continue
            self.idle_mention = None if wished else item
        if wished:
            self.idle_mention = None
