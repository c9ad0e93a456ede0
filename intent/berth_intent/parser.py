"""Text to intents. `parse(text, vocabulary)` is the whole interface: deterministic, linear in the text, no I/O.

The text is normalised, read into items with the lexicon of its language and the names of the vocabulary, cut into clauses, and
each clause read by a small grammar. A vocabulary is prepared once and remembered, a few of them.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from berth_intent.conflicts import conflicts
from berth_intent.intents import SPREAD, WITH_AMOUNT, WITH_VALUES, Intent
from berth_intent.language.draft import Draft
from berth_intent.language.gpu_names import in_vocabulary
from berth_intent.language.grammar import read
from berth_intent.language.items import Reader
from berth_intent.language.kinds import Item
from berth_intent.language.lexicon.compiled import language_of, lexicon
from berth_intent.language.names import Names, looks_like
from berth_intent.language.naming import name_places
from berth_intent.language.normalise import Normal, normalise
from berth_intent.remarks import about_names, about_wording, spelling
from berth_intent.understood import MAX_HINT, Code, HintWarning, Preference, Understood
from berth_intent.vocabulary import NOTHING_KNOWN, Vocabulary

_SENTENCE_END = re.compile(r"[.!?;\n]+(?=\s|$)")
_CHUNK = re.compile(r"[^\s,.;:!?()\"'/]+")
MAX_VOCABULARIES = 8
MAX_COMPARED = 16
"""Earlier wishes of one intent that a wish may be a repetition of."""
_MERGED = frozenset(
    (
        *SPREAD.values(),
        Intent.PREFER_COLOCATE_SAME_DEPLOYMENT,
        Intent.PREFER_NEARBY_NODES_SAME_DEPLOYMENT,
        Intent.AVOID_GPU,
        Intent.PREFER_SPOT,
        Intent.AVOID_SPOT,
        Intent.PREFER_LEAST_LOADED,
        Intent.PREFER_MOST_PACKED,
        Intent.PREFER_CACHED_MODEL,
    )
)
"""Said twice they are one wish."""


class _Prepared:
    """Names of the vocabularies that were seen last. Keeps them alive, so that an identity means one vocabulary."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, Names] = OrderedDict()

    def of(self, vocabulary: Vocabulary) -> Names:
        found = self._kept.get(id(vocabulary))
        if found is None or found.vocabulary is not vocabulary:
            found = self._kept[id(vocabulary)] = Names(vocabulary)
            while len(self._kept) > MAX_VOCABULARIES:
                self._kept.popitem(last=False)
        return found


_prepared = _Prepared()


def parse(text: str, vocabulary: Vocabulary = NOTHING_KNOWN) -> Understood:
    """Never raises for any text; what is past `MAX_HINT` characters is not read, and a warning says so."""
    warnings: list[HintWarning] = []
    if len(text) > MAX_HINT:
        warnings.append(
            HintWarning(Code.TOO_LONG, f"The first {MAX_HINT} characters of {len(text)} were read. Shorten the hint.")
        )
        text = text[:MAX_HINT]
    normal = normalise(text)
    names = _prepared.of(vocabulary)
    items: list[Item] = []
    corrected: list[tuple[str, str]] = []
    for start, end, language in _stretches(normal.text, names):
        reader = Reader(lexicon(language), names, normal)
        items += reader.items(start, end)
        corrected += reader.corrected
    items = name_places(items, names)
    reading = read(items)
    preferences = tuple(_preference(draft, normal, vocabulary) for draft in _merged(reading.drafts))
    unparsed = tuple(normal.written(start, end) for start, end in reading.unparsed)
    settled = conflicts(preferences)
    warnings += spelling(corrected)
    warnings += about_names(preferences, names)
    warnings += about_wording(reading, normal, unparsed)
    return Understood(preferences, unparsed, (*warnings, *settled.warnings), settled.overruled)


def _stretches(text: str, names: Names) -> list[tuple[int, int, str]]:
    """Stretches of the text of one language each: of sentences, where they differ."""
    whole = language_of(_words(text, names))
    found: list[tuple[int, int, str]] = []
    start = 0
    for end in (*(match.end() for match in _SENTENCE_END.finditer(text)), len(text)):
        language = language_of(_words(text[start:end], names), whole) if end - start < len(text) else whole
        if found and found[-1][2] == language:
            found[-1] = (found[-1][0], end, language)
        else:
            found.append((start, end, language))
        start = end
    return found


def _words(text: str, names: Names) -> list[str]:
    """Words that tell the language: names do not."""
    found: list[str] = []
    for chunk in _CHUNK.findall(text):
        if chunk.isalpha():
            found.append(chunk)
        elif "-" in chunk and not (names.whole(chunk) or looks_like(chunk) or lexicon("en").lists(chunk)):
            found += (part for part in chunk.split("-") if part.isalpha())
    return found


def _merged(drafts: Sequence[Draft]) -> list[Draft]:
    """Each wish once: repetitions are one, and a second amount of the same thing in a sentence only elaborates."""
    kept: dict[Intent, list[Draft]] = {}
    for draft in drafts:
        alike = kept.setdefault(draft.intent, [])
        same = next((other for other in alike[-MAX_COMPARED:] if _is_same(other, draft)), None)
        if same is None:
            alike.append(draft)
            continue
        if draft.amount is not None and same.amount is None:
            same.amount, same.rank = draft.amount, None
        if draft.intent in _MERGED and draft.explicit and (not same.explicit or draft.strength > same.strength):
            same.strength, same.explicit = draft.strength, True
        same.scope = same.scope or draft.scope
        if draft.intent in WITH_VALUES:
            same.values = tuple(dict.fromkeys((*same.values, *draft.values)))
    return _in_order(draft for alike in kept.values() for draft in alike)


def _in_order(drafts: Iterable[Draft]) -> list[Draft]:
    """As their objects stand in the text; of two that share words, the later one begins no earlier."""
    ordered = sorted(drafts, key=lambda draft: (draft.anchor, draft.start))
    start = 0
    for draft in ordered:
        start = draft.start = min(max(draft.start, start), draft.end - 1)
    return ordered


def _is_same(one: Draft, other: Draft) -> bool:
    if one.intent in _MERGED:
        return True
    if one.intent in WITH_AMOUNT:
        return (
            one.sentence == other.sentence or one.amount is None or other.amount is None or one.amount == other.amount
        )
    if one.values == other.values and (one.scope == other.scope or _tells_scope(one, other)):
        return True
    return (
        one.sentence == other.sentence
        and one.scope == other.scope
        and one.strength == other.strength
        and not other.verb
    )


def _tells_scope(one: Draft, other: Draft) -> bool:
    """ "close to kafka, in the same zone as kafka"."""
    near = (
        one.intent == Intent.PREFER_NEARBY_DEPLOYMENTS
        and one.sentence == other.sentence
        and one.strength == other.strength
    )
    return near and (one.scope is None or other.scope is None)


def _preference(draft: Draft, normal: Normal, vocabulary: Vocabulary) -> Preference:
    start, end = normal.span(draft.start, draft.end)
    values = draft.values
    if draft.intent in (Intent.PREFER_GPU_MODEL, Intent.AVOID_GPU_MODEL):
        values = tuple(dict.fromkeys(in_vocabulary(value, vocabulary.gpu_models) for value in values))
    return Preference(
        draft.intent,
        values,
        draft.amount,
        draft.rank if draft.amount is None else None,
        draft.scope,
        draft.strength,
        normal.original[start:end],
        start,
    )
