"""Text to intents. `parse(text, vocabulary)` is the whole interface: deterministic, linear in the text, no I/O."""

from __future__ import annotations

from berth_intent.understood import Understood
from berth_intent.vocabulary import NOTHING_KNOWN, Vocabulary


def parse(text: str, vocabulary: Vocabulary = NOTHING_KNOWN) -> Understood:
    raise NotImplementedError
