"""Clauses that wish nothing by their form: no need, the past, conditions, reasons."""

from __future__ import annotations

import re
from collections.abc import Sequence

from berth_intent.language.clause import OBJECTS, Clause, has_need, need_at
from berth_intent.language.kinds import Kind

_NEEDED = frozenset(
    [
        "needed",
        "required",
        "necessary",
        "wanted",
        "requerida",
        "requerido",
        "requeridas",
        "requeridos",
        "necesaria",
        "necesario",
        "necesarias",
        "noetig",
        "notwendig",
        "erforderlich",
        "benoetigt",
        "gebraucht",
        "vonnoeten",
    ]
)
MAX_LIST = 8
"""Clauses of a list that indifference takes back."""
_WITHIN_PLACE = Kind.NO_NEED + Kind.IN + Kind.PLACE
_INDIFFERENT = frozenset((Kind.NO_NEED, Kind.SELF, Kind.IT, Kind.VERB, Kind.GOOD, Kind.AS, Kind.WHERE, Kind.ANY))


def is_needed(clause: Clause) -> bool:
    """It ends in "needed" or the like."""
    return bool(clause.items) and clause.items[-1].word in _NEEDED


def says_nothing(clause: Clause) -> bool:
    """No wish by its form: no need, the past, other matters."""
    if (Kind.NO_NEED in clause.signature and not _is_anywhere_within(clause)) or (
        Kind.PAST in clause.signature and not _is_told_of(clause)
    ):
        return True
    if is_needed(clause) and clause.first(Kind.NOT) < len(clause.items) - 1:
        return True
    if _is_fronted_no_need(clause):
        return True
    if clause.lead == Kind.IF and not clause.has(Kind.SURVIVE, Kind.FAILURE):
        return True
    if (
        Kind.ANY in clause.signature
        and clause.has(Kind.GOOD)
        and not clause.has(Kind.EXCEPT, Kind.GPU, Kind.GPU_MODEL, Kind.STORAGE)
    ):
        return True
    return (
        clause.lead == Kind.CAUSE
        and not clause.own_modal
        and not has_need(clause)
        and not clause.has(Kind.AVOID, Kind.SURVIVE)
        and not (clause.has(Kind.FAILURE) and clause.has(Kind.NOT))
    )


def _is_anywhere_within(clause: Clause) -> bool:
    """ "anywhere in racks 1 to 3"."""
    return clause.signature.startswith(_WITHIN_PLACE) and clause.items[0].word == "anywhere"


def _is_told_of(clause: Clause) -> bool:
    """ "the thing we wrote must be where redis is": the past is of the thing, not of the wish."""
    modal = clause.modal
    if _NEEDS_WHAT_WAS.match(clause.signature) and has_need(clause):
        return True  # "needs SR-IOV for the packet generator that Yusuf wrote"
    if not clause.own_modal or modal is None:
        return False
    if "jc" in clause.signature or (
        modal.word.endswith(_SUPPOSING) and modal.start < clause.items[clause.first(Kind.PAST)].start
    ):
        return True  # "would be nice if they were close", "where the weights have been pulled"
    return modal.word.split(" ")[0] in _DUTY and clause.items[clause.first(Kind.PAST)].start < modal.start


_NEEDS_WHAT_WAS = re.compile("v[^j]+p[uy]*j")
_SUPPOSING = (" if", " wenn", " si", " que", "rather")
_DUTY = frozenset(("must", "has", "have", "muss", "muessen", "debe", "deben", "tiene", "tienen"))


_NEEDING = (
    "brauch",
    "benoetig",
    "bedarf",
    "bedurf",
    "need",
    "require",
    "necesit",
    "precis",
    "hace falta",
    "hacen falta",
)


def _is_fronted_no_need(clause: Clause) -> bool:
    """ "Eine GPU brauchen wir nicht", "una GPU no la necesitamos"."""
    need = need_at(clause)
    if need is None or not clause.has(Kind.NOT) or not clause.items[need].word.startswith(_NEEDING):
        return False
    behind = clause.signature[need + 1 :]
    return (
        clause.first(*OBJECTS) < min(need, clause.first(Kind.NOT))
        and not set(behind) - set("nypv=irzu")
        and (Kind.NOT in behind or clause.signature[:need].rstrip("py").endswith(Kind.NOT))
        and not set(behind) & set(OBJECTS)
    )


def is_indifferent(found: Sequence[Clause], at: int) -> bool:
    """ "spot or on-demand, all the same to us": a clause of no more than no need takes back the bare list before it."""
    if found[at].verb or found[at].own_modal:
        return False
    for after in found[at + 1 : at + 1 + MAX_LIST]:
        if after.has(Kind.NO_NEED):
            return after.lead == Kind.COMMA and set(after.signature) <= _INDIFFERENT
        if after.verb or after.own_modal or after.lead not in (Kind.COMMA, Kind.AND, Kind.OR):
            return False
    return False
