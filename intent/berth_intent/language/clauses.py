"""Where one wish ends and the next begins.

A sentence falls into clauses at commas, conjunctions, words of contrast and cause, and where an operator follows an object
("near redis avoid rack-4"). How strongly each is meant, `moods` settles.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from berth_intent.language.clause import OBJECTS, Clause
from berth_intent.language.kinds import Item, Kind
from berth_intent.language.moods import attached, inherit, weigh
from berth_intent.language.topology import US

MAX_CLAUSE = 40
"""Items; what is longer is cut, so that work grows with the text and not with its square."""
_BREAKS = (Kind.COMMA, Kind.AND, Kind.OR, Kind.BUT, Kind.CAUSE, Kind.IF, Kind.LIMIT)
_RANKED = (Kind.BUT, Kind.CAUSE, Kind.IF, Kind.LIMIT, Kind.OR, Kind.AND, Kind.COMMA)
"""Of several in a row, the first of these is what the break is."""
_OPENING = frozenset((
    Kind.AVOID, Kind.SPREAD, Kind.TOGETHER, Kind.NEAR, Kind.SAME, Kind.OTHER, Kind.NOT, Kind.EXCEPT, Kind.INSTEAD,
    Kind.VERB, Kind.NO_NEED, Kind.MODAL, Kind.SURVIVE,
))  # fmt: skip
"""Operators that begin a clause of their own after an object, when they have another object."""
_ADVERBS = frozenset((
    "also", "then", "additionally", "ademas", "tambien", "ausserdem", "zudem", "zusatzlich", "ebenso", "ferner",
))  # fmt: skip
"""Words between wishes which, right after a modality, only continue it: "you must also spread"."""


def sentences(items: Sequence[Item]) -> Iterator[tuple[list[Item], Item | None]]:
    """Items up to a full stop, with the sign that ends them."""
    sentence: list[Item] = []
    for item in items:
        if item.kind in (Kind.STOP, Kind.ASK):
            yield sentence, item
            sentence = []
        else:
            sentence.append(item)
    yield sentence, None


def clauses(sentence: Sequence[Item]) -> list[Clause]:
    """Those of one sentence, their strength settled."""
    found = _parted(sentence)
    for clause in found:
        weigh(clause)
    found = attached(found)
    inherit(found)
    return found


def _parted(sentence: Sequence[Item]) -> list[Clause]:
    found: list[Clause] = []
    current: list[Item] = []
    lead = ""
    apart = False
    inverted = bool(sentence) and (sentence[0].kind == Kind.FAILURE or sentence[0].word in _SHOULD)
    conditional = inverted and _tells_a_failure(sentence, 0)
    for at, item in enumerate(sentence):
        if len(current) >= MAX_CLAUSE:
            found.append(Clause(current, lead))
            current, lead = [], Kind.COMMA
        if item.kind in (Kind.IF, Kind.LIMIT) and _tells_a_failure(sentence, at):
            conditional = True
            continue
        if item.kind == Kind.COMMA and conditional and Kind.SURVIVE not in {i.kind for i in current}:
            conditional = False
            continue
        if item.kind == Kind.BUT and conditional:
            continue  # "wenn eine Zone ausfällt, müssen wir trotzdem weiterlaufen"
        if item.kind == Kind.COMMA and current and current[-1].kind == Kind.LEVEL and _is_relative(sentence, at):
            continue
        if item.word in _ADVERBS and current and current[-1].kind == Kind.MODAL:
            continue
        if item.kind == Kind.AND and _with_us(sentence, at):
            current.append(item)
            continue
        if item.word in ("aber", "jedoch") and current and all(i.kind == Kind.NOT for i in current):
            continue  # "auf keinen Fall aber in rack-4"
        if item.kind in _BREAKS and not (item.kind == Kind.AND and _is_joint(sentence, at)):
            if current:
                found.append(_closed(current, lead, apart))
                current, lead, apart = [], item.kind, item.kind == Kind.COMMA
            else:
                lead = min(lead or item.kind, item.kind, key=_RANKED.index)
                apart = apart or item.kind == Kind.COMMA
            continue
        if item.kind == Kind.COLON and current and _wishes_follow(sentence, at):
            found.append(Clause(current, lead))
            current, lead = [], Kind.LIMIT
            continue
        if current and _begins_anew(sentence, at, current):
            found.append(Clause(current, lead))
            current, lead = [], ""
        current.append(item)
    if current:
        found.append(_closed(current, lead, apart))
    return found


def _closed(items: list[Item], lead: str, apart: bool) -> Clause:
    clause = Clause(items, lead)
    clause.apart = apart
    return clause


def _is_relative(sentence: Sequence[Item], at: int) -> bool:
    """ "auf den Host, auf dem redis läuft"."""
    after = [item.kind for item in sentence[at + 1 : at + 4]]
    return after[:1] == [Kind.WHERE] and Kind.WORKLOAD in after


_NOBODY = frozenset(("nobody", "no one", "niemand", "nadie"))
_BEFORE_OBJECTS = frozenset((Kind.AS, Kind.MODAL, Kind.NUMBER, Kind.ONE, Kind.HIGH, Kind.LOW))


def _wishes_follow(sentence: Sequence[Item], at: int) -> bool:
    """ "budget is tight: use spot": behind the colon a verb, and before it one too or nothing that is wished."""
    following = [item for item in sentence[at + 1 : at + 5] if item.kind not in _BEFORE_OBJECTS]
    if not following or any(item.kind == Kind.MODAL for item in sentence[max(0, at - MAX_CLAUSE) : at]):
        return False
    first = following[0]
    here = [item.kind for item in sentence[max(0, at - MAX_CLAUSE) : at]]
    wished = any(kind in OBJECTS for kind in here) and (Kind.AVOID in here or Kind.VERB in here)
    if (
        wished
        and first.kind == Kind.ARTICLE
        and any(item.kind == Kind.UNKNOWN for item in sentence[at : at + MAX_CLAUSE])
    ):
        return True  # "keep it off spot: a lost checkpoint costs us two days"
    if Kind.NO_NEED in here:
        return True
    told = any(item.kind == Kind.PAST for item in itertools.takewhile(_goes_on, sentence[at + 1 : at + MAX_CLAUSE]))
    if wished and told and first.kind in (Kind.UNKNOWN, Kind.SELF):
        return True  # "I need to be in us-east-1c: my volume was created there"
    if wished and first.word in _NOBODY:
        return True  # "use spot: nobody will notice"
    if first.kind == Kind.NOT:
        return any(item.kind == Kind.VERB for item in following)
    if Kind.NOISE in here:
        return first.kind in OBJECTS or first.verb
    return first.kind in (Kind.VERB, Kind.AVOID, Kind.SPREAD) and first.verb


def _goes_on(item: Item) -> bool:
    return item.kind not in _BREAKS


def _tells_a_failure(sentence: Sequence[Item], at: int) -> bool:
    """ "stay up when a rack dies" is one thought."""
    before = next((i for i in range(at - 1, -1, -1) if sentence[i].kind in _BREAKS), -1)
    after = next((i for i in range(at + 1, len(sentence)) if sentence[i].kind in _BREAKS), len(sentence))
    failing = [item.kind for item in sentence[before + 1 : after] if item.kind in (Kind.FAILURE, Kind.LEVEL)]
    return Kind.FAILURE in failing and Kind.LEVEL in failing


_SHOULD = frozenset(("should", "sollte", "sollten", "were"))


def _with_us(sentence: Sequence[Item], at: int) -> bool:
    """ "kafka and us on one node"."""
    if not 0 < at < len(sentence) - 1:
        return False
    before, after = sentence[at - 1], sentence[at + 1]
    kinds = {before.kind, after.kind}
    return kinds == {Kind.WORKLOAD, Kind.SELF} and (before.word in US or after.word in US)


def _is_joint(sentence: Sequence[Item], at: int) -> bool:
    """ "between 8 and 16", "one and the same"."""
    return 0 < at < len(sentence) - 1 and sentence[at - 1].kind == Kind.NUMBER == sentence[at + 1].kind


def _begins_anew(sentence: Sequence[Item], at: int, current: Sequence[Item]) -> bool:
    item = sentence[at]
    last = current[-1]
    if item.kind == Kind.IN and last.kind == Kind.WORKLOAD and at + 1 < len(sentence):
        return sentence[at + 1].kind == Kind.PLACE
    if item.kind == Kind.IN and at + 1 < len(sentence) and sentence[at + 1].kind == Kind.PLACE:
        return last.kind == Kind.LEVEL and any(i.kind == Kind.SPREAD for i in current)
    if item.kind not in _OPENING or not _is_whole(current):
        return False
    if item.kind == Kind.NOT and [i.kind for i in current[:3]] == [Kind.AS, Kind.WORKLOAD, Kind.VERB]:
        return False  # "mit batch-etl sollte er nicht auf einem Knoten landen"
    if item.kind == Kind.AVOID and not item.verb and [i.kind for i in current] == [Kind.VERB, Kind.WORKLOAD]:
        return False  # "keep logging-agent off our nodes"
    if item.kind == Kind.VERB and (
        item.payload in ("be", "have")
        or all(i.kind in (Kind.WORKLOAD, Kind.AND, Kind.SELF, Kind.SPREAD, Kind.AS) for i in current)
    ):
        return False
    if (item.kind == Kind.MODAL and item.payload == "after") or (last.kind == Kind.VERB and last.payload == "be"):
        return False
    if last.kind in (Kind.NOT, Kind.MODAL, Kind.VERB, Kind.AVOID, Kind.EXCEPT, Kind.PAST) and item.kind != Kind.MODAL:
        return False
    if item.kind in (Kind.SAME, Kind.OTHER) and last.kind in (Kind.IN, Kind.AS, Kind.SHARE, Kind.ONE):
        return False
    if item.kind == Kind.OTHER and last.kind == Kind.ARTICLE:
        return False
    for other in sentence[at + 1 :]:
        if other.kind in _BREAKS:
            return False
        if other.kind in OBJECTS or other.kind == Kind.LEVEL:
            return True
    return False


def _is_whole(items: Sequence[Item]) -> bool:
    """Something is said already: an object, or a noun of place with its operator."""
    operated = False
    for item in items:
        if item.kind in OBJECTS:
            return True
        if item.kind in (Kind.SPREAD, Kind.SAME, Kind.OTHER, Kind.ONE, Kind.EACH, Kind.FEW):
            operated = True
        elif item.kind == Kind.LEVEL and operated:
            return True
    return False
