"""Clauses that state what something else is, does or has, and wish nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence

from berth_intent.intents import STRONG
from berth_intent.language.clause import OBJECTS, Clause, has_need
from berth_intent.language.kinds import Item, Kind
from berth_intent.language.lexicon.statements import HAVING, STATING, THIRD_PERSONS
from berth_intent.language.topology import US

_ADDRESSED = frozenset(
    ("equipo", "companeros", "companeros de", "colegas", "colleagues", "kollegen", "team", "responsable")
)
_MEASURED = re.compile("v[#Q]|vu#")
_BEING = frozenset(("is", "are"))
_FINITE = HAVING | _BEING | THIRD_PERSONS
_JUDGED = (
    Kind.GOOD,
    Kind.AVOID,
    Kind.IDLE,
    Kind.BUSY,
    Kind.PACKED,
    Kind.CACHED,
    Kind.SAME,
    Kind.NEAR,
    Kind.IN,
    Kind.WORKLOAD,
)
_STATED = frozenset((
    Kind.UNKNOWN, Kind.WORKLOAD, Kind.NOISE, Kind.MODEL, Kind.LEVEL, Kind.GPU, Kind.GPU_MODEL, Kind.PLACE, Kind.RESOURCE,
    Kind.STORAGE, Kind.ARCH, Kind.FEATURE, Kind.SPOT, Kind.TPU,
))  # fmt: skip
_THINGS = "GMtDFBNku"
_POINTS_BACK = frozenset(("that's", "it's"))
_COPULAS = frozenset(("is", "are", "es", "son", "ist", "sind"))
_SOFTWARE = frozenset((Kind.WORKLOAD, Kind.UNKNOWN, Kind.NUMBER, Kind.MODEL))
_IN_SUBJECTS = _STATED | {
    Kind.ARTICLE,
    Kind.IT,
    Kind.ALL,
    Kind.NUMBER,
    Kind.AS,
    Kind.MARK,
    Kind.ANY,
    Kind.EACH,
    Kind.MANY,
}


def is_statement(clause: Clause) -> bool:
    """What something else is, does or has: "the chart deploys redis next to web", "all A100 nodes have NVMe disks"."""
    if clause.items[0].word in _POINTS_BACK and clause.signature[1:2] == Kind.NEAR and not clause.has(Kind.WORKLOAD):
        return not clause.own_modal  # "in Ireland, that's closest to the annotators"
    if clause.modal is not None or clause.has(Kind.NOT, Kind.EXCEPT, Kind.SURVIVE, Kind.FAILURE) or has_need(clause):
        return False
    items, signature = clause.items, clause.signature
    if items[0].word.split(" ")[0] in STATING or _is_able(clause) or _defines(clause):
        return True
    if any(item.word.startswith("consist") for item in items):
        return True
    if len(items) > 2 and items[0].word == "there" and items[1].payload == "be":
        return True  # "there are 14 nodes"
    if _MEASURED.search(signature) and any(item.payload == "latency" for item in items):
        return True  # "latency to the database is 3 ms"
    if len(items) > 1 and items[0].word in HAVING and clause.has(Kind.LEVEL) and signature[1] == Kind.NUMBER:
        return True  # "the cluster has 3 regions"
    if signature[:2] == "Wu" and items[1].word.endswith("s") and len(items) > 2:
        return True  # "batch-etl hammers the disks"
    if any(
        item.kind == Kind.UNKNOWN and item.word.endswith("ed") and signature[at - 1] in (Kind.PLACE, Kind.LEVEL)
        for at, item in enumerate(items)
        if at
    ):
        return True  # "the Ireland region opened in 2007"
    at = next((at for at, item in enumerate(items) if item.verb or item.word in _FINITE), None)
    if at is None or not set(signature[:at]) <= _IN_SUBJECTS:
        return False
    verb, before = items[at], set(signature[:at])
    if verb.word in HAVING:
        return bool(before & _STATED) and at + 1 < len(items)
    if verb.word in _BEING:
        return signature[0] in _STATED and signature[at + 1 :].count(Kind.UNKNOWN) > 1 and not clause.has(*_JUDGED)
    if verb.word not in THIRD_PERSONS:
        return False
    return bool(before & _STATED) or (at == 0 and verb.kind in (Kind.SPREAD, Kind.TOGETHER))


def _is_able(clause: Clause) -> bool:
    """ "Redis 7.2 supports arm64"."""
    at = next((at for at, item in enumerate(clause.items) if item.word in STATING), 0)
    return at > 0 and set(clause.signature[:at]) <= _SOFTWARE and clause.signature[0] in (Kind.WORKLOAD, Kind.UNKNOWN)


_IS = re.compile(f"[a*]?[{_THINGS}]{{1,2}}v(?:a[{_THINGS}]|u)")
""" "a TPU is a chip", "bin packing is NP-hard"."""
_ALL_HAVE = re.compile("\\*LiPv")
""" "all nodes in us-east-1b have SSDs"."""


def _defines(clause: Clause) -> bool:
    """What a thing is, or what all of some have."""
    match = _IS.match(clause.signature)
    if match is not None and not clause.has(Kind.GOOD):
        verb = clause.items[match.group().index(Kind.VERB)]
        return verb.word in _COPULAS
    match = _ALL_HAVE.match(clause.signature)
    return match is not None and clause.items[match.end() - 1].word in HAVING


def is_hearsay(sentence: Sequence[Item]) -> bool:
    """What others say, reports and messages; but not "according to legal we need the EU", nor what must be."""
    if not any(item.payload == "hearsay" for item in sentence):
        return False
    ours = any(item.kind == Kind.SELF and item.word in US for item in sentence)
    return not (
        any(item.strength == STRONG for item in sentence) or (ours and any(item.payload == "need" for item in sentence))
    )


def is_heading_of_noise(clause: Clause) -> bool:
    """ "owner: platform team, region emea"."""
    colon = clause.first(Kind.COLON)
    before = clause.signature[:colon]
    if any(item.word in _ADDRESSED for item in clause.items[:colon]):
        return False
    return colon < len(clause.items) and Kind.NOISE in before and not set(before) & OBJECTS and not clause.own_modal
