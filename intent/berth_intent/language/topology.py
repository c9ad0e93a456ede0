"""What several rules of the grammar ask about a clause's operators."""

from __future__ import annotations

from berth_intent.language.clause import Clause
from berth_intent.language.kinds import Item, Kind

US = frozenset(("us", "we", "me", "i", "uns", "wir", "nos", "nosotros"))
THERE = frozenset(("there", "dort", "dorthin", "dahin", "alli", "ahi"))
_FAR = ("far", "weit", "lejos", "fern", "distant")
_MUTUAL = frozenset(
    [
        "each",
        "one",
        "another",
        "siblings",
        "sibling",
        "themselves",
        "replicas",
        "replica",
        "pods",
        "instances",
        "copies",
        "peers",
        "members",
        "shards",
        "workers",
        "two",
        "any",
        "no",
        "einander",
        "voneinander",
        "untereinander",
        "zueinander",
        "nebeneinander",
        "beieinander",
        "geschwister",
        "geschwistern",
        "replikate",
        "replikaten",
        "sich",
        "entre",
        "unos",
        "unas",
        "uno",
        "hermanos",
        "hermanas",
        "other",
        "my",
        "our",
        "all",
        "every",
        "multiple",
        "réplicas",
        "instancias",
    ]
)


def is_mutual(item: Item) -> bool:
    return item.kind == Kind.SELF and not _MUTUAL.isdisjoint(item.word.split())


def is_far(clause: Clause) -> bool:
    """ "far from": which, negated, means near."""
    operator = clause.items[clause.first(Kind.AVOID)] if clause.has(Kind.AVOID) else None
    return operator is not None and not operator.verb and operator.word.startswith(_FAR)
