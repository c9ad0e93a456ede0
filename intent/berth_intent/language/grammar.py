"""From the items of a hint to what it wishes, sentence by sentence and clause by clause.

First what makes no wish is taken out: questions, instructions to a machine, manifests, stories, what is not needed. Then each
clause is asked for workloads, places, our own replicas and resources.
"""

from __future__ import annotations

from collections.abc import Sequence

from berth_intent.language.clause import OPERATORS, Clause
from berth_intent.language.clauses import clauses, sentences
from berth_intent.language.descriptions import describes, is_about_other_things, is_only_mentioned
from berth_intent.language.draft import Draft
from berth_intent.language.kinds import Item, Kind
from berth_intent.language.memory import Memory
from berth_intent.language.moods import is_mood
from berth_intent.language.named_places import places
from berth_intent.language.no_need import is_indifferent, is_needed, says_nothing
from berth_intent.language.other_workloads import narrows, workloads
from berth_intent.language.pointing import pointed
from berth_intent.language.resources import resources
from berth_intent.language.siblings import own_replicas
from berth_intent.language.statements import is_heading_of_noise, is_hearsay, is_statement

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
        if is_hearsay(sentence):
            continue
        if not sentence:
            if end is not None and end.word == "\n" and heading is not None and number and not reading.drafts:
                heading = None
            continue
        found = clauses(sentence)
        if end is not None and end.kind == Kind.ASK and end.payload == "question":
            for clause in found:
                memory.note(clause, wished=False)
            continue
        if len(found) == 1 and ((found[0].own_modal and not found[0].objects) or is_mood(found[0])):
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
    suppressed = stated = headed = told = False
    for at, clause in enumerate(found):
        goes_on = clause.lead in (Kind.COMMA, Kind.AND, Kind.OR) and not clause.verb and not clause.own_modal
        goes_on = goes_on and not clause.has(*OPERATORS)
        headed = is_heading_of_noise(clause) or (headed and goes_on)
        stated = headed or is_statement(clause) or (stated and _belongs_to_statement(clause, goes_on))
        told = (told and _goes_on_telling(clause)) or (clause.has(Kind.PAST) and says_nothing(clause))
        if (
            stated
            or told
            or says_nothing(clause)
            or is_only_mentioned(found, at)
            or is_indifferent(found, at)
            or _is_neither(found, at)
            or (suppressed and goes_on and not (clause.apart and clause.lead == Kind.AND) and _list_goes_on(found, at))
        ):
            suppressed = True
            memory.note(clause, wished=False)
            continue
        suppressed = False
        if goes_on and at and clause.lead == Kind.OR:
            clause = _still_negated(clause, found[at - 1])
        last = reading.drafts[-1] if reading.drafts and reading.drafts[-1].sentence == number else None
        drafts = _wishes(clause, memory, last)
        for draft in drafts:
            draft.strength, draft.explicit = clause.strength, clause.modal is not None
            draft.clause, draft.sentence = len(reading.drafts), number
            draft.verb = clause.verb or clause.own_modal
        memory.note(clause, wished=bool(drafts))
        if any(kind in clause.signature for kind in _TOPOLOGICAL) or Kind.NOT in clause.signature:
            memory.operators = clause.signature
            memory.level = next((item for item in clause.items if item.kind == Kind.LEVEL), None)
        elif not goes_on:
            memory.operators = ""
        _remark(found, at, drafts, reading)
        reading.drafts += drafts


def _remark(found: Sequence[Clause], at: int, drafts: Sequence[Draft], reading: Reading) -> None:
    clause = found[at]
    span = (clause.items[0].start, clause.items[-1].end)
    if drafts:
        intents = {draft.intent for draft in drafts}
        if clause.lead == Kind.OR and at and reading.drafts and reading.drafts[-1].intent not in intents:
            reading.alternatives.append((found[at - 1].items[0].start, span[1]))
    elif clause.has(Kind.NOISE) or not clause.has(*_TOPOLOGICAL, Kind.PLACE):
        return
    elif clause.has(Kind.AVOID, Kind.TOGETHER, Kind.NEAR) and not clause.has(Kind.PLACE, Kind.LEVEL, Kind.WORKLOAD):
        reading.no_target.append(span)
    elif clause.has(Kind.PLACE, Kind.LEVEL, Kind.WORKLOAD):
        reading.unparsed.append(span)


def _still_negated(clause: Clause, before: Clause) -> Clause:
    """ "neither GPU nodes nor spot": after an "or" the negation goes on."""
    negation = next((item for item in before.items if item.kind == Kind.NOT), None)
    if negation is None or clause.has(Kind.PLACE, Kind.WORKLOAD, Kind.QUANTITY, Kind.NUMBER):
        return clause
    whole = Clause([negation, *clause.items], clause.lead)
    whole.strength, whole.modal, whole.apart = clause.strength, clause.modal, clause.apart
    return whole


def _belongs_to_statement(clause: Clause, goes_on: bool) -> bool:
    """ "the chart puts redis | next to web", "the cluster has 3 regions | , 13 zones", "it has two sockets | , 512 GB"."""
    return (clause.lead == "" and not clause.verb) or (goes_on and clause.signature[0] in (Kind.NUMBER, Kind.QUANTITY))


def _goes_on_telling(clause: Clause) -> bool:
    """ "they lived in eu-west-1b | , right next to kafka"."""
    return clause.lead == Kind.COMMA and clause.signature[0] == Kind.NEAR and not clause.verb and not clause.own_modal


def _is_neither(found: Sequence[Clause], at: int) -> bool:
    """ "neither a GPU nor an SSD is needed": the end tells that the beginning is no wish."""
    clause, after = found[at], found[at + 1] if at + 1 < len(found) else None
    if after is not None and after.lead == Kind.OR and is_needed(after) and clause.has(Kind.NOT):
        return True
    return clause.lead == Kind.OR and at > 0 and is_needed(clause) and found[at - 1].has(Kind.NOT)


def _list_goes_on(found: Sequence[Clause], at: int) -> bool:
    """ "no need for a GPU, SSD or fast network": after a comma only when an "or" follows."""
    if found[at].lead != Kind.COMMA:
        return True
    return any(later.lead == Kind.OR for later in found[at + 1 : at + 3])


def _wishes(clause: Clause, memory: Memory, before: Draft | None) -> list[Draft]:
    other = workloads(clause, memory)
    if not other and clause.lead != Kind.CAUSE and not clause.has(Kind.PLACE, Kind.WORKLOAD):
        other = pointed(clause, memory)
    found = list(other)
    if not other and before is not None and narrows(clause, before):
        return []
    if not other:
        found += own_replicas(clause, memory)
    if clause.has(Kind.PLACE) and not describes(clause) and not other:
        found += places(clause, memory)
    if not is_about_other_things(clause):
        found += resources(clause, before, memory.model_named)
    return found
