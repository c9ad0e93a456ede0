"""Ordinary words that are one letter from a word of the lexicon, and are not a typo of it: code is no node, track no rack."""

from __future__ import annotations

WORDS: frozenset[str] = frozenset()
