"""Clauses about other workloads: on their node, near them, away from them.

A clause has few operators; which of them governs the workload is decided by their order of weight: other places before
avoidance, avoidance before nearness, nearness before sameness.
"""

from __future__ import annotations

import re

from berth_intent.intents import Intent, Level
from berth_intent.language.amounts import BETWEEN
from berth_intent.language.clause import Clause
from berth_intent.language.draft import Draft
from berth_intent.language.kinds import Item, Kind
from berth_intent.language.lexicon import everyday
from berth_intent.language.memory import Memory
from berth_intent.language.topology import is_far

_WITH_US = re.compile("W&y|y&W")
_BETWEEN_US = re.compile("[rS](y&W|W&y)")
_SAME_LEVEL = re.compile("i?a?sL")
_FROM = frozenset(("from", "von", "vom", "de", "del"))
_PARTED = ("getrennt", "trenn", "separ", "isol", "apart", "abgesonder")
_TOGETHER = (Intent.PREFER_COLOCATE_DEPLOYMENTS, Intent.PREFER_NEARBY_DEPLOYMENTS)
_WITH = frozenset(("with", "mit", "con", "w/"))
_ADJECTIVES = (Kind.GPU, Kind.GPU_MODEL, Kind.STORAGE, Kind.FEATURE, Kind.ARCH, Kind.SPOT, Kind.ON_DEMAND, Kind.RESOURCE,
               Kind.HIGH, Kind.LOW, Kind.IDLE, Kind.BUSY, Kind.PACKED, Kind.EMPTY, Kind.TPU, Kind.QUANTITY)  # fmt: skip
"""A node of this kind: the noun of place after it says nothing by itself."""


def workloads(clause: Clause, memory: Memory) -> list[Draft]:
    """Other workloads: on their node, near them, away from them."""
    found = _workload(clause)
    if found is None:
        return []
    at, item = found
    level = _scope(clause, at)
    negated = clause.has(Kind.NOT)
    if at and clause.items[at - 1].word in _FROM and any(i.word.startswith(_PARTED) for i in clause.items[at + 1 :]):
        return [_away(clause, item, level)]  # "müssen von kafka getrennt sein"
    if clause.has(Kind.CACHED) and not clause.has(Kind.NEAR, Kind.SAME, Kind.AVOID, Kind.NOT):
        return []  # "where llama-70b is loaded already": the model
    if level is not None and _between_us(clause):
        return [_away(clause, item, level)]
    avoided = clause.has(Kind.AVOID) or Kind.EXCEPT in clause.signature[:at] or clause.has(Kind.INSTEAD)
    if avoided and negated and is_far(clause):
        return [_near(clause, item, level)]
    if clause.has(Kind.OTHER) and _is_relation(clause, Kind.OTHER):
        return [_near(clause, item, level, same=True) if negated and not avoided else _away(clause, item, level)]
    if avoided:
        return [] if negated and _cancels(clause) else [_away(clause, item, level)]
    if clause.has(Kind.NEAR):
        operator = clause.items[clause.first(Kind.NEAR)]
        if negated and operator.payload != "latency" and clause.first(Kind.NOT) < clause.first(Kind.NEAR):
            return [_away(clause, item, None)]
        local = operator.word.startswith("local") and "LC" in clause.signature
        return [_near(clause, item, level if clause.has(Kind.SAME) or local or _owned(clause, at) else None)]
    shared = clause.has(Kind.SHARE) and (negated or clause.has(Kind.LEVEL))
    with_us = _WITH_US.search(clause.signature) and clause.has(Kind.ONE)
    beside = at > 0 and clause.items[at - 1].word in _WITH and clause.has(Kind.ONE) and clause.has(Kind.LEVEL)
    together = (
        shared
        or beside
        or with_us
        or clause.has(Kind.SAME, Kind.TOGETHER)
        or (clause.has(Kind.WHERE) and clause.first(Kind.WHERE) < at)
    )
    if (
        clause.has(Kind.TOGETHER)
        and not clause.has(Kind.SAME, Kind.SHARE, Kind.WHERE)
        and clause.first(Kind.TOGETHER) > at
    ):
        together = len(item.names) > 1 or clause.has(Kind.SELF, Kind.NOT)
    if together or _owned(clause, at) or _accompanied(clause, at):
        if negated:
            return [_away(clause, item, level)]
        return [_near(clause, item, level, same=True)]
    if negated and at and clause.items[at - 1].word in _WITH:
        return [_away(clause, item, level)]
    if (
        clause.lead in (Kind.COMMA, Kind.AND, Kind.OR)
        and not clause.verb
        and item.payload != "short"
        and not negated
        and not clause.has(Kind.VERB)
    ):
        operators = memory.operators
        if Kind.AVOID in operators or (
            Kind.NOT in operators and any(k in operators for k in (Kind.SAME, Kind.NEAR, Kind.SHARE))
        ):
            return [_away(clause, item, level)]
        if Kind.NEAR in operators:
            return [_near(clause, item, None)]
        if any(kind in operators for kind in (Kind.SAME, Kind.TOGETHER)) and clause.has(Kind.AS):
            return [_near(clause, item, memory_level(memory), same=True)]
    before = clause.signature[at - 1 : at] if at else ""
    if negated and before == Kind.NOT and clause.has(Kind.LEVEL):
        return [_away(clause, item, level)]
    if negated and not clause.has(Kind.LEVEL) and (before in (Kind.AS, Kind.IN) or before == Kind.NOT):
        return [_away(clause, item, None)]
    return []


