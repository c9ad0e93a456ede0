"""What of a model's answer is believed. A wish counts only when the hint bears it out; the others are dropped and counted.

- its words stand in the hint;
- each name stands in the hint, or is one of the cluster's that the hint has a word of ("rack three" is rack-3); of regions,
  which are also called by their continents, any that the cluster has;
- kinds of disks, networks and processors are among those that there are;
- a number is stated by digits or number words; one GPU also by "a GPU";
- intent, rank, scope and strength are among those that the intent may have.

The same check is made on what was stored, so that nobody gains by writing there. Linear in answer and hint.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

import msgspec

from berth_intent.backends.backend import MAX_ANSWER_BYTES, BackendError, Failure
from berth_intent.backends.json_in_text import json_object
from berth_intent.backends.meanings import ARCHS, NETWORK_FEATURES, STORAGE_TYPES
from berth_intent.conflicts import conflicts
from berth_intent.gpu_models import gpu_model
from berth_intent.intents import (
    AVOID_PLACES,
    OF_WORKLOADS,
    PREFER_PLACES,
    SCOPES,
    STRENGTHS,
    WITH_AMOUNT,
    WITH_VALUES,
    Intent,
    Level,
)
from berth_intent.language.gpu_names import in_vocabulary
from berth_intent.language.lexicon.numbers import HALVES, number_words
from berth_intent.language.normalise import fold
from berth_intent.mentioned import Words
from berth_intent.understood import MAX_HINT, Code, HintWarning, Preference, Rank, Understood
from berth_intent.vocabulary import NOTHING_KNOWN, Vocabulary

MAX_WISHES = 32
"""An answer with more is not believed at all."""
MAX_VALUES = 32
MAX_NAME = 253
MAX_AMOUNT = 1e7
MAX_UNPARSED = 8

_LEVELS = {intent: level for table in (PREFER_PLACES, AVOID_PLACES) for level, intent in table.items()}
_CLOSED = {
    Intent.PREFER_STORAGE_TYPE: STORAGE_TYPES,
    Intent.PREFER_NETWORK_FEATURE: NETWORK_FEATURES,
    Intent.PREFER_CPU_ARCH: ARCHS,
}
_NAMING = OF_WORKLOADS | frozenset(_LEVELS)
_OF_GPUS = (Intent.PREFER_GPU_MODEL, Intent.AVOID_GPU_MODEL)
_WORD = re.compile(r"[^\W\d_]+")


class Wish(msgspec.Struct, frozen=True):
    """As a model writes it, and as it is stored."""

    intent: str = ""
    values: tuple[str, ...] | None = ()
    amount: float | None = None
    rank: str | None = None
    scope: str | None = None
    strength: float = 1.0
    text: str = ""


class WishList(msgspec.Struct, frozen=True):
    preferences: tuple[msgspec.Raw, ...]
    unparsed: tuple[msgspec.Raw, ...] = ()


class Dropped(StrEnum):
    """Why a wish was not believed, as it stands in metrics."""

    SHAPE = "Shape"  # not a wish at all, or of no known intent
    NOT_IN_TEXT = "NotInText"  # its words do not stand in the hint
    UNKNOWN_VALUE = "UnknownValue"  # a name that neither the hint nor the cluster has, or no name where one belongs
    UNSTATED_AMOUNT = "UnstatedAmount"  # a number that the hint does not state
    STRENGTH = "Strength"  # none of the three


class Believed(msgspec.Struct, frozen=True):
    understood: Understood
    dropped: Counter[str]


class _NotBelievedError(Exception):
    def __init__(self, why: Dropped) -> None:
        super().__init__(why)
        self.why = why


def validated(text: str, hint: str, names: Vocabulary) -> Believed:
    """names: those that the hint was asked with. Raises BackendError when the answer as a whole is none."""
    if len(text) > MAX_ANSWER_BYTES:
        raise BackendError(Failure.TOO_LARGE, "the answer is longer than any answer can be")
    found = json_object(text)
    if found is None:
        raise BackendError(Failure.MALFORMED, "the answer has no JSON object in it")
    try:
        answer = msgspec.json.decode(found, type=WishList)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BackendError(Failure.MALFORMED, "the answer is not of the form that was asked for") from error
    if len(answer.preferences) > MAX_WISHES:
        raise BackendError(Failure.MALFORMED, f"the answer has more than {MAX_WISHES} wishes")
    dropped: Counter[str] = Counter()
    believed: list[Preference] = []
    reader = _Reader(hint[:MAX_HINT], names)
    for raw in answer.preferences:
        try:
            wish = reader.read(raw)
        except _NotBelievedError as error:
            dropped[error.why.value] += 1
            continue
        if not any(_same(wish, other) for other in believed):
            believed.append(wish)
    believed.sort(key=lambda wish: wish.start)
    settled = conflicts(believed)
    warnings = (*reader.unknown_names(believed), *settled.warnings)
    understood = Understood(tuple(believed), reader.unparsed(answer.unparsed), warnings, settled.overruled)
    return Believed(understood, dropped)


def as_wishes(preferences: Sequence[Preference]) -> tuple[Wish, ...]:
    """What is stored of them; reading it back goes through `validated` again."""
    return tuple(
        Wish(p.intent.value, p.values, p.amount, p.rank, p.scope.value if p.scope else None, p.strength, p.text)
        for p in preferences
    )


class _Reader:
    def __init__(self, hint: str, names: Vocabulary) -> None:
        self._hint = hint
        self._folded = fold(hint)
        self._names = names
        self._names_known = names != NOTHING_KNOWN
        self._words = Words(hint)

    def read(self, raw: msgspec.Raw) -> Preference:
        try:
            wish = msgspec.json.decode(raw, type=Wish)
            intent = Intent(wish.intent)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise _NotBelievedError(Dropped.SHAPE) from error
        start, text = self._where(wish.text)
        if wish.strength not in STRENGTHS:
            raise _NotBelievedError(Dropped.STRENGTH)
        amount, rank = self._measure(intent, wish, text)
        return Preference(
            intent, self._values(intent, wish), amount, rank, _scope(intent, wish.scope), wish.strength, text, start
        )

    def unparsed(self, given: Sequence[msgspec.Raw]) -> tuple[str, ...]:
        found = []
        for raw in given[:MAX_UNPARSED]:
            try:
                found.append(self._where(msgspec.json.decode(raw, type=str))[1])
            except (msgspec.MsgspecError, _NotBelievedError):
                continue
        return tuple(dict.fromkeys(found))

    def unknown_names(self, believed: Sequence[Preference]) -> list[HintWarning]:
        return [
            HintWarning(Code.UNKNOWN_NAME, f'The cluster has nothing by the name "{value}".')
            for wish in believed
            for value in wish.values
            if self._names_known and wish.intent in _NAMING and value not in self._known(wish.intent)
        ]

    def _where(self, text: str) -> tuple[int, str]:
        """Where these words stand, however spaced, and as they stand there."""
        words = text.split()
        if not words or len(text) > MAX_HINT:
            raise _NotBelievedError(Dropped.NOT_IN_TEXT)
        found = re.search(r"\s+".join(map(re.escape, words)), self._hint, re.IGNORECASE)
        if found is None:
            raise _NotBelievedError(Dropped.NOT_IN_TEXT)
        return found.start(), found.group()

    def _values(self, intent: Intent, wish: Wish) -> tuple[str, ...]:
        if intent not in WITH_VALUES:
            return ()
        given = wish.values or ()
        if not 0 < len(given) <= MAX_VALUES:
            raise _NotBelievedError(Dropped.UNKNOWN_VALUE)
        return tuple(dict.fromkeys(self._value(intent, value.strip()) for value in given))

    def _value(self, intent: Intent, value: str) -> str:
        if not value or len(value) > MAX_NAME or not value.isprintable():
            raise _NotBelievedError(Dropped.UNKNOWN_VALUE)
        if intent in _CLOSED:
            if value.lower() not in _CLOSED[intent]:
                raise _NotBelievedError(Dropped.UNKNOWN_VALUE)
            return value.lower()
        stands = self._stands(value)
        if intent in _OF_GPUS:
            short = in_vocabulary(gpu_model(value) or value, self._names.gpu_models)
            if stands or self._words.begins(short.partition("-")[0].lower()):
                return short
            raise _NotBelievedError(Dropped.UNKNOWN_VALUE)
        known = next((name for name in self._known(intent) if name.lower() == value.lower()), None)
        if stands:
            return known or value
        if known is None or not self._borne_out(intent, known):
            raise _NotBelievedError(Dropped.UNKNOWN_VALUE)
        return known

    def _stands(self, value: str) -> bool:
        """As a whole name, not as a part of another word or name."""
        name = re.escape(fold(value))
        return re.search(rf"(?<![\w-]){name}(?![\w-])", self._folded) is not None

    def _borne_out(self, intent: Intent, name: str) -> bool:
        if intent in OF_WORKLOADS:
            return self._words.share(name)
        return _LEVELS[intent] == Level.REGION or self._words.end(name)

    def _known(self, intent: Intent) -> tuple[str, ...]:
        names = self._names
        if intent in OF_WORKLOADS:
            return names.deployments
        of_level = {Level.REGION: names.regions, Level.ZONE: names.zones, Level.RACK: names.racks}
        level = _LEVELS.get(intent)
        return names.nodes if level == Level.NODE else of_level[level] if level is not None else ()

    def _measure(self, intent: Intent, wish: Wish, text: str) -> tuple[float | None, Rank | None]:
        if intent not in WITH_AMOUNT:
            return None, None
        amount = wish.amount
        if amount is None:
            return None, "high" if wish.rank == "high" else "low" if wish.rank == "low" else None
        if not (math.isfinite(amount) and 0 < amount <= MAX_AMOUNT):
            raise _NotBelievedError(Dropped.UNSTATED_AMOUNT)
        one = amount == 1 and intent in (Intent.PREFER_GPU, Intent.PREFER_TPU)
        if not (one or _states_a_number(text)):
            raise _NotBelievedError(Dropped.UNSTATED_AMOUNT)
        return amount, None


def _states_a_number(text: str) -> bool:
    folded = fold(text)
    if any(c.isdigit() for c in folded):
        return True
    return any(
        word in number_words() or word in HALVES or word in ("one", "uno", "eins") for word in _WORD.findall(folded)
    )


def _scope(intent: Intent, given: str | None) -> Level | None:
    """Of an intent's scopes; what is none of them counts as not said."""
    scopes = SCOPES.get(intent, (None,))
    return next((scope for scope in scopes if scope is not None and scope.value == given), scopes[0])


def _same(one: Preference, other: Preference) -> bool:
    return (one.intent, one.values, one.scope, one.start) == (other.intent, other.values, other.scope, other.start)
