"""Where one wish ends and the next begins, and how strongly each is meant.

A sentence falls into clauses at commas, conjunctions, words of contrast and cause, and where an operator follows an object
("near redis avoid rack-4"). A clause has the modality of its own words; one without takes over that of the clause before it,
when it only continues its list. A clause of nothing but a modality ("if possible", "this is vital") belongs to its neighbour.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from berth_intent.intents import PLAIN, STRONG, WEAK
from berth_intent.language.kinds import Item, Kind

MAX_CLAUSE = 40
"""Items; what is longer is cut, so that work grows with the text and not with its square."""
_BREAKS = (Kind.COMMA, Kind.AND, Kind.OR, Kind.BUT, Kind.CAUSE, Kind.IF, Kind.LIMIT)
_RANKED = (Kind.BUT, Kind.CAUSE, Kind.IF, Kind.LIMIT, Kind.OR, Kind.AND, Kind.COMMA)
"""Of several in a row, the first of these is what the break is."""
OBJECTS = frozenset((
    Kind.PLACE, Kind.WORKLOAD, Kind.GPU, Kind.GPU_MODEL, Kind.TPU, Kind.STORAGE, Kind.FEATURE, Kind.ARCH, Kind.SPOT,
    Kind.ON_DEMAND, Kind.QUANTITY, Kind.IDLE, Kind.PACKED, Kind.CACHED, Kind.RESOURCE,
))  # fmt: skip
"""What a wish can be about by itself."""
_NOUNS = OBJECTS | {Kind.LEVEL, Kind.SELF, Kind.UNKNOWN, Kind.BUSY, Kind.EMPTY, Kind.IT}
_OPENING = frozenset((
    Kind.AVOID, Kind.SPREAD, Kind.TOGETHER, Kind.NEAR, Kind.SAME, Kind.OTHER, Kind.NOT, Kind.EXCEPT, Kind.INSTEAD,
    Kind.VERB, Kind.NO_NEED, Kind.MODAL, Kind.SURVIVE,
))  # fmt: skip
"""Operators that begin a clause of their own after an object, when they have another object."""
OPERATORS = frozenset((
    Kind.AVOID, Kind.SPREAD, Kind.TOGETHER, Kind.NEAR, Kind.SAME, Kind.OTHER, Kind.NOT, Kind.EXCEPT, Kind.INSTEAD,
    Kind.SURVIVE, Kind.SHARE, Kind.WHERE, Kind.NO_NEED,
))  # fmt: skip
_ADVERBS = frozenset((
    "also", "then", "additionally", "ademas", "tambien", "ausserdem", "zudem", "zusatzlich", "ebenso", "ferner",
))  # fmt: skip
"""Words between wishes which, right after a modality, only continue it: "you must also spread"."""
_EMPTY_WORDS = frozenset(
    (Kind.MODAL, Kind.IT, Kind.SELF, Kind.VERB, Kind.COLON, Kind.GOOD, Kind.ARTICLE, Kind.AS, Kind.IN)
)


class Clause:
    """A stretch of items with one wish, or several of one kind."""

    __slots__ = ("apart", "items", "lead", "modal", "own_modal", "signature", "strength", "verb")

    def __init__(self, items: list[Item], lead: str) -> None:
        self.items = items
        self.lead = lead
        self.signature = "".join(item.kind for item in items)
        self.strength: float = PLAIN
        self.modal: Item | None = None
        self.verb = False
        self.own_modal = False
        self.apart = False
        """A comma stands before it, whatever else does."""

    def has(self, *kinds: str) -> bool:
        return any(kind in self.signature for kind in kinds)

    def first(self, *kinds: str) -> int:
        """Where the first item of one of these kinds is; beyond the end when there is none."""
        return next((at for at, item in enumerate(self.items) if item.kind in kinds), len(self.items))

    @property
    def objects(self) -> bool:
        return any(item.kind in _NOUNS for item in self.items)

    def __repr__(self) -> str:
        return f"<{self.lead} {self.signature} {self.strength}>"


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
        _weigh(clause)
    found = _attached(found)
    _inherit(found)
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


def _wishes_follow(sentence: Sequence[Item], at: int) -> bool:
    """ "budget is tight: use spot": behind the colon a verb, and before it one too or nothing that is wished."""
    following = [item for item in sentence[at + 1 : at + 5] if item.kind not in (Kind.AS, Kind.MODAL)]
    if not following or any(item.kind == Kind.MODAL for item in sentence[:at]):
        return False
    first = following[0]
    here = [item.kind for item in sentence[max(0, at - MAX_CLAUSE) : at]]
    wished = any(kind in OBJECTS for kind in here) and (Kind.AVOID in here or Kind.VERB in here)
    if wished and first.kind == Kind.ARTICLE and any(item.kind == Kind.UNKNOWN for item in sentence[at:]):
        return True  # "keep it off spot: a lost checkpoint costs us two days"
    if Kind.NO_NEED in here:
        return True
    if first.kind == Kind.NOT:
        return any(item.kind == Kind.VERB for item in following)
    if any(item.kind == Kind.NOISE for item in sentence[:at]):
        return first.kind in OBJECTS or first.verb
    return first.kind in (Kind.VERB, Kind.AVOID, Kind.SPREAD) and first.verb


def _tells_a_failure(sentence: Sequence[Item], at: int) -> bool:
    """ "stay up when a rack dies" is one thought."""
    before = next((i for i in range(at - 1, -1, -1) if sentence[i].kind in _BREAKS), -1)
    after = next((i for i in range(at + 1, len(sentence)) if sentence[i].kind in _BREAKS), len(sentence))
    failing = [item.kind for item in sentence[before + 1 : after] if item.kind in (Kind.FAILURE, Kind.LEVEL)]
    return Kind.FAILURE in failing and Kind.LEVEL in failing


_SHOULD = frozenset(("should", "sollte", "sollten", "were"))
_US = frozenset(("us", "we", "me", "i", "uns", "wir", "nosotros"))


def _with_us(sentence: Sequence[Item], at: int) -> bool:
    """ "kafka and us on one node"."""
    if not 0 < at < len(sentence) - 1:
        return False
    before, after = sentence[at - 1], sentence[at + 1]
    kinds = {before.kind, after.kind}
    return kinds == {Kind.WORKLOAD, Kind.SELF} and (before.word in _US or after.word in _US)


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


def _weigh(clause: Clause) -> None:
    """The strongest of its own words; a strong word that is negated is weak."""
    strengths: list[float] = []
    kept: list[Item] = []
    for item in clause.items:
        if item.strength is not None:
            negated = kept and kept[-1].kind == Kind.NOT and item.kind == Kind.MODAL and item.strength == STRONG
            if negated and kept[-1].strength is None and item.word not in ("must", "only"):
                kept.pop()
                item.strength = WEAK
            strengths.append(item.strength)
            if item.kind == Kind.MODAL and (clause.modal is None or item.strength > (clause.modal.strength or 0)):
                clause.modal = item
        clause.verb = clause.verb or item.verb
        kept.append(item)
    if len(kept) != len(clause.items):
        clause.items = kept
        clause.signature = "".join(item.kind for item in kept)
    if strengths:
        clause.strength = max(strengths)
        clause.modal = clause.modal or next(item for item in clause.items if item.strength is not None)
        clause.own_modal = True


def is_mood(clause: Clause) -> bool:
    """Nothing but how something is meant."""
    if clause.modal is None:
        return False
    if (
        clause.items[0].word in _THAT_IS
        and clause.modal.word not in _MERELY
        and not clause.has(*OBJECTS, Kind.LEVEL, Kind.SELF, Kind.NOT)
    ):
        return True  # "that's forbidden by PCI", "it's essential for failover"
    forbids = clause.has(Kind.IT) and not clause.has(Kind.NOT)  # "legal forbids it"
    if any(item.word in _THERE for item in clause.items) and clause.verb:
        return False
    there = _LANDS_THERE.search(clause.signature)
    if there is not None and clause.items[there.start()].verb:
        return False
    return all(
        item.kind in _EMPTY_WORDS
        or (forbids and (item.kind == Kind.UNKNOWN or (item.kind == Kind.AVOID and item.strength)))
        for item in clause.items
    )


_MERELY = frozenset(("only", "purely", "solely"))
_THERE = frozenset(("there", "dort", "dorthin", "dahin", "alli", "ahi"))
_THAT_IS = frozenset(("that's", "it's"))
_LANDS_THERE = re.compile("vi?p$|vyi?p$")
""" "must land on that machine", "has to run there": it points to a place."""


def _attached(found: list[Clause]) -> list[Clause]:
    """Clauses of nothing but a modality go to the clause that they are about."""
    result: list[Clause] = []
    pending: Clause | None = None
    for at, clause in enumerate(found):
        if is_mood(clause):
            modal = clause.modal
            assert modal is not None
            following = at + 1 < len(found)
            backward = (
                bool(result)
                and not (clause.lead == Kind.AND and following and clause.items[0].word not in _THAT_IS)
                and (modal.payload != "before" or not following)
                and not (following and found[at + 1].lead == Kind.BUT and found[at + 1].modal is None)
            )
            if backward and result[-1].modal is None:
                _lend(result, clause)
            elif following:
                pending = clause
            elif result:
                _lend(result, clause)
            else:
                result.append(clause)
            continue
        if pending is not None and clause.modal is None:
            clause.strength, clause.modal = pending.strength, pending.modal
            if clause.lead in (Kind.COMMA, Kind.IF):
                clause.lead = pending.lead
        pending = None
        result.append(clause)
    return result


def _lend(result: list[Clause], mood: Clause) -> None:
    result[-1].strength, result[-1].modal = mood.strength, mood.modal


def _inherit(found: list[Clause]) -> None:
    """A modality before a list holds for the list; one after a bare list, "X and Y would be nice", for all of it."""
    for before, clause in itertools.pairwise(found):
        if clause.modal is not None or clause.verb or before.modal is None or clause.has(Kind.EXCEPT, Kind.INSTEAD):
            continue
        if before.modal.kind == Kind.NOT and clause.has(
            Kind.QUANTITY, Kind.RESOURCE, Kind.IDLE, Kind.PACKED, Kind.ARTICLE
        ):
            continue
        if clause.lead in (Kind.COMMA, Kind.AND, Kind.OR, "") and _leads(before):
            clause.strength, clause.modal = before.strength, before.modal
    for at in range(len(found) - 1, 0, -1):
        clause, before = found[at], found[at - 1]
        if (
            clause.modal is not None
            and clause.lead in (Kind.AND, Kind.OR)
            and not clause.apart
            and before.modal is None
            and not before.verb
            and not _leads(clause)
            and not before.has(Kind.IN, Kind.NOT)
        ):
            before.strength, before.modal = clause.strength, clause.modal


def _leads(clause: Clause) -> bool:
    """The modality stands before what is wished."""
    modal = clause.modal
    if modal is None:
        return False
    if modal not in clause.items:
        return modal.payload == "before" or modal.start < clause.items[0].start
    first = next((item for item in clause.items if item.kind in _NOUNS and item.kind not in (Kind.SELF, Kind.IT)), None)
    return first is None or modal.start < first.start
