"""Clauses that speak of places and resources in passing: "the bucket is in us-east-1", "GPU dashboards"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from berth_intent.language.clause import OBJECTS, Clause, has_need, need_at
from berth_intent.language.kinds import Kind
from berth_intent.language.naming import DEFINITE

_INDICATIVE = frozenset(
    [
        "runs",
        "lives",
        "sits",
        "resides",
        "is",
        "are",
        "stays",
        "remains",
        "läuft",
        "lauft",
        "liegt",
        "steht",
        "sitzt",
        "corre",
        "vive",
        "esta",
        "reside",
        "run",
        "live",
        "sit",
        "lies",
    ]
)


_USING = frozenset(
    (
        "uses",
        "eats",
        "eat",
        "consumes",
        "nutzt",
        "benutzt",
        "frisst",
        "verbraucht",
        "belegt",
        "usa",
        "consume",
        "gasta",
        "come",
    )
)
_SUBJECTS = (Kind.WORKLOAD, Kind.UNKNOWN, Kind.SELF, Kind.NOISE)
_WANTED_THERE = re.compile("Pvwv$")
_WANTING = frozenset(("want", "want it", "want them", "need", "need it", "need them", "want this", "need this"))
_SITUATED = re.compile("a?M[uG]?vi")
_REPORTED = "P:#"
""" "gpu-node-03: 2 of 8 in use"."""


def is_only_mentioned(found: Sequence[Clause], at: int) -> bool:
    """What the next clause points to and declines: "the T4s are slow, don't give us those", "rack 4 runs hot, skip it"."""
    if at + 1 >= len(found):
        return False
    clause, after = found[at], found[at + 1]
    if clause.own_modal or has_need(clause) or clause.has(Kind.AVOID, Kind.NOT, Kind.EXCEPT, Kind.SPREAD):
        return False
    if not clause.has(Kind.PLACE, Kind.WORKLOAD, Kind.GPU_MODEL) or after.lead not in (
        Kind.COMMA,
        Kind.BUT,
        Kind.LIMIT,
    ):
        return False
    if after.has(*OBJECTS, Kind.LEVEL, Kind.UNKNOWN, Kind.SPREAD, Kind.SAME, Kind.OTHER, Kind.FAILURE):
        return False
    avoided = after.has(Kind.AVOID) and after.items[after.first(Kind.AVOID)].verb and not after.has(Kind.NOT)
    return avoided or (
        after.has(Kind.NOT) and after.has(Kind.IT) and after.has(Kind.VERB) and not after.has(Kind.AVOID)
    )


def describes(clause: Clause) -> bool:
    """A statement about places, no wish: "the bucket is in us-east-1"."""
    if clause.has(Kind.FAILURE) and not clause.has(Kind.AVOID):
        return True
    if _WANTED_THERE.search(clause.signature) and clause.items[-1].word in _WANTING:
        return False
    if _REPORTED in clause.signature or _has_reading(clause):
        return True
    if clause.has(Kind.AVOID, Kind.NOT, Kind.EXCEPT, Kind.INSTEAD) or clause.own_modal:
        return False
    at = clause.first(Kind.PLACE)
    before = clause.items[:at]
    verbs = [item for item in before if item.kind == Kind.VERB]
    subject = next((item.kind for item in before if item.kind in _SUBJECTS), "")
    if subject == Kind.WORKLOAD and verbs and verbs[0].word in _USING:
        return True
    if subject == Kind.WORKLOAD and any(item.word in ("esta", "estan") for item in before):
        return True
    if has_need(clause):
        return False
    if clause.has(Kind.NOISE):
        return True
    if (
        verbs
        and verbs[-1].payload == "be"
        and verbs[-1].word in ("is", "are", "am", "it's", "es", "son", "esta", "estan", "ist", "sind")
    ):
        return True
    if subject in (Kind.WORKLOAD, Kind.UNKNOWN) and verbs and verbs[0].word in _INDICATIVE:
        return True
    after = clause.items[at + 1 :]
    if (
        after
        and after[0].kind == Kind.UNKNOWN
        and Kind.IN not in clause.signature[:at]
        and clause.items[at].payload != "node"
    ) and (not verbs or len(before) > 2):
        return True
    if (
        all(item.word in DEFINITE for item in before)
        and after
        and after[0].kind == Kind.VERB
        and after[0].payload in ("be", "have")
        and not clause.has(Kind.GOOD)
    ):
        return True
    return sum(item.kind == Kind.UNKNOWN for item in clause.items) > 3 and not verbs


def _has_reading(clause: Clause) -> bool:
    """ "rack-8 is at 81 % power": a place and what was read there."""
    at = clause.first(Kind.PLACE)
    return not clause.own_modal and any(item.payload == "measure" for item in clause.items[at + 1 : at + 4])


def _is_about_noise(clause: Clause) -> bool:
    """ "the manager wants a slide about GPU costs": what is needed is no node."""
    need = need_at(clause)
    return need is not None and need < clause.first(Kind.NOISE) < clause.first(*OBJECTS) and not clause.own_modal


def is_about_other_things(clause: Clause) -> bool:
    """Resources in passing: "memory leak", "image: nvidia/cuda", "GPU dashboards", "V100s are too slow"."""
    if clause.signature[:2] == "Mv" and clause.items[1].payload in ("be", "have") and not clause.own_modal:
        return not clause.has(Kind.GOOD, Kind.AVOID, Kind.NOT)
    if not clause.has(Kind.NOISE, Kind.UNKNOWN):
        return False
    if _SITUATED.match(clause.signature) and not clause.own_modal and not clause.has(Kind.GOOD, Kind.AVOID, Kind.NOT):
        return True  # "the T4 cards are in the second row"
    if clause.signature[:2] == Kind.QUANTITY + Kind.NOISE and clause.items[1].loose:
        return False  # "10GbE for the nightly mirror"
    if clause.has(Kind.NOT) and any(item.kind == Kind.NOT and "want" in item.word for item in clause.items):
        return False  # "we don't want spot for the checkout"
    if _is_about_noise(clause):
        return True
    if clause.own_modal or has_need(clause):
        return False
    if clause.has(Kind.NOISE):
        return True
    return clause.signature.count(Kind.UNKNOWN) > 3 and not clause.has(Kind.VERB, Kind.IN)
