"""Clauses that describe and wish nothing: no need, the past, statements about places, other matters in passing."""

from __future__ import annotations

import re
from collections.abc import Sequence

from berth_intent.language.clause import OBJECTS, Clause
from berth_intent.language.kinds import Kind
from berth_intent.language.lexicon.statements import HAVING, THIRD_PERSONS
from berth_intent.language.naming import DEFINITE

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
_INDIFFERENT = frozenset((Kind.NO_NEED, Kind.SELF, Kind.IT, Kind.VERB, Kind.GOOD, Kind.AS, Kind.WHERE, Kind.ANY))


def is_needed(clause: Clause) -> bool:
    """It ends in "needed" or the like."""
    return bool(clause.items) and clause.items[-1].word in _NEEDED


def says_nothing(clause: Clause) -> bool:
    """No wish by its form: no need, the past, other matters."""
    if Kind.NO_NEED in clause.signature or Kind.PAST in clause.signature:
        return True
    if is_needed(clause) and clause.first(Kind.NOT) < len(clause.items) - 1:
        return True
    if _is_fronted_no_need(clause):
        return True
    if clause.lead == Kind.IF and not clause.has(Kind.SURVIVE, Kind.FAILURE):
        return True
    if Kind.ANY in clause.signature and clause.has(Kind.GOOD) and not clause.has(Kind.EXCEPT, Kind.GPU, Kind.STORAGE):
        return True
    return (
        clause.lead == Kind.CAUSE
        and not clause.own_modal
        and not _has_need(clause)
        and not clause.has(Kind.AVOID, Kind.SURVIVE)
    )


def is_statement(clause: Clause) -> bool:
    """What something else is, does or has: "the chart deploys redis next to web", "all A100 nodes have NVMe disks"."""
    if clause.own_modal or clause.has(Kind.NOT, Kind.EXCEPT, Kind.SURVIVE, Kind.FAILURE) or _has_need(clause):
        return False
    items, signature = clause.items, clause.signature
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
    at = next((at for at, item in enumerate(items) if item.verb or item.word in HAVING or item.word in _BEING), None)
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


_ADDRESSED = frozenset(
    ("equipo", "companeros", "companeros de", "colegas", "colleagues", "kollegen", "team", "responsable")
)
_MEASURED = re.compile("v[#Q]|vu#")
_BEING = frozenset(("is", "are"))
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


def is_heading_of_noise(clause: Clause) -> bool:
    """ "owner: platform team, region emea"."""
    colon = clause.first(Kind.COLON)
    before = clause.signature[:colon]
    if any(item.word in _ADDRESSED for item in clause.items[:colon]):
        return False
    return colon < len(clause.items) and Kind.NOISE in before and not set(before) & OBJECTS and not clause.own_modal


def _is_fronted_no_need(clause: Clause) -> bool:
    """ "Eine GPU brauchen wir nicht", "una GPU no la necesitamos"."""
    need = next((at for at, item in enumerate(clause.items) if item.kind == Kind.VERB and item.payload == "need"), None)
    if need is None or not clause.has(Kind.NOT):
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
    for after in found[at + 1 :]:
        if after.has(Kind.NO_NEED):
            return after.lead == Kind.COMMA and set(after.signature) <= _INDIFFERENT
        if after.verb or after.own_modal or after.lead not in (Kind.COMMA, Kind.AND, Kind.OR):
            return False
    return False


def is_only_mentioned(found: Sequence[Clause], at: int) -> bool:
    """What the next clause points to and declines: "the T4s are slow, don't give us those", "rack 4 runs hot, skip it"."""
    if at + 1 >= len(found):
        return False
    clause, after = found[at], found[at + 1]
    if clause.own_modal or _has_need(clause) or clause.has(Kind.AVOID, Kind.NOT, Kind.EXCEPT, Kind.SPREAD):
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


def _has_need(clause: Clause) -> bool:
    return any(item.kind == Kind.VERB and item.payload == "need" for item in clause.items)


_REPORTED = "P:#"
""" "gpu-node-03: 2 of 8 in use"."""


def describes(clause: Clause) -> bool:
    """A statement about places, no wish: "the bucket is in us-east-1"."""
    if clause.has(Kind.FAILURE) and not clause.has(Kind.AVOID):
        return True
    if _REPORTED in clause.signature:
        return True
    if clause.has(Kind.AVOID, Kind.NOT, Kind.EXCEPT, Kind.INSTEAD) or clause.own_modal:
        return False
    at = clause.first(Kind.PLACE)
    before = clause.items[:at]
    verbs = [item for item in before if item.kind == Kind.VERB]
    subject = next((item.kind for item in before if item.kind in _SUBJECTS), "")
    if subject == Kind.WORKLOAD and verbs and verbs[0].word in _USING:
        return True
    if _has_need(clause):
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


def _is_about_noise(clause: Clause) -> bool:
    """ "the manager wants a slide about GPU costs": what is needed is no node."""
    need = next((at for at, item in enumerate(clause.items) if item.kind == Kind.VERB and item.payload == "need"), None)
    return need is not None and need < clause.first(Kind.NOISE) < clause.first(*OBJECTS) and not clause.own_modal


def is_about_other_things(clause: Clause) -> bool:
    """Resources in passing: "memory leak", "image: nvidia/cuda", "GPU dashboards", "V100s are too slow"."""
    if clause.signature[:2] == "Mv" and clause.items[1].payload in ("be", "have") and not clause.own_modal:
        return not clause.has(Kind.GOOD, Kind.AVOID, Kind.NOT)
    if not clause.has(Kind.NOISE, Kind.UNKNOWN):
        return False
    if _is_about_noise(clause):
        return True
    if clause.own_modal or _has_need(clause):
        return False
    if clause.has(Kind.NOISE):
        return True
    return clause.signature.count(Kind.UNKNOWN) > 3 and not clause.has(Kind.VERB, Kind.IN)
