"""Clauses about our own replicas: spread over places, all on one, near each other."""

from __future__ import annotations

import re

from berth_intent.intents import SPREAD, Intent, Level
from berth_intent.language.clause import Clause
from berth_intent.language.draft import Draft
from berth_intent.language.kinds import Item, Kind
from berth_intent.language.memory import Memory
from berth_intent.language.topology import US, is_mutual

_ADJECTIVES = "GMFNBkKRhlIbDOtQ"
"""Kinds that make a noun of place mean a node of that kind, no more."""
_EACH_ON_ITS_OWN = re.compile(
    "|".join((
        "e[^LA]{0,5}[d1][^LA]{0,2}L",  # each on its own node
        "[1#a2y][^LA]{0,4}eL",  # one pod per node
        "[1#][^LA]{0,3}e[^LA]{0,1}L",
        "[#1]eL",
        "[a1]Lea?y",  # a node per replica
        "L[^LA]{0,2}e[^LA]{0,3}[a1#]y",  # zones each have a copy
        "eL[^LA]{0,3}[1#]",  # per zone one
        "eL[^LA]{0,3}a?y",  # per zone a replica
    ))
)  # fmt: skip
_NOT_AT_ONE = re.compile(
    "|".join((
        "n[^L]{0,8}[s1H*y2%#][^L]{0,4}L",  # not on the same node, never two on a node
        "n[^L]{0,4}T[^L]{0,4}aL",  # don't pile up on a node
        "n[^L]{0,8}aL[^L]{0,2}T",  # shouldn't sit on a node together
        "2[^L]{0,6}n[^L]{0,6}aL",  # two of us should not be on a node
        "[2y#*][^L]{0,4}[1s][^L]{0,2}L[^L]{0,5}n$",  # two on one host is what we don't want
        "A[^L]{0,8}[sH1a][^L]{0,4}L",  # avoid the same node
        "n[^L]{0,3}L[^L]{0,6}[#1y2%]",  # no node with two of us
        "n[^L]{0,2}L[^L]{0,2}H",  # no host is to be shared
    ))
)  # fmt: skip
_AT_ONE = re.compile("[s1][^LA]{0,2}L|L[^L]{0,2}s|<L|H[^L]{0,2}L")
_ALL_AT = re.compile("[*Y].*aL|T.*aL|aL.*T")
_ACROSS = re.compile("S[^A]{0,8}L|L[^nA]{0,3}S|%[^LA]{0,2}L|d[^LA]{0,2}L|L[^LA]{0,2}d|#L")
_LOST = re.compile("V.*f.*L|V.*L.*f|V[^f]*L|f[^L]*L.*[nV]|L[^f]*f.*[nV]|[nV].*f[^L]*L|[nV].*L.*f|\\*.*f.*L")
_IF_LOST = re.compile(r"(?:[^Lf]{0,4}L[^f]{0,3}f|[^Lf]{0,3}f[^L]{0,4}L)[^L]*\+")
""" "if a region goes dark, we must ..."."""
_SPREAD_OVER = re.compile("S[^L]*L")
_OTHERS = re.compile("d[^LA]{0,2}L")
_OVER = frozenset(("por",))
_INSIDE = re.compile("iaL$")
_WITHIN = frozenset(("within", "inside", "innerhalb", "dentro de"))
_NEAR_ALONE = frozenset((Kind.NEAR, Kind.MODAL, Kind.VERB, Kind.GOOD, Kind.TOGETHER))
_TWO = ("two", "any two", "multiple", "zwei", "dos")
_NEXT = re.compile("CL|LC|C[^L]{0,3}L")


def own_replicas(clause: Clause, memory: Memory) -> list[Draft]:
    """Of a clause that names no other workload."""
    drafts: list[Draft] = []
    levels = [
        (at, item) for at, item in enumerate(clause.items) if item.kind == Kind.LEVEL and not _only_noun(clause, at)
    ]
    for index, (at, item) in enumerate(levels):
        draft = _at_level(clause, memory, item, at, listed=index > 0, earlier=drafts)
        if draft is not None:
            drafts.append(draft)
    if not drafts and not clause.has(Kind.PLACE):
        drafts += _without_level(clause, bool(levels), memory)
    return drafts


def _only_noun(clause: Clause, at: int) -> bool:
    """ "a GPU node": what kind of node, no wish about nodes."""
    return (
        at > 0
        and clause.signature[at - 1] in _ADJECTIVES
        and not clause.has(Kind.SPREAD, Kind.SAME, Kind.OTHER, Kind.EACH, Kind.MANY)
    )


