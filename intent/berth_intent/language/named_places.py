"""Clauses that name places: regions, zones, racks and nodes that are wished or not."""

from __future__ import annotations

import re
from collections.abc import Sequence

from berth_intent.intents import AVOID_PLACES, PREFER_PLACES, SPREAD, Level
from berth_intent.language.clause import Clause
from berth_intent.language.draft import Draft
from berth_intent.language.kinds import Item, Kind
from berth_intent.language.memory import Memory
from berth_intent.language.topology import is_far

_FROM = frozenset(("from", "desde", "aus"))


def _comes_from(clause: Clause, at: int) -> bool:
    """ "our users connect from Madrid", "vengo de Francia": no wish about the place."""
    if not at or clause.items[at - 1].kind != Kind.AS or clause.has(Kind.AVOID, Kind.NOT, Kind.EXCEPT, Kind.NEAR):
        return False
    before = clause.items[at - 2].kind if at > 1 else ""
    word = clause.items[at - 1].word
    return word in _FROM or (word in ("de", "von") and before in (Kind.VERB, Kind.UNKNOWN))


_OUTSIDE = frozenset(("outside", "outside of", "ausserhalb", "ausserhalb von", "fuera de"))
_FRONTED = re.compile("[irpa]{0,2}Pn[ypiu]{0,3}v")
""" "a us-west-2 no lo manden": the place stands before the verb that is negated."""


def places(clause: Clause, memory: Memory) -> list[Draft]:
    """Named regions, zones, racks and nodes."""
    drafts = []
    items = clause.items
    for at, item in enumerate(items):
        if item.kind != Kind.PLACE:
            continue
        before = clause.signature[:at]
        level = Level(item.payload)
        if _comes_from(clause, at):
            continue
        if (
            Kind.MODAL in before
            and items[at - 1].word in ("over", "que", "antes que", "gegenüber")
            and Kind.PLACE in before
        ):
            continue
        negated = Kind.NOT in before or (
            not before.strip("irpa") and Kind.NOT in clause.signature and Kind.VERB not in clause.signature
        )
        negated = negated or _FRONTED.match(clause.signature) is not None
        avoided = clause.has(Kind.AVOID) or Kind.EXCEPT in before or Kind.INSTEAD in before
        if clause.has(Kind.SPREAD) and level != Level.NODE and not negated and not avoided:
            if len(item.names) > 1:
                drafts.append(Draft(SPREAD[level], items))
        elif (
            avoided
            and Kind.EXCEPT in before
            and (negated or clause.has(Kind.AVOID))
            and items[clause.first(Kind.EXCEPT)].word in _OUTSIDE
        ):
            negated = avoided = False  # "outside the EU is forbidden"
        elif negated and avoided and (is_far(clause) or _is_leaving(clause)):
            negated = avoided = False
        elif _is_leaving(clause) and clause.signature.count(Kind.AVOID) > 1:
            negated = avoided = False  # "leaving Germany is forbidden"
        elif negated and avoided and not clause.has(Kind.EXCEPT, Kind.INSTEAD):
            if Kind.AVOID in before and before.index(Kind.AVOID) < before.index(Kind.NOT):
                avoided = True
            elif clause.items[clause.first(Kind.NOT)].strength is None:
                continue
        if not negated and not avoided and _goes_on(clause, memory, at):
            avoided = any(kind in memory.operators for kind in (Kind.AVOID, Kind.NOT, Kind.EXCEPT))
        intent = (AVOID_PLACES if negated or avoided else PREFER_PLACES)[level]
        drafts.append(Draft(intent, _about(clause, at, drafts), item.names, at=item))
    return drafts


def _goes_on(clause: Clause, memory: Memory, at: int) -> bool:
    """The list of the clause before goes on: "not in us-east-1a or on rack-4"."""
    if clause.lead not in (Kind.COMMA, Kind.AND, Kind.OR) or clause.verb or clause.own_modal:
        return False
    if clause.lead == Kind.COMMA:
        return Kind.IN not in clause.signature[:at]
    return True


def _about(clause: Clause, at: int, drafts: Sequence[Draft]) -> Sequence[Item]:
    """The items that the wish comes from: the whole clause, when it is of one object."""
    many = sum(item.kind in (Kind.PLACE, Kind.WORKLOAD) for item in clause.items) > 1
    return clause.items if not many else clause.items[max(0, at - 2) : at + 1]


def _is_leaving(clause: Clause) -> bool:
    """ "must not leave Germany"."""
    return any(item.kind == Kind.AVOID and item.payload == "leave" for item in clause.items)