def narrows(clause: Clause, before: Draft) -> bool:
    """ "run where kafka runs, same rack": the wish before takes over the scope that a noun of place alone tells. Whether it did."""
    if (
        before.intent not in _TOGETHER
        or not _SAME_LEVEL.fullmatch(clause.signature)
        or clause.lead not in (Kind.COMMA, Kind.AND)
    ):
        return False
    level = Level(clause.items[-1].payload)
    if before.intent == Intent.PREFER_NEARBY_DEPLOYMENTS and before.scope is None:
        if level == Level.NODE:
            before.intent = Intent.PREFER_COLOCATE_DEPLOYMENTS
        else:
            before.scope = level
        return True
    return level == (before.scope or Level.NODE)


def memory_level(memory: Memory) -> Level | None:
    return Level(memory.level.payload) if memory.level is not None else None


def _workload(clause: Clause) -> tuple[int, Item] | None:
    """The workload that the clause speaks of, known or by its place in the clause."""
    items, signature = clause.items, clause.signature
    related = clause.has(
        Kind.AVOID,
        Kind.NEAR,
        Kind.SAME,
        Kind.OTHER,
        Kind.SHARE,
        Kind.TOGETHER,
        Kind.WHERE,
        Kind.EXCEPT,
        Kind.NOT,
        Kind.AS,
    )
    known = [at for at, item in enumerate(items) if item.kind == Kind.WORKLOAD]
    if known:
        at = known[-1]
        if (
            len(known) == 1
            and at + 1 < len(items)
            and items[at + 1].kind == Kind.SELF
            and set(signature[:at]) <= set("v+a")
        ) and not clause.has(Kind.AS):
            return None  # "keep database replicas in different zones" are ourselves
        return at, items[at]
    if not related:
        return None
    for at, item in enumerate(items):
        if item.kind != Kind.UNKNOWN or not item.word:
            continue
        before = signature[:at].rstrip("amv")
        operator = next((kind for kind in reversed(before) if kind not in "riLw1ay"), "")
        if operator not in (Kind.NEAR, Kind.SAME, Kind.OTHER, Kind.SHARE, Kind.TOGETHER, Kind.AVOID, Kind.NOT):
            continue
        marked = (
            item.payload in ("quoted", "name")
            or signature[at + 1 : at + 2] in (Kind.MARK, Kind.SELF)
            or signature[at - 1 : at] == Kind.MARK
        )
        if operator == Kind.NOT and not (marked and clause.has(Kind.AS)):
            continue
        if operator in (Kind.SAME, Kind.OTHER, Kind.SHARE, Kind.TOGETHER) and before[-1:] not in (Kind.AS, Kind.WHERE):
            continue
        if (
            operator == Kind.AVOID
            and not marked
            and not (
                before[-1:] in (Kind.AS, Kind.WHERE)
                or items[at - 1].word.endswith(("from", "of", "von", "de", "vom", "off", "del"))
            )
        ):
            continue
        if not marked and (clause.has(Kind.NOISE) or item.word in everyday.WORDS):
            continue
        if not item.names:
            item.names = (item.word,)
        return at, item
    return None