def _at_level(clause: Clause, memory: Memory, item: Item, at: int, listed: bool, earlier: list[Draft]) -> Draft | None:
    level = Level(item.payload)
    signature = clause.signature
    upto = signature[: at + 1]
    negated = clause.has(Kind.NOT, Kind.EXCEPT)
    if Kind.AVOID in signature and not negated and Kind.SELF in upto and any(is_mutual(i) for i in clause.items):
        return Draft(SPREAD[level], clause.items, at=item)
    if Kind.PACKED in signature and not clause.has(Kind.SPREAD, Kind.SELF) and not _OTHERS.search(signature):
        return None
    if listed and earlier and signature[at - 1] not in "sd":
        return Draft(_same_for(earlier[-1].intent, level), clause.items, at=item)
    if Kind.FAILURE in signature and _LOST.search(signature):
        return Draft(SPREAD[level], clause.items, at=item)
    if _IF_LOST.match(signature) and not clause.has(Kind.PLACE, Kind.NOT):
        return Draft(SPREAD[level], clause.items, at=item)
    if Kind.SURVIVE in signature and Kind.FAILURE not in signature and not negated and Kind.PLACE not in signature:
        return Draft(SPREAD[level], clause.items, at=item)
    apart = _without_us(clause)
    if _NOT_AT_ONE.search(apart[: at + 1]) or _NOT_AT_ONE.search(apart):
        if not (Kind.SPREAD in signature or (Kind.OTHER in signature and Kind.SAME not in signature)):
            return Draft(SPREAD[level], clause.items, at=item)
        if Kind.ONE in signature or Kind.SAME in signature:
            return (
                None
                if Kind.SPREAD in signature and Kind.SAME not in signature
                else Draft(SPREAD[level], clause.items, at=item)
            )
    if _is_each(clause) and not negated:
        return Draft(SPREAD[level], clause.items, at=item)
    if (
        negated
        and Kind.EACH in signature
        and re.search("n.*%.*eL|n[^L]*#[^L]*eL|n[^L]*e?L", signature)
        and re.search("[1#%]", signature)
    ):
        return Draft(SPREAD[level], clause.items, at=item)
    inside = item is not clause.items[0] and _INSIDE.search(upto) and any(i.word in _WITHIN for i in clause.items[:at])
    over = (at and clause.items[at - 1].word in _OVER) or (at > 1 and clause.items[at - 2].word in _OVER)
    if over and item.plural and not negated and Kind.AVOID not in signature:
        return Draft(SPREAD[level], clause.items, at=item)  # "uniformemente por las zonas"
    at_one = inside or _AT_ONE.search(signature) or (_ALL_AT.search(_with_all(clause)) and not item.plural)
    spread_first = Kind.SPREAD in signature and not (_AT_ONE.search(upto) and not _SPREAD_OVER.search(upto))
    if at_one and not (negated or spread_first or Kind.AVOID in signature or Kind.EACH in signature):
        if clause.has(Kind.GPU, Kind.GPU_MODEL) and not clause.has(Kind.SELF, Kind.ALL, Kind.TOGETHER):
            return None  # "four GPUs in one box"
        return _gather(level, clause, item)
    if _is_spread(clause, at, item):
        return None if negated else Draft(SPREAD[level], clause.items, at=item)
    if Kind.NEAR in signature and not negated and Kind.AVOID not in signature and _NEXT.search(signature):
        return Draft(Intent.PREFER_NEARBY_NODES_SAME_DEPLOYMENT, clause.items, at=item)
    if Kind.TOGETHER in signature and not negated and (Kind.ONE in upto or Kind.ARTICLE in upto or not item.plural):
        return _gather(level, clause, item)
    goes_on = (
        clause.lead in (Kind.AND, Kind.COMMA, Kind.OR) and not clause.verb and not negated and len(clause.items) <= 3
    )
    if goes_on and Kind.SPREAD in memory.operators and Kind.NOT not in memory.operators and Kind.AVOID not in signature:
        return Draft(SPREAD[level], clause.items, at=item)
    return None


def _without_us(clause: Clause) -> str:
    """The signature, with "us" as what is spoken to, "don't give us a node that is full", and 2 for two of us."""
    found = []
    for item in clause.items:
        two = item.kind == Kind.SELF and item.word.startswith(_TWO)
        found.append("2" if two else Kind.IT if item.kind == Kind.SELF and item.word in US else item.kind)
    return "".join(found)


