"""Which hints a language model is asked about: those that the parser read in part, or not at all though they look like wishes.

Names and instructions to a machine are what noise is made of; sending it would only cost. What is left out here wrongly is as it
is without a model. Pure; linear in the text.
"""

from __future__ import annotations

import re

from berth_intent.intents import Intent
from berth_intent.understood import Code, Understood

LEAST_WORDS = 3
LEAST_LETTERS = 0.5
"""Share of the characters that are not spaces."""

_WORD = re.compile(r"[^\W\d_]{2,}")
_LABELLED = re.compile(r"\s*[\w./-]{1,63}\s*[:=]\s*\S")
_TO_A_MACHINE = re.compile(
    r"\b(?:ignore|disregard|forget|override|ignoriere|vergiss|ignora|olvida)\b[^.]{0,60}"
    r"\b(?:instructions?|prompts?|rules|above|previous|anweisungen|instrucciones)\b"
    r"|\bsystem\s*(?:prompt|message)\b|(?:^|\n)\s*(?:system|assistant|user)\s*:|<\|",
    re.IGNORECASE,
)
_OF_OURS = re.compile("|".join(re.escape(intent.value) for intent in Intent))


def wants_model(text: str, understood: Understood) -> bool:
    if is_noise(text):
        return False
    if understood.unparsed:
        return True
    return not understood.preferences and not any(w.code == Code.NO_TARGET for w in understood.warnings)


def is_noise(text: str) -> bool:
    """Evidently no wish of a person: too little of it, labels, data, or instructions to a machine."""
    if len(_WORD.findall(text)) < LEAST_WORDS:
        return True
    letters, rest = sum(c.isalpha() for c in text), sum(not c.isspace() for c in text)
    if letters < LEAST_LETTERS * rest:
        return True
    if "{" in text or "}" in text or _OF_OURS.search(text) or _TO_A_MACHINE.search(text):
        return True
    parts = [part for part in re.split(r"[\n,;]", text) if part.strip()]
    return all(_LABELLED.match(part) and len(_WORD.findall(part)) <= LEAST_WORDS for part in parts)
