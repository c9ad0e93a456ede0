"""From the items of a hint to what it wishes, sentence by sentence and clause by clause.

First what makes no wish is taken out: questions, instructions to a machine, manifests, stories, what is not needed. Then each
clause is asked for workloads, places, our own replicas and resources.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from berth_intent.language.clauses import OPERATORS, Clause, clauses, sentences
from berth_intent.language.draft import Draft
from berth_intent.language.kinds import Item, Kind
from berth_intent.language.memory import Memory
from berth_intent.language.resources import resources
from berth_intent.language.siblings import own_replicas
from berth_intent.language.topology import places, workloads

_WISHING = ("need", "want", "place")
_TOPOLOGICAL = frozenset(
    (Kind.AVOID, Kind.SPREAD, Kind.NEAR, Kind.TOGETHER, Kind.SAME, Kind.OTHER, Kind.SURVIVE, Kind.EXCEPT)
)
MAX_SENTENCES = 200


class Reading:
    """What was made of one hint."""

    def __init__(self) -> None:
        self.drafts: list[Draft] = []
        self.unparsed: list[tuple[int, int]] = []
        self.no_target: list[tuple[int, int]] = []
        self.alternatives: list[tuple[int, int]] = []


def read(items: Sequence[Item]) -> Reading:
    reading = Reading()
    memory = Memory()
    heading: Clause | None = None
    number = 0
    for index, (sentence, end) in enumerate(sentences(items)):
        if index >= MAX_SENTENCES:
            break
        if any(item.kind == Kind.COMMAND for item in sentence):
            break
        if not sentence:
            if end is not None and end.word == "\n" and heading is not None and number and not reading.drafts:
                heading = None
            continue
        found = clauses(sentence)
        if end is not None and end.kind == Kind.ASK and end.payload == "question":
            for clause in found:
                memory.note(clause, wished=False)
            continue
        if len(found) == 1 and found[0].own_modal and not found[0].objects:
            if sentence[-1].kind == Kind.COLON:
                heading = found[0]
                continue
            if reading.drafts and reading.drafts[-1].sentence == number:
                _strengthen_last(reading, found[0], number)
                continue
        if heading is not None and (end is None or end.word in "\n;,"):
            for clause in found:
                if not clause.own_modal:
                    clause.strength = heading.strength
        number += 1
        _read_sentence(found, number, memory, reading)
    return reading


def _strengthen_last(reading: Reading, mood: Clause, sentence: int) -> None:
    """ "This is vital.": of the sentence before, where that says nothing of its own."""
    last = max(draft.clause for draft in reading.drafts)
    for draft in reading.drafts:
        if draft.sentence == sentence and not draft.explicit and (draft.clause == last or not draft.verb):
            draft.strength, draft.explicit = mood.strength, True


def _read_sentence(found: list[Clause], number: int, memory: Memory, reading: Reading) -> None:
    suppressed = False
    for at, clause in enumerate(found):
        goes_on = clause.lead in (Kind.COMMA, Kind.AND, Kind.OR) and not clause.verb and not clause.own_modal
        goes_on = goes_on and not clause.has(*OPERATORS)
        if _says_nothing(clause) or (suppressed and goes_on and _list_goes_on(found, at)):
            suppressed = True
            memory.note(clause, wished=False)
            continue
        suppressed = False
        last = reading.drafts[-1] if reading.drafts and reading.drafts[-1].sentence == number else None
        drafts = _wishes(clause, memory, last)
        for draft in drafts:
            draft.strength, draft.explicit = clause.strength, clause.modal is not None
            draft.clause, draft.sentence, draft.verb = len(reading.drafts), number, clause.verb
        memory.note(clause, wished=bool(drafts))
        if any(kind in clause.signature for kind in _TOPOLOGICAL) or Kind.NOT in clause.signature:
            memory.operators = clause.signature
            memory.level = next((item for item in clause.items if item.kind == Kind.LEVEL), None)
        elif not goes_on:
            memory.operators = ""
        reading.drafts += drafts
        if not drafts and clause.has(*_TOPOLOGICAL, Kind.LEVEL, Kind.PLACE) and clause.items:
            reading.unparsed.append((clause.items[0].start, clause.items[-1].end))


_NEEDED = frozenset(
    "needed required necessary wanted requerida requerido requeridas requeridos necesaria necesario necesarias noetig notwendig erforderlich"
    " benoetigt gebraucht vonnoeten".split()
)


def _list_goes_on(found: Sequence[Clause], at: int) -> bool:
    """ "no need for a GPU, SSD or fast network": after a comma only when an "or" follows."""
    if found[at].lead != Kind.COMMA:
        return True
    return any(later.lead == Kind.OR for later in found[at + 1 : at + 3])


def _says_nothing(clause: Clause) -> bool:
    """No wish by its form: no need, the past, other matters."""
    if Kind.NO_NEED in clause.signature or Kind.PAST in clause.signature:
        return True
    if (
        Kind.NOT in clause.signature
        and clause.items[-1].word in _NEEDED
        and clause.first(Kind.NOT) < len(clause.items) - 1
    ):
        return True
    if clause.lead == Kind.IF and not clause.has(Kind.SURVIVE, Kind.FAILURE):
        return True
    if Kind.ANY in clause.signature and clause.has(Kind.GOOD) and not clause.has(Kind.EXCEPT):
        return True
    return (
        clause.lead == Kind.CAUSE
        and not clause.own_modal
        and not _has_need(clause)
        and not clause.has(Kind.AVOID, Kind.SURVIVE)
    )


def _has_need(clause: Clause) -> bool:
    return any(item.kind == Kind.VERB and item.payload == "need" for item in clause.items)


def _wishes(clause: Clause, memory: Memory, before: Draft | None) -> list[Draft]:
    other = workloads(clause, memory)
    if not other and not clause.has(Kind.PLACE, Kind.WORKLOAD):
        other = _pointed(clause, memory)
    found = list(other)
    if not other:
        found += own_replicas(clause, memory)
    if clause.has(Kind.PLACE) and not _describes(clause) and not other:
        found += places(clause, memory)
    if not _is_about_other_things(clause):
        found += resources(clause, before)
    return found


def _pointed(clause: Clause, memory: Memory) -> list[Draft]:
    """ "..., avoid it": what was named before, when the clause names nothing."""
    named = memory.place if clause.has(Kind.IT) and not memory.idle_mention else memory.idle_mention
    if clause.has(Kind.IT) and any(
        item.word in ("there", "dort", "allí", "alli", "ahi", "dorthin", "dahin") for item in clause.items
    ):
        named = memory.place or named
    if clause.has(*_OBJECTS, Kind.UNKNOWN):
        return []
    mutual = any(
        item.kind == Kind.SELF and item.word not in ("us", "we", "me", "nos", "uns", "wir") for item in clause.items
    )
    owner = _owner(clause, memory)
    if owner is not None:
        return owner
    idle = memory.idle_mention
    in_its = (
        idle is not None
        and idle.kind == Kind.WORKLOAD
        and clause.has(Kind.SAME)
        and not clause.has(Kind.SELF, Kind.ALL)
    )
    in_its = in_its and clause.has(Kind.LEVEL)
    if in_its:
        named = idle
    elif "rp" in clause.signature and memory.workload is not None and clause.has(Kind.SAME, Kind.OTHER, Kind.SHARE):
        named = memory.workload
    elif named is None or clause.has(Kind.LEVEL):
        return []
    if mutual or not clause.has(
        Kind.AVOID, Kind.NEAR, Kind.TOGETHER, Kind.NOT, Kind.VERB, Kind.SAME, Kind.OTHER, Kind.SHARE
    ):
        return []
    if not in_its and not clause.has(Kind.AVOID, Kind.NEAR, Kind.TOGETHER, Kind.SHARE, Kind.IT):
        return []
    pointing = Clause([*clause.items, named], clause.lead)
    pointing.verb, pointing.own_modal = True, clause.own_modal
    by_kind = {Kind.WORKLOAD: workloads, Kind.PLACE: places}
    drafts = by_kind[named.kind](pointing, memory) if named.kind in by_kind else resources(pointing)
    for draft in drafts:
        draft.start, draft.end = clause.items[0].start, clause.items[-1].end
    return drafts


_OWNED = re.compile("p[sd]?L")
_ITS = frozenset(
    (
        "its",
        "their",
        "his",
        "seine",
        "seinem",
        "seinen",
        "seiner",
        "ihrem",
        "ihren",
        "ihre",
        "dessen",
        "deren",
        "su",
        "sus",
    )
)


def _owner(clause: Clause, memory: Memory) -> list[Draft] | None:
    """ "its node": of the workload that was named last."""
    owned = _OWNED.search(clause.signature)
    if owned is None or memory.workload is None or clause.items[owned.start()].word not in _ITS:
        return None
    at = owned.start()
    where = Item(Kind.WHERE, clause.items[at].start, clause.items[at].end)
    pointing = Clause([*clause.items[:at], clause.items[owned.end() - 1], where, memory.workload], clause.lead)
    drafts = workloads(pointing, memory)
    for draft in drafts:
        draft.start, draft.end = clause.items[0].start, clause.items[-1].end
    return drafts


_OBJECTS = (
    Kind.GPU, Kind.GPU_MODEL, Kind.TPU, Kind.STORAGE, Kind.FEATURE, Kind.ARCH, Kind.SPOT, Kind.QUANTITY, Kind.RESOURCE,
    Kind.IDLE, Kind.PACKED, Kind.BUSY, Kind.CACHED,
)  # fmt: skip


def _describes(clause: Clause) -> bool:
    """A statement about places, no wish: "the bucket is in us-east-1"."""
    if clause.has(Kind.AVOID, Kind.NOT, Kind.EXCEPT, Kind.INSTEAD) or clause.own_modal or _has_need(clause):
        return False
    if clause.has(Kind.NOISE):
        return True
    at = clause.first(Kind.PLACE)
    before = clause.items[:at]
    verbs = [item for item in before if item.kind == Kind.VERB]
    subject = before[0].kind if before else ""
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
        at == 0
        and after
        and after[0].kind == Kind.VERB
        and after[0].payload in ("be", "have")
        and not clause.has(Kind.GOOD)
    ):
        return True
    return sum(item.kind == Kind.UNKNOWN for item in clause.items) > 3 and not verbs


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


def _is_about_other_things(clause: Clause) -> bool:
    """Resources in passing: "memory leak", "image: nvidia/cuda", "GPU dashboards", "V100s are too slow"."""
    if clause.signature[:2] == "Mv" and clause.items[1].payload in ("be", "have") and not clause.own_modal:
        return not clause.has(Kind.GOOD, Kind.AVOID, Kind.NOT)
    if not clause.has(Kind.NOISE, Kind.UNKNOWN):
        return False
    if clause.own_modal or _has_need(clause):
        return False
    if clause.has(Kind.NOISE):
        return True
    return clause.signature.count(Kind.UNKNOWN) > 3 and not clause.has(Kind.VERB, Kind.IN)