def _is_each(clause: Clause) -> bool:
    """ "one pod per node", not "they charge us per node"."""
    found = _EACH_ON_ITS_OWN.search(clause.signature)
    return found is not None and clause.items[found.start()].word not in US


def _with_all(clause: Clause) -> str:
    """The signature, with Y where all of us are meant."""
    return "".join("Y" if item.kind == Kind.SELF and item.payload == "all" else item.kind for item in clause.items)


def _is_spread(clause: Clause, at: int, item: Item) -> bool:
    signature = clause.signature
    if not _ACROSS.search(signature):
        return False
    if Kind.SPREAD in signature:
        operators = [i for i in clause.items if i.kind == Kind.SPREAD]
        if all(i.payload == "across" for i in operators):
            wide = item.plural or any(k in signature[:at] for k in "*e%#")
            return wide or signature[at - 1 : at] == Kind.SPREAD
        if not item.plural and not any(k in signature for k in "*e%#") and Kind.IN in signature[:at]:
            quality = any(i.payload == "quality" for i in operators)  # "fault tolerance at rack level"
            return quality or bool(re.search("L[^L]{0,2}S|SL", signature))
        return True
    if Kind.OTHER in signature:
        return Kind.AVOID not in signature
    if Kind.MANY in signature:
        return item.plural
    number = clause.items[at - 1].number if at and clause.items[at - 1].kind == Kind.NUMBER else None
    if signature == "#L" and number is not None and number >= 2 and item.payload != Level.NODE:
        return True  # "two zones at least"
    counted = number is not None and number >= 2 and item.plural and at > 1 and signature[at - 2] in "iSv%"
    return counted and Kind.NOISE not in signature


def _same_for(intent: Intent, level: Level) -> Intent:
    return SPREAD[level] if intent in SPREAD.values() else intent


def _gather(level: Level, clause: Clause, item: Item) -> Draft:
    if level == Level.NODE:
        return Draft(Intent.PREFER_COLOCATE_SAME_DEPLOYMENT, clause.items, at=item)
    return Draft(Intent.PREFER_NEARBY_NODES_SAME_DEPLOYMENT, clause.items, at=item)


def _without_level(clause: Clause, levelled: bool, memory: Memory) -> list[Draft]:
    signature = clause.signature
    ours = Kind.SELF in signature
    if Kind.NOISE in signature and not ours:
        return []
    mutual = any(is_mutual(item) for item in clause.items)
    negated = Kind.NOT in signature
    if memory.workload is not None and Kind.IT in signature and not mutual and Kind.ALL not in signature:
        return []  # "wherever kafka is, put us next to it" is said already
    if (
        Kind.TOGETHER in signature
        and not levelled
        and not clause.has(Kind.PACKED)
        and not (clause.items[-1].word == "stuff" and signature.count(Kind.TOGETHER) == 1)
        and (ours or Kind.ALL in signature or Kind.VERB in signature or Kind.IT in signature)
    ):
        if negated or Kind.AVOID in signature:
            return [Draft(Intent.SPREAD_NODES, clause.items)]
        if Kind.NEAR in signature:
            return [Draft(Intent.PREFER_NEARBY_NODES_SAME_DEPLOYMENT, clause.items)]
        return [Draft(Intent.PREFER_COLOCATE_SAME_DEPLOYMENT, clause.items)]
    beside = any(item.kind == Kind.NEAR and "einander" in item.word for item in clause.items)
    beside = beside or (memory.workload is None and memory.place is None and set(signature) <= _NEAR_ALONE)
    beside = beside or {Kind.NEAR, Kind.TOGETHER} <= set(signature)  # "close together"
    if Kind.NEAR in signature and (beside or ours or Kind.IT in signature or Kind.ALL in signature):
        if negated or Kind.AVOID in signature:
            return [Draft(Intent.SPREAD_NODES, clause.items)] if mutual else []
        return [Draft(Intent.PREFER_NEARBY_NODES_SAME_DEPLOYMENT, clause.items)]
    if Kind.AVOID in signature and mutual and not negated and not levelled:
        return [Draft(Intent.SPREAD_NODES, clause.items)]
    apart = any(item.kind in (Kind.SPREAD, Kind.OTHER) and item.payload != "across" for item in clause.items)
    if apart and mutual and not negated and not levelled:
        return [Draft(Intent.SPREAD_NODES, clause.items)]
    return []
