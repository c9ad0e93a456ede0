"""What a language model made of hints, as it is kept and used: beside the parser, never instead of it.

Answers lie in a ConfigMap, one entry each, by `text_key` and the names that the text may mean (`mentioned`). `Improvements` reads
them: it believes nothing that `validated` does not, again on each reading, and adds to the parser's wishes those that come from
stretches which the parser left open. So an answer can never take back or change what was understood without it.

A text without an answer costs a hash, 2 us; one with an answer 0.1 ms besides the parse, once, for callers remember readings, and
the first one of new names what preparing those costs (`mentioned`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from hashlib import blake2b

import msgspec

from berth_intent.backends.backend import BackendError
from berth_intent.backends.validated import Wish, as_wishes, validated
from berth_intent.conflicts import conflicts
from berth_intent.mentioned import MentionedNames, fingerprint
from berth_intent.parser import parse
from berth_intent.understood import Code, HintWarning, Preference, Understood
from berth_intent.vocabulary import Vocabulary

SCHEMA_VERSION = 1
"""Of questions and entries: answers to others are not used."""
MAX_ENTRY_BYTES = 16 * 1024

_KEY = re.compile(r"[0-9a-f]{32}\.[0-9a-f]{16}")


class StoredAnswer(msgspec.Struct, frozen=True):
    preferences: tuple[Wish, ...] = ()
    unparsed: tuple[str, ...] = ()


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is kept of one answer."""

    at: int
    """Unix seconds, by the clock of who asked: which go first when there is no room."""
    model: str
    answer: StoredAnswer


def text_key(text: str) -> str:
    """Of a hint, however spaced."""
    return blake2b(f"{SCHEMA_VERSION}\0{' '.join(text.split())}".encode(errors="replace"), digest_size=16).hexdigest()


def entry_key(text: str, names: Vocabulary) -> str:
    """names: those that the text may mean."""
    return f"{text_key(text)}.{fingerprint(names)}"


def is_entry_key(key: str) -> bool:
    return _KEY.fullmatch(key) is not None


def entry_text(at: int, model: str, understood: Understood) -> str:
    """As it is kept: compact JSON."""
    answer = StoredAnswer(as_wishes(understood.preferences), understood.unparsed)
    return msgspec.json.encode(Entry(at, model, answer)).decode()


def read_entry(kept: str) -> Entry | None:
    """None: it is none of ours."""
    if len(kept) > MAX_ENTRY_BYTES:
        return None
    try:
        return msgspec.json.decode(kept, type=Entry)
    except (msgspec.MsgspecError, RecursionError):
        return None


class Improvements:
    """`of` is what the request path, the planner and the command line ask. Holds only what it was given, and caches."""

    def __init__(self, kept: Mapping[str, str], read: Callable[[str, Vocabulary], Understood] = parse) -> None:
        """kept: data of the ConfigMap; what else lies there is passed over."""
        self._kept = kept
        self._texts = {key.partition(".")[0] for key in kept if is_entry_key(key)}
        self._names = MentionedNames()
        self._read = read

    def __len__(self) -> int:
        return len(self._texts)

    def of(self, text: str, vocabulary: Vocabulary) -> Understood | None:
        """Parser and model together; None when the model has nothing to add."""
        if not self._texts or text_key(text) not in self._texts:
            return None
        names = self._names.of(text, vocabulary)
        entry = read_entry(self._kept.get(entry_key(text, names), ""))
        if entry is None:
            return None
        try:
            believed = validated(msgspec.json.encode(entry.answer).decode(), text, names)
        except BackendError:
            return None
        return joined(text, self._read(text, vocabulary), believed.understood)


NO_IMPROVEMENTS = Improvements({})


def joined(text: str, parsed: Understood, more: Understood) -> Understood | None:
    """The parser's wishes, and of the others those that it did not see. None when there are none of these.

    The others never win against the parser's, however strong they are said to be.
    """
    open_spans = [_span(text, stretch) for stretch in parsed.unparsed]
    added = [wish for wish in more.preferences if _is_new(wish, parsed.preferences, open_spans)]
    if not added:
        return None
    counting = parsed.effective
    against = {i: other for i, wish in enumerate(added) if (other := _contradicted(wish, counting)) is not None}
    among = conflicts(added)
    lost = [i in parsed.overruled for i in range(len(parsed.preferences))]
    lost += [i in against or i in among.overruled for i in range(len(added))]
    whole = (*parsed.preferences, *added)
    order = sorted(range(len(whole)), key=lambda i: whole[i].start)
    unparsed = tuple(
        stretch
        for stretch, span in zip(parsed.unparsed, open_spans, strict=True)
        if not any(_overlap(span, _of(wish)) for wish in added)
    )
    warnings = [w for w in parsed.warnings if unparsed or w.code != Code.NOT_UNDERSTOOD]
    values = {value for wish in added for value in wish.values}
    warnings += [w for w in more.warnings if w.code == Code.UNKNOWN_NAME and any(f'"{v}"' in w.message for v in values)]
    warnings += [_lost(added[i], other) for i, other in against.items()]
    return Understood(
        tuple(whole[i] for i in order),
        unparsed,
        (*warnings, *among.warnings),
        frozenset(at for at, i in enumerate(order) if lost[i]),
        frozenset(at for at, i in enumerate(order) if i >= len(parsed.preferences)),
    )


def _contradicted(wish: Preference, parsed: tuple[Preference, ...]) -> Preference | None:
    return next((other for other in parsed if conflicts((other, wish)).overruled), None)


def _lost(wish: Preference, other: Preference) -> HintWarning:
    return HintWarning(
        Code.CONFLICT,
        f'{other.intent.value} ("{other.text}") counts, {wish.intent.value} ("{wish.text}") does not: '
        "they contradict each other, and a language model read the latter.",
    )


def _is_new(wish: Preference, parsed: tuple[Preference, ...], open_spans: list[tuple[int, int]]) -> bool:
    if any(wish.intent == p.intent and (wish.values == p.values or _overlap(_of(wish), _of(p))) for p in parsed):
        return False
    if any(_overlap(_of(wish), span) for span in open_spans):
        return True
    return not any(_overlap(_of(wish), _of(p)) for p in parsed)


def _of(wish: Preference) -> tuple[int, int]:
    return wish.start, wish.start + len(wish.text)


def _span(text: str, stretch: str) -> tuple[int, int]:
    start = max(text.find(stretch), 0)
    return start, start + len(stretch)


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]