def _scope(clause: Clause, at: int) -> Level | None:
    """The level at which the workload is met: of the noun of place that belongs to the relation."""
    items = clause.items
    for index, item in enumerate(items):
        if item.kind != Kind.LEVEL:
            continue
        before = items[index - 1].kind if index else ""
        if before in _ADJECTIVES and not clause.has(Kind.SAME, Kind.OTHER, Kind.SHARE):
            continue
        return Level(item.payload)
    return None


def _owned(clause: Clause, at: int) -> bool:
    """ "the zone of kafka", "kafka's node", "nodes with redis"."""
    before = clause.signature[max(0, at - 2) : at]
    after = clause.signature[at + 1 : at + 3]
    if before in ("Lr", "Lw") or before[-1:] == Kind.WHERE:
        return clause.items[at - 1].word not in ("to", "for", "a", "für", "zu")
    if before[-1:] == Kind.LEVEL or before == "Lp":  # "the box redis is on", "the node that redis runs on"
        return after[:1] == Kind.VERB and clause.items[at + 1].payload in ("be", "place")
    return after[:1] == Kind.LEVEL or after == "rL"


def _accompanied(clause: Clause, at: int) -> bool:
    """ "run with redis"."""
    return (
        at > 0
        and clause.items[at - 1].word in _WITH
        and clause.has(Kind.VERB)
        and clause.items[0].payload in ("place", "")
    )


def _is_relation(clause: Clause, kind: str) -> bool:
    """ "other node than", "another rack from": the word belongs to a noun of place or to the workload."""
    at = clause.first(kind)
    following = clause.signature[at + 1 : at + 2]
    return following in (Kind.LEVEL, Kind.AS, Kind.WORKLOAD, Kind.IN, Kind.FAILURE) and not (
        following == Kind.WORKLOAD and clause.has(Kind.NEAR, Kind.SAME)
    )


def _between_us(clause: Clause) -> bool:
    """ "a rack between us and kafka"."""
    found = _BETWEEN_US.search(clause.signature)
    return found is not None and clause.items[found.start()].word in BETWEEN and not clause.has(Kind.NEAR, Kind.SAME)


def _cancels(clause: Clause) -> bool:
    """ "do not avoid": the negation is of the avoiding, not stronger words for it ("never")."""
    at = clause.first(Kind.NOT)
    return (
        clause.items[at].strength is None
        and clause.signature[at + 1 : at + 2] == Kind.AVOID
        and clause.items[at + 1].verb
    )


def _away(clause: Clause, item: Item, level: Level | None) -> Draft:
    return Draft(Intent.AVOID_DEPLOYMENTS, clause.items, item.names, scope=level or Level.NODE, at=item)


def _near(clause: Clause, item: Item, level: Level | None, same: bool = False) -> Draft:
    if same and level in (None, Level.NODE):
        return Draft(Intent.PREFER_COLOCATE_DEPLOYMENTS, clause.items, item.names, at=item)
    return Draft(
        Intent.PREFER_NEARBY_DEPLOYMENTS,
        clause.items,
        item.names,
        scope=None if level == Level.NODE else level,
        at=item,
    )
