"""How strongly clauses are meant, and which of them are nothing but that: "if possible", "this is vital".

A modality before a list holds for the list. A clause of nothing but a modality belongs to its neighbour.
"""

from __future__ import annotations

import itertools
import re

from berth_intent.intents import STRONG, WEAK
from berth_intent.language.clause import NOUNS, OBJECTS, Clause
from berth_intent.language.kinds import Item, Kind
from berth_intent.language.topology import THERE

_EMPTY_WORDS = frozenset(
    (Kind.MODAL, Kind.IT, Kind.SELF, Kind.VERB, Kind.COLON, Kind.GOOD, Kind.ARTICLE, Kind.AS, Kind.IN)
)


def weigh(clause: Clause) -> None:
    """The strongest of its own words; a strong word that is negated is weak."""
    strengths: list[float] = []
    kept: list[Item] = []
    for item in clause.items:
        if item.strength is not None:
            negated = kept and kept[-1].kind == Kind.NOT and item.kind == Kind.MODAL and item.strength == STRONG
            if negated and kept[-1].strength is None and item.word not in ("must", "only"):
                kept.pop()
                item.strength = WEAK
            strengths.append(item.strength)
            if item.kind == Kind.MODAL and (clause.modal is None or item.strength > (clause.modal.strength or 0)):
                clause.modal = item
        clause.verb = clause.verb or item.verb
        kept.append(item)
    if len(kept) != len(clause.items):
        clause.items = kept
        clause.signature = "".join(item.kind for item in kept)
    if strengths:
        clause.strength = max(strengths)
        clause.modal = clause.modal or next(item for item in clause.items if item.strength is not None)
        clause.own_modal = True


def is_mood(clause: Clause) -> bool:
    """Nothing but how something is meant."""
    if clause.modal is None:
        return False
    if (
        clause.items[0].word in _THAT_IS
        and clause.modal.word not in _MERELY
        and not clause.has(*OBJECTS, Kind.LEVEL, Kind.SELF, Kind.NOT)
    ):
        return True  # "that's forbidden by PCI", "it's essential for failover"
    if clause.items[0].word in _MANDATED and not clause.has(*OBJECTS, Kind.LEVEL, Kind.SELF, Kind.NOT, Kind.WORKLOAD):
        return True  # "(required by the tape library)"
    forbids = clause.has(Kind.IT) and not clause.has(Kind.NOT)  # "legal forbids it"
    if any(item.word in THERE for item in clause.items) and clause.verb:
        return False
    there = _LANDS_THERE.search(clause.signature)
    if there is not None and clause.items[there.start()].verb:
        return False
    return all(
        item.kind in _EMPTY_WORDS
        or (forbids and (item.kind == Kind.UNKNOWN or (item.kind == Kind.AVOID and item.strength)))
        for item in clause.items
    )


_MANDATED = frozenset(("required", "mandatory", "enforced", "legally required", "required by law"))
_MERELY = frozenset(("only", "purely", "solely"))
_THAT_IS = frozenset(("that's", "it's"))
_LANDS_THERE = re.compile("vi?p$|vyi?p$")
""" "must land on that machine", "has to run there": it points to a place."""


def attached(found: list[Clause]) -> list[Clause]:
    """Clauses of nothing but a modality go to the clause that they are about."""
    result: list[Clause] = []
    pending: Clause | None = None
    for at, clause in enumerate(found):
        if is_mood(clause):
            modal = clause.modal
            assert modal is not None
            following = at + 1 < len(found)
            backward = (
                bool(result)
                and not (clause.lead == Kind.AND and following and clause.items[0].word not in _THAT_IS)
                and (modal.payload != "before" or not following)
                and not (following and found[at + 1].lead == Kind.BUT and found[at + 1].modal is None)
            )
            if backward and result[-1].modal is None:
                if result[-1].lead == Kind.IF and result[-1].has(*OBJECTS):
                    result[-1].lead = Kind.COMMA  # "if there is a GPU node, nice to have"
                _lend(result, clause)
            elif following:
                pending = clause
            elif result:
                _lend(result, clause)
            else:
                result.append(clause)
            continue
        if pending is not None and clause.modal is None:
            clause.strength, clause.modal = pending.strength, pending.modal
            if clause.lead in (Kind.COMMA, Kind.IF):
                clause.lead = pending.lead
        pending = None
        result.append(clause)
    return result


def _lend(result: list[Clause], mood: Clause) -> None:
    result[-1].strength, result[-1].modal = mood.strength, mood.modal


def inherit(found: list[Clause]) -> None:
    """A modality before a list holds for the list; one after a bare list, "X and Y would be nice", for all of it."""
    for before, clause in itertools.pairwise(found):
        if clause.modal is not None or clause.verb or before.modal is None or clause.has(Kind.EXCEPT, Kind.INSTEAD):
            continue
        if before.modal.kind == Kind.NOT and _is_positive(clause):
            continue
        if clause.lead in (Kind.COMMA, Kind.AND, Kind.OR, "") and _leads(before):
            clause.strength, clause.modal = before.strength, before.modal
    for at in range(len(found) - 1, 0, -1):
        clause, before = found[at], found[at - 1]
        if (
            clause.modal is not None
            and clause.lead in (Kind.AND, Kind.OR)
            and not clause.apart
            and before.modal is None
            and not before.verb
            and not _leads(clause)
            and not before.has(Kind.IN, Kind.NOT)
        ):
            before.strength, before.modal = clause.strength, clause.modal


def _is_positive(clause: Clause) -> bool:
    """ "never next to batch-etl, in us-east-1": what is wished is not as strong as what was refused."""
    return clause.has(*_AMOUNTS) or (clause.lead == Kind.COMMA and clause.has(*_WISHED))


_AMOUNTS = (Kind.QUANTITY, Kind.RESOURCE, Kind.IDLE, Kind.PACKED, Kind.ARTICLE)
_WISHED = (
    Kind.IN, Kind.SAME, Kind.NEAR, Kind.SPREAD, Kind.TOGETHER, Kind.GPU, Kind.GPU_MODEL, Kind.STORAGE, Kind.FEATURE, Kind.ARCH,
    Kind.SPOT, Kind.ON_DEMAND, Kind.CACHED,
)  # fmt: skip


def _leads(clause: Clause) -> bool:
    """The modality stands before what is wished."""
    modal = clause.modal
    if modal is None:
        return False
    if modal not in clause.items:
        return modal.payload == "before" or modal.start < clause.items[0].start
    first = next((item for item in clause.items if item.kind in NOUNS and item.kind not in (Kind.SELF, Kind.IT)), None)
    return first is None or modal.start < first.start
